"""Initial weights by name."""

from typing import TYPE_CHECKING

from skauto._deps import require
from skauto.estimators.tables._members import MemberLinear

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")
init = torch.nn.init

INITIALIZERS = {
    "default": None,  # what each layer does by itself
    "xavier": init.xavier_uniform_,
    "he": lambda weight: init.kaiming_normal_(weight, nonlinearity="relu"),
    "orthogonal": init.orthogonal_,
}


def initialize(module: "Module", name: str) -> None:
    """Draw the weights of all linear and convolution layers anew; biases stay as their layer set them."""
    draw = INITIALIZERS[name]
    if draw is None:
        return
    for layer in module.modules():
        if isinstance(layer, (torch.nn.Linear, torch.nn.modules.conv._ConvNd)):
            draw(layer.weight)
        elif isinstance(layer, MemberLinear):
            for weight in layer.weight.data:
                draw(weight.t())
