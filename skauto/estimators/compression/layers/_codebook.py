"""Codebooks: few distinct values, or few distinct runs of values, for the weights of a layer."""

from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn


class Codebook(nn.Module):
    """A parametrisation: the weight is looked up in a codebook of runs of `width` values, which can be trained.

    Codes of -1 stand for runs of zeros, which stay zero.
    """

    def __init__(self, codes: "Tensor", codebook: "Tensor", shape: Any) -> None:
        super().__init__()
        self.shape, self.codebook = shape, codebook
        self.register_buffer("codes", codes + 1, persistent=False)

    def forward(self, codebook: "Tensor") -> "Tensor":
        """The weight."""
        runs = torch.cat([torch.zeros_like(codebook[:1]), codebook])
        return runs[self.codes].reshape(self.shape)

    def right_inverse(self, weight: "Tensor") -> "Tensor":
        """What is trained instead of the weight."""
        return self.codebook


def worth_coding(weight: "Tensor", bits: int, width: int = 1) -> bool:
    """Whether a layer has more weights (or runs of them) that are not zero than codewords, so that sharing gains."""
    live = (weight.detach().reshape(-1, width) != 0).any(1)
    zero_is_one = width == 1 and not live.all()
    return int(live.sum()) > 2**bits - zero_is_one


def scalar_codes(weight: "Tensor", bits: int) -> "tuple[Tensor, Tensor]":
    """Codes (-1 for zero) and codebook (k, 1) of k-means on single values, started on an even grid (Han 2016, 3.2).

    There must be `worth_coding` weights.
    """
    values = weight.detach().numpy().ravel().astype(np.float64)
    live = values[values != 0]
    zeros = live.size < values.size
    count = 2**bits - zeros
    centers = np.linspace(live.min(), live.max(), count)
    ordered = np.sort(live)
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(50):
        edges = np.searchsorted(ordered, (centers[1:] + centers[:-1]) / 2)
        low, high = np.concatenate([[0], edges]), np.concatenate([edges, [live.size]])
        filled = high > low
        moved = centers.copy()
        moved[filled] = (total[high] - total[low])[filled] / (high - low)[filled]
        moved.sort()
        if np.allclose(moved, centers, rtol=1e-6, atol=0):
            break
        centers = moved
    codes = np.searchsorted((centers[1:] + centers[:-1]) / 2, values)
    codes[values == 0] = -1
    return torch.as_tensor(codes), torch.as_tensor(centers, dtype=weight.dtype)[:, None]


def product_codes(weight: "Tensor", bits: int, width: int, seed: int) -> "tuple[Tensor, Tensor]":
    """Codes and codebook (k, width) of k-means on runs of `width` values along each filter (Stock 2020, section 3.1).

    The width must divide the weights of a filter, and there must be runs `worth_coding`.
    """
    from sklearn.cluster import KMeans

    runs = weight.detach().reshape(-1, width).numpy()
    live = (runs != 0).any(1)
    kmeans = KMeans(2**bits, n_init=1, max_iter=30, random_state=seed, copy_x=True).fit(runs[live])
    codes = np.full(len(runs), -1)
    codes[live] = kmeans.labels_
    return torch.as_tensor(codes), torch.as_tensor(kmeans.cluster_centers_, dtype=weight.dtype)


def reconstruct(weight: "Tensor", codes: "Tensor", codebook: "Tensor", gram: "Tensor") -> "Tensor":
    """The codebook whose layer output is nearest to the layer's own (Q-CNN, Wu 2016, section 3.2), codes held fixed.

    Parameters
    ----------
    weight : tensor of shape (out, ...)
    codes, codebook : tensors
        As from `scalar_codes` or `product_codes`.
    gram : tensor of shape (inputs, inputs)
        Mean of x x' over the inputs x of the layer.
    """
    target, table = weight.detach().flatten(1), codebook.clone().requires_grad_()
    view = Codebook(codes, codebook, target.shape)
    solver = torch.optim.LBFGS([table], max_iter=30, line_search_fn="strong_wolfe")

    def loss():
        solver.zero_grad()
        gap = view(table) - target
        value = ((gap @ gram) * gap).sum()
        value.backward()
        return value

    solver.step(loss)
    return table.detach()


def input_gram(net: "Module", name: str, example: Any) -> "Tensor":
    """Mean of x x' over what a convolution or linear layer sees on a batch, a convolution's x being a patch."""
    layer, seen = net.get_submodule(name), []
    hook = layer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        net(example)
    hook.remove()
    x = seen[0]
    if isinstance(layer, nn.Conv2d):
        x = nn.functional.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
        x = x.transpose(1, 2).reshape(-1, x.shape[1])
    return x.T @ x / len(x)
