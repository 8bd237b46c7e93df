import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.estimators.images._image_summary import ORIENTATIONS, ImageSummaryTransformer


def bars(angle, size=24):
    """Stripes whose gradients point in one direction, in half turns."""
    y, x = np.mgrid[:size, :size]
    return np.sin(0.7 * (x * np.cos(angle * np.pi) + y * np.sin(angle * np.pi)))[None]


@pytest.mark.parametrize("angle", [0.0, 0.25, 0.5, 0.8])
def test_histograms_show_the_direction(angle):
    found = ImageSummaryTransformer(2, pixels=0).fit_transform(bars(angle)).reshape(ORIENTATIONS, -1).sum(1)
    expected = round(angle * ORIENTATIONS) % ORIENTATIONS
    assert found.argmax() == expected


def test_brightness_and_contrast_do_not_matter_to_histograms():
    X = np.random.default_rng(0).normal(size=(3, 16, 16))
    summary = ImageSummaryTransformer(4, pixels=0).fit(X)
    np.testing.assert_allclose(summary.transform(5 * X + 3), summary.transform(X), atol=1e-3)


def test_layouts_are_the_same_images():
    X = np.random.default_rng(0).integers(0, 255, (600, 3, 10, 12), dtype=np.uint8)
    first = ImageSummaryTransformer(3, pixels=4).fit_transform(X)
    last = ImageSummaryTransformer(3, pixels=4).fit_transform(X.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(first, last, atol=1e-5)
    assert first.shape == (600, 3 * 16 + ORIENTATIONS * 9) and first.dtype == np.float32
    assert len(ImageSummaryTransformer().fit(X).get_feature_names_out()) == 3 * 10 * 12 + ORIENTATIONS * 5 * 6


def test_coarse_pixels_are_means():
    X = np.arange(2 * 4 * 4, dtype=float).reshape(2, 4, 4)
    coarse = ImageSummaryTransformer(1, pixels=2).fit_transform(X)[:, :4]
    np.testing.assert_allclose(coarse, X.reshape(2, 2, 2, 2, 2).mean((2, 4)).reshape(2, 4))


def test_digits():
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8)
    model = make_pipeline(ImageSummaryTransformer(), StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    assert model.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.93


def test_faults():
    summary = ImageSummaryTransformer().fit(np.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match="72 features.*expecting 64"):
        summary.transform(np.zeros((2, 8, 9)))
    with pytest.raises(ValueError, match="NaN"):
        summary.transform(np.full((2, 8, 8), np.nan))
    with pytest.raises(ValueError, match="cells"):
        ImageSummaryTransformer(0).fit(np.zeros((2, 8, 8)))


def test_one_pixel_and_one_colour():
    assert np.isfinite(ImageSummaryTransformer().fit_transform(np.zeros((2, 1, 1)))).all()
    assert np.isfinite(ImageSummaryTransformer().fit_transform(np.full((2, 9, 9), 7, dtype=np.uint8))).all()
