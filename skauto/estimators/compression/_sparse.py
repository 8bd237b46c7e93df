"""A linear layer that skips its zeros."""

from skauto._deps import require
from skauto.estimators.compression._kernels import sparse_product

torch = require("torch", extra="deep")
nn = torch.nn

# From this share of zeros on, skipping them was measured to be faster than the dense product: at least 3 times at 90 %
# and batches from 16 on (benchmarks/compression.py); a batch of one row is memory-bound either way.
WORTH_IT = 0.85
SMALLEST = 4096  # weights; in smaller layers the call costs more than the product


class SparseLinear(nn.Linear):
    """A linear layer whose non-zeros are kept in compressed rows; the arithmetic of `torch.nn.Linear`, in another order."""

    settings = ("in_features", "out_features", "bias")

    def __init__(self, in_features, out_features, bias=True):
        super().__init__(in_features, out_features, bias)
        self._rows = None

    def forward(self, x):
        if torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad):
            return super().forward(x)
        if self._rows is None:
            rows = self.weight.detach().to_sparse_csr()
            bias = torch.zeros(self.out_features) if self.bias is None else self.bias.detach()
            index = rows.col_indices().int(), rows.values().contiguous()
            self._rows = rows.crow_indices().int(), *index, bias
        return sparse_product(*self._rows, x.float())

    def flops(self, x):
        """Multiplications and additions for a batch: two for each non-zero and row."""
        return 2 * len(x) * int((self.weight != 0).sum())

    def __getstate__(self):
        return super().__getstate__() | {"_rows": None}


def skip_zeros(net):
    """Replace linear layers by `SparseLinear` where enough of their weights are zero, in place."""
    for name, layer in list(net.named_modules()):
        if type(layer) is not nn.Linear or layer.weight.numel() < SMALLEST:
            continue
        if (layer.weight == 0).float().mean() >= WORTH_IT:
            fast = SparseLinear(layer.in_features, layer.out_features, layer.bias is not None)
            fast.load_state_dict(layer.state_dict())
            net.set_submodule(name, fast.eval())
    return net
