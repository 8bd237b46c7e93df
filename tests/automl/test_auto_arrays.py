"""AutoClassifier on sequences and images: what holds for tables holds for them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline

from skauto import load_model, save_model
from skauto.search.strategies._names import STRATEGIES
from tests.support.autos import all_complete, quick
from tests.support.trials import with_single_fold

pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")

Y = np.where(np.arange(48) % 3 == 0, "slow", "fast")


def waves(lengths=(16, 30)):
    rng = np.random.default_rng(0)
    pace = np.where(Y == "slow", 0.4, 0.9)
    series = []
    for p in pace:
        t = np.arange(rng.integers(*lengths))
        series.append(np.sin(t * p + rng.uniform(0, 6))[:, None] + rng.normal(0, 0.2, (len(t), 2)))
    return series


def sequences(**changes):
    return quick(**{"candidates": ["extra_trees", "rocket"], **changes})


@pytest.fixture(scope="module")
def fitted():
    return sequences(n_iter=3).fit(waves(), Y)


def test_a_list_of_series(fitted):
    X = waves()
    assert all_complete(fitted)
    assert (fitted.kind_, fitted.n_features_in_, fitted.pos_label_) == ("sequence", 2, "slow")
    assert fitted.predict_proba(X).shape == (48, 2)
    assert (fitted.predict(X) == Y).mean() > 0.9
    assert fitted.score(X, Y) > 0.9
    assert set(fitted.leaderboard_["candidate"]) == {"ensemble", "extra_trees", "rocket"}


def test_lists_and_padded_arrays_are_the_same(fitted):
    X = waves()
    longest = max(map(len, X)) + 5
    array = np.stack([np.pad(x, [(0, longest - len(x)), (0, 0)], constant_values=np.nan) for x in X])
    np.testing.assert_allclose(fitted.predict_proba(array), fitted.predict_proba(X), atol=1e-6)
    one = fitted.predict_proba(X[:1])  # shorter than in fit
    np.testing.assert_allclose(one, fitted.predict_proba(X)[:1], atol=1e-6)


def test_the_best_estimator_of_sequences_is_a_plain_pipeline(fitted):
    X, best = waves(), fitted.best_estimator_
    assert type(best) is Pipeline
    np.testing.assert_array_equal(clone(best).fit(X, Y).predict(X), best.predict(X))


def test_models_of_sequences_are_saved(fitted, tmp_path):
    X = waves()
    for again in (
        pickle.loads(pickle.dumps(fitted)),
        load_model(save_model(fitted, tmp_path / "model")),
    ):
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_predict_refuses_another_form(fitted):
    with pytest.raises(ValueError, match="3 features a step, but AutoClassifier was fitted on 2"):
        fitted.predict(np.zeros((2, 20, 3)))
    with pytest.raises(ValueError, match="only NaN"):
        fitted.predict(np.full((2, 20, 2), np.nan))


@pytest.mark.parametrize(
    ("X", "changes", "said"),
    [
        (np.zeros((48, 0, 2)), {}, "0 steps"),
        (np.full((48, 20, 2), np.inf), {}, "infinity, in series 0"),
        (waves()[:40], {}, "X has 40 rows, y has 48"),
        (waves(), {"candidates": ["min_grru"]}, "did you mean 'min_gru'"),
        (waves(), {"candidates": ["svm"]}, "choose 'auto' or some of .*'rocket'"),
        (waves(), {"kind": "sequences"}, "did you mean 'sequence'"),
        (np.zeros((48, 20, 2)), {"kind": "table"}, "a table has two axes"),
        (np.zeros((48, 64)), {"kind": "image"}, "reshape rows of pixels"),
        (np.zeros((48, 3, 20, 3)), {}, "both axis 1 and axis 3"),
    ],
)
def test_faults_of_arrays(X, changes, said):
    with pytest.raises(ValueError, match=said):
        sequences(**changes).fit(X, Y)


def test_two_axes_are_sequences_if_that_is_said():
    X = np.stack([x[:16, 0] for x in waves()])
    auto = sequences(kind="sequence", n_iter=1).fit(X, Y)
    assert auto.kind_ == "sequence" and auto.n_features_in_ == 1
    assert auto.predict(X).shape == auto.best_estimator_.predict(X).shape == (48,)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy(strategy):
    pytest.importorskip("skopt")
    auto = sequences(strategy=strategy, n_iter=5).fit(waves(), Y)
    assert all_complete(auto)
    assert auto.score(waves(), Y) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["halving", "hyperband", "bohb"])
def test_nets_are_halved_by_epochs_however_few_the_series(strategy):
    pytest.importorskip("torch")
    auto = sequences(strategy=strategy, candidates=["min_gru", "extra_trees"], n_iter=12).fit(waves(), Y)
    assert all_complete(auto)
    assert auto.leaderboard(details=True)["fidelity"].min() == pytest.approx(1 / 9)


@pytest.mark.slow
def test_count_mode_of_sequences():
    pytest.importorskip("torch")
    given = {"candidates": ["rocket", "min_gru"], "n_iter": 4}
    one, two = (sequences(**given, n_jobs=n).fit(waves(), Y) for n in (1, 2))
    assert one.leaderboard_.equals(two.leaderboard_)
    np.testing.assert_array_equal(one.predict_proba(waves()), two.predict_proba(waves()))


@pytest.mark.slow
def test_groups_and_weights_of_sequences():
    groups, weight = np.arange(48) // 2, np.random.default_rng(0).uniform(0.5, 2, 48)
    auto = sequences(n_iter=2).fit(waves(), Y, sample_weight=weight, groups=groups)
    assert all_complete(auto)


@pytest.mark.slow
@pytest.mark.lightgbm
def test_a_short_time_still_gives_a_model():
    auto = quick(candidates="auto", n_iter=None, time_limit=40).fit(waves(), Y)
    assert auto.budget_.loc["total", "used"] < 43
    assert auto.score(waves(), Y) > 0.9


def digits(layout):
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:150].reshape(-1, 8, 8)
    images = {"gray": X.astype(np.uint8), "last": np.repeat(X[..., None], 3, axis=3), "first": X[:, None] / 16}
    return images[layout], y[:150]


@pytest.mark.parametrize("layout", ["gray", "last", "first"])
def test_images(layout):
    X, y = digits(layout)
    auto = quick(candidates=["extra_trees", "logistic"], n_iter=2).fit(X, y)
    assert all_complete(auto)
    assert auto.kind_ == "image" and auto.n_features_in_ == X[0].size
    assert auto.score(X, y) > 0.95
    np.testing.assert_array_equal(auto.best_estimator_.predict(X).shape, y.shape)
    with pytest.raises(ValueError, match="images of shape"):
        auto.predict(X[:, :7] if layout != "first" else X[:, :, :7])


@pytest.mark.slow
def test_networks_of_images():
    pytest.importorskip("torch")
    X, y = digits("last")
    auto = quick(candidates=["cnn"], n_iter=2, n_jobs=2, time_limit=900).fit(X, y)
    assert all_complete(auto)
    assert auto.score(X, y) > 0.9
    assert pickle.loads(pickle.dumps(auto)).score(X, y) == auto.score(X, y)


@pytest.mark.slow
def test_networks_of_many_images_are_kept_as_trials_trained_them(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    with_single_fold(monkeypatch, 100)
    monkeypatch.setattr("skauto.automl.selection._refit_chain.refit", None)
    X, y = load_digits(n_class=3, return_X_y=True)
    some = np.r_[np.flatnonzero(y != 2)[:120], np.flatnonzero(y == 2)[:24]]
    # Noise, or one network has all of the few rows right and predicts alone.
    noisy = X[some] + np.random.default_rng(0).normal(0, 6, X[some].shape)
    X, names = noisy.clip(0, 16).reshape(-1, 8, 8).astype(np.uint8), np.array(["nought", "one", "two"])[y[some]]
    model = quick(candidates=["cnn"], n_iter=8, cv=4).fit(X, names)
    board = model.leaderboard(details=True)
    ways = [params["imbalance"] for params in board.loc[board["trial"] >= 0, "params"]]
    assert all_complete(model) and len(set(ways)) > 1
    assert len(model.ensemble_.estimators_) > 1
    assert all(set(part.classes_) == set(names) for part in model.ensemble_.estimators_)
    assert (model.predict(X) == names).mean() > 0.9
    assert set(model.best_estimator_.predict(X)) == set(names)
    save_model(model, tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict(X), model.predict(X))
