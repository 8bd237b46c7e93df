"""Backend of the scan for GPUs in Triton: one program for each row of the batch and block of channels.

UNTESTED: written without a GPU at hand; test_operators.py compares it with float64 where there is one.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 64  # channels of a program


def forward(pre: "Tensor", h: "Tensor", state: "Tensor", steps: "Tensor | None", lstm: bool, reverse: bool) -> None:
    """Fill h (batch, time, hidden) from pre; `state` (batch, hidden) goes in and comes out as the last state."""
    _forward[_grid(h)](
        *_strided(pre), *_strided(h), state, *_strided(steps, h), *h.shape[1:], **_options(lstm, reverse, steps)
    )


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
    tensors = (*_strided(pre), *_strided(h), before, *_strided(dh), carry, *_strided(steps, h), *_strided(dpre))
    _backward[_grid(h)](*tensors, *h.shape[1:], **_options(lstm, reverse, steps))


def _grid(h):
    return h.shape[0], triton.cdiv(h.shape[2], CHANNELS)


def _strided(tensor, instead=None):
    tensor = instead if tensor is None else tensor
    return tensor, *tensor.stride()[:2]


def _options(lstm, reverse, steps):
    return {"LSTM": lstm, "REVERSE": reverse, "MASKED": steps is not None, "C": CHANNELS}


@triton.jit
def _softplus(x):
    return tl.maximum(x, 0.0) + tl.log(1.0 + tl.exp(-tl.abs(x)))


@triton.jit
def _gate(row, c, H, inside, LSTM: tl.constexpr):
    """The gate's argument, the candidate's, and minLSTM's two (of minGRU: the same twice)."""
    first = tl.load(row + c, mask=inside, other=0.0)
    second = first
    k = first
    v = tl.load(row + H + c, mask=inside, other=0.0)
    if LSTM:
        second = v
        k = _softplus(-first) - _softplus(-second)
        v = tl.load(row + 2 * H + c, mask=inside, other=0.0)
    return k, v, first, second


@triton.jit
def _forward(pre, pre_b, pre_t, h, h_b, h_t, state, steps, s_b, s_t, T, H,
             LSTM: tl.constexpr, REVERSE: tl.constexpr, MASKED: tl.constexpr, C: tl.constexpr):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * C + tl.arange(0, C)
    inside = c < H
    old = tl.load(state + b * H + c, mask=inside, other=0.0)
    for i in range(T):
        t = (T - 1 - i if REVERSE else i).to(tl.int64)
        k, v, _, _ = _gate(pre + b * pre_b + t * pre_t, c, H, inside, LSTM)
        new = tl.where(v >= 0, v + 0.5, tl.sigmoid(v))
        if MASKED:
            step = tl.load(steps + b * s_b + t * s_t)
            old = tl.where(step == 2, 0.0, old)
            mixed = tl.sigmoid(-k) * old + tl.sigmoid(k) * new
            old = tl.where(step == 0, old, mixed)
        else:
            old = tl.sigmoid(-k) * old + tl.sigmoid(k) * new
        tl.store(h + b * h_b + t * h_t + c, old, mask=inside)
    tl.store(state + b * H + c, old, mask=inside)


@triton.jit
def _backward(pre, pre_b, pre_t, h, h_b, h_t, before, dh, dh_b, dh_t, carry, steps, s_b, s_t, dpre, dpre_b, dpre_t,
              T, H, LSTM: tl.constexpr, REVERSE: tl.constexpr, MASKED: tl.constexpr, C: tl.constexpr):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * C + tl.arange(0, C)
    inside = c < H
    g = tl.load(carry + b * H + c, mask=inside, other=0.0)
    for i in range(T):
        t = (i if REVERSE else T - 1 - i).to(tl.int64)
        past = t + 1 if REVERSE else t - 1
        first = i == T - 1
        old = tl.load(h + b * h_b + past * h_t + c, mask=inside & (not first), other=0.0)
        old += tl.load(before + b * H + c, mask=inside & first, other=0.0)
        k, v, forget, enter = _gate(pre + b * pre_b + t * pre_t, c, H, inside, LSTM)
        z = tl.sigmoid(k)
        stay = tl.sigmoid(-k)
        curve = tl.sigmoid(v)
        g += tl.load(dh + b * dh_b + t * dh_t + c, mask=inside, other=0.0)
        passed = g * stay
        if MASKED:
            step = tl.load(steps + b * s_b + t * s_t)
            old = tl.where(step == 2, 0.0, old)
            passed = tl.where(step == 2, 0.0, tl.where(step == 0, g, passed))
            z = tl.where(step == 0, 0.0, z)
        dk = g * z * stay * (tl.where(v >= 0, v + 0.5, curve) - old)
        dv = g * z * tl.where(v >= 0, 1.0, curve * tl.sigmoid(-v))
        row = dpre + b * dpre_b + t * dpre_t + c
        if LSTM:
            tl.store(row, -dk * tl.sigmoid(-forget), mask=inside)
            tl.store(row + H, dk * tl.sigmoid(-enter), mask=inside)
            tl.store(row + 2 * H, dv, mask=inside)
        else:
            tl.store(row, dk, mask=inside)
            tl.store(row + H, dv, mask=inside)
        g = passed
    tl.store(carry + b * H + c, g, mask=inside)
