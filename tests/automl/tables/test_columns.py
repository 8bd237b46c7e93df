"""What the columns of a model were taken as, said in lines, and who warns at predict."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skauto.automl.tables._columns import columns_of, lines_on, watch
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.estimators.tables._table_cleaner import TableCleaner

X = pd.DataFrame({"n": [f"{i}%" for i in range(40)], "m": [f"{i}%" for i in range(40)], "same": 1})
Y = np.arange(40) % 2


def pipeline():
    """A fitted pipeline with a cleaner."""
    return make_pipeline(TableCleaner(), HistGradientBoostingClassifier(max_iter=2)).fit(X, Y)


def test_columns_of_pipelines_and_ensembles():
    expected = [("n", "number", False), ("m", "number", False), ("same", "", True)]
    for model in (pipeline(), WeightedEnsembleClassifier.from_fitted([pipeline(), pipeline()], [1, 1])):
        table = columns_of(model)
        assert list(table.drop(columns="why").itertuples(index=False, name=None)) == expected
        assert lines_on(table) == ["columns 'n', 'm' read as numbers in '%'", "column 'same' left out: constant"]


def test_models_without_a_cleaner_have_none():
    assert columns_of(LogisticRegression()) is None
    assert columns_of(make_pipeline(LogisticRegression())) is None
    assert lines_on(None) == []


def test_many_columns_are_counted():
    table = pd.DataFrame({"name": [f"c{i}" for i in range(9)], "taken_as": "", "dropped": True, "why": "constant"})
    assert lines_on(table) == ["columns 'c0', 'c1', 'c2', 'c3', 'c4' and 4 more left out: constant"]


def test_only_watched_models_warn_and_an_ensemble_once():
    later = X.assign(n="1,234.50")
    model = pipeline()
    model.predict(later)  # warnings are errors here
    watch(model)
    with pytest.warns(UserWarning, match=r"'n' \(40 of 40 filled cells\)"):
        model.predict(later)
    ensemble = WeightedEnsembleClassifier.from_fitted([pipeline(), pipeline()], [1, 1])
    watch(ensemble)
    with pytest.warns(UserWarning, match="'n'") as told:
        ensemble.predict(later)
    assert len(told) == 1
