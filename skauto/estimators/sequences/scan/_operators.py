"""The recurrence of minGRU and minLSTM as two operators; this file is the mathematics, `_scan_*` the backends.

    h[t] = h[t-1] + z[t] (c[t] - h[t-1])        c = v + 1/2 where v >= 0, else sigmoid(v)

minGRU: z = sigmoid(k) ("Were RNNs All We Needed?", arXiv 2410.01201, section 3.1 and appendix B). minLSTM, section 3.2:
z = i / (f + i) with f = sigmoid(kf), i = sigmoid(ki), which is minGRU with k = softplus(-kf) - softplus(-ki).

Gradient, with g[t] that of h[t] from everything after it:  dk = g z (1 - z) (c - h[t-1]),  dv = g z c'(v),
and g[t-1] gets (1 - z) g[t]. The paper's log-space form is not used: its float32 gradients are off by factors where
gates saturate, it cannot hold a z of 0, and on a CPU it is slower than an ordinary GRU.

A backend is a module with `forward` and `backward` on blocks of time; see `_scan_torch`, which always works.
"""

import functools
from types import ModuleType
from typing import TYPE_CHECKING

from skauto._deps import require
from skauto.estimators.sequences.scan import _native as _scan_native
from skauto.estimators.sequences.scan import _torch as _scan_torch

torch = require("torch", extra="deep")
flop_counter = require("torch.utils.flop_counter", extra="deep")

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = torch.Tensor  # what it says at run time is the signature of the operators

KEEP, STEP, FORGET = 0, 1, 2  # what `steps` says: keep the state (padding), step, forget the state and step
BLOCK_BYTES = 8 << 20  # pre-activations of a block of time on a CPU: few calls, and still in cache
GPU_BLOCK_BYTES = 256 << 20  # the same on a GPU, which wants few large calls
KEPT_BYTES = 40 << 20  # pre-activations up to this size are kept for backward, larger ones are recomputed
SCAN_FLOPS, BACKWARD_FLOPS = 10, 20  # counted for each channel and step


def scan(
    pre: Tensor, h0: Tensor | None = None, steps: Tensor | None = None, *, lstm: bool = False, reverse: bool = False
) -> Tensor:
    """All states of the recurrence.

    Parameters
    ----------
    pre : Tensor of shape (batch, time, 2 * hidden), or 3 * hidden with `lstm`
        Pre-activations, [k | v] or [kf | ki | v].
    h0 : Tensor of shape (batch, hidden), default=None
        State before the first step; None is zero.
    steps : int8 Tensor of shape (batch, time), default=None
        0 keeps the state, as padding must, 1 steps, 2 forgets the state before it steps, as at the start of the next
        of several series packed in one row. None is all 1.
    lstm : bool
        minLSTM's gates.
    reverse : bool
        From the last step to the first.

    Returns
    -------
    h : Tensor of shape (batch, time, hidden)
    """
    return torch.ops.skauto.min_scan(pre, h0, steps, lstm, reverse)


def linear_scan(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    h0: Tensor | None = None,
    steps: Tensor | None = None,
    *,
    lstm: bool = False,
    reverse: bool = False,
) -> Tensor:
    """``scan(linear(x, weight, bias), ...)`` in blocks of time.

    For backward x and h are kept, and pre-activations, the largest tensor of the layer, only where they are small:
    for long series they are recomputed. Their gradient is never in memory as a whole.

    Parameters
    ----------
    x : Tensor of shape (batch, time, features)
    weight : Tensor of shape (2 * hidden, features), or 3 * hidden with `lstm`
    bias : Tensor of shape (2 * hidden,), or 3 * hidden
    h0, steps, lstm, reverse
        As in `scan`.

    Returns
    -------
    h : Tensor of shape (batch, time, hidden)
    """
    learns = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    keep = learns and x.shape[0] * x.shape[1] * weight.shape[0] * x.element_size() <= KEPT_BYTES
    return torch.ops.skauto.min_linear_scan(x, weight, bias, h0, steps, lstm, reverse, keep)[0]


def backend(tensor: Tensor) -> ModuleType:
    """The fastest backend for a tensor's device and type."""
    if tensor.is_cuda:
        return _gpu_backend()
    if tensor.device.type == "cpu" and _scan_native.available():
        return _scan_native
    return _scan_torch


@functools.cache
def _gpu_backend():
    try:
        from skauto.estimators.sequences.scan import _triton as _scan_triton
    except ImportError:  # PyTorch without Triton
        return _scan_torch
    return _scan_triton


def _wide(tensor):
    """The type states are kept in: float32 at least, as half precision forgets."""
    return tensor if tensor is None or tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def _rows(tensor):
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def _state(h0, like, hidden):
    if h0 is None:
        return like.new_zeros(like.shape[0], hidden)
    return h0.to(like.dtype).clone(memory_format=torch.contiguous_format)


