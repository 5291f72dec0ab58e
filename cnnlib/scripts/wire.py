"""Plain data through a pipe, in both directions: JSON and raw numbers, never pickle.

Both sides use it, and neither trusts the other: what comes in is checked for its size, its depth and
its dtypes. What is no plain data arrives as a `Foreign`, which says what it was.
"""

import json
import struct
from collections.abc import Iterator

import numpy as np

from cnnlib.scripts.words import shorten

LIMIT = 64 * 2**20
"""Bytes of a message."""
TEXT = 20_000
"""Characters of a string; the rest is cut off."""
DEPTH, ENTRIES = 8, 100_000
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
HEAD = struct.Struct(">II")


class WireError(Exception):
    """What came is no message."""


class Foreign:
    """Stands for something that is no plain data; `repr` says what the other side said of it."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self):
        return self.text


class ForeignIterator(Foreign, Iterator):
    """Stands for a generator and the like."""

    def __next__(self):
        raise StopIteration


def pack(value) -> bytes:
    """A message that holds this value."""
    parts: list[bytes] = []
    text = json.dumps(_plain(value, parts, 0)).encode()
    body = b"".join(parts)
    return HEAD.pack(len(text), len(body)) + text + body


def unpack(text: bytes, body: bytes):
    """The value of a message, or `WireError`."""
    try:
        value, rest = _value(json.loads(text), memoryview(body), 0)
    except WireError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
        raise WireError(f"{type(error).__name__}: {error}"[:200]) from None
    if len(rest):
        raise WireError("bytes are left over")
    return value


def sizes(head: bytes) -> tuple[int, int]:
    """How many bytes of text and of numbers follow a message's head."""
    text, body = HEAD.unpack(head)
    if text + body > LIMIT:
        raise WireError(f"a message of {text + body} bytes")
    return text, body


def _plain(value, parts: list[bytes], depth: int):
    kind = type(value)
    if value is None or kind in (bool, int, float):
        return value if kind is not int or abs(value) < 2**200 else _foreign(value)
    if kind is str:
        return value[:TEXT]
    if kind is np.ndarray and value.dtype.name in DTYPES and value.nbytes < LIMIT:
        order = sorted(range(value.ndim), key=lambda k: -value.strides[k])
        parts.append(np.ascontiguousarray(value.transpose(order)).tobytes())
        return {"array": value.dtype.name, "shape": list(value.shape), "order": order}
    if isinstance(value, np.ndarray):
        return {"object array": str(value.dtype)[:40], "shape": list(value.shape)}
    if isinstance(value, np.generic) and value.dtype.name in DTYPES:
        parts.append(value.tobytes())
        return {"scalar": value.dtype.name}
    if depth < DEPTH and kind in (list, tuple) and len(value) < ENTRIES:
        return {kind.__name__: [_plain(entry, parts, depth + 1) for entry in value]}
    if depth < DEPTH and kind is dict and len(value) < ENTRIES:
        pairs = [[str(k)[:TEXT], _plain(v, parts, depth + 1)] for k, v in value.items()]
        return {"dict": pairs}
    return _foreign(value)


def _foreign(value):
    try:
        text = shorten(repr(value), 200)
    except Exception as error:
        text = f"<its repr raises {type(error).__name__}>"
    return {"foreign": type(value).__name__[:60], "repr": text, "next": hasattr(value, "__next__")}


def _value(plain, body: memoryview, depth: int):
    if depth > DEPTH + 1:
        raise WireError("nested too deep")
    if plain is None or isinstance(plain, bool | int | float):
        return plain, body
    if isinstance(plain, str):
        return plain[:TEXT], body
    if not isinstance(plain, dict) or not plain:
        raise WireError("an unknown kind of value")
    kind, content = next(iter(plain.items()))
    if kind in ("list", "tuple"):
        entries = []
        for entry in content[:ENTRIES]:
            entry, body = _value(entry, body, depth + 1)
            entries.append(entry)
        return entries if kind == "list" else tuple(entries), body
    if kind == "dict":
        pairs = {}
        for name, entry in content[:ENTRIES]:
            pairs[str(name)[:TEXT]], body = _value(entry, body, depth + 1)
        return pairs, body
    if kind == "array":
        return _array(content, plain["shape"], plain["order"], body)
    if kind == "scalar":
        array, body = _array(content, [], [], body)
        return array[()], body
    if kind == "object array":
        shape = _shape(plain["shape"])
        return np.empty(shape if np.prod(shape) < ENTRIES else (0,), object), body
    if kind == "foreign":
        base = ForeignIterator if plain["next"] is True else Foreign
        name = str(content)[:60]
        return type(name if name.isidentifier() else "object", (base,), {})(
            str(plain["repr"])[:200]
        ), body
    raise WireError("an unknown kind of value")


def _shape(sizes) -> tuple[int, ...]:
    if len(sizes) > 32 or not all(type(n) is int and 0 <= n < 2**40 for n in sizes):
        raise WireError("an impossible shape")
    return tuple(sizes)


def _array(dtype: str, shape, order, body: memoryview):
    if dtype not in DTYPES:
        raise WireError(f"dtype {str(dtype)[:40]}")
    shape, dtype = _shape(shape), np.dtype(dtype)
    if sorted(order) != list(range(len(shape))):
        raise WireError("an impossible order of axes")
    count = 1
    for n in shape:
        count *= n
    size = count * dtype.itemsize
    if size > len(body):
        raise WireError("an array without its numbers")
    array = np.frombuffer(body[:size], dtype).reshape([shape[k] for k in order])
    return array.transpose(np.argsort(order)).copy(order="K"), body[size:]
