"""Preparations in numpy: bit by bit what the fitted steps give, for all that the portfolio of tables has."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from skauto.automl._data_profile import DataProfile
from skauto.automl.tables import _preparation as prepare
from skauto.estimators._quick_steps import _MADE, transformed
from skauto.estimators.tables._many_levels import ManyLevelsEncoder
from skauto.estimators.tables._table_cleaner import TableCleaner

RNG = np.random.default_rng(0)
ROWS = 300
TABLE = pd.DataFrame(
    {
        "age": RNG.integers(18, 90, ROWS).astype(float),
        "income": RNG.lognormal(size=ROWS),
        "town": RNG.choice(["Ulm", "Bonn", "Kiel"], ROWS),
        "job": RNG.choice(list("abcdefgh"), ROWS),
        "zeros": np.where(RNG.random(ROWS) < 0.7, 0.0, RNG.normal(size=ROWS)),
    }
)
TABLE.loc[::7, "income"] = np.nan
TABLE.loc[::9, "town"] = None
Y = RNG.integers(0, 3, ROWS)
NEW = TABLE.copy()
NEW.loc[::5, "age"] = np.nan
NEW.loc[::4, "job"] = "never seen"
NEW.loc[::6, "income"] = 1e30
NEW.loc[::11, "zeros"] = -1e30
PREPARATIONS = [
    (prepare.scaled, {"scaler": scaler, "encode": encode, "splines": splines})
    for scaler in ("standard", "quantile")
    for encode in ("onehot", "target")
    for splines in (None, 4)
] + [(prepare.codes, {})]
TABLES = {
    "mixed": (TABLE, NEW),
    "numbers": (TABLE[["age", "income"]], NEW[["age", "income"]]),
    "categories": (TABLE[["town", "job"]], NEW[["town", "job"]]),
    "array": (TABLE[["age", "income", "zeros"]].to_numpy(), NEW[["age", "income", "zeros"]].to_numpy()),
}


def fitted(build, values, table, labels):
    cleaner = TableCleaner().fit(table, labels)
    step = build(dict(values), DataProfile(ROWS, table.shape[1], 2, sparse=False, threads=1, early_stopping=False))
    clean = cleaner.transform(table)
    step.fit(clean, labels)
    return cleaner, step


@pytest.mark.parametrize("labels", [Y, Y > 0], ids=["three", "two"])
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("build", "values"), PREPARATIONS)
def test_the_numbers_are_those_of_the_steps(build, values, name, labels):
    table, new = TABLES[name]
    cleaner, step = fitted(build, values, table, labels)
    for rows in (table, new, new[:1], new[3:9]):
        clean = cleaner.transform(rows)
        np.testing.assert_array_equal(transformed(step, clean), step.transform(clean))
    assert _MADE[step] is not None


def test_many_levels_are_asked_as_they_are():
    table = pd.DataFrame({"shop": np.repeat([f"shop {i}" for i in range(150)], 4), "size": 1.0 * np.arange(600)})
    cleaner, step = fitted(prepare.codes, {}, table, np.arange(600) % 4 == 3)
    clean = cleaner.transform(table[:50])
    np.testing.assert_array_equal(transformed(step, clean), step.transform(clean))
    assert _MADE[step] is None


@pytest.mark.parametrize("X", [TABLE, TABLE.assign(age=TABLE["age"].astype("float32")), TABLE[["age"]].to_numpy()])
def test_what_is_not_a_preparation_of_ours_is_asked_as_it_is(X):
    column = ["age"] if isinstance(X, pd.DataFrame) else [0]
    step = make_pipeline(ColumnTransformer([("fill", SimpleImputer(strategy="mean"), column)])).fit(X)
    np.testing.assert_array_equal(transformed(step, X), step.transform(X))


def test_a_category_in_two_columns_of_the_output_is_no_matter_of_tables():
    table, new = TABLES["categories"]
    clean = TableCleaner().fit(table).transform(table)
    step = make_pipeline(
        ManyLevelsEncoder(), ColumnTransformer([("sum", make_pipeline(prepare._codes(), _Sum()), ["town", "job"])])
    )
    step.fit(clean, Y)
    np.testing.assert_array_equal(transformed(step, clean), step.transform(clean))
    assert _MADE[step] is None


class _Sum(SimpleImputer):
    """A step whose output goes by all columns at once."""

    def transform(self, X):
        return np.asarray(super().transform(X)).sum(axis=1, keepdims=True)


def test_what_was_made_goes_with_its_step():
    cleaner, step = fitted(prepare.scaled, {"scaler": "quantile", "encode": "onehot"}, TABLE, Y)
    transformed(step, cleaner.transform(TABLE))
    gone = weakref.ref(step)
    del step
    gc.collect()
    assert gone() is None
