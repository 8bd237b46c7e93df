"""Layers that hold several small nets, the members, side by side."""

from typing import TYPE_CHECKING

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")


class MemberLinear(torch.nn.Module):
    """A linear layer for each of several members: (members, rows, inputs) to (members, rows, outputs)."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = torch.nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = torch.nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: "Tensor") -> "Tensor":
        """Outputs of x (members, rows, inputs)."""
        return torch.baddbmm(self.bias, x, self.weight)


class MemberNorm(torch.nn.Module):
    """Layer normalisation with a scale and a shift of its own for each member."""

    def __init__(self, members: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.gain = torch.nn.Parameter(torch.ones(members, 1, width))
        self.shift = torch.nn.Parameter(torch.zeros(members, 1, width))

    def forward(self, x: "Tensor") -> "Tensor":
        """Normalised x (members, rows, width)."""
        return torch.addcmul(self.shift, torch.nn.functional.layer_norm(x, (self.width,)), self.gain)
