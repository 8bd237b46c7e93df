"""Quantize: weights out of a codebook, runs of weights out of a codebook, or int8 that runs as int8."""

from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator

from skauto._deps import require
from skauto.estimators.compression._batchnorm_folding import fold_norms
from skauto.estimators.compression._checks import check, check_by_layer, check_integer, check_training, is_bits
from skauto.estimators.compression.layers._codebook import (
    Codebook,
    input_gram,
    product_codes,
    reconstruct,
    scalar_codes,
    worth_coding,
)
from skauto.estimators.compression.layers._int8 import to_int8
from skauto.estimators.compression.layers._int8_weights import store_int8
from skauto.estimators.compression.steps._task import is_plain, weighted_layers
from skauto.estimators.neural._time_limit import current_limit

if TYPE_CHECKING:
    from torch.nn import Module

    from skauto.estimators.compression.steps._task import Task

torch = require("torch", extra="deep")
parametrize = torch.nn.utils.parametrize


class Quantize(BaseEstimator):
    """Store, or compute with, fewer bits.

    First batch norms are folded into the layers before them. "codebook" and "product" make the file smaller, predict
    runs in float as before; "int8" makes the file about four times smaller and predict faster. It must be the last
    step, as further training would undo it. Sequence networks store int8 and compute in float.

    Parameters
    ----------
    method : {"codebook", "product", "int8"}, default="codebook"
        Weight sharing (Han 2016), product quantisation of `width` weights (Stock 2020), or 8-bit weights and
        activations.
    bits : int in [1, 8], default=5
        A layer has 2 ** bits codewords. The zero of pruned weights is one of them.
    conv_bits : int or None, default=None
        The same for convolutions; None: as `bits`.
    layer_bits : dict of str to int or None, default=None
        The same for single layers, by name; None leaves the layer unquantised.
    smallest : int, default=0
        Layers with fewer non-zero weights get no codebook. Nor do those with no more weights than codewords: their
        weights are kept.
    width : int, default=4
        Weights per codeword of "product"; layers whose filter size it does not divide get a codebook of single weights.
    reconstruct : bool, default=False
        Fit the codewords to the layer's output on training rows instead of to its weights (Q-CNN, Wu 2016).
    half : bool, default=True
        Round biases and all else without a codebook to 16 bits, except layers with too few weights for a codebook.
    epochs : int, default=2
        Epochs of training the codewords afterwards; "int8" has none.
    lr : float, default=None
        Learning rate of that training; a third of the estimator's where None.

    References
    ----------
    Han et al. 2016, "Deep Compression", section 3; Stock et al. 2020, "And the bit goes down", section 3; Wu et al.
    2016, "Quantized convolutional neural networks for mobile devices", section 3.

    Examples
    --------
    >>> from skauto.estimators import Quantize
    >>> Quantize(bits=4)
    Quantize(bits=4)
    """

    ends = True  # training on would undo the shared weights

    def __init__(
        self,
        method: str = "codebook",
        *,
        bits: int = 5,
        conv_bits: int | None = None,
        layer_bits: dict[str, int | None] | None = None,
        smallest: int = 0,
        width: int = 4,
        reconstruct: bool = False,
        half: bool = True,
        epochs: int = 2,
        lr: float | None = None,
    ) -> None:
        self.method = method
        self.bits = bits
        self.conv_bits = conv_bits
        self.layer_bits = layer_bits
        self.smallest = smallest
        self.width = width
        self.reconstruct = reconstruct
        self.half = half
        self.epochs = epochs
        self.lr = lr

    @property
    def rebuilds(self) -> bool:
        """Whether the step replaces layers, or follows the graph."""
        return self.method == "int8" or self.reconstruct

    @property
    def stores(self) -> bool:
        """Whether it needs the weights only."""
        return not self.reconstruct

    def apply(self, net: "Module", task: "Task") -> "Module":
        """The quantised network; `net` itself is changed."""
        check(self, "method", {"codebook", "product", "int8"})
        check_integer(self, "bits", 1, 8)
        check_integer(self, "conv_bits", 1, 8, optional=True)
        check_by_layer(self, "layer_bits", is_bits, "an integer from 1 to 8, or None")
        check_integer(self, "smallest", 0)
        check_integer(self, "width", 2)
        check_training(self)
        if not getattr(net, "takes_weights", False):
            fold_norms(net, task.example)
        if self.method == "int8":
            return store_int8(net) if getattr(net, "takes_weights", False) else to_int8(net, task.example)
        layers, few = self._coded(net, task)
        task.tune(net, self.epochs, self.lr)
        for layer in layers:
            parametrize.remove_parametrizations(layer, "weight")
        if self.half:
            _round_rest(net, [*layers, *few])
        return net

    def _coded(self, net, task):
        """Put layers behind codebooks; returns those, and those of too few weights for that."""
        special, coded, few = self.layer_bits or {}, [], []
        layers = weighted_layers(net)
        unknown = set(special) - set(layers)
        if unknown:
            raise ValueError(f"layer_bits names {sorted(unknown)}; the layers are {', '.join(layers)}")
        for name, layer in layers.items():
            plain = self.bits if self.conv_bits is None or layer.weight.dim() == 2 else self.conv_bits
            bits = special.get(name, plain)
            if bits is None or int((layer.weight != 0).sum()) < self.smallest:
                continue
            current_limit().check()
            runs = self.method == "product" and layer.weight[0].numel() % self.width == 0
            if not worth_coding(layer.weight, bits, self.width if runs else 1):
                few.append(layer)
                continue
            if runs:
                codes, table = product_codes(layer.weight, bits, self.width, task.seed)
            else:
                codes, table = scalar_codes(layer.weight, bits)
            if self.reconstruct and getattr(layer, "groups", 1) == 1 and is_plain(layer):
                table = reconstruct(layer.weight, codes, table, input_gram(net, name, task.example))
            parametrize.register_parametrization(
                layer, "weight", Codebook(codes, torch.nn.Parameter(table), layer.weight.shape)
            )
            coded.append(layer)
        return coded, few


def _round_rest(net, layers):
    """Round every parameter but the weights of these layers to what 16 bits hold, unless that is infinite."""
    kept = {id(layer.weight) for layer in layers}
    with torch.no_grad():
        for parameter in net.parameters():
            rounded = parameter.half().to(parameter.dtype)
            if id(parameter) not in kept and rounded.isfinite().all():
                parameter.copy_(rounded)
