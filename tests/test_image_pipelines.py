"""Pipelines of images: every candidate learns digits, and networks are given the epochs that there is time for."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skauto._image_pipelines import EPOCHS, FEWEST_EPOCHS, epochs, fallback, net_affords
from skauto._image_portfolio import IMAGES
from skauto._pipelines import Traits, build

X, Y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)
TRAITS = Traits(
    n_rows=400, n_columns=64, n_classes=4, sparse=False, threads=1, stops=False, kind="image", shape=(8, 8), seconds=2.0
)


def candidate(name):
    return next(candidate for candidate in IMAGES if candidate.name == name)


@pytest.mark.lightgbm
@pytest.mark.parametrize("name", [candidate.name for candidate in IMAGES])
def test_every_candidate_learns_digits(name):
    if candidate(name).extra:
        pytest.importorskip("torch")
    values = {**candidate(name).usual, **({"n_estimators": 20} if name == "lightgbm" else {})}
    model = build(candidate(name), values, TRAITS, seed=0).fit(X[:400], Y[:400])
    assert model.score(X[400:], Y[400:]) > 0.9
    np.testing.assert_allclose(model.predict_proba(X[400:]).sum(axis=1), 1, atol=1e-5)


@pytest.fixture
def a_microsecond_a_weight(monkeypatch):
    """In the place of the measured time of a network's steps."""
    pytest.importorskip("torch")
    speed = "skauto.estimators._speed.training_seconds_a_row"
    monkeypatch.setattr(speed, lambda network, shape: 1e-6 * sum(p.numel() for p in network.parameters()))


def test_epochs_follow_the_time_and_the_network(a_microsecond_a_weight):
    usual, large = candidate("cnn").usual, replace(TRAITS, shape=(3, 32, 32), seconds=200.0)
    assert epochs(usual, replace(TRAITS, seconds=None)) == EPOCHS
    assert 0 < epochs(usual, large) < EPOCHS
    assert epochs({**usual, "width": 16}, large) < epochs(usual, large)
    assert epochs(usual, replace(large, seconds=400.0)) > epochs(usual, large)
    assert epochs(usual, replace(large, n_rows=800)) < epochs(usual, large)
    assert epochs(usual, replace(large, shape=(32, 32, 3))) == epochs(usual, large)


def test_a_network_without_time_is_left_out(a_microsecond_a_weight):
    usual = candidate("cnn").usual
    assert net_affords(usual, replace(TRAITS, seconds=1e4)) == ""
    assert f"{FEWEST_EPOCHS} epochs" in net_affords(usual, replace(TRAITS, seconds=1e-3))


def test_the_small_model():
    assert fallback(TRAITS).fit(X[:400], Y[:400]).score(X[400:], Y[400:]) > 0.9
