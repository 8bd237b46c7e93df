"""What each kind of column becomes, and which are dropped with which reason."""

import datetime
import uuid

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_cleaner import TableCleaner
from skauto.estimators.tables._table_columns import (
    CategoryColumn,
    NumberColumn,
    TextColumn,
    Useless,
    is_number,
    learn_column,
    to_floats,
)
from skauto.estimators.tables._table_dates import DateColumn

RNG = np.random.default_rng(0)
TOWNS = RNG.choice(["Ulm", "Bonn", "Jena"], 60)


def learn(values, **settings):
    return learn_column(pd.Series(values), TableCleaner(**settings))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False, True], [1, 0, 1]),
        ([1, 2, 3], [1, 2, 3]),
        (pd.array([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.array([0.5, None, 3], dtype="Float32"), [0.5, np.nan, 3]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        (np.array([True, None, False], dtype=object), [1, np.nan, 0]),
        (np.array([1, pd.NA, 2.5], dtype=object), [1, np.nan, 2.5]),
        (["1", " 2", None], [1, 2, np.nan]),
        (["1", "?", "3e2"], [1, np.nan, 300]),
        (pd.to_timedelta([1, 2, None], unit="h"), [3600, 7200, np.nan]),
        (pd.arrays.SparseArray([0.0, 1.0, np.nan]), [0, 1, np.nan]),
        (pd.arrays.SparseArray([0, 0, 7]), [0, 0, 7]),
    ],
)
def test_numbers(values, expected):
    (floats,) = learn(values).transform(pd.Series(values))
    assert floats.dtype == np.float64
    np.testing.assert_array_equal(floats, expected)


def test_numbers_of_arrow():
    pa = pytest.importorskip("pyarrow")
    for kind, values in ((pa.int32(), [1, None, 2]), (pa.bool_(), [True, None, False]), (pa.decimal128(4, 2), [1, 2])):
        series = pd.Series(values, dtype=pd.ArrowDtype(kind))
        expected = [np.nan if v is None else float(v) for v in values]
        np.testing.assert_array_equal(learn(series).transform(series)[0], expected)
    delta = pd.Series([datetime.timedelta(seconds=5), None], dtype=pd.ArrowDtype(pa.duration("s")))
    np.testing.assert_array_equal(to_floats(delta), [5, np.nan])


def test_nearly_all_must_read_as_numbers_but_for_a_few_words():
    numbers = [str(i) for i in range(199)]
    assert np.isnan(learn([*numbers, "n.d."]).transform(pd.Series([*numbers, "n.d."]))[0][-1])
    assert isinstance(learn([*numbers[:50], *["soon"] * 2]), NumberColumn)
    assert isinstance(learn([*numbers[:50], *["soon"] * 60]), CategoryColumn)
    assert isinstance(learn([*numbers[:50], "Ulm", "Bonn", "Jena", "Rome", "Oslo", "Bern"]), TextColumn)


def test_none_is_a_gap_among_numbers_and_dates_and_a_level_among_words():
    np.testing.assert_array_equal(learn(["1", "None", "2"]).transform(pd.Series(["None", "7"]))[0], [np.nan, 7])
    assert isinstance(learn([*pd.date_range("2024", periods=9).astype(str), "None", "None"]), DateColumn)
    assert learn(["None", "Mild", "Severe"] * 9).levels.tolist() == ["Mild", "None", "Severe"]
    assert learn(["None", None, "None", "None"]).levels.tolist() == ["None"]


def test_categories_of_a_user_stay_categories_even_with_numbers_as_levels():
    assert isinstance(learn(pd.Categorical([1, 2] * 10)), CategoryColumn)
    assert not is_number(pd.CategoricalDtype([1, 2]))


def test_dates():
    assert isinstance(learn(pd.date_range("2024", periods=9)), DateColumn)
    assert isinstance(learn(["2024-01-05", "2024-02-09", None]), DateColumn)
    assert isinstance(learn(pd.period_range("2024", periods=9, freq="M")), DateColumn)


def test_levels_are_sorted_and_rare_ones_share_one():
    values = ["b"] * 9 + ["a"] * 9 + ["x", "y", "y", None]
    column = learn(values)
    (got,) = column.transform(pd.Series([*values, "unseen"]))
    assert got.categories.tolist() == ["a", "b", "infrequent"]
    assert got[-5:].astype(object).tolist()[:3] == ["infrequent"] * 3
    assert pd.isna(got[-2])
    assert got[-1] == "infrequent"


def test_unseen_values_are_missing_without_a_rare_level():
    (got,) = learn(TOWNS).transform(pd.Series(["Ulm", "Paris", None]))
    assert got.isna().tolist() == [False, True, True]


def test_at_most_max_categories_levels_the_most_frequent_ones():
    values = np.repeat([f"v{i:02}" for i in range(30)], np.arange(30, 60))
    column = learn(values, max_categories=10)
    assert column.levels.tolist() == [*(f"v{i}" for i in range(21, 30)), "infrequent"]
    assert len(learn(values, max_categories=30).levels) == 30


def test_the_rare_level_gets_a_name_of_its_own():
    assert learn(["infrequent"] * 8 + ["b"] * 8 + ["c"]).levels.tolist() == ["b", "infrequent", "infrequent_"]


def test_levels_hold_when_the_dtype_changes():
    column = learn(np.array([1, 2, "x"] * 9, dtype=object))
    for later in (pd.Series([1.0, 2.0]), pd.Series([1, 2], dtype="Int64"), pd.Series(["1", "2"])):
        assert column.transform(later)[0].astype(object).tolist() == ["1", "2"]


def test_names_and_tickets_become_text():
    names = [f"{first}, Mr. {last} {i}" for i in range(40) for first, last in (("Braund", "Owen"), ("Allen", "Will"))]
    column = learn(names)
    assert isinstance(column, TextColumn)
    assert column.category is None
    assert len(column.transform(pd.Series([*names, None, "unseen"]))) == len(column.suffixes)
    assert np.isnan(column.transform(pd.Series([None, "unseen"]))[0]).tolist() == [True, False]


def test_text_that_repeats_is_a_category_as_well():
    values = [f"C{i}" for i in range(150)] + ["B96 B98"] * 5
    column = learn(values)
    outputs = column.transform(pd.Series(values))
    assert column.suffixes[0] == ""
    assert outputs[0].categories.tolist() == ["B96 B98", "infrequent"]
    assert all(output.dtype == np.float64 for output in outputs[1:])


def test_many_levels_that_all_repeat_are_a_category():
    assert isinstance(learn([f"shop {i % 150}" for i in range(1500)]), CategoryColumn)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([7, 7, 7], "constant"),
        (["a", "a", "a"], "constant"),
        (pd.to_datetime(["2024-01-05"] * 3), "constant"),
        (["2024-01-05"] * 3, "constant"),
        ([np.nan, np.nan], "all values are missing"),
        ([None, None], "all values are missing"),
        (pd.array([None, None], dtype="Int64"), "all values are missing"),
        (pd.to_datetime([None, None]), "all values are missing"),
        (pd.Categorical([None, None], categories=["a"]), "all values are missing"),
        (["", "?", "NA"], "all values are missing"),
        ([str(uuid.UUID(int=i**9)) for i in range(300)], "identifier: random words, every value is different"),
        ([f"row{i:04d}" for i in range(300)], "identifier: a number after the same letters, every value is different"),
    ],
)
def test_useless_columns(values, reason):
    with pytest.raises(Useless, match=f"^{reason}$"):
        learn(values)


def test_one_value_with_holes_is_of_use():
    assert learn([7, np.nan, 7]).suffixes == ("",)
    assert learn(["a", None, "a", "a"]).levels.tolist() == ["a"]


def test_levels_that_do_not_occur_are_not_learned():
    values = pd.Categorical(["a", "b"] * 9, categories=["z", "b", "a"])
    assert learn(values).levels.tolist() == ["a", "b"]
