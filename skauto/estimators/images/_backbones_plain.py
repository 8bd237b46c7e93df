"""Image networks of whole convolutions, at small-image strides: plain, LeNet-5 and ResNet."""

from typing import TYPE_CHECKING

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn


def conv_bn(
    channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> "tuple[Module, Module]":
    """A convolution without bias and its batch normalisation, as two modules."""
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(channels_out)


class Plain(nn.Module):
    """Three stages of `depth` convolutions 3 x 3, with batch norm and ReLU, of widths w, 2w and 4w; mean; linear."""

    style_layer = "features.2"

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        layers, last = [], channels
        for stage in range(3):
            for block in range(depth):
                stride = 2 if stage and not block else 1
                layers += [*conv_bn(last, width << stage, stride=stride), nn.ReLU()]
                last = width << stage
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(last, n_classes)

    def forward(self, x: "Tensor") -> "Tensor":
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


class Pooled(nn.Module):
    """A convolution at full size, then three stages of `depth`, at most, at a half, a quarter and an eighth of it.

    All are 3 x 3 with batch norm and ReLU; widths are w, 2w, 4w and 4w, the last stage has one. The largest of four
    pixels goes on to the next stage, and the largest of all to the linear layer. Most of the work is done on few
    pixels, so that a CPU sees more images a second than with the others.
    """

    style_layer = "features.2"

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        stages = ((width, 1), (2 * width, depth), (4 * width, depth), (4 * width, 1))
        layers, last = [], channels
        for stage, (wide, count) in enumerate(stages):
            layers += [nn.MaxPool2d(2, ceil_mode=True)] if stage else []
            for _ in range(count):
                layers += [*conv_bn(last, wide), nn.ReLU()]
                last = wide
        self.features = nn.Sequential(*layers)
        self.maxpool, self.flatten = nn.AdaptiveMaxPool2d(1), nn.Flatten()
        self.classifier = nn.Linear(last, n_classes)

    def forward(self, x: "Tensor") -> "Tensor":
        return self.classifier(self.flatten(self.maxpool(self.features(x))))


class LeNet5(nn.Module):
    """LeNet-5 as in Caffe and Han 2015: 20 and 50 filters 5 x 5, 500 hidden units; 431k weights at 28 x 28."""

    style_layer = "features.0"

    def __init__(self, channels: int, n_classes: int, width: int = 20, depth: int = 1) -> None:
        super().__init__()
        filters, hidden = width * 5 // 2, width * 25
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 5),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(width, filters, 5),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(4), nn.Flatten()
        self.classifier = nn.Sequential(nn.Linear(filters * 16, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x: "Tensor") -> "Tensor":
        return self.classifier(self.flatten(self.pool(self.features(x))))


class BasicBlock(nn.Module):
    """Two convolutions 3 x 3 around a shortcut (He 2016, section 3).

    The stride of the shortcut's 1 x 1 convolution is a layer of its own: oneDNN's gradient of one with a stride and few
    channels, channels last, writes past its memory (oneDNN issue 6035).
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(channels_in, channels_out, stride=stride)
        self.relu1 = nn.ReLU()
        self.conv2, self.bn2 = conv_bn(channels_out, channels_out)
        straight = stride == 1 and channels_in == channels_out
        self.thin = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
        self.downsample = nn.Identity() if straight else nn.Sequential(*conv_bn(channels_in, channels_out, 1))
        self.relu2 = nn.ReLU()

    def forward(self, x: "Tensor") -> "Tensor":
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(out + self.downsample(self.thin(x)))


class ResNet(nn.Module):
    """ResNet with `depth` basic blocks in each of four stages (2: ResNet-18); the stem is 3 x 3 with stride 1."""

    style_layer = "layer1"

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(channels, width)
        self.relu = nn.ReLU()
        for stage in range(4):
            wide = width << stage
            first = BasicBlock(width if not stage else wide // 2, wide, 2 if stage else 1)
            rest = [BasicBlock(wide, wide, 1) for _ in range(depth - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(first, *rest))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(width * 8, n_classes)

    def forward(self, x: "Tensor") -> "Tensor":
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.avgpool(x)))
