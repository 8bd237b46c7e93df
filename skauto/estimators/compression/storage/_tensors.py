"""Tensors as bytes, without loss, each in the smallest form its values allow."""

import math
from typing import Any

import numpy as np

from skauto.estimators.compression.storage._entropy import decode, encode

MOST_CODES = 256
BLOCKS = (2, 3, 4, 8, 9, 16, 25)
DTYPES = {
    "float32": "<f4",
    "float64": "<f8",
    "float16": "<f2",
    "int8": "i1",
    "uint8": "u1",
    "int32": "<i4",
    "int64": "<i8",
}


def pack(array: np.ndarray) -> tuple[str, bytes]:
    """The bytes of an array and how they are to be read: ``(form, data)``; TypeError for a number type of no file."""
    if array.dtype.name not in DTYPES:
        raise TypeError(f"a model file cannot hold numbers of type {array.dtype.name}, only {', '.join(DTYPES)}")
    packed = [("raw", array.astype(DTYPES[array.dtype.name]).tobytes())]
    if array.dtype.kind == "f" and array.dtype.itemsize > 2 and array.size:
        packed += _half(array) + _codes(array) + _bitmap(array) + _signs(array) + _blocks(array)
    elif array.dtype.itemsize == 1 and array.size:
        packed += _codes(array)
    return min(packed, key=lambda pair: len(pair[1]))


def unpack(form: str, data: bytes, dtype: str, shape: Any) -> np.ndarray:
    """The array that `pack` was given; ValueError where the bytes cannot be one."""
    if dtype not in DTYPES:
        raise ValueError(f"unknown number type {dtype!r}")
    name, _, number = form.partition(":")
    if name not in READERS or any(not isinstance(side, int) or side < 0 for side in shape):
        raise ValueError(f"unknown storage form {form!r} or shape {shape!r}")
    flat = READERS[name](data, np.dtype(DTYPES[dtype]), tuple(shape), int(number) if number else 0)
    if flat.size != np.prod(shape, dtype=np.int64):
        raise ValueError("the file holds another number of values than it announces")
    return flat.reshape(shape).astype(dtype)


def _half(array):
    with np.errstate(over="ignore"):
        half = array.astype("<f2")
    return [("half", half.tobytes())] if (half.astype(array.dtype) == array).all() else []


def _codes(array):
    values, codes = np.unique(_bits(array), return_inverse=True)
    if values.size > MOST_CODES:
        return []
    return [(f"codes:{values.size}", values.tobytes() + encode(codes, values.size))]


def _bitmap(array):
    flat, taken = array.ravel(), _bits(array).ravel() != 0
    if taken.mean() > 0.9:
        return []
    kept = flat[taken].astype(DTYPES[array.dtype.name]).tobytes()
    return [(f"bitmap:{taken.sum()}", kept + encode(taken, 2))]


def _signs(array):
    """Rows of +a and -a: one float for each row and one bit for each value."""
    rows = array.reshape(len(array), -1) if array.ndim > 1 else array[None]
    size = np.abs(rows[:, :1])
    if array.ndim < 2 or not size.all() or not (np.abs(rows) == size).all():
        return []
    return [("signs", size.astype(DTYPES[array.dtype.name]).tobytes() + np.packbits(rows > 0).tobytes())]


def _blocks(array):
    """Runs of values that repeat, as product quantisation makes them: a codebook of runs and their codes."""
    forms = []
    for width in BLOCKS:
        if array.size % width or array.size < 8 * width:
            continue
        runs = np.ascontiguousarray(_bits(array).reshape(-1, width)).view(f"V{array.itemsize * width}").ravel()
        sample = np.unique(runs[: 4 * MOST_CODES])
        if sample.size > MOST_CODES:
            continue
        values, codes = np.unique(runs, return_inverse=True)
        if values.size <= MOST_CODES:
            forms.append((f"blocks{width}:{values.size}", values.tobytes() + encode(codes, values.size)))
    return forms


def _bits(array):
    """The bit patterns, so that -0.0 and 0.0 stay apart."""
    return np.ascontiguousarray(array.astype(DTYPES[array.dtype.name])).view(f"u{array.dtype.itemsize}")


def _split(data, head):
    if len(data) < head:
        raise ValueError("the file is truncated")
    return data[:head], data[head:]


def _read_raw(data, dtype, shape, number):
    if len(data) % dtype.itemsize:
        raise ValueError("the file is truncated")
    return np.frombuffer(data, dtype)


def _read_codes(data, dtype, shape, number):
    return _read_blocks(data, dtype, shape, number, width=1)


def _read_blocks(data, dtype, shape, number, width):
    book, stream = _split(data, number * width * dtype.itemsize)
    codes = decode(stream, int(np.prod(shape, dtype=np.int64)) // width, number)
    return np.frombuffer(book, dtype).reshape(number, width)[codes].ravel()


def _read_bitmap(data, dtype, shape, number):
    kept, stream = _split(data, number * dtype.itemsize)
    taken = decode(stream, int(np.prod(shape, dtype=np.int64)), 2).astype(bool)
    if taken.sum() != number:
        raise ValueError("the file holds another number of values than it announces")
    flat = np.zeros(taken.size, dtype)
    flat[taken] = np.frombuffer(kept, dtype)
    return flat


def _read_signs(data, dtype, shape, number):
    rows = math.prod(shape[:1])
    size, bits = _split(data, rows * dtype.itemsize)
    count = int(np.prod(shape, dtype=np.int64))
    if len(bits) != -(-count // 8):
        raise ValueError("the file is truncated")
    signs = np.unpackbits(np.frombuffer(bits, "u1"), count=count).reshape(rows, -1)
    size = np.frombuffer(size, dtype)[:, None]
    return np.where(signs, size, -size)


READERS: dict[str, Any] = {
    "raw": _read_raw,
    "half": lambda data, dtype, shape, number: _read_raw(data, np.dtype("<f2"), shape, number),
    "codes": _read_codes,
    "bitmap": _read_bitmap,
    "signs": _read_signs,
}
READERS |= {
    f"blocks{w}": lambda data, dtype, shape, number, w=w: _read_blocks(data, dtype, shape, number, w) for w in BLOCKS
}