@torch.library.custom_op("skauto::min_scan", mutates_args=())
def min_scan(pre: Tensor, h0: Tensor | None, steps: Tensor | None, lstm: bool, reverse: bool) -> Tensor:
    wide = _rows(_wide(pre))
    hidden = wide.shape[2] // (3 if lstm else 2)
    h = wide.new_empty(*wide.shape[:2], hidden)
    backend(wide).forward(wide, h, _state(h0, wide, hidden), steps, lstm, reverse)
    return h.to(pre.dtype)


@torch.library.custom_op("skauto::min_scan_backward", mutates_args=())
def min_scan_backward(
    pre: Tensor, h: Tensor, h0: Tensor | None, dh: Tensor, steps: Tensor | None, lstm: bool, reverse: bool
) -> tuple[Tensor, Tensor]:
    wide, dh = _rows(_wide(pre)), _rows(_wide(dh))
    before = _state(h0, wide, h.shape[2])
    carry, dpre = torch.zeros_like(before), torch.empty_like(wide, memory_format=torch.contiguous_format)
    backend(wide).backward(wide, _rows(_wide(h)), before, dh, carry, steps, dpre, lstm, reverse)
    return dpre.to(pre.dtype), carry.to(pre.dtype)


@torch.library.custom_op("skauto::min_linear_scan", mutates_args=())
def min_linear_scan(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    h0: Tensor | None,
    steps: Tensor | None,
    lstm: bool,
    reverse: bool,
    keep: bool,
) -> tuple[Tensor, Tensor]:
    """h, and with `keep` the pre-activations, one block of time after the other; else nothing."""
    hidden = weight.shape[0] // (3 if lstm else 2)
    wide_x, both = _wide(x), _with_bias(weight, bias)
    h = wide_x.new_empty(*x.shape[:2], hidden)
    state, run, blocks = _state(h0, wide_x, hidden), backend(wide_x), _blocks(x, weight, reverse)
    room = wide_x.new_empty(_size(x, weight.shape[0], None if keep else blocks))
    ones = wide_x.new_ones(_size(x, len(both), blocks))
    for block in blocks:
        pre = _stretch(room, x, weight, block, kept=keep)
        torch.mm(_with_ones(ones, wide_x[:, block]), both, out=_flat(pre))
        run.forward(pre, h[:, block], state, _part(steps, block), lstm, reverse)
    return h.to(x.dtype), room if keep else wide_x.new_empty(0)


@torch.library.custom_op("skauto::min_linear_scan_backward", mutates_args=())
def min_linear_scan_backward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    h: Tensor,
    kept: Tensor,
    h0: Tensor | None,
    dh: Tensor,
    steps: Tensor | None,
    lstm: bool,
    reverse: bool,
    need_dx: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    wide_x, wide_w, both = _wide(x), _wide(weight), _with_bias(weight, bias)
    wide_h, dh = _rows(_wide(h)), _rows(_wide(dh))
    first = _state(h0, wide_x, h.shape[2])
    carry, run, blocks = torch.zeros_like(first), backend(wide_x), _blocks(x, weight, reverse)
    room, ones = wide_x.new_empty(_size(x, weight.shape[0], blocks)), wide_x.new_ones(_size(x, len(both), blocks))
    dx = torch.empty_like(wide_x, memory_format=torch.contiguous_format) if need_dx else wide_x.new_empty(0)
    dboth = torch.zeros_like(both)
    for block in reversed(blocks):
        rows, dpre = _with_ones(ones, wide_x[:, block]), _stretch(room, x, weight, block)
        pre = _stretch(kept, x, weight, block, kept=True) if kept.numel() else dpre
        if pre is dpre:
            torch.mm(rows, both, out=_flat(pre))
        before = _before(wide_h, first, block, reverse)
        run.backward(pre, wide_h[:, block], before, dh[:, block], carry, _part(steps, block), dpre, lstm, reverse)
        dboth.addmm_(rows.t(), _flat(dpre))  # this way round is the faster one
        if need_dx:
            dx[:, block] = dpre @ wide_w
    dw, db = dboth[:-1].t().contiguous(), dboth[-1].clone()
    return dx.to(x.dtype), dw.to(weight.dtype), db.to(bias.dtype), carry.to(x.dtype)


