import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.storage._fitted import from_plain, to_plain
from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.tables._mlp import MLPClassifier


@pytest.fixture(scope="module")
def small(digits_net):
    """A network that is trained in no time, its rows, and the plain data that a file would hold of it."""
    _, X, y = digits_net
    clf = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X[:100], y[:100])
    return clf, X, y


def made_up(clf, **state):
    """A classifier from plain data of which some was changed; None takes an entry away."""
    plain = json.loads(json.dumps(to_plain(clf)))
    for key, value in state.items():
        plain["state"].pop(key) if value is None else plain["state"].update({key: value})
    return from_plain(plain, clf.module_)


def test_labels_and_names_survive_a_file(digits_net, tmp_path):
    _, X, y = digits_net
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[y]
    for labels in (words, words.astype(object), y.astype(np.uint8), y > 4):
        clf = CompressedClassifier(CNNClassifier(width=4, depth=1, max_epochs=1)).fit(X, labels)
        loaded = CompressedClassifier.load(clf.save(tmp_path / "m"))
        assert loaded.classes_.dtype == clf.classes_.dtype
        np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))


def test_numpy_numbers_and_labels_as_keys_come_back(small):
    clf, X, _ = small
    clf = clone(clf).set_params(width=np.int64(4), lr=np.float32(0.25), class_weight={0: 2.0, np.int64(1): 1.0})
    again = made_up(clf.fit(X[:100], small[2][:100]))
    assert again.get_params() == clf.get_params() and type(again.width) is int
    assert again.class_weight == {0: 2.0, 1: 1.0}
    clf.set_params(class_weight={True: 2.0, False: 1.0}, augment={"flip": 0.5}, image_shape=(8, 8))
    again = made_up(clf)
    assert again.get_params() == clf.get_params() and set(map(type, again.class_weight)) == {bool}


def own_net(channels, n_classes, width, depth):
    """A backbone of the user's, all of whose settings are unusual."""
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1, padding_mode="circular"),
        nn.GELU(approximate="tanh"),
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.MaxPool2d(2, stride=1, dilation=2),
        nn.Flatten(),
        nn.LayerNorm(16, elementwise_affine=False),
        nn.Linear(16, n_classes),
    )


@pytest.mark.parametrize("held", [{"backbone": own_net}, {"random_state": np.random.RandomState(0)}])
def test_what_a_file_cannot_hold_is_missed_in_fit_not_forgotten(small, tmp_path, held):
    clf, X, y = small
    clf = CompressedClassifier(clone(clf).set_params(**held)).fit(X[:100], y[:100])
    loaded = CompressedClassifier.load(clf.save(tmp_path / "m"))
    for again in (loaded, pickle.loads(pickle.dumps(clf))):
        np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    name = next(iter(held))
    with pytest.raises(ValueError, match=f"'{name}' parameter of CNNClassifier .* not in the model file, set it anew"):
        loaded.fit(X, y)
    assert loaded.set_params(**{f"estimator__{n}": v for n, v in held.items()}).fit(X[:100], y[:100])


@pytest.mark.parametrize("labels", [{"kind": "<i8", "values": [0, 1]}, {"kind": "<U9", "values": ["a"] * 10}, 3, None])
def test_labels_must_fit_the_network(small, labels):
    with pytest.raises(ValueError, match=r"network gives an array \(2, 10\)|cannot be right"):
        made_up(small[0], classes_=labels)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_layout", "zzz"),
        ("_layout", "first "),
        ("_low", "0"),
        ("_low", 1e999),
        ("_high", 0.0),
        ("_mean", [0.0, 0.0]),
        ("_mean", 0.0),
        ("_spread", [0.0]),
        ("image_shape_", {"kind": "tuple", "values": [1, 8]}),
        ("image_shape_", {"kind": "tuple", "values": [4, 4, 4]}),
        ("image_shape_", {"kind": "tuple", "values": [1, -8, -8]}),
        ("image_shape_", [1, 8, 8]),
        ("image_shape_", {"kind": "set", "values": [1, 8, 8]}),
        ("n_features_in_", 63),
        ("n_features_in_", "64"),
        ("n_iter_", -1),
        ("_seed", 0.5),
        ("feature_names_in_", {"kind": "object", "values": ["a"]}),
        ("classes_", {"kind": "V1000000000", "values": list(range(10))}),
        ("classes_", {"kind": "<U99999999", "values": list(range(10))}),
        ("classes_", {"kind": "object", "values": [[n] for n in range(10)]}),
        ("module_", 3),
    ],
)
def test_made_up_attributes_are_refused(small, key, value):
    with pytest.raises(ValueError, match="cannot be right"):
        made_up(small[0], **{key: value})


def test_every_attribute_is_needed(small):
    for key in to_plain(small[0])["state"]:
        with pytest.raises(ValueError, match="cannot be right"):
            made_up(small[0], **{key: None})


@pytest.mark.parametrize(
    "plain", [[], {}, {"class": ["CNNClassifier"]}, {"class": "CNNClassifier", "params": {"a": 1}}]
)
def test_what_is_no_classifier_is_refused(small, plain):
    with pytest.raises(ValueError, match="cannot be right"):
        from_plain(plain, small[0].module_)


def test_every_layout_comes_back(small):
    _, X, y = small
    X, y = X[:60], y[:60]
    rows = X.reshape(60, -1)
    deep = np.stack([X, X / 2, X * 2], axis=1)
    last = deep.transpose(0, 2, 3, 1)
    for images, more in (
        (X, {}),
        (rows, {}),
        (deep, {}),
        (last, {}),
        (last.reshape(60, -1), {"channels": "last", "image_shape": (8, 8, 3)}),
    ):
        clf = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0, **more).fit(images, y)
        np.testing.assert_array_equal(made_up(clf).predict_proba(images), clf.predict_proba(images))
    clf = MLPClassifier(n_members=1, n_layers=0, max_epochs=1, random_state=0).fit(rows, y)
    np.testing.assert_array_equal(made_up(clf).predict_proba(rows), clf.predict_proba(rows))


def test_a_norm_that_goes_by_its_batch_is_tried_on_more_than_a_row(small):
    _, X, y = small
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.BatchNorm1d(4, track_running_stats=False),
        nn.Linear(4, 10),
    )
    clf = CNNClassifier(backbone=lambda *sizes: net, max_epochs=1).fit(X[:100], y[:100])
    np.testing.assert_array_equal(made_up(clf).predict_proba(X[:9]), clf.predict_proba(X[:9]))


def test_other_classes_are_pickled_instead():
    with pytest.raises(TypeError, match="cannot hold a DecisionTreeClassifier"):
        to_plain(DecisionTreeClassifier())


def test_a_loaded_estimator_learns_on(digits_net, tmp_path):
    base, X, y = digits_net
    clf = CompressedClassifier(FrozenEstimator(base)).fit(X, y)
    loaded = CompressedClassifier.load(clf.save(tmp_path / "m")).estimator_
    before = loaded.predict_proba(X[:5])
    assert not np.array_equal(loaded.partial_fit(X, y).predict_proba(X[:5]), before)
