"""What can go wrong in any layer, whatever it computes: what it keeps, what it shares, what it hands out.

Each is a class that lies around a layer's methods, so that it combines with any mistake inside them.
"""

# fmt: off

import numpy as np

from cnnlib.misconceptions.changes import Slip, slip

_LEARNT = {"W", "b", "dW", "db"}


def _remembered(layer) -> dict:
    return {name: value for name, value in vars(layer).items() if name not in _LEARNT | {"first"}}


class KeepsTheFirst:
    """What the first forward wrote down is never written anew."""

    stands_at = "memory"

    def forward(self, *batch):
        y = super().forward(*batch)
        vars(self).update(vars(self).setdefault("first", _remembered(self)))
        return y


class KeepsWhileTheShapeStays:
    """What forward writes down is written anew where the shape of the batch is another one only."""

    stands_at = "memory"

    def forward(self, *batch):
        y = super().forward(*batch)
        shapes = [np.shape(array) for array in batch]
        if vars(self).get("shapes") == shapes:
            vars(self).update(self.first)
        else:
            self.first = _remembered(self)
        self.shapes = shapes
        return y


class SharesMemory:
    """What forward writes down is there once for all layers."""

    stands_at = "memory"

    def forward(self, *batch):
        y = super().forward(*batch)
        type(self).memory = _remembered(self)
        return y

    def backward(self, *dy):
        memory = type(self).memory
        vars(self).update({name: memory[name] for name in self.shared or memory})
        return super().backward(*dy)

    shared = ()
    """The names that are shared; none for all."""


def after(what: str, place: str, change) -> type:
    """Change a result when it is done: ``change(layer, result, N)`` stands in its place.

    *what* is ``"y"``, ``"dx"``, or the name of a gradient that is kept, such as ``"dW"``.
    """

    class After:
        def forward(self, *batch):
            y = super().forward(*batch)
            return change(self, y, len(batch[0])) if what == "y" else y

        def backward(self, *dy):
            dx = super().backward(*dy)
            N = len(dy[0] if dy else dx)
            if what == "dx":
                return change(self, dx, N)
            if what != "y":
                setattr(self, what, change(self, getattr(self, what), N))
            return dx

    After.stands_at = f"{place} of {what}"
    return After


def _pile(what):
    def change(layer, result, N):
        kept = vars(layer).get(f"pile_{what}", 0)
        vars(layer)[f"pile_{what}"] = kept + result
        return vars(layer)[f"pile_{what}"]

    return change


def same_memory(what, made=lambda result: result):
    """Lay every result into the array that is `made` of the first one."""

    def change(layer, result, N):
        memory = vars(layer).get(f"memory_{what}")
        if memory is None or memory.shape != result.shape:
            memory = vars(layer)[f"memory_{what}"] = made(result)
        memory[...] = result
        return memory

    return change


def _walks(*names):
    def change(layer, dx, N):
        for name in names:
            setattr(layer, name, getattr(layer, name) - 0.1 * getattr(layer, f"d{name}"))
        return dx

    return change


def _turns_W(layer, result, N):
    layer.W = layer.W[..., ::-1, ::-1]
    return result


def piles_up(what: str) -> Slip:
    return slip(f"{what} piles up: each backward adds to what the last one left.",
        "Each backward begins anew. Where does your sum begin?", after(what, "start", _pile(what)))


def reuses(what: str) -> Slip:
    method = "forward" if what == "y" else "backward"
    return slip(f"Every {what} lies in the same memory, so the next {method} overwrites the {what} of the last one.",
        f"Whoever got the first {what} may still need it. When does each {method} get an array of its own?", after(what, "memory", same_memory(what)))


def cuts_the_graph(hint: str) -> Slip:
    return slip("You return zeros, so nothing before this layer can ever learn.", hint, after("dx", "end", lambda layer, dx, N: np.zeros_like(dx)))


def not_returned(hint: str) -> Slip:
    return slip("Nothing is returned for x. In the first layer nobody would miss it; but layers are made to be stacked.",
        hint, after("dx", "end", lambda layer, dx, N: None))


def divided_by_the_batch(what: str, hint: str, called: str = "", alone: bool = True) -> Slip:
    return slip(f"{called or what} is divided by the size of the batch here. "
        "The loss has done that already, once and for all layers.", hint, after(what, "division", lambda layer, result, N: result / N), alone=alone, factor=lambda N: 1 / N)


def minus(what: str, called: str = "") -> Slip:
    return slip(f"Every number in {called or what} has the wrong sign.",
        "Where does a minus come in, or go missing?", after(what, "sign", lambda layer, result, N: -result), alone=False, factor=lambda N: -1)


def walks_itself(hint: str, *names: str) -> Slip:
    return slip(f"Your backward changes {' and '.join(names)}. "
        "A layer says where downhill is; only the optimizer walks.", hint, after("dx", "weights", _walks(*names)))


def into_one_picture(what: str) -> dict[str, Slip]:
    """What each picture should get lands in one of them, or only the last is ever written to."""

    def first(layer, dx, N): return np.concatenate([dx.sum(axis=0, keepdims=True), np.zeros_like(dx[1:])])
    def last(layer, dx, N): return np.concatenate([np.zeros_like(dx[:-1]), dx[-1:]])

    hint = f"{what}[n] belongs to picture n. Where does n come into the line that writes?"
    return {
        "AllIntoTheFirstPicture": slip(f"What all pictures of the batch should get lands in {what} of the first one.", hint, after(what, "pictures", first)),
        "OnlyTheLastPicture": slip(f"Only the last picture of the batch gets its {what}; the others stay 0.", hint, after(what, "pictures", last)),
    }


def changes_W(what: str, hint: str) -> Slip:
    method = "forward" if what == "y" else "backward"
    return slip(f"Your {method} changes the weights themselves, so the next call finds others.", hint, after(what, "weights", _turns_W))


def keeps_the_first(says: str, hint: str) -> Slip: return slip(says, hint, KeepsTheFirst)


def keeps_while_the_shape_stays() -> Slip:
    return slip("What forward writes down is kept as long as the shape of the batch stays the same: the second batch of a shape is taken for the first.",
        "Which of your lines run only where something is not there yet, or has another shape? What do they make anew?", KeepsWhileTheShapeStays)


def shares_memory(what: str, layer: str, *names: str) -> Slip:
    """Share what forward keeps, or of that these names only."""
    return slip(
        f"{what} is kept in one place for all layers, so a second {layer} overwrites the first one's.",
        "Each layer needs a memory of its own. Where does `self` come in?",
        type("SharesMemory", (SharesMemory,), {"shared": names}),
    )
