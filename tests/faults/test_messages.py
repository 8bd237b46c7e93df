"""What newcomers do wrong is answered with the parameter, the value, what is allowed, and the likely fix."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from skauto import AutoClassifier

X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=["a", "b", "c"])
Y = (np.arange(80) % 2).astype(int)


def quick(**changes):
    given = {"candidates": ["naive_bayes"], "n_iter": 1, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0}
    return AutoClassifier(**{**given, "verbose": 0, **changes})


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


class LazyFrame:
    """As that of polars: it knows its columns, and has no rows before `collect`."""

    columns = property(lambda self: list("abc"))

    def collect(self):
        return X


def test_a_target_of_numbers():
    """It said "Unknown label type: continuous. Maybe you are trying to fit a classifier ..."."""
    with pytest.raises(ValueError, match="AutoClassifier is for classification only, and y holds 80 different numbers"):
        quick().fit(X, X["a"])


def test_the_name_of_a_column_as_target():
    """It said that y was an array of shape ()."""
    with pytest.raises(ValueError, match=r"y='c' is a text.* pass X.drop\(columns='c'\), X\['c'\]"):
        quick().fit(X.assign(c=Y), "c")


@pytest.mark.parametrize("name", ["ngboost", "xgboost", "tabpfn"])
def test_other_libraries_are_no_slips(name):
    """The answer was: did you mean 'rusboost'?"""
    with pytest.raises(ValueError, match=r"are not known; choose 'auto' or some of \[") as error:
        quick(candidates=[name]).fit(X, Y)
    assert "did you mean" not in str(error.value)


@pytest.mark.parametrize(("name", "meant"), [("lightgmb", "lightgbm"), ("random_forrest", "random_forest")])
def test_slips_are_named(name, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        quick(candidates=[name]).fit(X, Y)


@pytest.mark.parametrize(
    "own",
    [
        ("gb", make_pipeline(GradientBoostingClassifier()), {"gradientboostingclassifier__max_depth": [2, 3]}),
        GradientBoostingClassifier(),
        {"lightgbm": {}},
    ],
)
def test_candidates_of_ones_own(own):
    """It was TypeError: unhashable type: 'dict'."""
    with pytest.raises(ValueError, match=r"candidates takes names, but entry 1 is .*SearchCV\(estimator, space\)"):
        quick(candidates=["logistic", own]).fit(X, Y)


def test_a_time_limit_of_words():
    """It was "could not convert string to float", without the parameter."""
    with pytest.raises(ValueError, match="time_limit='1h' must be a number of seconds, for example 3600, or None"):
        quick(time_limit="1h").fit(X, Y)


def test_tables_without_rows(fitted):
    """It was "Expected 2D array, got scalar array"."""
    lazy = LazyFrame()
    for call in (lambda: quick().fit(lazy, Y), lambda: fitted.predict(lazy), lambda: quick().fit(X, lazy)):
        with pytest.raises(TypeError, match=r"is a LazyFrame of .*, which holds no rows yet: pass [Xy].collect\(\)"):
            call()


def test_real_tables_without_rows():
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"X is a LazyFrame of polars, .* pass X.collect\(\)"):
        quick().fit(polars.from_pandas(X).lazy(), Y)


def test_a_table_of_dask():
    frame = pytest.importorskip("dask.dataframe")
    with pytest.raises(TypeError, match=r"X is a DataFrame of dask, which holds no rows yet: pass X.compute\(\)"):
        quick().fit(frame.from_pandas(X, npartitions=2), Y)


def test_rows_as_dicts(fitted):
    """It was advice to reshape."""
    with pytest.raises(TypeError, match=r"X is a list of dicts: pass pandas.DataFrame\(X\)"):
        fitted.predict(X.to_dict("records"))
    with pytest.raises(TypeError, match=r"not dict; for one row pass pandas.DataFrame\(\[X\]\)"):
        fitted.predict(X.iloc[0].to_dict())
    with pytest.raises(ValueError, match=r"got a Series: one row is X.to_frame\(\).T"):
        fitted.predict(X.iloc[0])
    assert len(fitted.predict(X.iloc[0].to_frame().T)) == 1


def test_integers_beyond_64_bits_are_no_labels():
    """It said that labels are integers, of integers."""
    names = [10**26 + int(number) for number in Y]
    with pytest.raises(ValueError, match=r"integers of more than 64 bits, such as 10{24}.*: y.astype\(str\)"):
        quick().fit(X, names)
    fitted = quick().fit(X, [str(name) for name in names])
    assert set(fitted.predict(X)) <= {str(name) for name in names}


@pytest.mark.parametrize("large", [12345678901234567890.0, 1e20])
def test_labels_that_are_floats_beyond_64_bits(large):
    """An IndexError of numpy: long numbers of something arrive so from pandas where one of them is missing."""
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(
        ValueError, match="y holds numbers such as .* cannot tell from their neighbours: AutoClassifier"
    ):
        AutoClassifier(n_iter=1, time_limit=None).fit(X, np.where(X[:, 0] > 0, large, 5.0))


@pytest.mark.parametrize("folder", ["", 5, True, b"journal"])
def test_a_journal_that_is_no_path(folder):
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=f"journal={folder!r} is not the path of a folder: give one, or None"):
        AutoClassifier(n_iter=1, time_limit=None, journal=folder).fit(X, X[:, 0] > 0)
