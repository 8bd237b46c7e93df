"""Backend of the scan in plain PyTorch: any device, no compiler."""

from typing import TYPE_CHECKING, Any

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

BLOCK_BYTES = 1 << 20  # one gate of a block of time
LOOP_WIDTH = 2000  # batch * hidden from which a step at a time beats the odd/even scan (measured on a CPU)


def forward(pre: "Tensor", h: "Tensor", state: "Tensor", steps: "Tensor | None", lstm: bool, reverse: bool) -> None:
    """Fill h (batch, time, hidden) from pre; `state` (batch, hidden) goes in and comes out as the last state."""
    for block in _blocks(h, reverse):
        gates, mine = _Gates(_turn(pre[:, block], reverse), lstm), _turn(_part(steps, block), reverse)
        z, a = gates.masked(mine)
        states = _solve(a, z * gates.candidate, state)
        h[:, block] = _turn(states, reverse)
        state.copy_(states[:, -1])


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
    for block in reversed(_blocks(h, reverse)):
        gates, mine = _Gates(_turn(pre[:, block], reverse), lstm), _turn(_part(steps, block), reverse)
        z, a = gates.masked(mine)
        after = torch.cat([a[:, 1:], torch.ones_like(a[:, :1])], 1)
        g = _solve(after.flip(1), _turn(dh[:, block], reverse).flip(1), carry).flip(1)
        carry.copy_(a[:, 0] * g[:, 0])
        at = block.stop if reverse else block.start - 1
        first = h[:, at] if 0 <= at < h.shape[1] else before
        previous = torch.cat([first.unsqueeze(1), _turn(h[:, block], reverse)[:, :-1]], 1)
        if mine is not None:
            previous = previous.masked_fill((mine == 2).unsqueeze(2), 0)
        dpre[:, block] = _turn(gates.gradient(g * z, previous), reverse)


class _Gates:
    """z, 1 - z and candidate of a block, each from its own sigmoid so that none is rounded near 1."""

    def __init__(self, pre: "Tensor", lstm: bool) -> None:
        *self.keys, self.v = pre.chunk(3 if lstm else 2, -1)
        log_sigmoid = torch.nn.functional.logsigmoid  # softplus would round above 20
        k = log_sigmoid(self.keys[1]) - log_sigmoid(self.keys[0]) if lstm else self.keys[0]
        self.z, self.stay, self.curve = torch.sigmoid(k), torch.sigmoid(-k), torch.sigmoid(self.v)
        self.candidate = torch.where(self.v >= 0, self.v + 0.5, self.curve)

    def masked(self, steps: "Tensor | None") -> Any:
        """z and the fraction of the old state that stays, as `steps` has them."""
        if steps is None:
            return self.z, self.stay
        steps = steps.unsqueeze(2)
        keep = steps == 0
        return self.z.masked_fill(keep, 0), self.stay.masked_fill(keep, 1).masked_fill(steps == 2, 0)

    def gradient(self, gz: "Tensor", previous: "Tensor") -> Any:
        """Gradient of the pre-activations from gz = g z and the state before each step."""
        dk = gz * self.stay * (self.candidate - previous)
        dv = gz * torch.where(self.v >= 0, 1.0, self.curve * torch.sigmoid(-self.v))
        if len(self.keys) == 1:
            return torch.cat([dk, dv], -1)
        forget, enter = self.keys
        return torch.cat([-dk * torch.sigmoid(-forget), dk * torch.sigmoid(-enter), dv], -1)


def _solve(a, b, state):
    """h[t] = a[t] h[t-1] + b[t] along axis 1 from `state`."""
    if state.numel() < LOOP_WIDTH:
        first = torch.addcmul(b[:, :1], a[:, :1], state.unsqueeze(1))
        return _odd_even(a, torch.cat([first, b[:, 1:]], 1))
    h = torch.empty_like(b, memory_format=torch.contiguous_format)
    for at, bt, ht in zip(a.unbind(1), b.unbind(1), h.unbind(1), strict=True):
        torch.addcmul(bt, at, state, out=ht)
        state = ht
    return h


def _odd_even(a, b):
    """The recurrence from zero in 2 log2(time) passes: solve for odd steps, then fill in the even ones."""
    time = b.shape[1]
    if time == 1:
        return b
    even, odd = slice(0, 2 * (time // 2), 2), slice(1, None, 2)
    half = _odd_even(a[:, even] * a[:, odd], torch.addcmul(b[:, odd], a[:, odd], b[:, even]))
    h = torch.empty_like(b, memory_format=torch.contiguous_format)
    h[:, 0], h[:, odd] = b[:, 0], half
    h[:, 2::2] = torch.addcmul(b[:, 2::2], a[:, 2::2], half[:, : (time - 1) // 2])
    return h


def _blocks(h, reverse):
    batch, time, hidden = h.shape
    length = max(1, BLOCK_BYTES // max(1, batch * hidden * h.element_size()))
    blocks = [slice(start, min(start + length, time)) for start in range(0, time, length)]
    return blocks[::-1] if reverse else blocks


def _part(steps, block):
    return None if steps is None else steps[:, block]


def _turn(tensor, reverse):
    return tensor.flip(1) if reverse and tensor is not None else tensor
