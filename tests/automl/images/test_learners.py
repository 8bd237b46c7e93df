"""Pipelines of images: every candidate learns digits, and networks are given the epochs that there is time for."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skauto.automl._builder import build_pipeline as build
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl.images._candidates import COMPRESSED_CNN, IMAGES
from skauto.automl.images._epoch_planning import EPOCHS, FEWEST_EPOCHS, PLAN_FRACTION, epochs, net_time_reason
from skauto.automl.images._learners import TUNING, cnn, compressed_cnn, compressed_time_reason, fallback
from skauto.search import _deadline

X, Y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)
PROFILE = DataProfile(
    n_rows=400,
    n_columns=64,
    n_classes=4,
    sparse=False,
    threads=1,
    early_stopping=False,
    kind=kind_named("image"),
    shape=(8, 8),
    seconds=2.0,
)


# A network of few weights, of which many epochs fit into little time.
SMALL = {"backbone": "resnet", "width": 8, "depth": 1}


def candidate(name):
    return next(candidate for candidate in IMAGES if candidate.name == name)


@pytest.mark.lightgbm
@pytest.mark.parametrize("name", [candidate.name for candidate in IMAGES])
def test_every_candidate_learns_digits(name):
    if candidate(name).extra:
        pytest.importorskip("torch")
    values = {**candidate(name).defaults, **({"n_estimators": 20} if name == "lightgbm" else {})}
    model = build(candidate(name), values, replace(PROFILE, seconds=None), seed=0).fit(X[:400], Y[:400])
    assert model.score(X[400:], Y[400:]) > 0.9
    np.testing.assert_allclose(model.predict_proba(X[400:]).sum(axis=1), 1, atol=1e-5)


@pytest.fixture
def a_microsecond_a_weight(monkeypatch):
    """In the place of the measured time of a network's steps."""
    pytest.importorskip("torch")
    speed = "skauto.estimators.neural._speed.training_seconds_a_row"
    monkeypatch.setattr(speed, lambda network, shape, precision: 1e-6 * sum(p.numel() for p in network.parameters()))


def test_epochs_follow_the_time_and_the_network(a_microsecond_a_weight):
    defaults, large = candidate("cnn").defaults | SMALL, replace(PROFILE, shape=(3, 32, 32), seconds=200.0)
    assert epochs(defaults, replace(PROFILE, seconds=None)) == EPOCHS
    assert 0 < epochs(defaults, large) < EPOCHS
    assert epochs({**defaults, "width": 16}, large) < epochs(defaults, large)
    assert epochs(defaults, replace(large, seconds=400.0)) > epochs(defaults, large)
    assert epochs(defaults, replace(large, n_rows=800)) < epochs(defaults, large)
    assert epochs(defaults, replace(large, shape=(32, 32, 3))) == epochs(defaults, large)


def test_a_trial_that_begins_late_has_fewer_epochs(a_microsecond_a_weight, monkeypatch):
    defaults, large = candidate("cnn").defaults | SMALL, replace(PROFILE, shape=(3, 32, 32), seconds=200.0)
    assert _deadline.left() == math.inf
    whole = epochs(defaults, large)
    monkeypatch.setattr(_deadline, "left", lambda: 160.0)
    assert 0 < epochs(defaults, large) < whole


def planned(values, profile, name="cnn"):
    """A network as it trains in a worker."""
    of_name = COMPRESSED_CNN if name == "compressed_cnn" else candidate(name)
    network = of_name.build(values, profile, 0)
    of_name.plan_training(network, values, profile)
    return network


def test_a_network_stops_should_the_machine_turn_out_slow(a_microsecond_a_weight, monkeypatch):
    defaults, few = candidate("cnn").defaults | SMALL, replace(PROFILE, n_rows=4)
    assert few.seconds < planned(defaults, few).time_limit < few.seconds / PLAN_FRACTION
    monkeypatch.setattr(_deadline, "left", lambda: 2.0)
    assert 0 < planned(defaults, few).time_limit < 1
    small = {**COMPRESSED_CNN.defaults, "backbone": "plain"}
    compressed = planned(small, few, "compressed_cnn")
    assert 0 < compressed.estimator.time_limit < compressed.time_limit == planned(usual_of_cnn(small), few).time_limit
    monkeypatch.setattr(_deadline, "left", lambda: 0.5)
    with pytest.raises(TimeoutError, match=f"{FEWEST_EPOCHS} epochs of it do not fit into the 0 s that are left"):
        planned(defaults, few)
    assert planned(defaults, replace(few, refit=True)).max_epochs == 1
    assert planned(defaults, replace(few, seconds=None)).time_limit is None


