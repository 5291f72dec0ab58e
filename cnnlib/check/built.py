"""The checks of lesson 06, continued: a network built out of the learner's own layers."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cnnlib import layers, misconceptions, network
from cnnlib.check import crash, repair
from cnnlib.check.diagnosis import Finding
from cnnlib.check.each_layer import first_wrong_layer
from cnnlib.check.engine import Case, Check, Comparison, attempt, known, remarks, same
from cnnlib.check.failure import Failed, NotWritten
from cnnlib.scripts import Script, built, script

# ---------------------------------------------------------------------------- a network of one's own


def _build_network(shape, filters, classes, seed):
    rng = np.random.default_rng(seed)
    (C, H, W), (first, second) = shape, filters
    return network.Sequential(
        [
            layers.Conv2D(C, first, 3, padding=1, rng=rng),
            layers.ReLU(),
            layers.MaxPool2D(2),
            layers.Conv2D(first, second, 3, padding=1, rng=rng),
            layers.ReLU(),
            layers.MaxPool2D(2),
            layers.Flatten(),
            layers.Dense(second * (H // 4) * (W // 4), classes, rng=rng),
        ]
    )


_build_network.__name__ = "build_network"
# N, shape, filters, classes, and what is special about them.
SETTINGS = (
    (2, (1, 8, 12), (2, 3), 4, ""),
    (1, (3, 12, 8), (4, 2), 5, "pictures in colour"),
    (2, (2, 9, 14), (3, 4), 3, "sides that 4 does not divide"),
    (1, (1, 4, 7), (2, 3), 10, "a map of one pixel reaches Flatten"),
    (1, (1, 7, 6), (3, 2), 4, "an odd height, of which a pool leaves a row over"),
)
LEARNT = ("Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense")


class _OfNetworks(Check):
    """A check of a function that builds a network out of layers from other exercises."""

    def failure(self, thing) -> Failed | None:
        return _no_network(self.title, thing) or self.judged(thing)

    def judged(self, thing) -> Failed | None:
        """What is wrong with the network that `thing` builds, or None."""
        raise NotImplementedError

    def told(self, finding: Finding, end: dict[str, str]) -> Failed:
        """The failure that says what was found, by its name where it has one."""
        failure = Failed(self.title, finding.says, finding.facts | end)
        failure.misconception = finding.misconception
        return failure

    def _not_written(self, error: NotImplementedError) -> NotWritten:
        stop = crash.own_frame(error)
        if stop and stop.function in ("forward", "backward"):
            needed = f"Sequential.{stop.function}"
            return NotWritten(self.title, f"is not written yet: first comes {needed}.")
        return super()._not_written(error)


class _Built(_OfNetworks, Comparison):
    """Compares the scores of the learner's network with those of the course's."""

    course = ("layers",)
    """What may stand in where the learner's own layers aren't right yet."""

    def judged(self, thing) -> Failed | None:
        return Comparison.failure(self, thing)

    def _failure(self, thing, trials, wrong, known):
        findings = () if known else (_first_difference(thing, *s) for s in SETTINGS)
        finding = next(filter(None, findings), None)
        if not known:
            finding = finding or first_wrong_layer(thing, _build_network)
        if finding:
            return self.told(finding, {"hint": finding.hint}).pointing_at(
                _where_it_is_made(thing, finding)
            )
        return super()._failure(thing, trials, wrong, known)


def _where_it_is_made(build_network, finding: Finding) -> list[repair.Clue]:
    """The line that makes the layer of which a finding speaks first; nothing where that is not clear."""
    of = re.match(r"layers\[(\d+)\], (\w+), (returns|has kernels)", finding.says)
    if of is None:
        return []
    place, kind = int(of[1]), of[2]
    net = attempt(Case("network", {}, script(built.build, **built.SMALL)), build_network).value
    kinds = net["inside"]
    return repair.where_called(build_network, kind, kinds.count(kind), kinds[:place].count(kind))


def _no_network(title: str, build_network) -> Failed | None:
    """What to say where no network comes out, as a layer isn't finished or something else is returned."""
    outcome = attempt(Case("network", {}, script(built.build, **built.SMALL)), build_network)
    if isinstance(outcome.error, ImportError):
        return _unfinished(title, outcome.error)
    if outcome.error:
        return None
    net = outcome.value
    if net["type"] == "NoneType":
        hint = "Is there a return on every path through your function?"
        return Failed(title, "It returned None.", remarks(outcome, hint))
    if net["layers"] is not None:
        return _no_layer(title, net["layers"]) or _one_layer_in_two_places(title, net)
    hint = "Which class makes one network of several layers?"
    facts = {"got": f"a {net['type']}", **remarks(outcome, hint)}
    return Failed(title, "What comes back is not a Sequential.", facts)


