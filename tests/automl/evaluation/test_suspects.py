"""Leaking columns and near duplicates, beside scikit-learn's area under the curve and pairs by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

from skauto.automl.evaluation._suspects import leaking_columns, near_duplicates


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=400) < 0.3).astype(int)
    X = pd.DataFrame(
        {"noise": rng.normal(size=400), "helpful": rng.normal(size=400) + y, "leak": y + rng.normal(size=400) / 10}
    )
    return X, y


def test_a_column_that_tells_the_label_is_found(table):
    X, y = table
    leaks = leaking_columns(X, y)
    assert leaks["column"].tolist() == ["leak"]
    assert leaks["AUC"][0] == pytest.approx(roc_auc_score(y, X["leak"]))
    everything = leaking_columns(X, y, least=0.5).set_index("column")["AUC"]
    assert everything["helpful"] == pytest.approx(roc_auc_score(y, X["helpful"]))


def test_a_text_that_tells_the_label_is_found_and_a_key_is_not(table):
    X, y = table
    X = X.assign(leak=np.where(y == 1, "accepted", "refused"), key=[f"row {k}" for k in range(len(y))])
    leaks = leaking_columns(X, y)
    assert leaks["column"].tolist() == ["leak"]
    assert leaks["AUC"][0] == 1.0


def test_missing_values_can_tell_the_label(table):
    X, y = table
    X["leak"] = X["noise"].where(y == 0)
    assert leaking_columns(X, y)["column"].tolist() == ["leak"]


def test_of_more_classes_the_one_that_is_told_is_named(table):
    X, y = table
    y = y + (X["helpful"] > 1) * 2
    leaks = leaking_columns(X, y)
    assert set(leaks["column"]) <= {"leak", "helpful"}


def test_rows_that_are_there_twice_are_found_across_folds_alone():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60), "c": rng.choice(["x", "y"], 60)})
    fold = np.arange(60) % 3
    X.iloc[1] = X.iloc[0]  # of folds 0 and 1
    X.iloc[5] = X.iloc[2]  # both of fold 2
    X.loc[7, ["a", "b"]] = X.loc[9, ["a", "b"]] + 1e-4
    X.loc[7, "c"] = X.loc[9, "c"]
    assert near_duplicates(X, fold).tolist() == [0, 1, 7, 9]
    assert near_duplicates(X[["a", "b"]].to_numpy(), fold).tolist() == [0, 1, 7, 9]


def test_of_sparse_tables_nothing_is_known():
    assert leaking_columns(csr_matrix(np.eye(4)), np.array([0, 0, 1, 1])).empty
    assert not len(near_duplicates(csr_matrix(np.eye(4)), np.arange(4)))
