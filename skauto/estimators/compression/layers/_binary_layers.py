"""Layers with weights of one bit and activations of one to eight, computed by counting bits."""

from typing import TYPE_CHECKING, Any, Self

from skauto._deps import require
from skauto.estimators.compression.layers._kernels import bit_columns, bit_product, library, pack_bits

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")
nn = torch.nn


class Signs(torch.autograd.Function):
    """Signs forward, the gradient straight through where the weight is within [-1, 1] backward (Courbariaux 2015)."""

    @staticmethod
    def forward(ctx: Any, weight: "Tensor") -> "Tensor":
        ctx.save_for_backward(weight)
        return torch.where(weight >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, grad: "Tensor") -> "Tensor":
        return grad * (ctx.saved_tensors[0].abs() <= 1)


class Levels(torch.autograd.Function):
    """Rounding to 2^bits levels of [0, 1] forward, straight through where inside backward (DoReFa, Zhou 2016, 2.3)."""

    @staticmethod
    def forward(ctx: Any, x: "Tensor", bits: int) -> "Tensor":
        ctx.save_for_backward(x)
        steps = 2**bits - 1
        return x.clamp(0, 1).mul_(steps).round_().div_(steps)

    @staticmethod
    def backward(ctx: Any, grad: "Tensor") -> "tuple[Tensor, None]":
        x = ctx.saved_tensors[0]
        return grad * ((x >= 0) & (x <= 1)), None


class BinaryLayer(nn.Module):
    """The common base of the two layers.

    An input of one bit is the sign of ``x - threshold``, the threshold learnt for each channel; one of more bits is
    ``x / top`` rounded to levels of [0, 1]. A weight is a sign times its filter's mean absolute weight.
    """

    def _hold(self, shape, activation_bits, top):
        self.activation_bits, self.top = activation_bits, top
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.threshold = nn.Parameter(torch.zeros(shape[1]))
        self._ready = None

    def take(self, weight: "Tensor", bias: "Tensor | None", threshold: "Tensor | None") -> Self:
        """Start from float weights."""
        with torch.no_grad():
            self.weight.copy_(weight)
            self.threshold.copy_(threshold)
            if bias is not None:
                self.bias.copy_(bias)
        return self

    def bake(self) -> None:
        """Keep of the weights what the product uses: a sign and the size of the filter."""
        with torch.no_grad():
            self.weight.copy_(self._signed())

    def _signed(self):
        size = self.weight.detach().flatten(1).abs().mean(1).view(-1, *[1] * (self.weight.dim() - 1))
        return Signs.apply(self.weight) * size

    def _along(self, vector, x):
        return vector.view(1, -1, *[1] * (x.dim() - 2))

    def _activated(self, x):
        """The input as the product sees it, in floats."""
        if self.activation_bits == 1:
            return Signs.apply(x - self._along(self.threshold, x))
        return Levels.apply(x / self.top, self.activation_bits) * self.top

    def _can_count(self, x):
        fits = x.device.type == "cpu" and x.dim() == self.weight.dim() and x.shape[1] == self.weight.shape[1]
        return fits and not self.training and not torch.is_grad_enabled() and library() is not None

    def _planes(self, rows):
        """Bits of the input, plane by plane, each with what a set bit is worth."""
        if self.activation_bits == 1:
            return [(2.0, pack_bits(rows, self.threshold))]
        steps = 2**self.activation_bits - 1
        levels = rows.div(self.top).clamp_(0, 1).mul_(steps).round_().to(torch.int32)
        half = torch.full((rows.shape[1],), 0.5)
        return [
            (self.top / steps * 2**bit, pack_bits(((levels >> bit) & 1).float(), half))
            for bit in range(self.activation_bits)
        ]

    def _prepared(self):
        """Packed signs, size of each filter, and what the layer says to all-zero bits."""
        if self._ready is None:
            weight = self.weight.detach()
            size = weight.flatten(1).abs().mean(1)
            signs = torch.where(weight >= 0, 1.0, -1.0)
            base = -size * signs.flatten(1).sum(1) if self.activation_bits == 1 else 0
            self._ready = bit_columns(self._packed_signs(signs)), size, self.bias.detach() + base
        return self._ready

    def _count(self, planes):
        columns, size, base = self._prepared()
        out = None
        for worth, bits in planes:
            out = bit_product(bits, columns, base, size, worth, out)
        return out

    def train(self, mode: bool = True) -> Self:
        self._ready = None
        return super().train(mode)

    def __getstate__(self):
        return super().__getstate__() | {"_ready": None}


class BinaryLinear(BinaryLayer):
    """A linear layer of signs."""

    settings = ("in_features", "out_features", "activation_bits", "top")

    def __init__(self, in_features: int, out_features: int, activation_bits: int, top: float) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self._hold((out_features, in_features), activation_bits, top)

    def forward(self, x: "Tensor") -> "Tensor":
        if not self._can_count(x):
            return nn.functional.linear(self._activated(x), self._signed(), self.bias)
        return self._count(self._planes(x))

    def _packed_signs(self, signs):
        return pack_bits(signs, torch.zeros(self.in_features))

    def flops(self, x: "Tensor") -> int:
        """Multiplications and additions it stands for, 32 of them in one word operation and its count."""
        return 2 * len(x) * self.weight.numel() * self.activation_bits // 32


class BinaryConv2d(BinaryLayer):
    """A convolution of signs. Beyond the border one-bit activations are -1, others 0."""

    settings = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "activation_bits", "top")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        activation_bits: int,
        top: float,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding = stride, padding
        self._hold((out_channels, in_channels, *kernel_size), activation_bits, top)

    def forward(self, x: "Tensor") -> "Tensor":
        if not self._can_count(x):
            border = -1.0 if self.activation_bits == 1 else 0.0
            x = nn.functional.pad(self._activated(x), self._sides(), value=border)
            return nn.functional.conv2d(x, self._signed(), self.bias, self.stride)
        rows, _, high, wide = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(-1, self.in_channels)
        planes = [(worth, self._patches(bits.view(rows, high, wide, -1))) for worth, bits in self._planes(pixels)]
        out = self._count(planes)
        down = (high + 2 * self.padding[0] - self.kernel_size[0]) // self.stride[0] + 1
        return out.view(rows, down, -1, self.out_channels).permute(0, 3, 1, 2)

    def _sides(self):
        return (self.padding[1], self.padding[1], self.padding[0], self.padding[0])

    def _patches(self, words):
        """Packed pixels (rows, height, width, words) as packed patches, one a row."""
        words = nn.functional.pad(words, (0, 0, *self._sides()))
        words = words.unfold(1, self.kernel_size[0], self.stride[0]).unfold(2, self.kernel_size[1], self.stride[1])
        return words.permute(0, 1, 2, 4, 5, 3).reshape(-1, self.kernel_size[0] * self.kernel_size[1] * words.shape[3])

    def _packed_signs(self, signs):
        taps = signs.permute(0, 2, 3, 1).reshape(-1, self.in_channels)
        return pack_bits(taps, torch.zeros(self.in_channels)).view(self.out_channels, -1)

    def flops(self, x: "Tensor") -> int:
        """Multiplications and additions it stands for, 32 of them in one word operation and its count."""
        area = 1
        for side, kernel, step, pad in zip(x.shape[2:], self.kernel_size, self.stride, self.padding, strict=True):
            area *= (side + 2 * pad - kernel) // step + 1
        return 2 * len(x) * area * self.weight.numel() * self.activation_bits // 32
