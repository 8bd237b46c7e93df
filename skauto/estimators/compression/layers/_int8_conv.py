"""Convolutions 3 x 3 in int8 for processors without int8 dot products: the C kernel and what it asks of the weights."""

import ctypes
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skauto._deps import require
from skauto._native import load

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

SOURCE = Path(__file__).parents[2] / "kernels" / "int8_conv.c"
POINTERS = ("x", "u", "own", "scale", "bias", "y")
NUMBERS = (
    *("images", "height", "width", "channels", "filters", "down", "across"),
    *("pad_down", "pad_across", "zero", "stride", "relu", "bytes"),
)
FILTERS = 16  # filters and scales come in whole steps of the kernel
FEWEST_CHANNELS = 8  # with fewer, tiles cost more than they save
IMAGES = 4  # fewest images that are worth a thread

# The weights at each point of a tile, times the whole factors that clear the fractions (see the C file).
ONE = ((6, 0, 0), (-2, -2, -2), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 12))
TWO = ((3, 0, 0), (-3, 0, -3), (-1, 0, 1), (1, 0, 2), (0, 0, 6), *[(0, 6, 0)] * 4)
# By stride: these, and what the largest result must stay below, as 64 or 4 times it must fit 32 bits.
FORMS = {1: (ONE, 2**25), 2: (TWO, 2**29)}


class Layer(ctypes.Structure):
    """The arguments of the kernel."""

    _fields_ = [(n, ctypes.c_void_p) for n in POINTERS] + [(n, ctypes.c_int64) for n in NUMBERS]


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel; None without a compiler, without AVX2, or where the processor has int8 dot products."""
    built = load(SOURCE)
    if built is None or not built.available():
        return None
    built.int8_conv_memory.restype = ctypes.c_int64
    built.int8_conv.argtypes, built.int8_conv.restype = [ctypes.POINTER(Layer), ctypes.c_void_p], None
    return built


def prepared(weight: "Tensor", stride: int) -> "tuple[Tensor, Tensor] | None":
    """What the kernel multiplies with, or None where it cannot or should not.

    Parameters
    ----------
    weight : int8 tensor of shape (filters, channels, 3, 3)
    stride : int

    Returns
    -------
    u, own : int16 tensor, int32 tensor
        Transformed weights, and sums of products among them, laid out as the C file says.
    """
    if stride not in FORMS or weight.shape[2:] != (3, 3) or weight.shape[1] < FEWEST_CHANNELS or library() is None:
        return None
    points, limit = FORMS[stride]
    if 255 * int(weight.long().abs().flatten(1).sum(1).max()) >= limit:
        return None
    points = torch.tensor(points, dtype=torch.float64)
    u = torch.einsum("pa,ocab,qb->pqoc", points, weight.double(), points).long()
    filters, channels = weight.shape[:2]
    u = torch.nn.functional.pad(u, (0, -channels % 4, 0, -filters % FILTERS))
    u = u.reshape(len(points) ** 2, -(-filters // FILTERS), FILTERS, -1, 2, 2)
    own = -(u[..., 0, :] * u[..., 1, :]).sum((3, 4))  # may wrap, as all sums do
    return u.flip(4).permute(0, 1, 3, 4, 2, 5).to(torch.int16).contiguous(), own.to(torch.int32).contiguous()


def whole_steps(vector: "Tensor") -> "Tensor":
    """A vector of one entry a filter, filled up with zeros to whole steps of the kernel."""
    return torch.nn.functional.pad(vector, (0, -len(vector) % FILTERS)).contiguous()


def int8_conv(
    x: "Tensor",
    weights: "tuple[Tensor, Tensor]",
    scale: "Tensor",
    bias: "Tensor",
    *,
    filters: int,
    stride: int,
    padding: tuple[int, ...],
    zero: int,
    relu: bool,
    kind: Any,
) -> "Tensor":
    """Convolve uint8 images, scale the sums, add the bias.

    Parameters
    ----------
    x : uint8 tensor of shape (images, channels, height, width)
        Whose value `zero` means 0.
    weights : tuple
        From `prepared`.
    scale, bias : float tensor
        From `whole_steps`.
    filters : int
    stride : {1, 2}
    padding : tuple of int
    zero : int
    relu : bool
    kind : {torch.uint8, torch.float32}
        Of the result; uint8 is rounded and clamped.

    Returns
    -------
    y : tensor of shape (images, filters, down, across), channels last in memory
    """
    x = x.permute(0, 2, 3, 1).contiguous()
    images, high, wide, channels = x.shape
    down, across = ((side + 2 * pad - 3) // stride + 1 for side, pad in zip((high, wide), padding, strict=True))
    y = torch.empty(images, down, across, filters, dtype=kind)
    fixed = (*weights, scale, bias)
    sides = (high, wide, channels, filters, down, across, *padding, zero, stride, relu, kind == torch.uint8)

    def convolve(x, y):
        pointers = (t.data_ptr() for t in (x, *fixed, y))
        layer = Layer(*pointers, len(x), *sides)
        memory = torch.empty(library().int8_conv_memory(ctypes.byref(layer)), dtype=torch.uint8)
        library().int8_conv(ctypes.byref(layer), memory.data_ptr())

    parts = min(torch.get_num_threads(), images // IMAGES)
    if parts > 1:
        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(convolve, x.tensor_split(parts), y.tensor_split(parts)))
    else:
        convolve(x, y)
    return y.permute(0, 3, 1, 2)
