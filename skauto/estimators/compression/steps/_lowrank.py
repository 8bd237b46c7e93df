"""LowRank: linear layers and convolutions split in two by their singular values (Denton 2014, Jaderberg 2014)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from skauto._deps import require
from skauto.estimators.compression._checks import check, check_integer, check_training
from skauto.estimators.compression.steps._task import is_plain, weighted_layers
from skauto.estimators.neural._time_limit import current_limit

if TYPE_CHECKING:
    from torch.nn import Module

    from skauto.estimators.compression.steps._task import Task

torch = require("torch", extra="deep")
nn = torch.nn


FEWEST_CHANNELS = 4  # with fewer, a patch of the input has so few numbers that all of them are needed


class LowRank(BaseEstimator):
    """Factorise layers into two smaller ones where that needs fewer multiplications.

    Convolutions of fewer than four channels, the first one of most networks, are unchanged.

    Parameters
    ----------
    energy : float in (0, 1], default=0.9
        The rank keeps this fraction of the squared singular values. Used where `rank` and `ratio` are None.
    rank : int, default=None
        The same rank for all layers (at most what the layer has).
    ratio : float in (0, 1), default=None
        The rank at which the two layers cost this fraction of the multiplications of the original layer.
    form : {"channels", "spatial"}, default="channels"
        For convolutions: k x k to `rank` channels then 1 x 1, or k x 1 then 1 x k.
    epochs : int, default=2
        Epochs of training afterwards.
    lr : float, default=None
        Learning rate of that training; a third of the estimator's where None.

    References
    ----------
    Denton et al. 2014, "Exploiting linear structure within convolutional networks", section 3; Jaderberg et al. 2014,
    "Speeding up convolutional neural networks with low rank expansions", section 2.

    Examples
    --------
    >>> from skauto.estimators import LowRank
    >>> LowRank(energy=0.8)
    LowRank(energy=0.8)
    """

    rebuilds = True

    def __init__(
        self,
        energy: float = 0.9,
        *,
        rank: int | None = None,
        ratio: float | None = None,
        form: str = "channels",
        epochs: int = 2,
        lr: float | None = None,
    ) -> None:
        self.energy = energy
        self.rank = rank
        self.ratio = ratio
        self.form = form
        self.epochs = epochs
        self.lr = lr

    def apply(self, net: "Module", task: "Task") -> "Module":
        """The network with its layers factorised; `net` itself is changed."""
        check(self, "energy", lambda v: 0 < v <= 1, "a fraction above 0 and at most 1")
        check(self, "form", {"channels", "spatial"})
        check_training(self)
        check_integer(self, "rank", 1, optional=True, hint=" (rank 0 keeps nothing)")
        if self.ratio is not None:
            check(self, "ratio", lambda v: 0 < v < 1, "a fraction above 0 and below 1, or None")
        if self.rank is not None and self.ratio is not None:
            raise ValueError(f"rank={self.rank} and ratio={self.ratio} of LowRank exclude each other: set one to None")
        for name, layer in weighted_layers(net).items():
            if getattr(layer, "in_channels", FEWEST_CHANNELS) < FEWEST_CHANNELS:
                continue
            current_limit().check()
            split = split_layer(layer, self._rank_of, self.form)
            if split is not None:
                net.set_submodule(name, split)
        task.tune(net, self.epochs, self.lr)
        return net

    def _rank_of(self, singular, full, per_rank):
        """The rank for singular values, given the multiplications of the layer and of one rank of its replacement."""
        if self.rank is not None:
            return min(self.rank, len(singular))
        if self.ratio is not None:
            return max(1, min(len(singular), int(self.ratio * full / per_rank)))
        fraction = singular.square().cumsum(0) / singular.square().sum().clamp_min(1e-30)
        return min(len(singular), int((fraction < self.energy).sum()) + 1)


def split_layer(layer: "Module", rank_of: Callable[..., Any], form: str = "channels") -> "Module | None":
    """Two layers for one, or None where they would not be cheaper.

    Parameters
    ----------
    layer : torch.nn.Linear or torch.nn.Conv2d
    rank_of : callable
        ``rank_of(singular_values, full_cost, cost_per_rank) -> int``
    form : {"channels", "spatial"}
    """
    with torch.random.fork_rng(devices=[]):  # new layers draw weights, for which no number of the caller's is spent
        return _split(layer, rank_of, form)


def _split(layer, rank_of, form):
    if isinstance(layer, nn.Linear):
        return _split_linear(layer, rank_of)
    if not isinstance(layer, nn.Conv2d) or layer.groups > 1 or layer.kernel_size == (1, 1) or not is_plain(layer):
        return None
    return _split_channels(layer, rank_of) if form == "channels" else _split_spatial(layer, rank_of)


def _factors(matrix, rank_of, full, per_rank):
    """left (rows, r) and right (r, columns) with left @ right near the matrix, or None where not cheaper."""
    left, singular, right = torch.linalg.svd(matrix.detach(), full_matrices=False)
    rank = rank_of(singular, full, per_rank)
    if rank * per_rank >= full:
        return None
    root = singular[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


def _split_linear(layer, rank_of):
    out, into = layer.weight.shape
    factors = _factors(layer.weight, rank_of, out * into, out + into)
    if factors is None:
        return None
    first = nn.Linear(into, factors[1].shape[0], bias=False)
    second = nn.Linear(first.out_features, out, bias=layer.bias is not None)
    return _filled(first, second, factors[1], factors[0], layer.bias)


def _split_channels(layer, rank_of):
    out, into, high, wide = layer.weight.shape
    area = high * wide
    factors = _factors(layer.weight.flatten(1), rank_of, out * into * area, into * area + out)
    if factors is None:
        return None
    rank = factors[1].shape[0]
    first = nn.Conv2d(into, rank, (high, wide), layer.stride, layer.padding, layer.dilation, bias=False)
    second = nn.Conv2d(rank, out, 1, bias=layer.bias is not None)
    return _filled(first, second, factors[1], factors[0], layer.bias)


def _split_spatial(layer, rank_of):
    out, into, high, wide = layer.weight.shape
    matrix = layer.weight.permute(1, 2, 0, 3).reshape(into * high, out * wide)
    factors = _factors(matrix, rank_of, out * into * high * wide, into * high + out * wide)
    if factors is None:
        return None
    rank = factors[1].shape[0]
    steps, pads, gaps = layer.stride, layer.padding, layer.dilation
    first = nn.Conv2d(into, rank, (high, 1), (steps[0], 1), (pads[0], 0), (gaps[0], 1), bias=False)
    second = nn.Conv2d(rank, out, (1, wide), (1, steps[1]), (0, pads[1]), (1, gaps[1]), bias=layer.bias is not None)
    right = factors[1].reshape(rank, out, wide).permute(1, 0, 2)
    return _filled(first, second, factors[0].T, right, layer.bias)


def _filled(first, second, weight_in, weight_out, bias):
    with torch.no_grad():
        first.weight.copy_(weight_in.reshape(first.weight.shape))
        second.weight.copy_(weight_out.reshape(second.weight.shape))
        if bias is not None:
            second.bias.copy_(bias)
    return nn.Sequential(first, second)
