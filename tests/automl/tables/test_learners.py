"""From a configuration to a Pipeline: preparation made for the candidate, imbalance strategies in the last step."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.multiclass import OneVsRestClassifier

from skauto.automl._builder import build_pipeline as build
from skauto.automl._data_profile import DataProfile
from skauto.automl.tables import _learners as make
from skauto.automl.tables._balanced_candidates import ON_REQUEST
from skauto.automl.tables._candidates import TABLES

CANDIDATES = {candidate.name: candidate for candidate in (*TABLES, *ON_REQUEST)}
# LightGBM and networks, which need more than scikit-learn, have tests of their own.
FAST = [name for name, candidate in CANDIDATES.items() if candidate.package is None]
RNG = np.random.default_rng(0)
Y = np.arange(80) % 2


def profile(**changes):
    given = {"n_rows": 80, "n_columns": 4, "n_classes": 2, "sparse": False, "threads": 1, "early_stopping": False}
    return DataProfile(**{**given, **changes})


def table(n=80):
    return pd.DataFrame(
        {
            "number": np.where(np.arange(n) % 9 == 0, np.nan, np.arange(n) % 2 + RNG.normal(size=n)),
            "kind": pd.Categorical(RNG.choice(["u", "v", "w"], n)),
            "empty": np.nan,
            "town": RNG.choice(["Ulm", "Rom"], n),
        }
    )


def defaults(name, **changes):
    candidate = CANDIDATES[name]
    return candidate, {"imbalance": "none", **candidate.defaults, **changes}


@pytest.mark.parametrize("name", FAST)
def test_a_mixed_table(name):
    X = table()
    pipeline = build(*defaults(name), profile(), seed=0).fit(X, Y)
    proba = pipeline.predict_proba(X.assign(kind="unseen", number=np.nan))
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in FAST if CANDIDATES[name].sparse])
def test_a_sparse_matrix(name):
    X = sp.random(80, 12, density=0.3, format="csr", random_state=0)
    pipeline = build(*defaults(name), profile(sparse=True, n_columns=12), seed=0).fit(X, Y)
    assert pipeline.predict_proba(X).shape == (80, 2)


FORMS = {"array": np.asarray, "frame": lambda X: pd.DataFrame(X, columns=["a", "b", "c"]), "sparse": sp.csr_matrix}


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e308])
def test_numbers_of_any_size(name, form, scale):
    if form == "sparse" and not CANDIDATES[name].sparse:
        return
    X = RNG.normal(size=(80, 3)) + Y[:, None]
    X[:, 1] = np.where(X[:, 1] > 0.5, scale, -scale)
    how = profile(n_columns=3, sparse=form == "sparse")
    plain = {"scaler": "standard"} if "scaler" in CANDIDATES[name].defaults else {}
    pipeline = build(*defaults(name, **plain), how, seed=0).fit(FORMS[form](X), Y)
    later = np.array([[1e39, 0, -1e300], [0, 1e308, 1.0], [-1e39, -1e39, 1e-300]])
    assert np.isfinite(pipeline.predict_proba(FORMS[form](later))).all()


def test_perceptrons_take_numbers_of_any_size():
    pytest.importorskip("torch")
    X = RNG.normal(size=(80, 2)) * [1, 1e-150]
    pipeline = build(*defaults("mlp", scaler="standard"), profile(n_columns=2), seed=0).fit(X, Y)
    assert np.isfinite(pipeline.predict_proba([[1e39, 1.0], [0, -1e308]])).all()


@pytest.mark.lightgbm
@pytest.mark.parametrize("other", ["_", "b"])
def test_a_column_without_a_name(other):
    X = pd.DataFrame(RNG.normal(size=(80, 2)), columns=["", other])
    assert build(*defaults("lightgbm"), profile(n_columns=2), seed=0).fit(X, Y).predict(X).shape == (80,)


@pytest.mark.lightgbm
def test_names_of_columns_that_lightgbm_refuses():
    X = pd.DataFrame(RNG.normal(size=(80, 4)), columns=['a[b]{"x":1,}', "a(b)", "a b", "a_b"])
    pipeline = build(*defaults("lightgbm"), profile(), seed=0).fit(X, Y)
    assert pipeline.predict_proba(X[X.columns[::-1]]).shape == (80, 2)


@pytest.mark.parametrize("scaler", ["standard", "quantile"])
@pytest.mark.parametrize("encode", ["onehot", "target"])
@pytest.mark.parametrize("splines", [None, 4])
def test_every_preparation(scaler, encode, splines):
    X = table()
    pipeline = build(*defaults("logistic", scaler=scaler, encode=encode, splines=splines), profile(), 0).fit(X, Y)
    prepared = pipeline[:-1].transform(X)
    assert np.isfinite(prepared).all()


@pytest.mark.parametrize("only", [["number"], ["town"]], ids=["numbers", "categories"])
def test_tables_of_one_kind_of_column(only):
    X = table()[only]
    assert build(*defaults("logistic"), profile(n_columns=1), 0).fit(X, Y).predict(X).shape == (80,)


@pytest.mark.parametrize("imbalance", ["none", "class_weight"])
def test_support_vectors_of_many_classes_stand_one_against_the_rest(imbalance):
    X, y = RNG.normal(size=(90, 3)), np.arange(90) % 3
    X[:, 0] += 3 * y
    one, many = (profile(n_classes=3, n_columns=3, weighted=weighted) for weighted in (True, False))
    weighted = build(*defaults("svm", imbalance=imbalance), one, 0).fit(X, y, classify__sample_weight=np.ones(90))
    plain = build(*defaults("svm", imbalance=imbalance), many, 0).fit(X, y)
    for model in (weighted, plain):
        assert model.score(X, y) > 0.8
    machine = plain[-1] if imbalance == "none" else plain[-1].estimator
    assert isinstance(machine.estimator, OneVsRestClassifier)
    assert machine.estimator.estimator.class_weight == (None if imbalance == "none" else "balanced")


@pytest.mark.parametrize(("n_rows", "batch", "epochs"), [(50, 16, 50), (2_000, 100, 8), (40_000, 512, 5)])
def test_perceptrons_take_as_many_steps_on_few_rows_as_on_many(n_rows, batch, epochs):
    pytest.importorskip("torch")
    net = build(*defaults("mlp"), profile(n_rows=n_rows), 0)[-1]
    assert (net.batch_size, net.max_epochs) == (batch, epochs)


def test_the_same_seed_gives_the_same_model():
    X = table()
    one, two = (build(*defaults("extra_trees"), profile(), seed=5).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, build(*defaults("extra_trees"), profile(), seed=6).fit(X, Y).predict_proba(X))


def test_values_are_left_as_they_were():
    candidate, values = defaults("svm", imbalance="SMOTE", imbalance__sampling_strategy=0.5)
    before = dict(values)
    build(candidate, values, profile(), 0)
    assert values == before


@pytest.mark.parametrize(("seconds", "n_trees", "rate"), [(None, 300, 0.08), (1.0, 300, 0.08), (0.2, 117, 0.205)])
def test_catboost_has_the_trees_that_there_is_time_for(seconds, n_trees, rate):
    """Of 2,000 rows and 10 columns a tree takes 1.7 ms; fewer trees learn as much faster."""
    pytest.importorskip("catboost")
    profile = DataProfile(2_000, 10, 2, sparse=False, threads=1, early_stopping=False, seconds=seconds)
    values = {"n_estimators": 300, "learning_rate": 0.08}
    model = make.catboost(values, profile, 0)
    assert model.n_estimators == n_trees
    assert model.learning_rate == pytest.approx(rate, rel=0.01)
