"""MobileNetV2 and ShuffleNetV2 at small-image strides, with torchvision's state-dict keys."""

from typing import TYPE_CHECKING

from skauto._deps import require
from skauto.estimators.images._backbones_plain import conv_bn

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")
nn = torch.nn

# expansion, channels at width 32, blocks, stride: table 2 of Sandler 2018, with stride 2 three times less often
INVERTED = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 1), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """Widen 1 x 1, depthwise 3 x 3, narrow 1 x 1 without activation (Sandler 2018, section 3.3)."""

    fields = ("shortcut",)

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels_in * expansion
        widen = [nn.Sequential(*conv_bn(channels_in, hidden, 1), nn.ReLU6())] if expansion > 1 else []
        depthwise = nn.Sequential(*conv_bn(hidden, hidden, stride=stride, groups=hidden), nn.ReLU6())
        self.conv = nn.Sequential(*widen, depthwise, *conv_bn(hidden, channels_out, 1))
        self.shortcut = stride == 1 and channels_in == channels_out

    def forward(self, x: "Tensor") -> "Tensor":
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2, width 32 being the published one; a stage has at most `depth` blocks (4: as published)."""

    style_layer = "features.1"

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()

        def scaled(wide):
            return max(8, round(wide * width / 32 / 8) * 8)

        last = scaled(32)
        layers = [nn.Sequential(*conv_bn(channels, last), nn.ReLU6())]
        for expansion, wide, blocks, stride in INVERTED:
            for block in range(min(blocks, depth)):
                layers.append(InvertedResidual(last, scaled(wide), 1 if block else stride, expansion))
                last = scaled(wide)
        final = max(1280, scaled(1280)) if width >= 32 else scaled(1280)
        layers.append(nn.Sequential(*conv_bn(last, final, 1), nn.ReLU6()))
        self.features = nn.Sequential(*layers)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(final, n_classes))

    def forward(self, x: "Tensor") -> "Tensor":
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


class ShuffleUnit(nn.Module):
    """Half of the channels go through 1 x 1, depthwise, 1 x 1; then the halves are interleaved (Ma 2018, figure 3)."""

    fields = ("split",)

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        half, self.split = channels_out // 2, stride == 1
        side = [] if self.split else [*conv_bn(channels_in, channels_in, stride=stride, groups=channels_in)]
        self.branch1 = nn.Sequential(*side, *([] if self.split else [*conv_bn(channels_in, half, 1), nn.ReLU()]))
        first = half if self.split else channels_in
        self.branch2 = nn.Sequential(
            *conv_bn(first, half, 1),
            nn.ReLU(),
            *conv_bn(half, half, stride=stride, groups=half),
            *conv_bn(half, half, 1),
            nn.ReLU(),
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: "Tensor") -> "Tensor":
        left, right = x.chunk(2, dim=1) if self.split else (self.branch1(x), x)
        return self.shuffle(torch.cat((left, self.branch2(right)), dim=1))


class ShuffleNetV2(nn.Module):
    """ShuffleNetV2, width 24 being the published 1x; stages of `depth`, 2 `depth` and `depth` units (4: published)."""

    style_layer = "stage2"

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        wide = [2 * max(1, round(half * width / 24)) for half in (58, 116, 232)]
        final = max(8, round(1024 * width / 24))
        self.conv1 = nn.Sequential(*conv_bn(channels, width), nn.ReLU())
        for stage, (before, after) in enumerate(zip([width, *wide], wide, strict=False)):
            units = depth * 2 if stage == 1 else depth
            rest = [ShuffleUnit(after, after, 1) for _ in range(units - 1)]
            setattr(self, f"stage{stage + 2}", nn.Sequential(ShuffleUnit(before, after, 2), *rest))
        self.conv5 = nn.Sequential(*conv_bn(wide[-1], final, 1), nn.ReLU())
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(final, n_classes)

    def forward(self, x: "Tensor") -> "Tensor":
        x = self.conv5(self.stage4(self.stage3(self.stage2(self.conv1(x)))))
        return self.fc(self.flatten(self.avgpool(x)))
