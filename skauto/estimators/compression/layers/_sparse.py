"""A linear layer that skips its zeros."""

from typing import TYPE_CHECKING, Any, Self

import scipy.sparse

from skauto._deps import require
from skauto.estimators.compression.layers._kernels import sparse_product

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn

# With at least this fraction of zeros, skipping them was measured to be faster than the dense product: at least 3 times
# at 90 % and batches from 16 on (benchmarks/compression.py); a batch of one row is memory-bound either way.
WORTH_IT = 0.85
SMALLEST = 4096  # weights; in smaller layers the call costs more than the product


class SparseLinear(nn.Linear):
    """`torch.nn.Linear` with its non-zeros in compressed rows: the same sums, in another order."""

    settings = ("in_features", "out_features", "bias")

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self._rows: Any = None

    def forward(self, x: "Tensor") -> "Tensor":
        learns = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        if learns or x.device.type != "cpu" or x.dim() != 2 or x.shape[1] != self.in_features:
            return super().forward(x)
        if self._rows is None:
            rows = scipy.sparse.csr_array(self.weight.detach().numpy())
            bias = torch.zeros(self.out_features) if self.bias is None else self.bias.detach()
            index = (torch.from_numpy(part.astype("int32")) for part in (rows.indptr, rows.indices))
            self._rows = *index, torch.from_numpy(rows.data), bias
        start, index, value, bias = self._rows
        return sparse_product(start, index, value, bias, x.float())

    def flops(self, x: "Tensor") -> int:
        """Multiplications and additions for a batch: two for each non-zero and row."""
        return 2 * len(x) * int((self.weight != 0).sum())

    def train(self, mode: bool = True) -> Self:
        self._rows = None
        return super().train(mode)

    def __getstate__(self):
        return super().__getstate__() | {"_rows": None}


def skip_zeros(net: "Module") -> "Module":
    """Replace linear layers by `SparseLinear` where enough of their weights are zero, in place."""
    for name, layer in list(net.named_modules()):
        if type(layer) is not nn.Linear or layer.weight.numel() < SMALLEST:
            continue
        if (layer.weight == 0).float().mean() >= WORTH_IT:
            fast = SparseLinear(layer.in_features, layer.out_features, layer.bias is not None)
            net.set_submodule(name, _filled(fast, layer))
    return net


def with_zeros(net: "Module") -> "Module":
    """Replace each `SparseLinear` by a linear layer again, in place: the form that steps work on."""
    for name, layer in list(net.named_modules()):
        if isinstance(layer, SparseLinear):
            whole = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None)
            net.set_submodule(name, _filled(whole, layer))
    return net


def _filled(made, layer):
    made.load_state_dict(layer.state_dict())
    return made.eval()
