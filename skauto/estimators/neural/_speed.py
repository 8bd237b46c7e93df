"""How fast a network trains here and now, by a few steps of it."""

import time
from typing import TYPE_CHECKING

from skauto._deps import require
from skauto.estimators.neural._optimizers import build_optimizer
from skauto.estimators.neural._precision import training_context

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

# Rows of a step, how often it is timed after a first one, and the seconds after which that is enough.
ROWS, TIMES, SECONDS = 64, 3, 0.3


def training_seconds_a_row(network: "Module", shape: tuple[int, ...], precision: str = "float32") -> float:
    """Seconds that a row takes in a training step, the quickest of some steps on noise.

    Parameters
    ----------
    network : torch.nn.Module
        Is left as it would be after training on noise.
    shape : tuple of int
        (channels, height, width) of the images.
    precision : str, default="float32"
        As of `training_context`.
    """
    network = network.to(memory_format=torch.channels_last).train()
    images, codes = torch.randn(ROWS, *shape), torch.zeros(ROWS, dtype=torch.long)
    optimizer = build_optimizer("adamw", network, lr=1e-4, momentum=0.9, weight_decay=0.01)
    images = images.contiguous(memory_format=torch.channels_last)
    _step(network, optimizer, images, codes, precision)
    seconds = []
    while len(seconds) < TIMES and sum(seconds) < SECONDS:
        seconds.append(_step(network, optimizer, images, codes, precision))
    return min(seconds) / ROWS


def _step(network, optimizer, images, codes, precision):
    began = time.perf_counter()
    optimizer.zero_grad()
    with training_context(precision, "cpu"):
        logits = network(images).float()
    torch.nn.functional.cross_entropy(logits, codes).backward()
    optimizer.step()
    return time.perf_counter() - began
