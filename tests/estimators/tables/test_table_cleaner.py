"""TableCleaner: any table in, floats and categories out, whatever the next table looks like."""

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.tables._table_cleaner import TableCleaner, category_columns, column_kinds, numeric_columns

RNG = np.random.default_rng(0)


def mixed(n_rows=60, seed=0):
    """A table with a column of each kind."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "n": rng.normal(size=n_rows),
            "i": rng.integers(0, 9, n_rows),
            "flag": rng.random(n_rows) < 0.5,
            "digits": rng.integers(0, 99, n_rows).astype(str),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            "when": pd.Series(pd.date_range("2020", periods=n_rows)).dt.strftime("%d.%m.%Y"),
            "town": rng.choice(["Ulm", "Bonn", "Jena"], n_rows),
            "size": pd.Categorical(rng.choice(["S", "M"], n_rows)),
            "name": [f"{'Anna' if i % 2 else 'Otto'} van der {rng.integers(1e6)}" for i in range(n_rows)],
            "same": 1,
            "void": None,
        }
    )


# Random messy tables: a column is a list of cells and a dtype to try

WORDS = st.sampled_from(["a", "b", "Ulm", "no", "?", "", "7", "2.5", "true", "2024-01-05", "Anna van der Burg", "é"])
CELLS = {
    "float": st.floats(allow_infinity=False, width=32),
    "integer": st.integers(-(2**40), 2**40),
    "boolean": st.booleans(),
    "text": WORDS | st.text(max_size=12),
    "date": st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")),
    "anything": st.one_of(
        WORDS, st.floats(allow_infinity=False), st.integers(-5, 5), st.booleans(), st.just(pd.NA), st.lists(st.just(1))
    ),
}
DTYPES = {
    "float": ["float64", "float32", "Float64", "object", "category"],
    "integer": ["Int64", "object", "category", "string"],
    "boolean": ["boolean", "object", "category"],
    "text": ["str", "string", "object", "category"],
    "date": ["datetime64[us]", "datetime64[us, Asia/Tokyo]", "object", "category", "string", "period[D]"],
    "anything": ["object"],
}


def to_series(cells, dtype):
    """A Series of the dtype, or of whatever it takes."""
    series = pd.Series(cells, dtype=object)
    if dtype == "datetime64[us, Asia/Tokyo]":
        return series.astype("datetime64[us]").dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    return series.astype("datetime64[us]").astype(dtype) if dtype.startswith("period") else series.astype(dtype)


@st.composite
def two_tables(draw):
    """A table to learn from, and another of the same names whose columns are in another order and maybe dtype."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    tables = []
    for n_rows in (draw(st.integers(2, 25)), draw(st.integers(1, 8))):
        columns = {}
        for i, kind in enumerate(kinds):
            kind_now = kind if not tables or draw(st.integers(0, 5)) else draw(st.sampled_from(sorted(CELLS)))
            cells = st.one_of(CELLS[kind_now], st.none())
            values = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
            columns[f"c{i}"] = to_series(values, draw(st.sampled_from(DTYPES[kind_now])))
        tables.append(pd.DataFrame(columns))
    order = draw(st.permutations(list(tables[1].columns)))
    return tables[0], tables[1][order].assign(spare="x")


@pytest.mark.filterwarnings("ignore:no column of X varies")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(two_tables())
def test_any_table_becomes_floats_and_categories_and_keeps_its_rows(tables):
    first, second = tables
    before = second.copy(deep=True)
    cleaner = TableCleaner(text_components=2).fit(first)
    for table in (first, second):
        out = cleaner.transform(table)
        assert len(out) == len(table)
        assert list(out.columns) == cleaner.get_feature_names_out().tolist()
        numbers, categories = column_kinds(out)
        assert all(out[name].dtype == np.float64 for name in numbers)
        assert not np.isinf(out[numbers].to_numpy()).any()
        assert numbers + categories
        row = cleaner.transform(table.iloc[[-1]])
        pd.testing.assert_frame_equal(row, out.iloc[[-1]], rtol=1e-9, atol=1e-9)
    pd.testing.assert_frame_equal(second, before)


# The output for an ordinary table


def test_every_kind_of_column():
    cleaner = TableCleaner(text_components=1)
    out = cleaner.fit_transform(mixed())
    assert cleaner.dropped_columns_ == {"same": "constant", "void": "all values are missing"}
    dates = [f"{name}_{part}" for name in ("day", "when") for part in ("year", "month", "day", "weekday", "seconds")]
    dates.remove("when_year")
    expected = ["n", "i", "flag", "digits", *dates, "town", "size", "name_length", "name_text0"]
    assert [name for name in out.columns if name != "name_digits"] == expected
    assert category_columns(out) == ["town", "size"]


