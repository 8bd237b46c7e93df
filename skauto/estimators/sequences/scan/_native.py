"""Backend of the scan in C, for tensors on a CPU: kernels/scan.c through ctypes, the batch split over threads."""

import ctypes
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from skauto import _native
from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

SOURCE = Path(__file__).parents[2] / "kernels" / "scan.c"
SUFFIX = {torch.float32: "f32", torch.float64: "f64"}
THREADED_CELLS = 1 << 18  # with fewer states a thread costs more than it saves
POINTER, LONG, INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
FORWARD = [POINTER, LONG, LONG] * 2 + [POINTER] + [POINTER, LONG, LONG] + [LONG] * 3 + [INT]
BACKWARD = [POINTER, LONG, LONG] * 2 + [POINTER] + [POINTER, LONG, LONG] + [POINTER] + [POINTER, LONG, LONG] * 2
BACKWARD += [LONG] * 3 + [INT]


def available() -> bool:
    """Whether the kernel could be compiled here."""
    return _native.load(SOURCE) is not None


@functools.cache
def _kernel(name, dtype):
    kernel = getattr(_native.load(SOURCE), f"{name}_{SUFFIX[dtype]}")
    kernel.argtypes, kernel.restype = FORWARD if name == "forward" else BACKWARD, None
    return kernel


def forward(pre: "Tensor", h: "Tensor", state: "Tensor", steps: "Tensor | None", lstm: bool, reverse: bool) -> None:
    """Fill h (batch, time, hidden) from pre; `state` (batch, hidden) goes in and comes out as the last state."""
    kernel, steps = _kernel("forward", pre.dtype), None if steps is None else steps.to(torch.int8)

    def part(low, high):
        where = functools.partial(_address, row=low, reverse=reverse)
        kernel(*where(pre), *where(h), _row(state, low), *where(steps), high - low, *h.shape[1:], lstm)

    _spread(part, h)


def backward(
    pre: "Tensor",
    h: "Tensor",
    before: "Tensor",
    dh: "Tensor",
    carry: "Tensor",
    steps: "Tensor | None",
    dpre: "Tensor",
    lstm: bool,
    reverse: bool,
) -> None:
    """Fill dpre, which may be pre; `carry` goes in as the gradient from later steps and comes out as that of before."""
    kernel, steps = _kernel("backward", pre.dtype), None if steps is None else steps.to(torch.int8)

    def part(low, high):
        where = functools.partial(_address, row=low, reverse=reverse)
        given = (*where(pre), *where(h), _row(before, low), *where(dh), _row(carry, low), *where(steps))
        kernel(*given, *where(dpre), high - low, *h.shape[1:], lstm)

    _spread(part, h)


def _address(tensor, row, reverse):
    """Pointer to the first step in the order of the recurrence, and the strides of batch and time."""
    if tensor is None:
        return None, 0, 0
    batch, time = tensor.stride()[:2]
    start = row * batch + ((tensor.shape[1] - 1) * time if reverse else 0)
    return tensor.data_ptr() + start * tensor.element_size(), batch, -time if reverse else time


def _row(tensor, row):
    return tensor.data_ptr() + row * tensor.stride(0) * tensor.element_size()


def _spread(part, h):
    """Run `part` over the batch; ctypes gives the interpreter's lock back, so threads run side by side.

    Threads live for one call only: a pool that is kept would hang in a process forked from this one.
    """
    batch = h.shape[0]
    threads = min(torch.get_num_threads(), batch) if h.numel() > THREADED_CELLS else 1
    if threads == 1:
        part(0, batch)
        return
    bounds = [batch * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, bounds[:-1], bounds[1:]))
