"""What a wrong result would be right for, and what a wrong number depends on: found by trying.

Nothing here reads the learner's code. Inputs are changed, the code or the reference runs again, and
the results are compared.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice, product

import numpy as np

from cnnlib.check.diagnosis import Finding, number

Inputs = dict[str, np.ndarray]
Run = Callable[[Inputs], np.ndarray | None]

NOISE = 1e-11
"""What rounding leaves of a difference, relative to the numbers that it is one of."""


def right_for_another_input(inputs: Inputs, explains: Callable[[str, Callable], bool]):
    """Find a change of one input for which the wrong results would be the right ones.

    Parameters
    ----------
    inputs
        Arrays by name.
    explains
        ``explains(name, change)`` says whether the reference gives the learner's results, in every
        case, if the input of this name is replaced by ``change(array)``.

    Returns
    -------
    Finding or None
    """
    for name, array in inputs.items():
        if array.dtype.kind != "f":
            continue
        for words, change in _changes(name, array.ndim):
            if explains(name, change):
                return Finding(
                    f"Your result would be right if {name} were {words}.",
                    f"Where does your code do that to {name}, or something that comes to the same?",
                )
    return None


def _changes(name: str, ndim: int) -> Iterator[tuple[str, Callable]]:
    """Ways to change an array that leave it its shape: in NumPy's words, and as a function."""
    for axes in _axes(ndim):
        yield f"{name}[{_slices('::-1', axes)}]", lambda a, axes=axes: np.flip(a, axes)
    for k in range(ndim):
        for part, place in ((":1", 0), ("-1:", -1)):
            yield (
                f"{name}[{_slices(part, (k,))}], repeated",
                lambda a, k=k, place=place: np.broadcast_to(a.take([place], k), a.shape).copy(),
            )
    for axes in _axes(ndim):
        for what in ("sum", "mean"):
            which = axes[0] if len(axes) == 1 else axes
            yield (
                f"{name}.{what}(axis={which}), repeated",
                lambda a, axes=axes, what=what: np.broadcast_to(
                    getattr(a, what)(axis=axes, keepdims=True), a.shape
                ).copy(),
            )
    yield f"abs({name})", np.abs
    yield f"{name}²", np.square
    yield f"np.sign({name})", np.sign
    yield f"np.maximum({name}, 0)", lambda a: np.maximum(a, 0)
    yield f"1 / {name}", lambda a: 1 / np.where(a == 0, np.nan, a)
    yield "1 everywhere", np.ones_like
    orders = [order for order in _orders(ndim) if order != tuple(range(ndim))]
    for order in dict.fromkeys(orders):
        words = 'ravel(order="F")' if order == tuple(range(ndim))[::-1] else f"transpose{order}"
        yield (
            f"{name}.{words}.reshape({name}.shape)",
            lambda a, order=order: a.transpose(order).reshape(a.shape),
        )
        back = tuple(int(k) for k in np.argsort(order))
        yield (
            f"{name}, poured into the shape of {name}.transpose{order} and turned back",
            lambda a, order=order, back=back: a.reshape([a.shape[k] for k in order]).transpose(
                back
            ),
        )


def _orders(ndim: int) -> Iterator[tuple[int, ...]]:
    """In which orders people take axes for each other: the other way round, the last first, the second last, two exchanged."""
    axes = tuple(range(ndim))
    yield axes[::-1]
    if ndim == 4:
        yield from ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (0, 1, 3, 2), (0, 2, 1, 3))


def _axes(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, ndim + 1):
        yield from combinations(range(ndim), count)


def _slices(part: str, axes: Sequence[int]) -> str:
    return ", ".join(part if k in axes else ":" for k in range(max(axes) + 1))


def depends_on(at: str, place: tuple[int, ...], inputs: Inputs, mine: Run, right: Run) -> str:
    """Say on which parts of the inputs a wrong number depends, and on which it should.

    Parameters
    ----------
    at
        The number, in words, such as ``"dx[0, 0, 2, 3]"``.
    place
        Its index.
    inputs
        Arrays by name.
    mine, right
        The learner's code and the reference: from inputs to a result, or None if it stopped.

    Returns
    -------
    str
        Where both depend on the same indices along every axis: which entry counts more or less
        than it should. Empty where nothing of that kind is found.
    """
    mine_on, right_on = (_parts(place, inputs, run) for run in (mine, right))
    if mine_on is None or right_on is None:
        return ""
    differ = [name for name in mine_on if mine_on[name] != right_on[name]]
    if not differ:
        return _counts(at, place, inputs, mine, right, right_on)
    is_now, should = (
        " and ".join(_index(name, on[name], inputs[name].shape) for name in differ)
        for on in (mine_on, right_on)
    )
    return f"your {at} depends on {is_now}; it should depend on {should}"


def _counts(at, place, inputs: Inputs, mine: Run, right: Run, parts) -> str:
    """The first entry, of a few, by which the number grows at another rate than it should."""
    for name in parts:
        for entry in islice(product(*parts[name]), 12):
            rates = [_rate(place, inputs, name, entry, run) for run in (mine, right)]
            if None not in rates and not np.isclose(*rates, rtol=1e-6, atol=1e-9):
                k, should = (
                    f"{number(rate)} times" if number(rate) != "1" else "once" for rate in rates
                )
                return f"in your {at}, {name}{list(entry)} counts {k}; it should count {should}"
    return ""


def _rate(place, inputs: Inputs, name: str, entry: tuple[int, ...], run: Run) -> float | None:
    """By how much the number grows if the entry grows by 1; None if not at one rate, or by float32."""
    values = []
    for step in (0, 1, 2):
        changed = inputs[name].copy()
        changed[entry] += step
        values.append(float(np.asarray(run(inputs | {name: changed}))[place]))
    first, second = np.diff(values)
    first = 0.0 if abs(first) <= NOISE * np.abs(values).max() else first
    steady = np.isclose(first, second, rtol=1e-6, atol=1e-9)
    return float(first) if steady and inputs[name].dtype == np.float64 else None


def _parts(place, inputs: Inputs, run: Run) -> dict[str, list[list[int]]] | None:
    """For each input and each of its axes, the indices that matter for the number at `place`."""
    rng = np.random.default_rng(0)
    before = run(inputs)
    noise = NOISE * np.abs(before).max(initial=0) if before is not None else 0
    found = {}
    for name, array in inputs.items():
        if array.dtype.kind != "f":
            continue
        found[name] = []
        for axis in range(array.ndim):
            found[name].append([])
            for index in range(array.shape[axis]):
                changed = array.copy()
                part = (slice(None),) * axis + (index,)
                changed[part] += rng.normal(size=changed[part].shape).astype(array.dtype)
                after = run(inputs | {name: changed})
                if before is None or after is None or np.shape(after) != np.shape(before):
                    return None
                if abs(np.asarray(after)[place] - np.asarray(before)[place]) > noise:
                    found[name][axis].append(index)
    return found


def _index(name: str, parts: list[list[int]], shape: tuple[int, ...]) -> str:
    """Indices along each axis, as NumPy would write them."""
    if not all(parts):
        return f"nothing in {name}"
    words = []
    for indices, length in zip(parts, shape, strict=True):
        first, last = indices[0], indices[-1]
        if len(indices) == length and length > 1:
            words.append(":")
        elif first == last:
            words.append(str(first))
        elif indices == list(range(first, last + 1)):
            words.append(f"{first}:{last + 1}")
        else:
            words.append(str(indices))
    return f"{name}[{', '.join(words)}]"