def _no_layer(title: str, layers: list[dict]) -> Failed | None:
    for place, layer in enumerate(layers):
        if layer["class"]:
            says = f"layers[{place}] is the class {layer['type']}, not a layer made from it."
            return Failed(title, says, {"hint": "How is an object made from a class?"})
        if not layer["forward"]:
            says = f"layers[{place}] is not a layer, but of type {layer['type']}."
            return Failed(title, says, {"hint": "Sequential gets one list, of layers only."})
    return None


def _one_layer_in_two_places(title: str, net: dict) -> Failed | None:
    for place, first in enumerate(net["places"]):
        if first != place:
            name = net["inside"][place]
            says = f"layers[{first}] and layers[{place}] are one and the same {name}."
            hint = f"A layer remembers one forward only. How many times does {name}(…) appear in your code?"
            return Failed(title, says, {"hint": hint})
    return None


def _unfinished(title: str, error: ImportError) -> NotWritten | None:
    """What to say where a layer's exercise isn't finished."""
    from cnnlib import mine  # it reads notebooks, which no other check needs

    if not isinstance(error, mine.NotFinished):
        return None
    missing = {}
    for name in LEARNT:
        try:
            getattr(mine, name)
        except mine.NotFinished as unfinished:
            headline = str(unfinished).partition("\n")[0]
            missing[name] = headline.partition(": ")[2]
    names = ", ".join(missing)
    stand_in = f"from cnnlib.layers import {names}"
    says = f"waits for what is not written yet, or not right yet: {names}."
    return NotWritten(
        title, says, missing | {"meanwhile": f"let the course's stand in: {stand_in}"}
    )


def _first_difference(build_network, N, shape, filters, classes, _) -> Finding | None:
    """What to say of the first layer that is or does something else than the course's; or None."""
    x = {"x": np.random.default_rng(6).normal(size=(N, *shape))}
    run = script(built.layer_by_layer, shape=shape, filters=filters, classes=classes)
    outcome = attempt(Case("network", x, run), build_network)
    if outcome.error:
        return None
    net = attempt(Case("network", {}, _built_for(shape, filters, classes)), build_network).value
    mine, right = outcome.value, run(_build_network, **x)
    before, way = x["x"].shape, [f"x {x['x'].shape}"]
    names = net["inside"]
    for place, (layer, courses) in enumerate(zip(mine, right, strict=False)):
        name = f"layers[{place}], {layer['type']}"
        facts = {
            "shape": f"{shape}, filters {filters}, classes {classes}",
            "so far": " → ".join(way),
        }
        if "error" in layer:
            facts |= {"its W": f"of shape {layer['W']}"} if layer["has_W"] else {}
            facts |= {"error": layer["error"]}
            came = right[place - 1]["shape"] if place else before
            if finding := before == came and _other_numbers(build_network, layer, courses):
                return replace(finding, facts=facts)
            return Finding(
                f"{name}, can't take the array of shape {before} that reaches it.",
                "Either this layer's numbers are wrong, or those of one before it.",
                facts,
            )
        way.append(f"{layer['type']} {layer['shape']}")
        if layer["type"] != courses["type"]:
            return Finding(
                f"{name}, stands where the course's network has a {courses['type']}.",
                "Compare your list with the exercise's, from the top.",
                facts | _listed(names),
            )
        got, expected = layer["shape"], courses["shape"]
        if got != expected:
            if len(names) != len(right):
                break
            sizes = len(got) == len(expected) and got[:2] == expected[:2]
            about = "how high and wide its maps are" if sizes else "how much comes out of it"
            return Finding(
                f"{name}, returns an array of the wrong shape.",
                f"Which arguments decide {about}? Compare them with the exercise's.",
                facts | {"expected": str(expected), "got": str(got)},
            )
        if layer["W"] != courses["W"]:
            return Finding(
                f"{name}, has kernels of the wrong size.",
                "The shape of what it returns is right all the same. Which two numbers make up for each other?",
                facts
                | {
                    "expected": f"W of shape {courses['W']}",
                    "got": f"W of shape {layer['W']}",
                },
            )
        before = got
    if len(names) != len(right):
        return Finding(
            f"Your network has {len(names)} layers, the course's has {len(right)}.",
            "Compare your list with the exercise's, from the top.",
            _listed(names),
        )
    return None


def _built_for(shape, filters, classes) -> Script:
    return script(built.build, shape=shape, filters=filters, classes=classes)


def _listed(names: list[str]) -> dict[str, str]:
    return {"your layers": ", ".join(names)}


