import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.images._cnn import CNNClassifier
from tests.contracts.neural import EXPECTED_FAILURES, NeuralContract


def stripes(rows=120, side=8, channels=3, seed=0):
    """Images of rows, columns or a checkerboard, with noise; uint8, channels first."""
    rng = np.random.default_rng(seed)
    codes = np.arange(rows) % 3
    down, across = np.indices((side, side)) % 2
    patterns = np.array([down, across, down ^ across], dtype=float)[codes]
    images = 40 + 150 * patterns[:, None] + rng.normal(0, 15, (rows, channels, side, side))
    return images.clip(0, 255).astype(np.uint8), np.array(["ant", "bee", "cat"])[codes]


@pytest.mark.slow
@parametrize_with_checks(
    [CNNClassifier(width=8, depth=1, max_epochs=12, batch_size=32, lr=0.01, random_state=0)],
    expected_failed_checks=lambda clf: EXPECTED_FAILURES,
    xfail_strict=False,
)
def test_estimator_checks(estimator, check):
    check(estimator)


class TestContract(NeuralContract):
    def make(self, **params):
        return CNNClassifier(**{"width": 4, "depth": 1, "max_epochs": 10, **params})

    def data(self):
        return stripes()


@pytest.mark.parametrize("backbone", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_every_backbone_learns(backbone):
    X, y = stripes(150)
    clf = CNNClassifier(backbone=backbone, width=8, depth=1, max_epochs=8, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.8


def test_lenet_is_the_published_one_and_wants_room():
    X, y = stripes(30, side=28, channels=1)
    clf = CNNClassifier(backbone="lenet5", width=20, max_epochs=1, random_state=0).fit(X, np.arange(30) % 10)
    assert sum(p.numel() for p in clf.module_.parameters()) == 431_080
    with pytest.raises(ValueError, match="at least 14 x 14 pixels"):
        CNNClassifier(backbone="lenet5").fit(*stripes())


def test_all_layouts_give_one_answer():
    X, y = stripes()
    params = {"width": 4, "depth": 1, "max_epochs": 2, "random_state": 0}
    first = CNNClassifier(**params).fit(X, y).predict_proba(X)
    last = np.ascontiguousarray(X.transpose(0, 2, 3, 1))
    flat = X.reshape(len(X), -1)
    np.testing.assert_allclose(CNNClassifier(**params).fit(last, y).predict_proba(last), first, atol=1e-5)
    shaped = CNNClassifier(image_shape=(3, 8, 8), **params)
    np.testing.assert_allclose(shaped.fit(flat, y).predict_proba(flat), first, atol=1e-6)
    flat_last = last.reshape(len(X), -1)
    shaped = CNNClassifier(channels="last", image_shape=(8, 8, 3), **params).fit(flat_last, y)
    assert shaped.image_shape_ == (3, 8, 8)
    np.testing.assert_allclose(shaped.predict_proba(flat_last), first, atol=1e-5)
    with pytest.raises(ValueError, match="X has 64 features"):
        shaped.predict(flat_last[:, :64])
    gray = X[:, 0]
    one = CNNClassifier(**params).fit(gray, y)
    np.testing.assert_allclose(
        CNNClassifier(**params).fit(gray[:, None], y).predict_proba(gray[:, None]), one.predict_proba(gray), atol=1e-6
    )
    assert one.image_shape_ == (1, 8, 8)


def test_uint8_is_not_copied():
    X, _ = stripes()
    clf = CNNClassifier()
    (images,) = clf._tensors(clf._check_X(X, reset=True), reset=True)
    assert images.dtype == torch.uint8 and images.data_ptr() == X.ctypes.data


def test_other_shapes_at_predict_are_named():
    X, y = stripes()
    clf = CNNClassifier(width=4, depth=1, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"fitted on \(n, 3, 8, 8\): 3 channels"):
        clf.predict(X[:, :1])
    with pytest.raises(ValueError, match="means 64 pixels, but X has 192 features"):
        CNNClassifier(image_shape=(8, 8)).fit(X.reshape(len(X), -1), y)


@pytest.mark.parametrize(
    ("augment", "said"),
    [({"flipp": 0.5}, "did you mean 'flip'"), ({"rotation": 999}, "from 0 to 180"), ({"noise": True}, "got True")],
)
def test_bad_augmentation_is_named(augment, said):
    with pytest.raises(ValueError, match=said):
        CNNClassifier(augment=augment).fit(*stripes())


def test_trains_with_all_augmentations():
    X, y = stripes()
    strengths = {"flip": 0.5, "shift": 0.05, "rotation": 3, "perspective": 0.02, "noise": 0.02, "cutout": 0.2}
    strengths |= {"mixup": 0.2, "fog": 0.1, "rain": 0.1, "shadow": 0.1, "mixstyle": 0.5}
    clf = CNNClassifier(width=8, depth=1, max_epochs=20, augment=strengths, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.8
    assert not clf.module_.features[2]._forward_hooks


def test_weights_of_another_task_are_a_start(tmp_path):
    X, y = load_digits(return_X_y=True)
    first = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0).fit(X, y)
    torch.save(first.module_.state_dict(), tmp_path / "weights.pt")
    params = {"width": 8, "depth": 1, "max_epochs": 1, "lr": 1e-12, "random_state": 1}
    second = CNNClassifier(weights=tmp_path / "weights.pt", **params).fit(X, y > 4)
    got, given = second.module_.state_dict(), first.module_.state_dict()
    torch.testing.assert_close(got["features.0.weight"], given["features.0.weight"], atol=1e-6, rtol=0)
    assert got["classifier.weight"].shape != given["classifier.weight"].shape
    with pytest.raises(ValueError, match="none fits"):
        CNNClassifier(weights={"a": torch.zeros(1)}).fit(X, y)


@pytest.mark.parametrize("backbone", ["resnet", "shufflenetv2"])
def test_a_single_row_is_learnt_from(backbone):
    X, y = stripes(30)
    clf = CNNClassifier(backbone=backbone, width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    before = {key: value.clone() for key, value in clf.module_.state_dict().items()}
    after = clf.partial_fit(X[:1], y[:1]).module_.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before if "running" in key)
    assert not torch.equal(after["fc.weight"], before["fc.weight"])
    assert not clf.module_.training and np.isfinite(clf.predict_proba(X)).all()
    weights = np.r_[1.0, np.zeros(len(y) - 1)]
    assert len(clf.fit(X, y, sample_weight=weights).history_) == 1


def test_pixels_on_another_scale_are_warned_of():
    X, y = stripes()
    clf = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="pixels up to .* while those of fit were from 0 to 255"):
        clf.predict(X / 255)
    clf.fit(X / 255, y)
    with pytest.warns(UserWarning, match="give both on one scale"):
        clf.predict(X)


def test_the_scale_is_learnt_a_part_at_a_time(monkeypatch):
    X, y = stripes()
    whole = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    monkeypatch.setattr("skauto.estimators.images._cnn.PART", 1000)
    parts = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    np.testing.assert_allclose(parts._mean, whole._mean)
    np.testing.assert_allclose(parts._spread, whole._spread)
    exact = X.astype(float) / 255
    np.testing.assert_allclose(whole._mean, exact.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(whole._spread, exact.std(axis=(0, 2, 3)))
