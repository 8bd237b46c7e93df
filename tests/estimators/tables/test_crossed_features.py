"""Crossed features: what they append, and that boosting gains by it on rows it has not seen."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skauto.estimators.tables._crossed_features import CrossedFeatures
from skauto.estimators.tables._plain_names import plain_names

pytestmark = pytest.mark.lightgbm


def numbers(n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.lognormal(size=(n_rows, 6)), columns=list("abcdef"))
    return X, (X["a"] / X["b"] > X["c"] / X["d"]).astype(int).to_numpy()


def categories(n_rows=1500, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(12, size=(n_rows, 3))
    y = (codes[:, 0] * 5 + codes[:, 1] * 7) % 12 < 3
    columns = {f"c{k}": pd.Categorical.from_codes(codes[:, k], list("abcdefghijkl")) for k in range(3)}
    return pd.DataFrame(columns), (y ^ (rng.uniform(size=n_rows) < 0.1)).astype(int)


def auc(X, y, *steps):
    boosting = LGBMClassifier(n_estimators=80, learning_rate=0.1, num_leaves=8, verbose=-1, n_jobs=1, random_state=0)
    model = make_pipeline(*steps, FunctionTransformer(plain_names), boosting)
    return roc_auc_score(y, cross_val_predict(model, X, y, cv=3, method="predict_proba")[:, 1])


def test_differences_of_numbers_are_found():
    X, _ = numbers()
    surely = (X["a"] > X["b"]).to_numpy()
    y = (surely ^ (np.random.default_rng(1).uniform(size=len(X)) < 0.15)).astype(int)
    assert auc(X, y, CrossedFeatures()) > auc(X, y) + 0.01
    crossed = CrossedFeatures().fit(X, y)
    assert {"a minus b", "a over b"} & set(crossed.appended_[:2])


def test_pairs_of_categories_are_found():
    X, y = categories()
    assert auc(X, y, CrossedFeatures()) > auc(X, y) + 0.03


def test_target_means_of_noise_do_not_flatter():
    """The target mean of a row is that of other rows: a category of many levels that says nothing gains nothing."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"c": pd.Categorical.from_codes(rng.integers(200, size=600), [f"l{k}" for k in range(200)])})
    y = rng.integers(2, size=600)
    appended = CrossedFeatures().fit_transform(X, y)["mean by c"]
    assert roc_auc_score(y, appended) < 0.6


def test_the_columns_are_what_they_say():
    X, y = numbers()
    crossed = CrossedFeatures(n_features=5).fit(X, y)
    out = crossed.transform(X)
    operations = {"minus": np.subtract, "times": np.multiply, "over": np.divide}
    assert len(crossed.appended_) == 5
    for name in crossed.appended_:
        left, operation, right = name.split()
        np.testing.assert_allclose(out[name], operations[operation](X[left], X[right]))
    assert crossed.get_feature_names_out(list(X)).tolist() == list(out.columns)


def test_deviations_from_the_mean_of_a_level_know_missing_and_unseen_ones():
    rng = np.random.default_rng(0)
    level = pd.Categorical(rng.choice(["x", "y"], 300), categories=["x", "y", "never"])
    X = pd.DataFrame({"n": rng.normal(size=300) + 3 * (level == "x"), "c": level})
    y = (X["n"] - np.where(level == "x", 3, 0) > 0).astype(int)
    crossed = CrossedFeatures(n_features=1).fit(X, y)
    assert crossed.appended_[0] == "n minus its mean by c"
    rows = pd.DataFrame({"n": [1.0, 1.0, 1.0], "c": pd.Categorical(["x", None, "never"], categories=level.categories)})
    overall = X["n"].mean()
    expected = [1 - X["n"][level == "x"].mean(), 1 - overall, 1 - overall]
    np.testing.assert_allclose(crossed.transform(rows)["n minus its mean by c"], expected)


def test_more_classes_have_a_mean_each():
    X, y = categories()
    crossed = CrossedFeatures(n_features=0, n_categories=1).fit(X, y + (np.arange(len(y)) % 5 == 0))
    assert crossed.appended_ == [f"mean of {k} by c0" for k in range(3)]
    assert crossed.transform(X).shape == (len(X), 6)


@pytest.mark.parametrize("X", [np.ones((20, 1)), csr_matrix(np.eye(20))])
def test_where_there_is_nothing_to_cross_the_table_stays(X):
    y = np.arange(20) % 2
    out = CrossedFeatures().fit_transform(X, y)
    assert out.shape == X.shape


def test_an_array_has_its_columns_crossed():
    X, y = numbers()
    out = CrossedFeatures(n_features=2).fit(X.to_numpy(), y).transform(X.to_numpy())
    assert out.shape == (len(X), 8)
    assert out.columns[0] == "x0"
