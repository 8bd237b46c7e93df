"""Whether mirrored images look like others of their class: of photographs they do, of letters they do not."""

from typing import Any

import numpy as np

from skauto._seeds import child_rng
from skauto.estimators.images._image_summary import ImageSummaryTransformer

# Rows that are looked at, and the fraction of them that is judged.
ROWS, JUDGED = 2_000, 0.25

# With fewer judged rows nothing can be told.
LEAST_JUDGED = 40

# Cells and pixels along each side of the summaries.
CELLS, PIXELS = 6, 8

# The part of its lead over guessing that a classifier must keep on mirrored images.
KEPT = 0.8

# Weight of the ridge, of features on one scale.
RIDGE = 1.0


def mirror_keeps_class(images: np.ndarray, codes: np.ndarray, seed: int) -> bool:
    """Whether left-right mirror images are told about as well as the images themselves.

    A ridge regression on summaries of some images is asked for others, and for these in the mirror.

    Parameters
    ----------
    images : ndarray of shape (n, channels, height, width)
    codes : ndarray of shape (n,)
        Class codes, from 0.
    seed : int

    Returns
    -------
    keeps : bool
        False where there are too few rows to tell.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators.images._mirror import mirror_keeps_class
    >>> X, y = load_digits(return_X_y=True)
    >>> mirror_keeps_class(X.reshape(-1, 1, 8, 8), y, seed=0)
    False
    """
    rows = child_rng(seed, "mirror").permutation(len(codes))[:ROWS]
    judged, learnt = np.split(rows, [round(JUDGED * len(rows))])
    if len(judged) < LEAST_JUDGED:
        return False
    images = np.ascontiguousarray(images)
    classes = np.unique(codes[learnt])
    summary = ImageSummaryTransformer(CELLS, pixels=PIXELS).fit(images[learnt])
    weights, mean, spread = _ridge(summary.transform(images[learnt]), codes[learnt], classes)

    def balanced_accuracy(some: Any) -> float:
        features = (summary.transform(some) - mean) / spread
        told = classes[np.argmax(_with_one(features) @ weights, axis=1)] == codes[judged]
        return float(np.mean([told[codes[judged] == code].mean() for code in np.unique(codes[judged])]))

    straight = balanced_accuracy(images[judged])
    mirrored = balanced_accuracy(np.ascontiguousarray(images[judged][..., ::-1]))
    guessed = 1 / len(classes)
    if straight <= guessed:
        return False
    return mirrored - guessed >= KEPT * (straight - guessed)


def _ridge(features, codes, classes):
    """Weights of a ridge regression to the classes, and the mean and spread of the features."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = _with_one((features - mean) / spread)
    targets = (codes[:, None] == classes).astype(np.float32)
    # Of balanced classes: with a rare one all others alone would be told.
    weight = (1 / targets.mean(axis=0))[np.searchsorted(classes, codes)][:, None]
    square = scaled.T @ (scaled * weight) + RIDGE * len(codes) ** 0.5 * np.eye(scaled.shape[1], dtype=np.float32)
    return np.linalg.solve(square, scaled.T @ (targets * weight)), mean, spread


def _with_one(features):
    return np.hstack([features, np.ones((len(features), 1), dtype=features.dtype)])