def _other_numbers(build_network, layer, courses) -> Finding | None:
    """What to say of a layer whose W has another shape than the course's, where one can tell why."""
    got, right = layer["W"], courses["W"]
    if got != right and got == (*right[:2][::-1], *right[2:]):
        return Finding(
            f"In a {courses['type']}, what goes in and what comes out have changed places.",
            "Which of its two numbers comes first? Compare it with the one that you wrote.",
        )
    if courses["type"] != "Dense" or len(got) != 2:
        return None
    made_for = []
    for _, shape, filters, classes, _ in SETTINGS:
        run = script(built.features, shape=shape, filters=filters, classes=classes)
        case = Case("features", {}, run)
        made_for.append(attempt(case, build_network).value)
    if len(set(made_for)) == 1:
        return Finding(
            f"Whatever the pictures and the filters, Dense is made for {made_for[0]} features.",
            "That number must come out of the arguments.",
        )
    for broken in misconceptions.network.miscounted():
        if made_for == [broken.features(*shape, *filters) for _, shape, filters, *_ in SETTINGS]:
            return Finding(broken.says, broken.hint, misconception=broken)
    return None


def _check(title: str, passes: str) -> Callable:
    return lambda cases: _Built(cases, title, _build_network, passes)


@_check("build_network", "eight layers that fit pictures of any size")
def build_network():
    """Check ``build_network(shape, filters, classes, seed)`` on pictures of several sizes."""
    rng = np.random.default_rng(6)
    for N, shape, filters, classes, note in SETTINGS:
        setting = f"shape {shape}, filters {filters}, classes {classes}"
        note = "; ".join(filter(None, (setting, note, "weights drawn anew by the check")))
        x = {"x": rng.normal(size=(N, *shape))}
        run = script(built.scores, shape=shape, filters=filters, classes=classes)
        yield Case("scores", x, run, ("N", "K"), note, 1e-9)
    note = "differs[0]: do two networks of one seed differ? differs[1]: do two of different seeds?"
    run = script(built.repeated, filters=(2, 3), classes=4)
    yield Case("differs", {"x": rng.normal(size=(2, 1, 8, 12))}, run, note=note)


# ---------------------------------------------------------------------------- end to end


class _EndToEnd(_OfNetworks):
    """A gradient check through a whole network, every layer of which is the learner's own."""

    def judged(self, thing) -> Failed | None:
        arrays = _two_batches()
        outcome = attempt(Case("gradients", arrays, script(built.first_disagreement)), thing)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        if outcome.value is not None:
            finding = first_wrong_layer(thing, self.reference) or Finding(**outcome.value)
            return self.told(finding, remarks(outcome, finding.hint))
        return self._another_network(thing, arrays) or _borrowed(self.title, thing)

    def _another_network(self, thing, arrays) -> Failed | None:
        """Each layer agrees with itself; whether all of them agree with the course's network, too."""
        case = Case("gradients", arrays, script(built.gradients))
        outcome, right = attempt(case, thing), known(case, self.reference).value
        if outcome.error is not None:
            return self.stopped(outcome, {})
        got = outcome.value
        if len(got) == len(right) and all(
            same(*pair, 1e-9) for pair in zip(right, got, strict=True)
        ):
            return None
        if finding := first_wrong_layer(thing, self.reference):
            return self.told(finding, {"hint": finding.hint})
        return Failed(
            self.title,
            "Each gradient is what a nudge says, but this is another network than the one asked for.",
            {"hint": "What does check.build_network(build_network) say?"},
        )


def _two_batches() -> dict[str, np.ndarray]:
    rng, shapes = np.random.default_rng(6), {"x": (1, 8, 12), "dy": (4,)}
    return {
        f"{when}{name}": rng.normal(size=(N, *shape))
        for when, N in (("first_", 3), ("", 2))
        for name, shape in shapes.items()
    }


def _borrowed(title: str, build_network) -> NotWritten | None:
    """What to say where a layer is not the learner's own."""
    homes = attempt(Case("homes", {}, script(built.homes)), build_network).value
    courses = {name: _is_the_courses(kinds) for name, kinds in homes.items()}
    lent = getattr(build_network, "borrowed", ())  # known, whatever a learner's process says
    borrowed = [name for name, is_the_courses in courses.items() if is_the_courses or name in lent]
    borrowed += [name for name in lent if name not in courses]
    own = [name for name in courses if name not in borrowed]
    if not borrowed:
        return None
    says = f"has the right gradient, but is not all yours yet: {', '.join(borrowed)} "
    says += "comes from the course." if len(borrowed) == 1 else "come from the course."
    facts = {
        "yours": ", ".join(own) or "nothing yet",
        "next": "finish their exercises, and use your own in build_network",
    }
    return NotWritten(title, says, facts)


def _is_the_courses(names: list[str]) -> bool:
    """Whether a class, or one that it inherits from, comes with the course."""
    own = ("cnnlib.mine.", "cnnlib.layers.Layer")
    return any(name.startswith("cnnlib.") and not name.startswith(own) for name in names)


def _documented_end_to_end():
    """Check the gradients of a small network of the learner's own layers, at every layer, against nudges."""


_documented_end_to_end.__name__ = "end_to_end"
end_to_end = _EndToEnd(
    _documented_end_to_end,
    "your network",
    _build_network,
    "every layer is yours, and at each one the gradient is what a nudge says",
)