def _blocks(x, weight, reverse):
    """Slices of time in the order of the recurrence."""
    batch, time = x.shape[:2]
    most = GPU_BLOCK_BYTES if x.is_cuda else BLOCK_BYTES
    length = max(1, most // (4 * max(1, batch) * weight.shape[0]))
    blocks = [slice(start, min(start + length, time)) for start in range(0, time, length)]
    return blocks[::-1] if reverse else blocks


def _size(x, width, blocks=None):
    """Numbers in the longest of some blocks, given the numbers per step; None: in all of them together."""
    longest = x.shape[1] if blocks is None else max((block.stop - block.start for block in blocks), default=0)
    return x.shape[0] * longest * width


def _with_bias(weight, bias):
    """Both as one matrix, for rows that end with a one: a bias added or summed apart is a pass over memory more."""
    return torch.cat([_wide(weight).t(), _wide(bias).unsqueeze(0)])


def _with_ones(ones, x):
    """Rows of a block of x, each followed by a one, in a memory of ones."""
    width = x.shape[2] + 1
    rows = ones[: x.shape[0] * x.shape[1] * width].view(*x.shape[:2], width)
    rows[:, :, :-1] = x
    return _flat(rows)


def _stretch(room, x, weight, block, kept=False):
    """A block's pre-activations (batch, time, width): its own slice where all are kept, else the beginning."""
    step, time = x.shape[0] * weight.shape[0], block.stop - block.start
    start = step * block.start if kept else 0
    return room[start : start + step * time].view(x.shape[0], time, weight.shape[0])


def _flat(tensor):
    return tensor.reshape(-1, tensor.shape[-1])


def _part(steps, block):
    return None if steps is None else steps[:, block]


def _before(h, first, block, reverse):
    """The state that a block began with."""
    at = block.stop if reverse else block.start - 1
    return h[:, at].contiguous() if 0 <= at < h.shape[1] else first


@min_scan.register_fake
def _(pre, h0, steps, lstm, reverse):
    return pre.new_empty(*pre.shape[:2], pre.shape[2] // (3 if lstm else 2))


@min_scan_backward.register_fake
def _(pre, h, h0, dh, steps, lstm, reverse):
    return pre.new_empty(pre.shape), pre.new_empty(pre.shape[0], h.shape[2])


@min_linear_scan.register_fake
def _(x, weight, bias, h0, steps, lstm, reverse, keep):
    kept = _wide(x).new_empty(x.shape[0] * x.shape[1] * weight.shape[0] if keep else 0)
    return x.new_empty(*x.shape[:2], weight.shape[0] // (3 if lstm else 2)), kept


@min_linear_scan_backward.register_fake
def _(x, weight, bias, h, kept, h0, dh, steps, lstm, reverse, need_dx):
    dx = x.new_empty(x.shape) if need_dx else x.new_empty(0)
    return dx, weight.new_empty(weight.shape), bias.new_empty(bias.shape), x.new_empty(x.shape[0], h.shape[2])


def _scan_context(ctx, inputs, output):
    pre, h0, steps, ctx.lstm, ctx.reverse = inputs
    ctx.save_for_backward(pre, h0, steps, output)


@functools.partial(min_scan.register_autograd, setup_context=_scan_context)
def _(ctx, dh):
    pre, h0, steps, h = ctx.saved_tensors
    dpre, dh0 = torch.ops.skauto.min_scan_backward(pre, h, h0, dh, steps, ctx.lstm, ctx.reverse)
    return dpre, None if h0 is None else dh0, None, None, None


def _linear_context(ctx, inputs, output):
    x, weight, bias, h0, steps, ctx.lstm, ctx.reverse, _ = inputs
    ctx.save_for_backward(x, weight, bias, h0, steps, *output)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)  # else the kept pre-activations would get a gradient of zeros


@functools.partial(min_linear_scan.register_autograd, setup_context=_linear_context)
def _(ctx, dh, _):
    x, weight, bias, h0, steps, h, kept = ctx.saved_tensors
    need_dx = ctx.needs_input_grad[0]
    dx, dw, db, dh0 = torch.ops.skauto.min_linear_scan_backward(
        x, weight, bias, h, kept, h0, dh, steps, ctx.lstm, ctx.reverse, need_dx
    )
    return dx if need_dx else None, dw, db, None if h0 is None else dh0, None, None, None, None


@flop_counter.register_flop_formula(torch.ops.skauto.min_scan)
def _(pre_shape, h0_shape, steps_shape, lstm, reverse, out_shape=None, **kwargs):
    return SCAN_FLOPS * pre_shape[0] * pre_shape[1] * (pre_shape[2] // (3 if lstm else 2))


@flop_counter.register_flop_formula(torch.ops.skauto.min_scan_backward)
def _(pre_shape, h_shape, *args, out_shape=None, **kwargs):
    return BACKWARD_FLOPS * h_shape[0] * h_shape[1] * h_shape[2]


@flop_counter.register_flop_formula(torch.ops.skauto.min_linear_scan)
def _(x_shape, w_shape, b_shape, h0_shape, steps_shape, lstm, reverse, keep, out_shape=None, **kwargs):
    hidden = w_shape[0] // (3 if lstm else 2)
    return x_shape[0] * x_shape[1] * (2 * w_shape[0] * w_shape[1] + SCAN_FLOPS * hidden)


@flop_counter.register_flop_formula(torch.ops.skauto.min_linear_scan_backward)
def _(x_shape, w_shape, b_shape, h_shape, kept_shape, h0_shape, dh_shape, steps_shape, lstm, reverse, need_dx, **kw):
    # products: weights, inputs where asked for, and pre-activations again where they were not kept
    products = (1 + need_dx + (kept_shape[0] == 0)) * 2 * w_shape[0] * w_shape[1]
    return x_shape[0] * x_shape[1] * (products + BACKWARD_FLOPS * h_shape[2])
