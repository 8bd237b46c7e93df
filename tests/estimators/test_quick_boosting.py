"""Boosting without pandas: bit by bit the probabilities of the classifiers themselves."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skauto.estimators._quick_boosting import _MADE, FEW_ROWS, probabilities
from skauto.estimators.tables._table_cleaner import TableCleaner

RNG = np.random.default_rng(0)
ROWS = FEW_ROWS + 200
TABLE = pd.DataFrame(
    {
        "town": RNG.choice(["Ulm", "Bonn", "Kiel"], ROWS),
        "income": RNG.lognormal(size=ROWS),
        "job": RNG.choice(list("abcdefgh"), ROWS),
        "age": RNG.integers(18, 90, ROWS).astype(float),
    }
)
TABLE.loc[::7, "income"] = np.nan
TABLE.loc[::9, "town"] = None
Y = RNG.integers(0, 3, ROWS) + (TABLE["age"] > 50) * (TABLE["job"] == "b")
NEW = TABLE.assign(job=np.where(np.arange(ROWS) % 4, TABLE["job"], "never seen"), age=np.nan)
COLUMNS = [list(TABLE), ["income", "age"], ["town", "job"]]


def boosting(kind):
    if kind == "histograms":
        return HistGradientBoostingClassifier(max_iter=8, categorical_features="from_dtype", random_state=0)
    lightgbm = pytest.importorskip("lightgbm")
    return lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1, random_state=0)


@pytest.mark.parametrize("kind", ["histograms", "lightgbm"])
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("labels", [Y, Y > 1, np.array(list("abcde"))[Y]], ids=["numbers", "two", "names"])
def test_the_probabilities_are_those_of_the_classifier(kind, columns, labels):
    cleaner = TableCleaner().fit(TABLE[columns])
    model = boosting(kind).fit(cleaner.transform(TABLE[columns]), labels)
    for rows in (TABLE[:1], NEW[:200], NEW):
        clean = cleaner.transform(rows[columns])
        np.testing.assert_array_equal(probabilities(model, clean), model.predict_proba(clean))
    assert _MADE[model] is not None


@pytest.mark.parametrize("kind", ["histograms", "lightgbm"])
def test_arrays_and_other_columns_are_left_to_the_classifier(kind):
    array = TABLE[["income", "age"]].to_numpy()
    model = boosting(kind).fit(array, Y)
    np.testing.assert_array_equal(probabilities(model, array[:5]), model.predict_proba(array[:5]))
    small = TABLE[["income", "age"]].astype("float32")
    model = boosting(kind).fit(small, Y)
    np.testing.assert_array_equal(probabilities(model, small[:5]), model.predict_proba(small[:5]))
    assert _MADE[model] is None


def test_other_classifiers_are_asked_themselves():
    X = TABLE[["age"]]
    model = LogisticRegression().fit(X, Y)
    np.testing.assert_array_equal(probabilities(model, X[:5]), model.predict_proba(X[:5]))


@pytest.mark.parametrize("kind", ["histograms", "lightgbm"])
def test_what_was_made_goes_with_its_classifier(kind):
    clean = TableCleaner().fit_transform(TABLE)
    model = boosting(kind).fit(clean, Y)
    probabilities(model, clean[:5])
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
