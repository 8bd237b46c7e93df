"""What an estimator of the user's own is fitted on, with which effort, and what becomes of it in the final model."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto import Candidate
from tests.support.autos import quick

N_ROWS = 3_000
X, Y = make_classification(N_ROWS, 5, flip_y=0.02, random_state=0)


class Iterating(LogisticRegression):
    """Writes down with how many epochs and rows it is fitted."""

    def __init__(self, C=1.0, max_epochs=9, log=None):
        super().__init__(C=C)
        self.max_epochs = max_epochs
        self.log = log

    def fit(self, X, y, sample_weight=None):
        with open(self.log, "a") as log:
            log.write(f"{self.max_epochs} {len(X)}\n")
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("fidelity", "inside", "of_trials", "final"),
    [
        (("max_epochs", 2, 6), False, {(2, 1500), (6, 1500)}, (6, N_ROWS)),
        (("rows", 200, 1000), False, {(9, 330), (9, 1000)}, (9, N_ROWS)),
        ("rows", False, {(9, 500), (9, 1500)}, (9, N_ROWS)),
        ("epochs", False, {(3, 1500), (9, 1500)}, (9, N_ROWS)),
        (None, False, {(3, 1500), (9, 1500)}, (9, N_ROWS)),
        (None, True, {(3, 1500), (9, 1500)}, (9, N_ROWS)),
    ],
)
def test_less_effort_is_what_was_said_and_the_final_model_has_all_that_was_judged(
    fidelity, inside, of_trials, final, tmp_path
):
    net = Iterating(log=str(tmp_path / "log"))
    estimator, name = (make_pipeline(StandardScaler(), net), "iterating__C") if inside else (net, "C")
    mine = Candidate("mine", estimator, {name: [0.1, 1.0, 3.0, 9.0]}, fidelity=fidelity)
    auto = quick(candidates=[mine], n_iter=4, strategy="halving", ensemble=False, pos_label=1).fit(X, Y)
    *trials, last = [tuple(map(int, line.split())) for line in (tmp_path / "log").read_text().splitlines()]
    assert last == final
    rungs = {(epochs, n_rows // 10 * 10) for epochs, n_rows in trials} - {final}  # each class has its rows rounded up
    assert rungs == of_trials, auto.leaderboard(details=True)["fidelity"].tolist()


class Demanding(LogisticRegression):
    """Takes rows of one form alone, in fit and in predict."""

    def __init__(self, C=1.0, form=None):
        super().__init__(C=C)
        self.form = form

    def _numbers(self, X):
        assert said(X) == self.form, (said(X), self.form)
        X = X.toarray() if sp.issparse(X) else np.asarray(X)
        return X[:, :2].astype(float)

    def fit(self, X, y, sample_weight=None):
        return super().fit(self._numbers(X), y)

    def predict_proba(self, X):
        return super().predict_proba(self._numbers(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def said(X):
    """The form of rows, without their number."""
    if isinstance(X, pd.DataFrame):
        return "frame", tuple(X.columns), tuple(map(str, X.dtypes))
    return getattr(X, "format", "array"), str(X.dtype)


SMALL = X[:120]
FORMS = {
    "float32": SMALL.astype(np.float32),
    "integers": (SMALL * 10).astype(np.int64),
    "objects": np.column_stack([SMALL[:, :2], np.repeat(["u", "v"], 60)]).astype(object),
    "columns without names": pd.DataFrame(SMALL),
    "columns named by numbers": pd.DataFrame(SMALL[:, :2], columns=[2020, 2021]),
    "names and texts": pd.DataFrame({"a": SMALL[:, 0], "b": SMALL[:, 1], "town": np.repeat(["u", "v"], 60)}),
    "csc": sp.csc_matrix(SMALL),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_is_given_x_as_the_user_gave_it(form):
    given = FORMS[form]
    mine = Candidate("mine", Demanding(form=said(given)), {"C": [0.1, 1.0]})
    auto = quick(candidates=[mine, "naive_bayes"] if form != "csc" else [mine], n_iter=4).fit(given, Y[:120])
    board = auto.leaderboard(details=True)
    assert (board["status"] == "complete").all(), board["reason"].tolist()
    assert len(auto.predict(given)) == 120
    alone = quick(candidates=[mine], n_iter=2, ensemble=False).fit(given, Y[:120])
    assert alone.model_kind_ == "refitted"
    np.testing.assert_allclose(alone.best_estimator_.predict_proba(given), alone.predict_proba(given))


class Limited(RandomForestClassifier):
    """Has a parameter of a name that networks of ours have too."""

    def __init__(self, n_estimators=5, n_jobs=2, random_state=None, time_limit=7.0):
        super().__init__(n_estimators=n_estimators, n_jobs=n_jobs, random_state=random_state)
        self.time_limit = time_limit


def test_the_final_model_has_the_settings_of_the_user():
    auto = quick(candidates=[Candidate("mine", Limited(), {"n_estimators": [3, 5]})], ensemble=False).fit(
        SMALL, Y[:120]
    )
    final = auto.best_estimator_.steps[-1][1].estimator
    assert (final.n_jobs, final.time_limit) == (2, 7.0)


class Odd(LogisticRegression):
    """Probabilities that are none."""

    def __init__(self, C=1.0, how="sum"):
        super().__init__(C=C)
        self.how = how

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return 3 * proba if self.how == "sum" else proba[:, :1]


@pytest.mark.parametrize(("how", "reason"), [("sum", "sum to 3, not 1"), ("shape", "a column is needed for each of 2")])
def test_probabilities_that_are_none_are_not_blended(how, reason):
    odd = Candidate("odd", Odd(how=how), {"C": [0.1, 1.0]})
    auto = quick(candidates=["naive_bayes", odd], n_iter=4).fit(SMALL, Y[:120])
    board = auto.leaderboard(details=True).query("candidate == 'odd'")
    assert (board["status"] == "failed").all() and board["reason"].str.contains(reason).all()
    np.testing.assert_allclose(auto.predict_proba(SMALL).sum(axis=1), 1)
