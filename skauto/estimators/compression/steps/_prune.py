"""Prune: weights by magnitude (Han 2015) or whole filters (Li 2016), with training in between."""

import functools
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator

from skauto._deps import require
from skauto.estimators.compression._batchnorm_folding import NORMS
from skauto.estimators.compression._checks import check, check_by_layer, check_integer, check_training, is_fraction
from skauto.estimators.compression.steps._prune_filters import choose_filters, filters_at_first, remove_filters
from skauto.estimators.compression.steps._task import weighted_layers
from skauto.estimators.neural._optimizers import soft_threshold

if TYPE_CHECKING:
    from torch.nn import Module

    from skauto.estimators.compression.steps._task import Task

torch = require("torch", extra="deep")


class Prune(BaseEstimator):
    """Remove single weights or whole filters, in rounds with fine-tuning after each.

    Parameters
    ----------
    amount : float in (0, 1), default=0.5
        Fraction of the weights (of the whole network, or of each layer), or of the filters of each layer.
    what : {"weights", "filters"}, default="weights"
        Single weights become zeros: a smaller file, and faster linear layers from about 90 % zeros on (see
        `SparseLinear`). Filters are removed: smaller and faster in proportion.
    norm : {"l1", "l2", "bn"}, default="l1"
        Importance of a filter: sum of absolute weights (Li 2016), its L2 form, or its batch norm's scale (Liu 2017).
    scope : {"network", "layer"}, default="layer"
        Whether weights are ranked across the network, or each layer loses the same fraction; filters always by layer.
    layer_amounts : dict of str to float, default=None
        Other fractions for single layers, by name; for weights with ``scope="layer"``.
    rounds : int, default=3
        Number of rounds; the fraction that remains shrinks by the same factor in each.
    epochs : int, default=2
        Epochs of training after each round; zeros stay zeros.
    sparsity : float, default=0.0
        Strength of an L1 penalty on batch-norm scales, in training before filters are chosen (Liu 2017, section 3).
    lr : float, default=None
        Learning rate of that training; a third of the estimator's where None.

    References
    ----------
    Han et al. 2015, "Learning both weights and connections", section 3; Li et al. 2016, "Pruning filters for efficient
    ConvNets", section 3; Liu et al. 2017, "Network slimming", section 3.

    Examples
    --------
    >>> from skauto.estimators import Prune
    >>> Prune(0.9, rounds=2).get_params()["amount"]
    0.9
    """

    def __init__(
        self,
        amount: float = 0.5,
        *,
        what: str = "weights",
        norm: str = "l1",
        scope: str = "layer",
        layer_amounts: dict[str, float] | None = None,
        rounds: int = 3,
        epochs: int = 2,
        sparsity: float = 0.0,
        lr: float | None = None,
    ) -> None:
        self.amount = amount
        self.what = what
        self.norm = norm
        self.scope = scope
        self.layer_amounts = layer_amounts
        self.rounds = rounds
        self.epochs = epochs
        self.sparsity = sparsity
        self.lr = lr

    @property
    def rebuilds(self) -> bool:
        """Whether the step follows the graph of the network."""
        return self.what == "filters"

    def apply(self, net: "Module", task: "Task") -> "Module":
        """The pruned network; `net` itself may be changed."""
        check(self, "amount", lambda v: 0 < v < 1, "a fraction above 0 and below 1 (1 would leave nothing)")
        check(self, "what", {"weights", "filters"})
        check(self, "norm", {"l1", "l2", "bn"})
        check(self, "scope", {"network", "layer"})
        check_integer(self, "rounds", 1)
        check_training(self)
        check(self, "sparsity", lambda v: v >= 0, "a number of at least 0")
        check_by_layer(self, "layer_amounts", is_fraction, "a fraction of at least 0 and below 1")
        if self.layer_amounts and (self.what, self.scope) != ("weights", "layer"):
            raise ValueError(
                f"layer_amounts goes with what='weights' and scope='layer', not with what={self.what!r} and "
                f"scope={self.scope!r}: leave it out"
            )
        if (self.sparsity or (self.what, self.norm) == ("filters", "bn")) and not _norms(net):
            raise ValueError(
                "sparsity and norm='bn' of Prune go by batch norms, and the network has none (Quantize folds them into "
                "the layers before): use norm='l1' and sparsity=0"
            )
        if self.sparsity:
            self._pull_scales(net, task)
        at_first = filters_at_first(net, task.example, self.amount) if self.what == "filters" else None
        for number in range(1, self.rounds + 1):
            if self.what == "filters":
                fraction = self._fraction(self.amount, number)
                remove_filters(net, task.example, *choose_filters(net, task.example, fraction, self.norm, at_first))
            else:
                self._zero(net, number)
            task.tune(net, self.epochs, self.lr)
        return net

    def _zero(self, net, number):
        """Set the weakest weights to zero, as many as this round asks for."""
        layers = weighted_layers(net)
        unknown = set(self.layer_amounts or ()) - set(layers)
        if unknown:
            raise ValueError(f"layer_amounts names {sorted(unknown)}; the layers are {', '.join(layers)}")
        sizes = {name: layer.weight.detach().abs().flatten() for name, layer in layers.items()}
        if self.scope == "network":
            gone = _weakest(torch.cat([*sizes.values()]), self._fraction(self.amount, number))
            gone = dict(zip(layers, gone.split([*map(len, sizes.values())]), strict=True))
        else:
            fractions = dict.fromkeys(layers, self.amount) | (self.layer_amounts or {})
            gone = {name: _weakest(size, self._fraction(fractions[name], number)) for name, size in sizes.items()}
        with torch.no_grad():
            for name, layer in layers.items():
                layer.weight.masked_fill_(gone[name].view_as(layer.weight), 0)

    def _fraction(self, amount, number):
        return 1 - (1 - amount) ** (number / self.rounds)

    def _pull_scales(self, net, task):
        """Train with a penalty on the scales of norms, whose proximal step follows each one of the optimiser."""
        scales = [norm.weight for norm in _norms(net)]
        pull = functools.partial(soft_threshold, parameters=scales, strength=self.sparsity)
        task.tune(net, max(self.epochs, 1), self.lr, after_step=pull)


def _norms(net):
    """Batch norms that have a scale."""
    return [m for m in net.modules() if isinstance(m, NORMS) and m.weight is not None]


def _weakest(sizes, fraction):
    """A mask of the smallest entries, exactly this fraction of them, but never all; of equal ones the first."""
    gone = torch.zeros(len(sizes), dtype=torch.bool)
    gone[sizes.argsort(stable=True)[: min(int(round(fraction * len(sizes))), len(sizes) - 1)]] = True
    return gone
