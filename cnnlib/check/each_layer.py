"""Which layer of a learner's network is wrong: each one gets what reaches the course's own, and is judged by itself.

A network that is wrong in one layer is wrong everywhere behind it, and on the way back everywhere
before it. So no layer gets here what another layer of the learner's made.
"""

from functools import cache, partial

import numpy as np

from cnnlib import misconceptions
from cnnlib.check import diagnosis, pool
from cnnlib.check.conv import IMAGE, KERNELS, MAPS
from cnnlib.check.diagnosis import Finding
from cnnlib.check.engine import Case, Trial, alike, attempt, tried
from cnnlib.scripts import Outcome, built, conv, dense, layer, script

CHECKS = {
    "Conv2D": {"y": "conv_forward", "dW": "conv_dW", "db": "conv_db", "dx": "conv_dx"},
    "ReLU": {"y": "relu_forward", "dx": "relu_backward"},
    "MaxPool2D": {"y": "maxpool_forward", "dx": "maxpool_backward"},
    "Flatten": {"y": "flatten_forward", "dx": "flatten_backward"},
    "Dense": {"y": "dense_forward", "dW": "dense_dW", "db": "dense_db", "dx": "dense_dx"},
}
"""The check of each result of a layer, in the order in which one depends on another."""


def first_wrong_layer(build_network, courses) -> Finding | None:
    """What to say of the first layer whose forward, or else the last whose backward, differs from the course's.

    Parameters
    ----------
    build_network, courses
        The learner's function, and the course's own.
    """
    arrows = _arrows(courses)
    case = Case("layers", arrows, script(built.each_layer, **built.SMALL))
    mine, right = attempt(case, build_network).value, attempt(case, courses).value
    if mine is None or [m["type"] for m in mine] != [r["type"] for r in right]:
        return None
    # Weights are drawn one after the other: behind a layer of another size, all others have others.
    if any(np.shape(m.get("W")) != np.shape(r.get("W")) for m, r in zip(mine, right, strict=True)):
        return None
    places = range(len(right))
    order = [(place, "y") for place in places]
    order += [
        (p, name) for p in reversed(places) for name in CHECKS[right[p]["type"]] if name != "y"
    ]
    for place, name in order:
        if finding := _judged(place, name, mine[place], right[place], arrows):
            return finding
    return None


def _judged(place: int, name: str, mine: dict, right: dict, arrows) -> Finding | None:
    """What to say of one result of a layer, or None where it is right or never came."""
    if name not in mine:
        return None
    kind = right["type"]
    inputs = {"x": arrows[f"x{place}"]} | {key: right[key] for key in ("W", "b") if key in right}
    if name != "y":
        inputs["dy"] = arrows[f"dy{place}"]
    trial = Trial(_case(kind, name, inputs), right[name], Outcome(mine[name]))
    if trial.right:
        return None
    check = CHECKS[kind][name]
    named = (b for b in misconceptions.seen_by(check) if alike([trial], tried([trial], b)))
    broken = next(named, None)
    finding = broken or diagnosis.diagnose([trial.evidence])
    method = "forward" if name == "y" else "backward"
    return Finding(
        f"layers[{place}], {kind}, is the first to go wrong, in its {method}. {finding.says}",
        finding.hint,
        {"its input": trial.case.where}
        | diagnosis.compare(trial.evidence)
        | {"alone": f"check.{check}({kind}) looks at this layer by itself"},
        broken and broken.main,
    )


def _case(kind: str, name: str, inputs) -> Case:
    """The case in which somebody's layer of this kind gets these inputs."""
    tolerance = 0.0 if kind in ("Flatten", "ReLU") or (kind, name) == ("MaxPool2D", "y") else 1e-9
    case = partial(Case, name, inputs, tolerance=tolerance)
    if kind == "MaxPool2D":
        run = pool.SIDE_BY_SIDE.script(layer.forward if name == "y" else layer.backward)
        closest = pool.split_like(pool.SIDE_BY_SIDE) if name == "dx" else None
        return case(run, IMAGE, closest=closest)
    if kind == "Conv2D":
        setting = {"stride": 1, "padding": 1}
        axes = {"y": MAPS, "dW": KERNELS, "db": ("F",), "dx": IMAGE}[name]
        if name == "y":
            return case(script(conv.forward, **setting), axes)
        return case(script(conv.backward, name=name, **setting), axes)
    if kind == "Dense":
        axes = {"y": ("N", "K"), "dW": ("D", "K"), "db": ("K",), "dx": ("N", "D")}[name]
        return case(script(dense.forward) if name == "y" else script(dense.once, name=name), axes)
    axes = ("N", "D") if (kind, name) == ("Flatten", "y") else IMAGE
    return case(script(layer.forward if name == "y" else layer.backward), axes)


@cache
def _arrows(courses) -> dict[str, np.ndarray]:
    """What goes into each layer of the course's network, there and back."""
    net = built.with_new_weights(courses(**built.SMALL, seed=0))
    rng, arrows = np.random.default_rng(6), {}
    x = rng.normal(size=(2, *built.SMALL["shape"]))
    for place, each in enumerate(net.layers):
        arrows[f"x{place}"], x = x, each.forward(x)
    dy = rng.normal(size=x.shape)
    for place, each in reversed(list(enumerate(net.layers))):
        arrows[f"dy{place}"], dy = dy, each.backward(dy)
    return arrows