def test_tuning_of_a_compressed_network_is_within_its_time(a_microsecond_a_weight):
    defaults, large = {**COMPRESSED_CNN.defaults, "filters": 0.3}, replace(PROFILE, shape=(3, 32, 32), seconds=200.0)
    most = planned(usual_of_cnn(defaults), large).max_epochs
    tuned = planned(defaults, large, "compressed_cnn")
    assert tuned.estimator.max_epochs + sum(step.epochs for _, step in tuned.steps) == most
    whole = planned({**defaults, "filters": 0.0, "form": "int8"}, large, "compressed_cnn")
    assert whole.estimator.max_epochs == most
    little = replace(large, seconds=large.seconds * (2 * TUNING + 1) / most)
    assert net_time_reason(defaults, little) == ""
    with pytest.raises(TimeoutError, match="epochs of it do not fit"):
        planned(defaults, little, "compressed_cnn")


def test_a_compressed_network_is_trained_with_class_weights(monkeypatch):
    for part in ("_epoch_planning", "_learners"):
        monkeypatch.setattr(f"skauto.automl.images.{part}.EPOCHS", 6)
    rows = np.flatnonzero((Y > 1) | (np.arange(len(Y)) % 4 == 0))  # of the first two classes a quarter
    values = {**COMPRESSED_CNN.defaults, "width": 4, "imbalance": "class_weight"}
    model = build(COMPRESSED_CNN, values, replace(PROFILE, seconds=None), 0).fit(X[rows], Y[rows]).steps[-1][1]
    assert model.estimator_.estimator.class_weight == "balanced"
    np.testing.assert_allclose(model.trained_priors_, 0.25)


def test_building_a_network_plans_nothing(monkeypatch):
    """It raised TimeoutError, and timed a network, where a trial had little time."""
    pytest.importorskip("torch")
    monkeypatch.setattr("skauto.automl.images._epoch_planning._network_seconds", None)
    monkeypatch.setattr(_deadline, "left", lambda: 0.0)
    assert cnn(candidate("cnn").defaults, PROFILE, 0).max_epochs == EPOCHS
    compressed = compressed_cnn(COMPRESSED_CNN.defaults, PROFILE, 0)
    assert compressed.estimator.max_epochs + sum(step.epochs for _, step in compressed.steps) == EPOCHS


def usual_of_cnn(values):
    return {name: value for name, value in values.items() if name not in ("filters", "form")}


def test_a_network_without_time_is_left_out(a_microsecond_a_weight):
    defaults = candidate("cnn").defaults
    assert net_time_reason(defaults, replace(PROFILE, seconds=1e4)) == ""
    assert f"{FEWEST_EPOCHS} epochs" in net_time_reason(defaults, replace(PROFILE, seconds=1e-3))
    assert f"{2 * TUNING + FEWEST_EPOCHS} epochs" in compressed_time_reason(defaults, replace(PROFILE, seconds=1e-3))


def test_no_network_is_trained_where_nothing_can_end_it(monkeypatch):
    """Whether there is time is told without PyTorch: the plan is made in the user's process."""
    monkeypatch.setattr("skauto.automl.images._epoch_planning._network_seconds", None)
    assert net_time_reason(candidate("cnn").defaults, replace(PROFILE, seconds=1e4)) == ""


def test_a_network_that_nothing_else_stands_in_for_makes_do_with_less(a_microsecond_a_weight, monkeypatch):
    monkeypatch.setattr(_deadline, "left", lambda: 0.5)
    net = planned(candidate("cnn").defaults, replace(PROFILE, alone=True))
    assert net.max_epochs == 1 and net.time_limit > 0


def test_the_small_model():
    assert fallback(PROFILE).fit(X[:400], Y[:400]).score(X[400:], Y[400:]) > 0.9
