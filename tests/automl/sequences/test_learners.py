"""Pipelines of sequences: what comes before a classifier, and how many epochs a net has time for."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from skauto.automl._builder import build_pipeline as build
from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import apply_fidelity
from skauto.automl._kind import kind_named
from skauto.automl.sequences._candidates import SEQUENCES
from skauto.automl.sequences._learners import EPOCHS, FEWEST_EPOCHS, epochs, fallback, net_time_reason

PROFILE = DataProfile(
    n_rows=60,
    n_columns=2,
    n_classes=2,
    sparse=False,
    threads=1,
    early_stopping=False,
    kind=kind_named("sequence"),
    shape=(24, 2),
    length=20,
)
Y = (np.arange(60) % 5 < 2).astype(int)


def waves():
    rng = np.random.default_rng(0)
    return [np.sin(np.arange(24) * (0.4 + 0.4 * label))[:, None] + rng.normal(0, 0.3, (24, 2)) for label in Y]


def candidate(name):
    return next(candidate for candidate in SEQUENCES if candidate.name == name)


@pytest.mark.lightgbm
@pytest.mark.parametrize("name", [candidate.name for candidate in SEQUENCES])
@pytest.mark.parametrize("imbalance", ["none", "class_weight", "RandomOverSampler"])
def test_every_candidate_learns_waves(name, imbalance):
    if candidate(name).extra:
        pytest.importorskip("torch")
    if imbalance not in {"none", *itertools.chain(*candidate(name).imbalance)}:
        pytest.skip("not an imbalance strategy of this candidate")
    values = {**candidate(name).defaults, "imbalance": imbalance}
    values |= {"n_features": 840, "differences": True} if "differences" in values else {}
    values |= {"hidden_size": 16, "lr": 0.02} if "hidden_size" in values else {}
    X = waves()
    model = build(candidate(name), values, PROFILE, seed=0).fit(X[:40], Y[:40])
    assert model.score(X[40:], Y[40:]) > 0.8
    proba = model.predict_proba(X[40:])
    assert proba.shape == (20, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


def test_epochs_follow_the_time():
    defaults = candidate("min_gru").defaults
    assert epochs(defaults, PROFILE) == EPOCHS
    short, long = (epochs(defaults, replace(PROFILE, seconds=s, length=2000)) for s in (10.0, 40.0))
    assert 0 < short < long < EPOCHS
    assert epochs({**defaults, "bidirectional": True}, replace(PROFILE, seconds=10.0, length=2000)) < short


def test_a_net_without_time_is_left_out():
    defaults = candidate("min_gru").defaults
    assert net_time_reason(defaults, PROFILE) == ""
    assert f"{FEWEST_EPOCHS} epochs" in net_time_reason(defaults, replace(PROFILE, seconds=0.01))


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
def test_a_net_stops_should_the_machine_turn_out_slow(name):
    pytest.importorskip("torch")
    values, limits = candidate(name).defaults, replace(PROFILE, seconds=10.0)
    net = candidate(name).build(values, limits, 0)
    for profile, seconds in ((limits, 10.0), (replace(limits, refit=True), None)):
        candidate(name).plan_training(net, values, profile)
        assert net.time_limit == seconds


def test_effort_is_epochs_for_nets_and_rows_for_others():
    pytest.importorskip("torch")
    for imbalance in ("none", "class_weight", "RandomOverSampler"):
        values = {**candidate("min_gru").defaults, "imbalance": imbalance}
        net, fraction = apply_fidelity(build(candidate("min_gru"), values, PROFILE, seed=0), 1 / 3)
        found = [value for name, value in net.get_params().items() if name.endswith("max_epochs")]
        assert found == [EPOCHS // 3] and fraction == 1.0
    rocket, fraction = apply_fidelity(build(candidate("rocket"), candidate("rocket").defaults, PROFILE, seed=0), 1 / 3)
    assert fraction == 1 / 3
    assert apply_fidelity(rocket, 1.0) == (rocket, 1.0)


def test_the_small_model():
    X = waves()
    assert fallback(PROFILE).fit(X[:40], Y[:40]).score(X[40:], Y[40:]) > 0.8
