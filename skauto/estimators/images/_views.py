"""Views of an image at predict, mirrored and moved: averaged over where that pays on held-back rows."""

from typing import Any, NamedTuple

import numpy as np


class View(NamedTuple):
    """How an image is looked at.

    Attributes
    ----------
    mirrored : bool
    down, across : int
        Pixels that it is moved by; what comes in repeats the border.
    """

    mirrored: bool = False
    down: int = 0
    across: int = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Images (n, channels, height, width) seen so."""
        if self.mirrored:
            images = images[..., ::-1]
        if not (self.down or self.across):
            return images
        down, across = abs(self.down), abs(self.across)
        high, wide = images.shape[2:]
        padded = np.pad(images, ((0, 0), (0, 0), (down, down), (across, across)), mode="edge")
        top, left = down - self.down, across - self.across
        return padded[:, :, top : top + high, left : left + wide]


STRAIGHT = (View(),)

# A pixel to each of the four diagonals would cost five times as much: two opposite ones bring most of it.
MOVED = (View(), View(down=1, across=1), View(down=-1, across=-1))

# The least gain of log loss, relative to it, for which a prediction may take twice or three times as long.
LEAST_GAIN = 0.03


def sets_of_views(mirrors: bool, moves: bool) -> list[tuple[View, ...]]:
    """The sets of views to choose from, the cheapest first: those that a network has seen in training."""
    sets: list[tuple[View, ...]] = [STRAIGHT]
    if mirrors:
        sets.append((View(), View(mirrored=True)))
    if moves:
        sets.append(MOVED)
    return sets


def best_views(
    probabilities: dict[tuple[View, ...], np.ndarray], codes: np.ndarray, weights: np.ndarray | None = None
) -> tuple[View, ...]:
    """The set of views with the least log loss of held-back rows; a dearer one must pay.

    Parameters
    ----------
    probabilities : dict of tuple of View to ndarray of shape (n, n_classes)
        The cheapest first.
    codes : ndarray of shape (n,)
        Columns of the true classes.
    weights : ndarray of shape (n,), default=None
    """
    best: tuple[View, ...] = STRAIGHT
    least = np.inf
    for views, proba in probabilities.items():
        found = _log_loss(proba, codes, weights)
        if found < least * (1 - LEAST_GAIN):
            best, least = views, found
    return best


def _log_loss(proba: np.ndarray, codes: np.ndarray, weights: np.ndarray | None) -> float:
    told = np.maximum(proba[np.arange(len(codes)), codes], np.finfo(np.float32).eps)
    return float(np.average(-np.log(told), weights=weights))


def mean_over(views: tuple[View, ...], ask: Any) -> Any:
    """The mean of ``ask(view)`` over some views."""
    total = ask(views[0])
    for view in views[1:]:
        total = total + ask(view)
    return total / len(views)
