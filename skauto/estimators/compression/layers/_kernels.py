"""The C products as functions of tensors, each with a fallback that gives the same numbers without a compiler."""

import ctypes
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scipy.sparse

from skauto._deps import require
from skauto._native import load

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

SOURCE = Path(__file__).parents[2] / "kernels" / "products.c"
POINTER, LONG, FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
SIDE = 32  # rows of x that the sparse product lays side by side at most, as in the C file


@functools.cache
def library() -> Any:
    """The compiled kernels, or None where there is no compiler."""
    built = load(SOURCE)
    if built is not None:
        built.pack_bits.argtypes = [POINTER, POINTER, POINTER, LONG, LONG]
        built.bit_product.argtypes = [POINTER] * 5 + [LONG, LONG, LONG, FLOAT]
        built.sparse_product.argtypes = [POINTER] * 7 + [LONG, LONG, LONG]
        for kernel in (built.pack_bits, built.bit_product, built.sparse_product):
            kernel.restype = None
        built.bit_unit.restype = LONG
    return built


def pack_bits(x: "Tensor", threshold: "Tensor") -> "Tensor":
    """Bits of ``x >= threshold`` in words of 64.

    Parameters
    ----------
    x : float tensor of shape (rows, K)
    threshold : float tensor of shape (K,)

    Returns
    -------
    words : int64 tensor of shape (rows, ceil(K / 64))
    """
    rows, width = x.shape
    out = torch.empty(rows, -(-width // 64), dtype=torch.int64)
    x, threshold = x.contiguous(), threshold.contiguous()
    library().pack_bits(x.data_ptr(), threshold.data_ptr(), out.data_ptr(), rows, width)
    return out


def bit_columns(words: "Tensor") -> "Tensor":
    """Packed rows (N, words) as the columns that `bit_product` reads: uint8 (bytes / unit, N, unit)."""
    unit = library().bit_unit()
    return words.contiguous().view(torch.uint8).view(len(words), -1, unit).transpose(0, 1).contiguous()


def bit_product(
    a: "Tensor", columns: "Tensor", base: "Tensor", scale: "Tensor", worth: float = 1.0, out: "Tensor | None" = None
) -> "Tensor":
    """``base + worth * scale * ((bits of a) @ (signs of columns))``, or added to `out` in place where that is given.

    Parameters
    ----------
    a : int64 tensor of shape (M, words)
        From `pack_bits`; a zero adds nothing.
    columns : uint8 tensor
        From `bit_columns`; a one is +1, a zero -1.
    base : float tensor of shape (N,)
        Not used where `out` is given.
    scale : float tensor of shape (N,)
    worth : float
    out : float tensor of shape (M, N), default=None

    Returns
    -------
    out : tensor of shape (M, N)
    """
    start = base.data_ptr() if out is None else None
    out = torch.empty(len(a), len(scale)) if out is None else out
    library().bit_product(
        a.data_ptr(),
        columns.data_ptr(),
        start,
        scale.data_ptr(),
        out.data_ptr(),
        len(a),
        len(scale),
        a.shape[1],
        worth,
    )
    return out


def sparse_product(start: "Tensor", index: "Tensor", value: "Tensor", bias: "Tensor", x: "Tensor") -> "Tensor":
    """``x @ W' + bias`` for a matrix W in compressed rows.

    Parameters
    ----------
    start, index : int32 tensors of shape (out + 1,) and (non-zeros,)
    value : float32 tensor of shape (non-zeros,)
    bias : float32 tensor of shape (out,)
    x : float32 tensor of shape (batch, inputs)

    Returns
    -------
    y : tensor of shape (batch, out)
    """
    if library() is None:
        parts = (value.numpy(), index.numpy(), start.numpy())
        matrix = scipy.sparse.csr_array(parts, shape=(len(bias), x.shape[1]))
        return torch.from_numpy((matrix @ x.numpy().T).T) + bias
    x = x.contiguous()
    y, across = torch.empty(len(x), len(bias)), torch.empty(x.shape[1], SIDE)
    arrays = (start, index, value, bias, x, y, across)
    library().sparse_product(*(t.data_ptr() for t in arrays), len(bias), x.shape[1], len(x))
    return y
