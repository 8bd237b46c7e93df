"""What a compression step may use: data to look at and a way to train on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import has_fit_parameter

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn
parametrize = torch.nn.utils.parametrize

WEIGHTED = (nn.Conv2d, nn.Conv1d, nn.Linear)


@dataclass(frozen=True)
class Task:
    """The training rows and the training loop, as the steps of a `CompressedClassifier` see them.

    Attributes
    ----------
    X, y : array-like
        The rows as the user gave them.
    classes : array
        Labels, sorted.
    example : tensor, or tuple of tensors for a network that takes several
        A prepared batch of at most 256 rows.
    train : callable
        ``train(net, epochs, lr, criterion, targets, after_step)`` trains in place; see `tune`.
    fresh : callable
        ``fresh(student) -> net``: the untrained network of another neural classifier, which is trained from now on.
    predict_proba : callable
        Probabilities of the classifier that the steps started from.
    lr : float
        The estimator's own learning rate.
    seed : int
    sample_weight : array, default=None
        Weights of the rows as the user gave them.
    """

    X: Any
    y: Any
    classes: Any
    example: Any
    train: Callable[..., None]
    fresh: Callable[..., Any]
    predict_proba: Callable[..., Any]
    lr: float
    seed: int
    sample_weight: Any = None

    def weights_for(self, estimator: Any) -> dict[str, Any]:
        """The keyword that hands an estimator's fit the weights of the rows, where there are some and it takes them."""
        taken = self.sample_weight is not None and has_fit_parameter(estimator, "sample_weight")
        return {"sample_weight": self.sample_weight} if taken else {}

    def tune(
        self,
        net: "Module",
        epochs: int,
        lr: float | None = None,
        criterion: Callable[..., Any] | None = None,
        targets: "Tensor | None" = None,
        after_step: Callable[[Any], None] | None = None,
    ) -> None:
        """Train a network on, in place; weights that are exactly zero stay zero.

        Parameters
        ----------
        net : torch.nn.Module
        epochs : int
            0 runs none.
        lr : float, default=None
            A third of the estimator's where None.
        criterion : callable, default=None
            ``criterion(loss) -> loss``: a replacement for the default loss on labels.
        targets : tensor of shape (rows, k), default=None
            Further columns beside the label in the targets that the loss gets.
        after_step : callable, default=None
            ``after_step(optimizer)`` is called after each step.
        """
        if epochs:
            with zeros_kept(net):
                self.train(net, epochs, self.lr / 3 if lr is None else lr, criterion, targets, after_step)
            net.eval()


@contextmanager
def zeros_kept(net: "Module") -> Iterator[None]:
    """A context in which training keeps weights that are exactly zero: what was pruned stays pruned."""
    sparse = [layer for layer in weighted_layers(net).values() if (layer.weight == 0).any()]
    sparse = [layer for layer in sparse if not parametrize.is_parametrized(layer)]
    for layer in sparse:
        parametrize.register_parametrization(layer, "weight", Masked(layer.weight != 0))
    yield
    for layer in sparse:
        parametrize.remove_parametrizations(layer, "weight")


class Masked(nn.Module):
    """A weight of which only some entries may differ from zero."""

    def __init__(self, mask: "Tensor") -> None:
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, weight: "Tensor") -> "Tensor":
        """The weight with all other entries zero."""
        return weight * self.mask


def weighted_layers(net: "Module") -> "dict[str, Module]":
    """The convolution and linear layers of a network by name, in order; those of our own classes left out."""
    return {name: layer for name, layer in net.named_modules() if _plain_class(layer) in WEIGHTED}


def _plain_class(layer):
    return type(layer).__mro__[1] if parametrize.is_parametrized(layer) else type(layer)


def is_plain(layer: "Module") -> bool:
    """Whether a layer is linear or a convolution padded with zeros: the layers that rebuilding steps support."""
    return not isinstance(layer, nn.Conv2d) or (layer.padding_mode == "zeros" and not isinstance(layer.padding, str))
