"""Views of an image at predict: mirrored and moved, chosen on held-back rows, averaged."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skauto.estimators import CNNClassifier
from skauto.estimators.images._views import MOVED, STRAIGHT, View, best_views, sets_of_views

X, Y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)


def test_a_view_mirrors_and_moves():
    image = np.arange(6).reshape(1, 1, 2, 3)
    assert View()(image).tolist() == image.tolist()
    assert View(mirrored=True)(image)[0, 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert View(down=1)(image)[0, 0].tolist() == [[0, 1, 2], [0, 1, 2]]
    assert View(across=-1)(image)[0, 0].tolist() == [[1, 2, 2], [4, 5, 5]]


def test_only_what_training_showed_is_tried():
    assert sets_of_views(mirrors=False, moves=False) == [STRAIGHT]
    assert sets_of_views(mirrors=True, moves=False) == [STRAIGHT, (View(), View(mirrored=True))]
    assert sets_of_views(mirrors=False, moves=True) == [STRAIGHT, MOVED]


def test_a_dearer_set_must_pay():
    codes = np.zeros(10, dtype=int)

    def of(p):
        return np.tile([p, 1 - p], (10, 1))

    assert best_views({STRAIGHT: of(0.8), MOVED: of(0.801)}, codes) == STRAIGHT
    assert best_views({STRAIGHT: of(0.8), MOVED: of(0.9)}, codes) == MOVED
    weights = np.r_[np.ones(5), np.zeros(5)]
    worse_where_none_weighs = np.r_[of(0.9)[:5], of(0.1)[:5]]
    assert best_views({STRAIGHT: of(0.8), MOVED: worse_where_none_weighs}, codes, weights) == MOVED


@pytest.fixture
def net():
    augment = {"flip": 0.5, "crop": 0.13}
    return CNNClassifier(width=4, depth=1, max_epochs=2, augment=augment, random_state=0)


@pytest.mark.parametrize("layout", ["gray", "first", "last", "flat", "flat_last"])
def test_probabilities_are_the_mean_over_the_views(net, layout):
    given = {
        "gray": lambda images: images,
        "first": lambda images: np.repeat(images[:, None], 3, axis=1),
        "last": lambda images: np.repeat(images[..., None], 3, axis=3),
        "flat": lambda images: images.reshape(len(images), -1),
        "flat_last": lambda images: np.repeat(images[..., None], 3, axis=3).reshape(len(images), -1),
    }[layout]
    if layout == "flat_last":
        net.set_params(channels="last", image_shape=(8, 8, 3))
    net.fit(given(X[:300]), Y[:300])
    straight, mirrored = net.predict_proba(given(X[300:])), net.predict_proba(given(X[300:, :, ::-1]))
    net.views_ = (View(), View(mirrored=True))
    np.testing.assert_allclose(net.predict_proba(given(X[300:])), (straight + mirrored) / 2, atol=1e-6)


def test_views_are_chosen_on_held_back_rows_and_travel_with_the_network(net):
    net.fit(X[:300], Y[:300])
    straight = net.predict_proba(X[300:])
    assert net.choose_views(X[300:], Y[300:]) is net
    chosen, loss = net.predict_proba(X[300:]), []
    for proba in (straight, chosen):
        loss.append(-np.log(proba[np.arange(len(proba)), Y[300:]]).mean())
    assert loss[1] <= loss[0]
    again = pickle.loads(pickle.dumps(net))
    assert again.views_ == net.views_
    np.testing.assert_array_equal(again.predict_proba(X[300:]), chosen)
    assert net.fit(X[:300], Y[:300]).views_ == STRAIGHT
