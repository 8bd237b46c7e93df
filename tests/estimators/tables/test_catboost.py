"""CatBoost beside its own package, on tables as the cleaner gives them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer

from skauto.estimators.footprints._counted import counted
from skauto.estimators.tables._catboost import CatBoostTableClassifier
from skauto.estimators.tables._table_cleaner import TableCleaner

catboost = pytest.importorskip("catboost")


@pytest.fixture(scope="module")
def table():
    """Labels that hang on a category of three levels, with values missing."""
    rng = np.random.default_rng(0)
    level = rng.choice(["low", "mid", "high"], 400)
    number = rng.normal(size=400)
    y = np.where((level == "mid") ^ (rng.uniform(size=400) < 0.05), "yes", "no")
    number[::7] = np.nan
    level[::11] = ""
    return pd.DataFrame({"number": number, "level": pd.Series(level).replace("", None)}), y


def test_the_probabilities_are_catboosts_own():
    X, y = load_breast_cancer(return_X_y=True)
    ours = CatBoostTableClassifier(30, learning_rate=0.1, l2_leaf_reg=3.0, subsample=1.0, random_state=3).fit(X, y)
    own = catboost.CatBoostClassifier(
        iterations=30, learning_rate=0.1, l2_leaf_reg=3.0, bootstrap_type="Bernoulli", subsample=1.0, random_seed=3,
        thread_count=1, boosting_type="Plain", allow_writing_files=False, logging_level="Silent",
    ).fit(X, y)  # fmt: skip
    np.testing.assert_allclose(ours.predict_proba(X), own.predict_proba(X), atol=1e-12)


def test_categories_and_missing_values_are_taken_as_they_are(table):
    X, y = table
    cleaned = TableCleaner().fit_transform(X, y)
    model = CatBoostTableClassifier(60, random_state=0).fit(cleaned, y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert np.mean(model.predict(cleaned) == y) > 0.85
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(cleaned), model.predict_proba(cleaned))
    np.testing.assert_array_equal(clone(model).fit(cleaned, y).predict_proba(cleaned), model.predict_proba(cleaned))


def test_weights_of_rows_and_classes_count():
    X, y = load_breast_cancer(return_X_y=True)
    plain = CatBoostTableClassifier(20, random_state=0).fit(X, y).predict_proba(X)[:, 0].mean()
    balanced = CatBoostTableClassifier(20, class_weight={0: 20.0, 1: 1.0}, random_state=0).fit(X, y)
    weighted = CatBoostTableClassifier(20, random_state=0).fit(X, y, sample_weight=np.where(y == 0, 20.0, 1.0))
    np.testing.assert_array_equal(balanced.predict_proba(X), weighted.predict_proba(X))
    assert balanced.predict_proba(X)[:, 0].mean() > plain + 0.01


def test_nothing_is_written_to_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = load_breast_cancer(return_X_y=True)
    CatBoostTableClassifier(5, random_state=0).fit(X, y)
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_cannot_be_is_refused():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.raises(ValueError, match="'max_depth'.*must be an int in the range"):
        CatBoostTableClassifier(max_depth=17).fit(X, y)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_it_is_counted_to_cost(n_classes):
    """Levels of all trees, and bytes of about those of the pickle."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 8)), rng.integers(0, n_classes, 600)
    model = CatBoostTableClassifier(50, max_depth=4, random_state=0).fit(X, y)
    cost = counted(model)
    assert cost.ns_per_row == 50 * 4
    assert cost.bytes == pytest.approx(len(pickle.dumps(model)), rel=0.7)
