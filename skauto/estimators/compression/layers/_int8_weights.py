"""Layers that store 8-bit weights and compute in float: for networks that take the weights of layers themselves."""

from typing import TYPE_CHECKING, Any, Self

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn

LARGEST = 127


class StoredLayer(nn.Module):
    """The common base of the two layers: 8-bit weights, with a scale for each filter."""

    def _hold(self, shape, bias):
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(shape[0]))
        self.register_buffer("bias", torch.zeros(shape[0]) if bias else None)
        self._floats = None

    def take(self, layer: "Module") -> Self:
        """Take over the weights of a layer, each filter scaled to -127 ... 127."""
        weight = layer.weight.detach()
        scale = weight.flatten(1).abs().amax(1).clamp_min(1e-12) / LARGEST
        self.scale = scale.clone()
        self.weight.copy_((weight / self._by_filter()).round())
        if self.bias is not None:
            self.bias = layer.bias.detach().clone()
        return self.eval()

    def floats(self) -> "Tensor":
        """The weights as numbers of the scale's type."""
        stale = self._floats is None or self._floats.device != self.scale.device
        if stale or self._floats.dtype != self.scale.dtype:
            self._floats = self.weight.to(self.scale.dtype) * self._by_filter()
        return self._floats

    def _by_filter(self):
        return self.scale.view(-1, *[1] * (self.weight.dim() - 1))

    def _load_from_state_dict(self, *args, **kwargs):
        self._floats = None
        return super()._load_from_state_dict(*args, **kwargs)

    def __getstate__(self):
        return super().__getstate__() | {"_floats": None}


class StoredLinear(StoredLayer):
    """A linear layer."""

    settings = ("in_features", "out_features", "bias")

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self._hold((out_features, in_features), bias)

    def forward(self, x: "Tensor") -> "Tensor":
        return nn.functional.linear(x, self.floats(), self.bias)


class StoredConv1d(StoredLayer):
    """A convolution over time, of stride 1 and without padding."""

    settings = ("in_channels", "out_channels", "kernel_size", "bias")

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, bias: bool = True) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self._hold((out_channels, in_channels, *kernel_size), bias)

    def forward(self, x: "Tensor") -> "Tensor":
        return nn.functional.conv1d(x, self.floats(), self.bias)


def store_int8(net: "Module") -> "Module":
    """Replace every linear layer and convolution over time by one that stores 8 bits, in place."""
    for name, layer in list(net.named_modules()):
        if type(layer) is nn.Linear:
            made = StoredLinear(layer.in_features, layer.out_features, layer.bias is not None)
        elif type(layer) is nn.Conv1d:
            made = StoredConv1d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.bias is not None)
        else:
            continue
        net.set_submodule(name, made.take(layer))
    return net