def test_columns_by_name_in_any_order_and_index_kept():
    table = mixed()
    cleaner = TableCleaner().fit(table)
    later = table.sample(frac=1, axis=1, random_state=0).assign(more=1).set_axis(np.arange(60) * 2)
    pd.testing.assert_frame_equal(
        cleaner.transform(later).reset_index(drop=True), cleaner.transform(table), check_index_type=False
    )
    assert cleaner.transform(later).index.tolist() == later.index.tolist()


def test_new_values_and_new_holes():
    cleaner = TableCleaner().fit(mixed())
    later = mixed(3).astype(object)
    later.loc[0] = None
    later.loc[1, ["town", "digits", "when", "day"]] = ["Rome", "none", "soon", "later"]
    out = cleaner.transform(later)
    assert out.iloc[0].isna().all()
    assert out.loc[1, ["town", "digits", "when_month", "day_day"]].isna().all()
    assert out.loc[2].notna().all()


def test_dtypes_may_change_between_fit_and_transform():
    table = mixed()
    cleaner = TableCleaner().fit(table)
    texts = table.assign(**{name: table[name].astype(str) for name in ("n", "i", "flag", "day", "size")})
    pd.testing.assert_frame_equal(cleaner.transform(texts), cleaner.transform(table))


def test_output_names_never_collide():
    table = mixed()[["day"]].assign(day_month=RNG.random(60), day_month_=RNG.random(60))
    out = TableCleaner().fit_transform(table)
    assert out.columns.is_unique
    assert {"day_month", "day_month_", "day_month__"} <= set(out.columns)


def test_arrays_of_numbers_stay_arrays():
    X = RNG.normal(size=(20, 4))
    X[:, 1], X[:, 2], X[0, 3] = 5, np.nan, np.nan
    cleaner = TableCleaner().fit(X)
    assert cleaner.dropped_columns_ == {"x1": "constant", "x2": "all values are missing"}
    np.testing.assert_array_equal(cleaner.transform(X), X[:, [0, 3]])
    np.testing.assert_array_equal(cleaner.transform(X.astype(str).astype(object)), X[:, [0, 3]])
    assert cleaner.get_feature_names_out().tolist() == ["x0", "x3"]
    assert cleaner.get_feature_names_out(["a", "b", "c", "d"]).tolist() == ["a", "d"]
    assert TableCleaner().fit(X[:, [0, 3]]).transform(X[:, [0, 3]]) is not None


def test_a_mixed_array_is_followed_by_one_of_numbers_alone():
    X = np.array([[i + 0.5, "abc7"[i % 4]] for i in range(40)], dtype=object)
    cleaner = TableCleaner().fit(X)
    for later in (np.array([[0.5, 7], [1.5, 7]]), np.array([[0.5, 7], [1.5, 7]], dtype=object), [[0.5, 7], [1.5, 7]]):
        out = cleaner.transform(later)
        assert out["x0"].tolist() == [0.5, 1.5]
        assert out["x1"].tolist() == ["7", "7"]


def test_sparse_stays_as_it_is():
    X = sp.random_array((30, 6), density=0.3, format="csc", random_state=0)
    cleaner = TableCleaner().fit(X)
    out = cleaner.transform(X)
    assert out.format == "csr"
    np.testing.assert_array_equal(out.toarray(), X.toarray())
    np.testing.assert_array_equal(cleaner.transform(X.toarray()).toarray(), X.toarray())
    np.testing.assert_array_equal(TableCleaner().fit(X.toarray()).transform(X), X.toarray())


def test_a_frame_accepts_an_array_by_position():
    frame = pd.DataFrame(RNG.normal(size=(20, 2)), columns=["a", "b"])
    cleaner = TableCleaner().fit(frame)
    for later in (frame.to_numpy(), sp.csr_matrix(frame.to_numpy())):
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            np.testing.assert_array_equal(cleaner.transform(later), frame)


@pytest.mark.parametrize("X", [pd.DataFrame({"a": [1, 1]}), np.ones((2, 3)), pd.DataFrame({"a": [None, None]})])
def test_a_table_in_which_nothing_varies_gives_one_constant_column(X):
    cleaner = TableCleaner()
    with pytest.warns(UserWarning, match="no column of X varies"):
        cleaner.fit(X)
    out = np.asarray(cleaner.transform(X))
    np.testing.assert_array_equal(out, np.zeros((2, 1)))
    assert cleaner.get_feature_names_out().tolist() == ["constant"]


