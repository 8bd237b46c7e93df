"""Summary features of images, for classifiers of tables: coarse pixels and histograms of gradients."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skauto._sklearn import Interval
from skauto.estimators.images._images import as_images, image_layout
from skauto.estimators.images._pixel_range import pixel_range, warn_of_another_scale
from skauto.inputs._images import check_images

ORIENTATIONS = 9  # of a gradient, over half a turn
ROWS = 512  # images at a time, so that the work stays in memory


class ImageSummaryTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Store the shape of the images and the range of their pixels; nothing else is learnt.

        Parameters
        ----------
        X : array of shape (n, height, width), (n, channels, height, width) or (n, height, width, channels)
        y : ignored

        Returns
        -------
        self : object
        """
        self._validate_params()
        X = check_images(X)
        self._layout, self._shape = image_layout(X)
        self.n_features_in_ = int(np.prod(self._shape))
        self._range = pixel_range(X)
        self._n_features_out = self._summaries(X[:1]).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Features of each image.

        Parameters
        ----------
        X : as in `fit`, images of the same size

        Returns
        -------
        features : ndarray of float32, shape (n, n_features_out)

        Raises
        ------
        ValueError
            For images of another size or number of channels.
        """
        check_is_fitted(self, "_layout")
        X = check_images(X)
        if int(np.prod(X.shape[1:])) != self.n_features_in_ or image_layout(X) != (self._layout, self._shape):
            raise ValueError(
                f"X has {int(np.prod(X.shape[1:]))} features, shape {X.shape}, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: {self._shape} channels, height and width"
            )
        warn_of_another_scale(X, *getattr(self, "_range", pixel_range(X)))  # a transformer saved before has no range
        return np.concatenate([self._summaries(X[at : at + ROWS]) for at in range(0, len(X), ROWS)])

    def _summaries(self, X):
        images = as_images(X, self._layout, self._shape).astype(np.float32)
        _, height, width = self._shape
        parts = []
        if self.pixels:
            parts.append(_means(images, min(self.pixels, height), min(self.pixels, width)))
        grid = max(1, min(self.cells, height // 2)), max(1, min(self.cells, width // 2))
        parts.append(_gradients(images.mean(axis=1), *grid))
        return np.concatenate([part.reshape(len(X), -1) for part in parts], axis=1)


def _gradients(gray, rows, columns):
    """Histograms (n, ORIENTATIONS, rows, columns) of images (n, height, width), normalised by the cells around."""
    padded = np.pad(gray, [(0, 0), (1, 1), (1, 1)], mode="edge")
    down, right = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1], padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    strength = np.hypot(down, right)
    direction = np.arctan2(down, right) / np.pi * ORIENTATIONS % ORIENTATIONS
    histograms = [
        _means(strength * np.maximum(0, 1 - _around(direction - number)), rows, columns)
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


def _means(images, rows, columns):
    """Means over a grid of rows x columns cells along the last two axes."""
    for axis, cells in ((-2, rows), (-1, columns)):
        size = images.shape[axis]
        starts = np.arange(cells) * size // cells
        shape = [1] * images.ndim
        shape[axis] = cells
        counts = np.diff(starts, append=size).reshape(shape).astype(np.float32)
        images = np.add.reduceat(images, starts, axis=axis) / counts
    return images
