"""Embeddings of numeric columns, which a net sees in the place of the numbers."""

import math
from typing import TYPE_CHECKING

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

# Waves a column and what is made of them, as in RealMLP, and the deviation of the first frequencies: .1 there, .5 was
# best on one table, the least of harm on the others.
WAVES, SUMS, FREQUENCY_SCALE = 16, 3, 0.3


class PeriodicEmbedding(torch.nn.Module):
    """Each column as its value and learnt sums of cosines of it: (rows, features) to (rows, features x 4).

    Frequencies, phases and sums are a column's own. Plain nets are smooth, and a table often is not: a wave of high
    frequency lets the first layer bend within a small range of a column.

    References
    ----------
    Gorishniy, Rubachev, Babenko: "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022, section
    3.3; with phases, and the value kept, as in RealMLP (Holzmüller et al. 2024, appendix A).
    """

    settings = ("features",)

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features
        self.frequency = torch.nn.Parameter(FREQUENCY_SCALE * torch.randn(features, WAVES))
        self.phase = torch.nn.Parameter(math.pi * (2 * torch.rand(features, WAVES) - 1))
        bound = WAVES**-0.5
        self.weight = torch.nn.Parameter(torch.empty(features, WAVES, SUMS).uniform_(-bound, bound))
        self.bias = torch.nn.Parameter(torch.empty(features, SUMS).uniform_(-bound, bound))
        self.width = features * (1 + SUMS)

    def forward(self, x: "Tensor") -> "Tensor":
        """The embedding of x (rows, features)."""
        waves = torch.cos(2 * math.pi * x.unsqueeze(-1) * self.frequency + self.phase)
        sums = torch.einsum("rfw,fws->rfs", waves, self.weight) + self.bias
        return torch.cat([x.unsqueeze(-1), sums], dim=-1).flatten(1)
