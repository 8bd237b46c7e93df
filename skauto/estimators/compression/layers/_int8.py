"""Convolutions and linear layers that store int8 and compute in int8.

By PyTorch's oneDNN operators, those that `torch.compile` emits for quantised models on a CPU; convolutions 3 x 3 by a
kernel of our own where the processor has no int8 dot products. Where a build of PyTorch lacks the operators the layers
compute the same numbers in float, slower and up to rounding; see docs/decisions/0501-int8.md.
"""

import functools
from typing import TYPE_CHECKING, Any

from skauto._deps import require
from skauto.estimators.compression._batchnorm_folding import layer_pairs
from skauto.estimators.compression.layers._int8_conv import int8_conv, prepared, whole_steps
from skauto.estimators.compression.steps._task import is_plain

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn

LEVELS = 255
SMALL = 8192  # weights of a linear layer that is sooner done in float than its int8 operator is called
MOST_EXACT = 63  # of a weight: 2 * 63 * 255 fits 16 bits


def has_int8() -> bool:
    """Whether this PyTorch has the int8 operators."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qconv2d_pointwise")


@functools.cache
def saturates() -> bool:
    """Whether the operators add pairs of products in 16 bits, which 8-bit weights pass: AVX2 without VNNI does."""
    full, one, none = torch.full((1, 64), 127, dtype=torch.int8), torch.ones(1), torch.zeros(1, dtype=torch.int32)
    x, weight = torch.full((1, 64), LEVELS, dtype=torch.uint8), torch.ops.onednn.qlinear_prepack(full, None)
    kind = (1.0, 0, torch.float32, "none", [], "")
    return float(torch.ops.onednn.qlinear_pointwise(x, 1.0, 0, weight, one, none, None, *kind)) != 64 * 127 * LEVELS


class Int8Layer(nn.Module):
    """The base of both layers: 8-bit weights with a scale for each filter, a scale and zero point of the input.

    The layer takes floats, which it quantises, or the uint8 of the layer before. It gives floats, or uint8 where
    `out_scale` is set, with a ReLU before if `relu`.
    """

    def _hold(self, shape, relu, in_scale, in_zero, out_scale):
        self.relu, self.in_scale, self.in_zero, self.out_scale = relu, in_scale, in_zero, out_scale
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(shape[0]))
        self.register_buffer("bias", torch.zeros(shape[0]))
        self._shift = torch.tensor(in_zero + 0.5)
        self._ready = self._tiles = self._floats = None

    def set_weight(self, weight: "Tensor", bias: "Tensor | None") -> None:
        """Take over float weights, each filter scaled to -127 ... 127, or to 7 bits where 8 would not be exact."""
        if bias is not None:
            self.bias.copy_(bias.detach())
        self._round(weight, 127)
        if self._own() is None and has_int8() and saturates():
            self._round(weight, MOST_EXACT)

    def _round(self, weight, most):
        size = weight.detach().flatten(1).abs().amax(1).clamp_min(1e-12) / most
        shape = (-1, *[1] * (weight.dim() - 1))
        self.scale.copy_(size)
        self.weight.copy_((weight.detach() / size.view(shape)).round())
        self._ready = self._tiles = self._floats = None

    def _own(self):
        return None

    def _must_be_float(self, x):
        """On a GPU, without the operators, or with a file of 8-bit weights where these saturate."""
        return x.device.type != "cpu" or not has_int8() or (saturates() and int(self.weight.abs().max()) > MOST_EXACT)

    def quantised(self, x: "Tensor") -> "Tensor":
        """The input as uint8, images channels last; half a step is added, then truncated to integers."""
        if x.dtype == torch.uint8:
            return x
        levels = torch.add(self._shift, x, alpha=1 / self.in_scale).clamp_(0, LEVELS)
        return levels.to(torch.uint8, memory_format=torch.channels_last if x.dim() == 4 else torch.contiguous_format)

    def _result(self):
        """Scale, zero point, number type and activation of the result, as the operators take them."""
        kind = torch.float32 if self.out_scale is None else torch.uint8
        return self.out_scale or 1.0, 0, kind, "relu" if self.relu else "none", [], ""

    def _in_float(self, x, product):
        if self._floats is None or self._floats.device != x.device:
            self._floats = self.weight.float() * (self.scale * self.in_scale).view(-1, *[1] * (self.weight.dim() - 1))
        y = product(self.quantised(x).float().sub_(self.in_zero), self._floats)
        y = y.relu() if self.relu else y
        return y if self.out_scale is None else (y / self.out_scale).round().clamp(0, LEVELS).to(torch.uint8)

    def __deepcopy__(self, memo):
        return self._copy(type(self)(**{key: getattr(self, key) for key in self.settings}))

    def _copy(self, fresh):
        fresh.load_state_dict(self.state_dict())
        return fresh.train(self.training)

    def __getstate__(self):
        return super().__getstate__() | {"_ready": None, "_tiles": None, "_floats": None}


class Int8Conv2d(Int8Layer):
    """An int8 convolution."""

    settings = [
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "relu",
        "in_scale",
        "in_zero",
        "out_scale",
    ]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        relu: bool,
        in_scale: float,
        in_zero: int,
        out_scale: float,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self._hold((out_channels, in_channels // groups, *kernel_size), relu, in_scale, in_zero, out_scale)

    def forward(self, x: "Tensor") -> "Tensor":
        where = (self.stride, self.padding, self.dilation, self.groups)
        own = self._own() if has_int8() and x.device.type == "cpu" else None
        if own is not None and x.dim() == 4 and x.shape[1] == self.in_channels:
            return self._by_tiles(self.quantised(x), *own)
        if self._must_be_float(x):
            return self._in_float(x, lambda x, w: nn.functional.conv2d(x, w, self.bias, *where))
        if self._ready is None:
            packed = torch.ops.onednn.qconv_prepack(self.weight, self.scale, self.in_scale, self.in_zero, *where)
            self._ready = packed, torch.zeros_like(self.scale, dtype=torch.int32)
        packed, zeros = self._ready
        x = self.quantised(x).contiguous(memory_format=torch.channels_last)
        return torch.ops.onednn.qconv2d_pointwise(
            x, self.in_scale, self.in_zero, packed, self.scale, zeros, self.bias, *where, *self._result()
        )

    def _own(self):
        """What our own kernel takes, or None where PyTorch's operator is to be used."""
        if self._tiles is None:
            plain = self.groups == 1 and self.dilation == (1, 1) and self.stride[0] == self.stride[1]
            plain = plain and not isinstance(self.padding, str)
            weights = prepared(self.weight, self.stride[0]) if plain else None
            unit = self.out_scale or 1.0
            scales = whole_steps(self.scale * (self.in_scale / unit)), whole_steps(self.bias / unit)
            self._tiles = (weights and (weights, *scales),)
        return self._tiles[0]

    def _by_tiles(self, x, weights, scale, bias):
        return int8_conv(
            x,
            weights,
            scale,
            bias,
            filters=self.out_channels,
            stride=self.stride[0],
            padding=self.padding,
            zero=self.in_zero,
            relu=self.relu,
            kind=torch.float32 if self.out_scale is None else torch.uint8,
        )

    def flops(self, x: "Tensor") -> int:
        """Multiplications and additions for a batch."""
        area = 1
        for side, kernel, step, pad, gap in zip(
            x.shape[2:], self.kernel_size, self.stride, self.padding, self.dilation, strict=True
        ):
            area *= (side + 2 * pad - gap * (kernel - 1) - 1) // step + 1
        return 2 * len(x) * area * self.weight.numel()


