"""The diagram and the feature names of every candidate's pipeline, on every kind of data.

Tables without categories gave a traceback in the place of the diagram, and pipelines of LightGBM and of the differences
of series had no names to label importances with.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skauto import AutoClassifier

RNG = np.random.default_rng(0)
Y = np.arange(60) % 2
NUMBERS = pd.DataFrame(RNG.normal(size=(60, 3)) + Y[:, None], columns=["a b", "a[b]", "c"])
WORDS = pd.DataFrame({"town": RNG.choice(["Ulm", "Bonn"], 60), "size": np.where(Y, "S", RNG.choice(["S", "M"], 60))})
TABLES = {
    "numbers": NUMBERS,
    "array": NUMBERS.to_numpy(),
    "categories": WORDS,
    "mixed": pd.concat([NUMBERS, WORDS], axis=1),
    "sparse": sp.csr_matrix(np.where(NUMBERS > 0.5, NUMBERS, 0)),
}
EASY = ["lightgbm", "hist_boosting", "extra_trees", "random_forest", "logistic", "svm", "knn", "naive_bayes"]
HARD = ["mlp", "balanced_bagging", "easy_ensemble", "rusboost", "balanced_forest"]
DENSE_ONLY = {"hist_boosting", "naive_bayes"}
CASES = [(c, t) for c in EASY for t in TABLES if not (t == "sparse" and c in DENSE_ONLY)]
CASES += [(c, t) for c in HARD for t in ("numbers", "mixed")]
QUICK = [("lightgbm", "mixed"), ("logistic", "numbers"), ("extra_trees", "array"), ("logistic", "categories")]
LIGHT = {"lightgbm": pytest.mark.lightgbm}


def case(candidate, *rest, quick=False):
    """A parameter set with the marks of its candidate."""
    marks = ([LIGHT[candidate]] if candidate in LIGHT else []) + ([] if quick else [pytest.mark.slow])
    return pytest.param(candidate, *rest, marks=marks, id="-".join([candidate, *map(str, rest)]))


def pipeline_of(candidate, X, **changes):
    """The pipeline that a search of one trial with this candidate gives back."""
    options = {"n_iter": 1, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0, **changes}
    auto = AutoClassifier(candidates=[candidate], ensemble=False, **options).fit(X, Y)
    assert auto.leaderboard_["status"].iloc[0] == "complete"
    return auto.best_estimator_


def check(pipeline, X):
    """The diagram is there, and as many names as columns reach the last step."""
    assert "sk-top-container" in pipeline._repr_html_()
    names = pipeline[:-1].get_feature_names_out()
    if len(pipeline) > 1:  # a net takes X as it is
        assert len(set(names)) == pipeline[:-1].transform(X).shape[1]


@pytest.mark.parametrize(("candidate", "table"), [case(*c, quick=c in QUICK) for c in CASES])
def test_tables(candidate, table):
    if candidate == "mlp":
        pytest.importorskip("skorch")
    check(pipeline_of(candidate, TABLES[table]), TABLES[table])


@pytest.mark.lightgbm
def test_names_are_those_that_the_model_was_given():
    pipeline = pipeline_of("lightgbm", NUMBERS)
    model = pipeline[-1].estimator_ if hasattr(pipeline[-1], "estimator_") else pipeline[-1]
    assert pipeline[:-1].get_feature_names_out().tolist() == model.feature_names_in_.tolist()


@pytest.mark.parametrize(
    "candidate", [case(c) for c in ("logistic", "svm", "extra_trees", "lightgbm", "cnn", "compressed_cnn")]
)
def test_images(candidate):
    pytest.importorskip("skorch")
    X = (RNG.random((60, 12, 12)) + Y[:, None, None]).astype(np.float32)
    check(pipeline_of(candidate, X, kind="image"), X)


@pytest.mark.parametrize(
    "candidate", [case(c) for c in ("rocket", "rocket_logistic", "lightgbm", "extra_trees", "min_gru", "min_lstm")]
)
def test_sequences(candidate):
    pytest.importorskip("skorch")
    X = RNG.normal(size=(60, 30, 2)) + Y[:, None, None]
    check(pipeline_of(candidate, X), X)


def test_sequences_with_their_differences():
    """The third configuration of rocket joins the features of the series and of its differences."""
    X = RNG.normal(size=(60, 20, 2)).cumsum(axis=1) * (1 + Y[:, None, None])
    auto = AutoClassifier(
        candidates=["rocket"], n_iter=2, time_limit=None, cv=2, n_jobs=1, random_state=0, verbose=0
    ).fit(X, Y)
    joined = [model for model in auto.ensemble_.estimators_ if "featureunion" in dict(getattr(model[0], "steps", ()))]
    assert joined
    for pipeline in [*joined, auto.best_estimator_]:
        check(pipeline, X)
