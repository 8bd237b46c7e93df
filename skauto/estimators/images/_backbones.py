"""All image networks by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skauto.estimators.images._backbones_light import MobileNetV2, ShuffleNetV2
from skauto.estimators.images._backbones_plain import LeNet5, Plain, Pooled, ResNet

if TYPE_CHECKING:
    from torch.nn import Module

BACKBONES = {
    "plain": Plain,
    "pooled": Pooled,
    "lenet5": LeNet5,
    "resnet": ResNet,
    "mobilenetv2": MobileNetV2,
    "shufflenetv2": ShuffleNetV2,
}


def build_backbone(
    backbone: str | Callable[..., Any], channels: int, n_classes: int, width: int, depth: int
) -> "Module":
    """A network by name, or from a callable ``backbone(channels, n_classes, width, depth)``."""
    build = BACKBONES[backbone] if isinstance(backbone, str) else backbone
    return build(channels, n_classes, width, depth)
