"""Features of images without a network: how strongly random patches of the training images respond in each region."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.utils import check_random_state

from skauto._sklearn import Interval
from skauto.estimators.images._image_transformer import ImageTransformer, grid_means

# Larger images are averaged down to so many pixels a side: the work grows with the number of positions.
SIDE = 32

# Patches from which the whitening is learnt.
SAMPLED = 20_000

# Added to variances, as in the source: to that of a patch of pixels from 0 to 255, and to those of whitened directions.
CONTRAST_NOISE, WHITENING_NOISE = 10.0, 0.1

# Responses of unit patches below this are not counted.
LEAST_RESPONSE = 0.5


class RandomPatchesTransformer(ImageTransformer):
    """Responses to random patches of the training images, whitened, as means over a grid of regions.

    Each patch is a filter. Every window of an image is normalised in brightness and contrast and whitened as the
    patches are. The positive and the negative response above a threshold are averaged over each region; their square
    roots are the features. With a linear classifier behind them they tell some thousand images apart within seconds.

    Parameters
    ----------
    n_patches : int, default=100
    size : int, default=6
        Pixels along each side of a patch, at most as many as the image has.
    cells : int, default=3
        Regions along each side.
    random_state : int, RandomState instance or None, default=None
        Which patches are taken.

    Attributes
    ----------
    n_features_in_ : int
        Pixels times channels.
    filters_ : ndarray of float32, shape (channels * size * size, n_patches)
        Whitening and patch in one; a normalised window times a column, less `offset_`, is its response.
    offset_ : ndarray of float32, shape (n_patches,)

    Notes
    -----
    Images of more than 32 pixels a side are averaged down to 32 first.

    References
    ----------
    Coates, Ng, Lee: "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011, sections 3
    and 4. Coates, Ng: "The importance of encoding versus training with sparse coding and vector quantization", ICML
    2011, section 3, for random patches and the threshold.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators.images._random_patches import RandomPatchesTransformer
    >>> X, y = load_digits(return_X_y=True)
    >>> patches = RandomPatchesTransformer(n_patches=20, size=4, cells=2, random_state=0)
    >>> patches.fit_transform(X[:100].reshape(-1, 8, 8)).shape
    (100, 160)
    """

    _parameter_constraints = {
        "n_patches": [Interval(Integral, 1, None, closed="left")],
        "size": [Interval(Integral, 1, None, closed="left")],
        "cells": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    _rows_at_once = 32

    def __init__(self, n_patches: int = 100, *, size: int = 6, cells: int = 3, random_state: Any = None) -> None:
        self.n_patches = n_patches
        self.size = size
        self.cells = cells
        self.random_state = random_state

    def _learn(self, images):
        random = check_random_state(self.random_state)
        low, high = self._range
        self._noise = CONTRAST_NOISE * ((high - low) / 255) ** 2 + np.finfo(np.float32).tiny
        patches = self._random_windows(images, random)
        contrast = patches.std(axis=1)
        patches = _normalised(patches, self._noise)
        mean = patches.mean(axis=0)
        whitening = _whitening(patches - mean)
        # A patch of one colour has no direction.
        taken = patches[contrast > np.sqrt(self._noise) / 2]
        if not len(taken):
            taken = random.normal(size=patches.shape).astype(np.float32)
        drawn = random.choice(len(taken), self.n_patches, replace=len(taken) < self.n_patches)
        directions = (taken[drawn] - mean) @ whitening
        directions /= np.linalg.norm(directions, axis=1, keepdims=True) + 1e-6
        self.filters_ = np.ascontiguousarray(whitening @ directions.T, dtype=np.float32)
        self.offset_ = (mean @ self.filters_).astype(np.float32)

    def _random_windows(self, images, random):
        """Windows of random images at random places, (SAMPLED, channels * size * size)."""
        chosen = random.randint(len(images), size=SAMPLED)
        few = np.unique(chosen)
        # An image may be drawn often, and is made small once.
        step = self._rows_at_once
        small = np.concatenate(
            [_at_most(images[few[at : at + step]].astype(np.float32)) for at in range(0, len(few), step)]
        )
        windows = self._windows(small)
        down = random.randint(windows.shape[1], size=SAMPLED)
        right = random.randint(windows.shape[2], size=SAMPLED)
        return windows[np.searchsorted(few, chosen), down, right].reshape(SAMPLED, -1)

    def _windows(self, images):
        """Every window as a view (n, down, right, channels, size, size)."""
        height, width = images.shape[-2:]
        sides = min(self.size, height), min(self.size, width)
        return sliding_window_view(images, sides, axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)

    def _features(self, images):
        windows = self._windows(_at_most(images))
        n, down, right = windows.shape[:3]
        flat = _normalised(windows.reshape(n * down * right, -1), self._noise)
        response = (flat @ self.filters_ - self.offset_).reshape(n, down, right, -1).transpose(0, 3, 1, 2)
        grid = min(self.cells, down), min(self.cells, right)
        parts = [
            grid_means(np.maximum(signed - LEAST_RESPONSE, 0), *grid).reshape(n, -1) for signed in (response, -response)
        ]
        return np.sqrt(np.concatenate(parts, axis=1))


def _at_most(images):
    """Images of at most SIDE pixels a side, larger ones as means."""
    height, width = images.shape[-2:]
    return grid_means(images, min(height, SIDE), min(width, SIDE)) if max(height, width) > SIDE else images


def _normalised(windows, noise):
    """Windows (n, pixels) of mean 0 and one contrast; those of nearly one colour stay faint."""
    windows = windows - windows.mean(axis=1, keepdims=True)
    windows /= np.sqrt(np.square(windows).mean(axis=1, keepdims=True) + np.float32(noise))
    return windows


def _whitening(patches):
    """The symmetric matrix after which the pixels of centred patches are uncorrelated (ZCA)."""
    covariance = patches.T.astype(np.float64) @ patches / len(patches)
    variances, directions = np.linalg.eigh(covariance)
    scales = 1 / np.sqrt(np.maximum(variances, 0) + WHITENING_NOISE)
    return ((directions * scales) @ directions.T).astype(np.float32)
