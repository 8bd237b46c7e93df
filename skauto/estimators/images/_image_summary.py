"""Summary features of images, for classifiers of tables: coarse pixels and histograms of gradients."""

from numbers import Integral

import numpy as np

from skauto._sklearn import Interval
from skauto.estimators.images._image_transformer import ImageTransformer, grid_means

ORIENTATIONS = 9  # of a gradient, over half a turn


class ImageSummaryTransformer(ImageTransformer):
    """Features of images: a coarse grid of mean pixels, and histograms of oriented gradients in its cells.

    Histograms are those of the gray image, interpolated between neighbouring directions, and normalised by the
    gradients in the surrounding cells.

    Parameters
    ----------
    cells : int
        Cells along each side for the histograms; no more than there are pairs of pixels.
    pixels : int
        Pixels along each side that are kept of every channel, as means; 0 for none.

    Attributes
    ----------
    n_features_in_ : int
        Pixels times channels.

    References
    ----------
    Dalal, Triggs: "Histograms of oriented gradients for human detection", CVPR 2005, section 6.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators.images._image_summary import ImageSummaryTransformer
    >>> X, y = load_digits(return_X_y=True)
    >>> ImageSummaryTransformer(cells=4, pixels=8).fit_transform(X[:10].reshape(-1, 8, 8)).shape
    (10, 208)
    """

    _parameter_constraints = {
        "cells": [Interval(Integral, 1, None, closed="left")],
        "pixels": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, cells: int = 8, *, pixels: int = 12) -> None:
        self.cells = cells
        self.pixels = pixels

    def _features(self, images):
        height, width = images.shape[-2:]
        parts = []
        if self.pixels:
            parts.append(grid_means(images, min(self.pixels, height), min(self.pixels, width)))
        grid = max(1, min(self.cells, height // 2)), max(1, min(self.cells, width // 2))
        parts.append(_gradients(images.mean(axis=1), *grid))
        return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1)


def _gradients(gray, rows, columns):
    """Histograms (n, ORIENTATIONS, rows, columns) of images (n, height, width), normalised by the cells around."""
    padded = np.pad(gray, [(0, 0), (1, 1), (1, 1)], mode="edge")
    down, right = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1], padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    strength = np.hypot(down, right)
    direction = np.arctan2(down, right) / np.pi * ORIENTATIONS % ORIENTATIONS
    histograms = [
        grid_means(strength * np.maximum(0, 1 - _around(direction - number)), rows, columns)
        for number in range(ORIENTATIONS)
    ]
    histograms = np.stack(histograms, axis=1)
    energy = np.pad((histograms**2).sum(axis=1), [(0, 0), (1, 1), (1, 1)])
    near = sum(energy[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    floor = 1e-3 * (strength.max() + 1e-12)
    return histograms / np.sqrt(near + floor**2)[:, None]


def _around(distance):
    """Distance of two directions, which are the same after half a turn."""
    distance = np.abs(distance)
    return np.minimum(distance, ORIENTATIONS - distance)
