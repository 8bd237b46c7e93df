"""How fast a network trains here and now, by a few steps of it."""

import time

from skauto._deps import require

torch = require("torch", extra="deep")

# Rows of a step, and how many are timed after a first one: few, but so many that other work on the machine shows.
ROWS, TIMES, SECONDS = 64, 3, 0.3


def training_seconds_a_row(network, shape):
    """Seconds that a row takes in a training step, the mean over some steps on noise.

    Parameters
    ----------
    network : torch.nn.Module
        Is left as it would be after training on noise.
    shape : tuple of int
        (channels, height, width) of the images.
    """
    network = network.to(memory_format=torch.channels_last).train()
    images, codes = torch.randn(ROWS, *shape), torch.zeros(ROWS, dtype=torch.long)
    _step(network, images, codes)
    seconds = []
    while len(seconds) < TIMES or sum(seconds) < SECONDS:
        seconds.append(_step(network, images, codes))
    return sum(seconds) / len(seconds) / ROWS


def _step(network, images, codes):
    began = time.perf_counter()
    torch.nn.functional.cross_entropy(network(images), codes).backward()
    return time.perf_counter() - began
