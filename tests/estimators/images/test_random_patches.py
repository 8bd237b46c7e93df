"""Random patches: what a response is, beside a loop over windows; images that differ in brightness; digits."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.estimators.images._random_patches import (
    CONTRAST_NOISE,
    LEAST_RESPONSE,
    SIDE,
    RandomPatchesTransformer,
)


def images(n=20, shape=(10, 12), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def test_features_are_those_of_a_loop_over_windows():
    X = images()
    patches = RandomPatchesTransformer(7, size=3, cells=2, random_state=0).fit(X)
    expected = []
    for image in X.astype(float):
        responses = np.empty((7, 8, 10))
        for i in range(8):
            for j in range(10):
                window = image[i : i + 3, j : j + 3].ravel()
                normal = (window - window.mean()) / np.sqrt(window.var() + CONTRAST_NOISE)
                responses[:, i, j] = normal @ patches.filters_ - patches.offset_
        for signed in (responses, -responses):
            counted = np.maximum(signed - LEAST_RESPONSE, 0)
            expected += [
                np.sqrt(counted[k, i : i + 4, j : j + 5].mean()) for k in range(7) for i in (0, 4) for j in (0, 5)
            ]
    found = patches.transform(X)
    assert found.shape == (20, 56) and found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-4)


def test_windows_of_training_images_are_uncorrelated_after_whitening():
    X = images(400, (8, 8))
    blurred = ((X[:, 1:, 1:].astype(float) + X[:, :-1, :-1] + X[:, 1:, :-1] + X[:, :-1, 1:]) / 4).astype(np.float32)
    patches = RandomPatchesTransformer(300, size=3, cells=1, random_state=0).fit(blurred)
    windows = np.lib.stride_tricks.sliding_window_view(blurred, (3, 3), axis=(1, 2)).reshape(-1, 9)
    normal = windows - windows.mean(1, keepdims=True)
    normal /= np.sqrt(normal.var(1, keepdims=True) + patches._noise)
    # Unit filters in a whitened space respond alike, but for the direction of brightness, which normalising empties.
    spread = (normal @ patches.filters_).std(axis=0)
    assert spread.min() > 0.8 and spread.max() < 1.2


def test_brightness_and_contrast_do_not_matter():
    X = np.random.default_rng(0).normal(size=(30, 16, 16))
    patches = RandomPatchesTransformer(20, random_state=0)
    expected = patches.fit_transform(X)
    np.testing.assert_allclose(
        RandomPatchesTransformer(20, random_state=0).fit_transform(5 * X + 3), expected, atol=1e-3
    )


def test_layouts_are_the_same_images():
    X = images(600, (3, 10, 12))
    first = RandomPatchesTransformer(10, random_state=0).fit_transform(X)
    last = RandomPatchesTransformer(10, random_state=0).fit_transform(X.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(first, last, atol=1e-4)
    patches = RandomPatchesTransformer(10, random_state=0).fit(X)
    assert len(patches.get_feature_names_out()) == first.shape[1] == 2 * 10 * 9
    assert patches.filters_.shape == (3 * 6 * 6, 10)


def test_large_images_are_averaged_down():
    X = images(10, (2 * SIDE, 2 * SIDE)).astype(np.float32)
    small = X.reshape(10, SIDE, 2, SIDE, 2).mean((2, 4))
    large = RandomPatchesTransformer(5, random_state=0).fit_transform(X)
    # The range of pixels, and with it the noise, is that of the images as given.
    small[0, 0, 0], small[0, 0, 1] = X.min(), X.max()
    np.testing.assert_allclose(
        large[1:], RandomPatchesTransformer(5, random_state=0).fit_transform(small)[1:], atol=0.02
    )


def test_digits():
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(
        RandomPatchesTransformer(100, size=4, random_state=0),
        StandardScaler(),
        LogisticRegression(C=0.01, max_iter=300),
    )
    X = X.reshape(-1, 8, 8)
    assert model.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.95


@pytest.mark.parametrize("X", [np.zeros((2, 1, 1)), np.full((2, 9, 9), 7, dtype=np.uint8), np.zeros((3, 2, 40, 1))])
def test_one_pixel_one_colour_and_narrow_images(X):
    found = RandomPatchesTransformer(8, random_state=0).fit_transform(X)
    assert np.isfinite(found).all() and len(found) == len(X)


def test_faults():
    patches = RandomPatchesTransformer(3).fit(np.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match=r"72 features.*expecting 64"):
        patches.transform(np.zeros((2, 8, 9)))
    with pytest.raises(ValueError, match="NaN"):
        patches.transform(np.full((2, 8, 8), np.nan))
    for name in ("n_patches", "size", "cells"):
        with pytest.raises(ValueError, match=name):
            RandomPatchesTransformer(**{name: 0}).fit(np.zeros((2, 8, 8)))
