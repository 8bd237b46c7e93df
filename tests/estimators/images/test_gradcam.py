import imblearn.pipeline
import matplotlib as mpl
import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.footprints._footprint import footprint
from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.images._gradcam import GradCAMDisplay, grad_cam

mpl.use("Agg")


@pytest.fixture(scope="module")
def spots():
    """Images that differ by a bright cross or ring somewhere, and a network that tells them apart."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 60, (300, 24, 24), dtype=np.uint8), np.arange(300) % 2
    for image, label in zip(X, y, strict=True):
        down, across = rng.integers(0, 19, 2)
        patch = image[down : down + 5, across : across + 5]
        patch[:] = 60
        patch[2, :] = patch[:, 2] = 230 if label else 60
        if not label:
            patch[[0, -1], :] = patch[:, [0, -1]] = 230
    clf = CNNClassifier(width=8, max_epochs=15, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.95
    return clf, X, y


def test_removing_the_hot_region_costs_more_confidence_than_a_random_one(spots):
    clf, X, y = spots
    maps = grad_cam(clf, X, y)
    assert maps.shape == X.shape and maps.min() >= 0 and maps.max() == 1
    rng = np.random.default_rng(1)

    def confidence_without(heat):
        hot = heat >= np.quantile(heat, 0.9, axis=(1, 2), keepdims=True)
        return clf.predict_proba(np.where(hot, 30, X))[np.arange(len(y)), y].mean()

    whole = clf.predict_proba(X)[np.arange(len(y)), y].mean()
    random = np.array([np.roll(m, tuple(rng.integers(5, 19, 2)), (0, 1)) for m in maps])
    assert whole - confidence_without(maps) > 2 * (whole - confidence_without(random))


def test_layers_and_targets_can_be_named(spots):
    clf, X, _ = spots
    assert not np.array_equal(grad_cam(clf, X[:4], layer="features.0"), grad_cam(clf, X[:4]))
    assert not np.array_equal(grad_cam(clf, X[:4], 0), grad_cam(clf, X[:4], 1))
    with pytest.raises(ValueError, match="is no class"):
        grad_cam(clf, X[:4], 7)
    assert not np.array_equal(grad_cam(clf, X[:4], layer="features.1"), grad_cam(clf, X[:4]))
    with pytest.raises(ValueError, match=r"layer='feature.0' is no module .* Did you mean 'features.0'"):
        grad_cam(clf, X[:4], layer="feature.0")
    with pytest.raises(ValueError, match="needs one whose result is a map"):
        grad_cam(clf, X[:4], layer="classifier")


def test_what_has_no_gradient_says_so(spots):
    clf, X, y = spots
    with pytest.raises(TypeError, match="needs a CNNClassifier"):
        grad_cam(LogisticRegression().fit(X.reshape(300, -1)[:, :5], y), X)
    small = CompressedClassifier(CNNClassifier(width=4, max_epochs=1), [("q", Quantize("int8"))]).fit(X, y)
    with pytest.raises(TypeError, match="int8"):
        grad_cam(small, X)


def test_display_overlays_and_gives_a_frame(spots):
    clf, X, _ = spots
    shown = GradCAMDisplay.from_estimator(clf, X[:2]).plot()
    assert len(shown.axes_) == 2 and len(shown.axes_[0].images) == 2
    assert len(shown.frame()) == 2 * 24 * 24


def test_targets_are_one_or_one_for_each_image(spots):
    clf, X, _ = spots
    with pytest.raises(ValueError, match=r"target has shape \(2,\), but X has 3 images; give one class for all"):
        grad_cam(clf, X[:3], target=[0, 1])


@pytest.mark.parametrize("backbone", ["resnet", "shufflenetv2"])
def test_a_map_of_one_pixel_is_not_looked_at(spots, backbone):
    _, X, y = spots
    small = X[:, 8:16, 8:16]
    clf = CNNClassifier(backbone=backbone, width=4, depth=1, max_epochs=1, random_state=0).fit(small, y)
    last = [name for name, layer in clf.module_.named_modules() if isinstance(layer, torch.nn.Conv2d)][-1]
    maps, flat = grad_cam(clf, small[:20]), grad_cam(clf, small[:20], layer=last)
    assert np.ptp(flat, axis=(1, 2)).max() < 1e-5
    assert np.ptp(maps, axis=(1, 2)).max() > 0.5


def test_samplers_in_a_pipeline_are_passed_by(spots):
    _, X, y = spots
    flat = X.reshape(len(X), -1)
    clf = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0)
    pipe = imblearn.pipeline.make_pipeline(RandomOverSampler(random_state=0), clf).fit(flat, y)
    np.testing.assert_array_equal(grad_cam(pipe, flat[:4]), grad_cam(pipe[-1], flat[:4]))


@pytest.mark.parametrize(("channels", "drawn"), [(1, (6, 6)), (2, (6, 6)), (4, (6, 6, 3)), (5, (6, 6))])
def test_any_number_of_channels_is_drawn(channels, drawn):
    images = np.random.default_rng(0).random((2, 6, 6, channels), dtype=np.float32)
    shown = GradCAMDisplay(images, np.zeros((2, 6, 6)), ["a", "b"]).plot()
    image = np.asarray(shown.axes_[0].images[0].get_array())
    np.testing.assert_allclose(image, images[0, ..., :3] if len(drawn) == 3 else images[0].mean(-1), rtol=1e-6)


def test_what_wraps_a_compressed_network_is_looked_into(spots):
    clf, X, y = spots
    small = CompressedClassifier(FrozenEstimator(clf), [("q", Quantize(bits=6, epochs=0))]).fit(X, y)
    fixed = FixedThresholdClassifier(FrozenEstimator(small), threshold=0.99, response_method="predict_proba").fit(X, y)
    pipeline = make_pipeline(fixed)
    np.testing.assert_allclose(grad_cam(pipeline, X[:8], target=1), grad_cam(small, X[:8], target=1), atol=1e-6)
    assert GradCAMDisplay.from_estimator(pipeline, X[:8]).labels.tolist() == pipeline.predict(X[:8]).tolist()
    cost = footprint(pipeline, X)
    assert cost.parameters == footprint(small, X).parameters > 0