class Int8Linear(Int8Layer):
    """An int8 linear layer."""

    settings = ["in_features", "out_features", "relu", "in_scale", "in_zero", "out_scale"]

    def __init__(
        self, in_features: int, out_features: int, relu: bool, in_scale: float, in_zero: int, out_scale: float
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self._hold((out_features, in_features), relu, in_scale, in_zero, out_scale)

    def forward(self, x: "Tensor") -> "Tensor":
        if self.weight.numel() <= SMALL or self._must_be_float(x):
            return self._in_float(x, lambda x, w: nn.functional.linear(x, w, self.bias))
        if self._ready is None:
            packed = torch.ops.onednn.qlinear_prepack(self.weight, None)
            self._ready = packed, torch.zeros_like(self.scale, dtype=torch.int32)
        packed, zeros = self._ready
        return torch.ops.onednn.qlinear_pointwise(
            self.quantised(x), self.in_scale, self.in_zero, packed, self.scale, zeros, self.bias, *self._result()
        )

    def flops(self, x: "Tensor") -> int:
        """Multiplications and additions for a batch."""
        return 2 * len(x) * self.weight.numel()


def to_int8(net: "Module", example: Any) -> "Module":
    """Replace every convolution and linear layer by an int8 one, in place, with scales measured on a batch.

    Convolutions that pad with anything but a number of zeros stay in float.
    A ReLU that alone follows a layer goes into it, and a layer whose ReLU leads straight to another hands it uint8.

    Parameters
    ----------
    net : torch.nn.Module
        Batch norms folded.
    example : tensor of shape (rows, channels, height, width)
        Rows to read the ranges of activations from.
    """
    layers = {n: m for n, m in net.named_modules() if type(m) in (nn.Conv2d, nn.Linear) and is_plain(m)}
    relus = {name: relu for name, relu in _following_relus(net).items() if name in layers}
    inputs, outputs = _ranges(net, layers, relus, example)
    chained = {name: after for name, after in _next_layers(net, relus).items() if after in layers}
    for relu in relus.values():
        net.set_submodule(relu, nn.Identity())
    feeders = {after: name for name, after in chained.items()}
    for name, layer in layers.items():
        low, high = inputs[name]
        scale = max(high - low, 1e-12) / LEVELS
        zero = int(round(-low / scale))
        if name in feeders:
            scale, zero = _scale_to(outputs[feeders[name]]), 0
        out_scale = _scale_to(outputs[name]) if name in chained else None
        net.set_submodule(name, _int8_of(layer, name in relus, scale, zero, out_scale))
    return net


def _scale_to(high):
    return max(high, 1e-12) / LEVELS


def _int8_of(layer, relu, scale, zero, out_scale):
    kind = Int8Linear if isinstance(layer, nn.Linear) else Int8Conv2d
    own = {key: getattr(layer, key) for key in kind.settings if hasattr(layer, key)}
    made = kind(**own, relu=relu, in_scale=scale, in_zero=zero, out_scale=out_scale)
    made.set_weight(layer.weight, layer.bias)
    return made.eval()


def _following_relus(net):
    """Layer to the ReLU that alone uses its output, an emptied batch norm between them removed from sight."""
    found = layer_pairs(net, (nn.Conv2d, nn.Linear), nn.ReLU)
    through = layer_pairs(net, (nn.Conv2d, nn.Linear), nn.Identity)
    behind = layer_pairs(net, nn.Identity, nn.ReLU)
    return found | {name: behind[identity] for name, identity in through.items() if identity in behind}


def _next_layers(net, relus):
    """Layer to the next one, where nothing but its ReLU and emptied modules is between."""
    direct = layer_pairs(net, (nn.ReLU, nn.Identity), (nn.Conv2d, nn.Linear, nn.Identity, nn.Dropout))
    result = {}
    for name, relu in relus.items():
        after = direct.get(relu)
        while after in direct:
            after = direct[after]
        if after is not None:
            result[name] = after
    return result


def _ranges(net, layers, relus, example):
    """Lowest and highest input, and highest output after ReLU, of each layer."""
    inputs, outputs, hooks = {}, {}, []
    for name, layer in layers.items():

        def look(module, args, output, name=name):
            inputs[name] = min(0.0, float(args[0].min())), max(0.0, float(args[0].max()))
            outputs[name] = float(output.max())

        hooks.append(layer.register_forward_hook(look))
    with torch.no_grad():
        net(example)
    for hook in hooks:
        hook.remove()
    return inputs, outputs
