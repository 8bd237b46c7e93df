"""Images of which one part is held back: what learns from the others is final, and is told by the part."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skauto.automl.images._held_out_views import choose_views
from tests.support.autos import quick

X, Y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)
NAMES = np.array(["nought", "one", "two", "three"])[Y]


def test_a_network_chooses_its_views_by_the_rows_held_back():
    pytest.importorskip("torch")
    from skauto.estimators import CNNClassifier

    network = CNNClassifier(width=4, depth=1, max_epochs=1, augment={"crop": 0.13}, random_state=0)
    network.fit(X[:500], Y[:500])
    unseen = np.where(Y[500:] == 3, 9, Y[500:])  # a class that was not learnt tells nothing
    choose_views(network, X[500:], unseen, np.ones(len(unseen)))
    known = unseen != 9
    chosen = network.views_
    assert network.choose_views(X[500:][known], unseen[known]).views_ == chosen
    choose_views(network, X[500:], np.full(len(unseen), 9), None)
    assert network.views_ == chosen


def test_another_classifier_stays_as_it_is():
    rows = X.reshape(len(X), -1) / 16
    fitted = LogisticRegression(max_iter=500).fit(rows[:500], Y[:500])
    before = dict(vars(fitted))
    choose_views(fitted, rows[500:], Y[500:], None)
    assert vars(fitted) == before


@pytest.mark.slow
def test_nothing_is_fitted_anew_within_a_time_limit(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("skauto.automl.selection._refit_chain.refit", None)
    large = np.kron(X, np.ones((3, 3))).astype(np.uint8)
    auto = quick(candidates=["logistic", "lightgbm", "cnn"], n_iter=None, time_limit=20, n_jobs=2, cv=5, kind="image")
    auto.fit(large, NAMES)
    board = auto.leaderboard_
    assert {"logistic", "cnn"} <= set(board.loc[board["status"] == "complete", "candidate"])
    assert auto.model_kind_ == "refitted" and auto.budget_.loc["refit", "used"] < 1
    held = np.isfinite(auto.oof_proba_).all(axis=1)
    assert 0.2 < held.mean() < 0.3  # one of four parts, as rows are few
    assert auto.score(large, NAMES) > 0.95
    assert set(auto.best_estimator_.predict(large)) == set(NAMES)
    for model, _ in auto._kept.values():
        assert (model.predict(large) == NAMES).mean() > 0.9
    assert auto.budget_.loc["total", "used"] < 24
    again = pickle.loads(pickle.dumps(auto))
    np.testing.assert_array_equal(again.predict(large), auto.predict(large))
