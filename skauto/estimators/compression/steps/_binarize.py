"""Binarize: weights of one bit, with float weights behind them in training; activations of few bits too if wanted."""

from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator

from skauto._deps import require
from skauto._telling import warn
from skauto.estimators.compression._checks import check, check_integer, check_training
from skauto.estimators.compression.layers._binary_layers import BinaryConv2d, BinaryLinear, Signs
from skauto.estimators.compression.steps._task import is_plain, weighted_layers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from skauto.estimators.compression.steps._task import Task

torch = require("torch", extra="deep")
nn = torch.nn
parametrize = nn.utils.parametrize


class Binarize(BaseEstimator):
    """One bit per weight, in all layers but the first and the last.

    Those layers become about 32 times smaller in the file. With float activations predict is no faster; with one-bit
    activations products are bit counts, which is faster (see the guide); convolutions with groups, dilation, or
    padding other than zeros then stay in float. It must be the last step.

    Parameters
    ----------
    method : {"bwn", "binaryconnect", "xnor"}, default="bwn"
        "binaryconnect" (Courbariaux 2015): +1 and -1. "bwn" (Rastegari 2016): these times the filter's mean size.
        "xnor": "bwn" with low-bit activations.
    activation_bits : int in [1, 8], default=1
        For "xnor": 1 takes the sign against a learnt threshold, more bits round to levels (DoReFa). Above 4 bits the
        bit planes cost more than they save, and a warning says so.
    epochs : int, default=5
        Epochs of training with binary weights.
    lr : float, default=None
        Learning rate of that training; a third of the estimator's where None.

    References
    ----------
    Courbariaux et al. 2015, "BinaryConnect", algorithm 1; Rastegari et al. 2016, "XNOR-Net", section 3; Zhou et al.
    2016, "DoReFa-Net", section 2.3.

    Examples
    --------
    >>> from skauto.estimators import Binarize
    >>> Binarize("xnor", activation_bits=2).activation_bits
    2
    """

    ends = True  # training on would undo the signs

    def __init__(
        self, method: str = "bwn", *, activation_bits: int = 1, epochs: int = 5, lr: float | None = None
    ) -> None:
        self.method = method
        self.activation_bits = activation_bits
        self.epochs = epochs
        self.lr = lr

    @property
    def rebuilds(self) -> bool:
        """Whether the step replaces layers."""
        return self.method == "xnor"

    def apply(self, net: "Module", task: "Task") -> "Module":
        """The network with signs for weights; `net` itself is changed."""
        check(self, "method", {"bwn", "binaryconnect", "xnor"})
        check_integer(self, "activation_bits", 1, 8)
        check_training(self)
        layers = self._inner(net)
        if self.method == "xnor":
            self._count_bits(net, layers, task)
        else:
            for layer in layers.values():
                parametrize.register_parametrization(layer, "weight", SignedWeight(self.method == "bwn"))
        task.tune(net, self.epochs, self.lr)
        for layer in net.modules():
            if parametrize.is_parametrized(layer):
                parametrize.remove_parametrizations(layer, "weight")
            elif isinstance(layer, (BinaryLinear, BinaryConv2d)):
                layer.bake()
        return net.eval()

    def _inner(self, net):
        """The layers between the first and the last; a warning where they cannot gain."""
        layers = weighted_layers(net)
        inner = dict(list(layers.items())[1:-1])
        if not inner:
            raise ValueError(f"Binarize leaves the first and the last layer alone, and the network has {len(layers)}")
        if self.method == "xnor" and self.activation_bits > 4:
            warn(
                f"activation_bits={self.activation_bits}: above 4 bits the bit planes cost more than int8, "
                'Quantize("int8") is smaller work',
            )
        small = [n for n, layer in inner.items() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)]
        if small:
            warn(
                f"Binarize on 1 x 1 convolutions ({len(small)} layers, {small[0]} the first) costs much "
                "accuracy: each output sums few signs. Prefer a backbone of 3 x 3 convolutions",
            )
        return inner

    def _count_bits(self, net, layers, task):
        ranges = _input_ranges(net, layers, task.example)
        for name, layer in layers.items():
            convolution = isinstance(layer, nn.Conv2d)
            if convolution and (layer.groups > 1 or layer.dilation != (1, 1) or not is_plain(layer)):
                continue
            mean, top = ranges[name]
            own = {"activation_bits": self.activation_bits, "top": top}
            if isinstance(layer, nn.Linear):
                made = BinaryLinear(layer.in_features, layer.out_features, **own)
            else:
                sides = layer.kernel_size, layer.stride, layer.padding
                made = BinaryConv2d(layer.in_channels, layer.out_channels, *sides, **own)
            net.set_submodule(name, made.take(layer.weight, layer.bias, mean))


class SignedWeight(nn.Module):
    """A parametrisation: the signs of the weight, times the mean size of its filter if `scaled`."""

    def __init__(self, scaled: bool) -> None:
        super().__init__()
        self.scaled = scaled

    def forward(self, weight: "Tensor") -> "Tensor":
        """The weight of the forward pass; its gradient goes straight through."""
        signs = Signs.apply(weight).to(weight.dtype)
        if not self.scaled:
            return signs
        return signs * weight.detach().flatten(1).abs().mean(1).view(-1, *[1] * (weight.dim() - 1))


def _input_ranges(net, layers, example):
    """Mean of each channel, and the value that all but a thousandth stay below, of what each layer takes."""
    seen, hooks = {}, []
    for name, layer in layers.items():

        def look(module, args, name=name):
            x = args[0].transpose(0, 1).flatten(1)
            some = x.flatten()[:: max(1, x.numel() // 100_000)]
            seen[name] = x.mean(1), max(float(some.quantile(0.999)), 1e-6)

        hooks.append(layer.register_forward_pre_hook(look))
    with torch.no_grad():
        net(example)
    for hook in hooks:
        hook.remove()
    return seen