@pytest.mark.parametrize(
    "make", [np.asarray, lambda X: pd.DataFrame(X, columns=["a", "b"]), sp.csr_matrix], ids=["array", "frame", "sparse"]
)
def test_numbers_beyond_float32_become_the_largest_in_use(make):
    X = RNG.normal(size=(20, 2))
    later = np.array([[1e39, -1e308], [1.5, -1e33]])
    out = TableCleaner().fit(make(X)).transform(make(later))
    np.testing.assert_array_equal(out.toarray() if sp.issparse(out) else out, [[1e33, -1e33], [1.5, -1e33]])
    huge = TableCleaner().fit_transform(make(X * 1e307))
    np.testing.assert_array_equal(huge.toarray() if sp.issparse(huge) else huge, np.sign(X) * 1e33)


def test_texts_of_numbers_beyond_float32():
    X = pd.DataFrame({"a": ["1", "-1e300", None, "2e39"]})
    np.testing.assert_array_equal(TableCleaner().fit_transform(X)["a"], [1, -1e33, np.nan, 1e33])


# Errors


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"a": [1.0, np.inf]}), "infinity: column 'a', first in row 1"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "duplicate column names: 'a'"),
        (np.ones((2, 2, 2)), "a table has two axes"),
        (np.empty((0, 2)), "0 sample"),
    ],
)
def test_bad_tables_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        TableCleaner().fit(X)


def test_bad_tables_are_refused_later():
    cleaner = TableCleaner().fit(mixed())
    with pytest.raises(ValueError, match="now missing:\n- town\nX has 'Town': did you mean 'town'"):
        cleaner.transform(mixed().rename(columns={"town": "Town"}))
    with pytest.raises(ValueError, match="infinity: column 'n'"):
        cleaner.transform(mixed().assign(n=np.inf))
    with pytest.raises(ValueError, match="X has 2 features, but TableCleaner is expecting 11 features as input"):
        cleaner.transform(np.ones((3, 2)))


@pytest.mark.parametrize(
    "parameters",
    [{"max_categories": 1}, {"min_frequency": 0}, {"text_components": -1}, {"random_state": "seed"}],
)
def test_parameters_are_checked_at_fit(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TableCleaner must be"):
        TableCleaner(**parameters).fit(mixed())


def test_not_fitted():
    with pytest.raises(NotFittedError):
        TableCleaner().transform(mixed())


# With the rest of scikit-learn


def test_in_a_pipeline_that_clones_pickles_and_cross_validates():
    table, y = mixed(120), np.arange(120) % 2
    encode = make_column_transformer(
        (StandardScaler(), numeric_columns), (OneHotEncoder(handle_unknown="ignore"), category_columns)
    )
    pipeline = make_pipeline(TableCleaner(), encode, LogisticRegression())
    assert np.isfinite(cross_val_score(pipeline, table, y, cv=3)).all()
    fitted = clone(pipeline).fit(table, y)
    assert fitted.feature_names_in_.tolist() == list(table.columns)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(table), fitted.predict_proba(table))
    array = make_pipeline(TableCleaner(), encode, LogisticRegression()).fit(RNG.normal(size=(120, 3)), y)
    assert array[-1].coef_.shape == (1, 3)


def test_selectors_of_columns():
    out = TableCleaner().fit_transform(mixed())
    assert set(numeric_columns(out)) | set(category_columns(out)) == set(out.columns)
    for array in (np.ones((2, 3)), sp.csr_matrix(np.ones((2, 3)))):
        assert column_kinds(array) == ([0, 1, 2], [])


def test_set_output_works_on_arrays():
    out = TableCleaner().set_output(transform="pandas").fit_transform(RNG.normal(size=(9, 2)))
    assert list(out.columns) == ["x0", "x1"]


@parametrize_with_checks([TableCleaner()])
def test_scikit_learn_accepts_it(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke some
        check(estimator)


@pytest.mark.real
def test_real_tables(real_data):
    index = json.loads((real_data / "index.json").read_text())
    for name, meta in index.items():
        if meta["kind"] != "tabular":
            continue
        table = pd.read_csv(
            real_data / meta["file"],
            keep_default_na=False,
            na_values=[""],
            dtype=dict.fromkeys(meta["categorical"], "str"),
        )
        out = TableCleaner().fit_transform(table)
        assert len(out) == len(table), name
        assert set(out.dtypes.astype(str)) <= {"float64", "category"}, name
    assert len(index) > 16
