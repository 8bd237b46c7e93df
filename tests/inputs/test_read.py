"""Input at the public door: every accepted form, and for every fault a message that names it."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from skauto.inputs._read import align, as_table, inspect, rarest_class

X4 = np.arange(8.0).reshape(4, 2)
Y4 = [0, 1, 0, 1]


class NotAnArray:
    """Something that only knows how to become an array."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __array__(self, dtype=None, copy=None):
        return self.data


# Forms of X


@pytest.mark.parametrize(
    "X",
    [X4, X4.astype(np.float32), X4.astype(int), X4 > 3, X4.tolist(), NotAnArray(X4), X4.astype(object), list(X4)],
    ids=["float", "float32", "int", "bool", "list", "duck", "object", "list of rows"],
)
def test_numbers_become_an_array_of_floats(X):
    data = inspect(X, Y4)
    assert isinstance(data.X, np.ndarray)
    assert data.X.dtype == np.float64
    assert data.X.shape == (4, 2)
    assert (data.kind, data.feature_names, data.n_features) == ("table", None, 2)


def test_masked_cells_are_missing():
    masked = np.ma.masked_array(X4, mask=X4 == 3)
    assert np.isnan(inspect(masked, Y4).X[1, 1])


@pytest.mark.parametrize("make", [sp.csc_matrix, sp.coo_array, sp.lil_matrix, sp.csr_array])
def test_sparse_becomes_a_csr_matrix(make):
    data = inspect(make(X4), Y4)
    assert data.X.format == "csr"
    assert data.X.dtype == np.float64
    assert isinstance(data.X, sp.spmatrix)  # LightGBM takes no sparse array
    np.testing.assert_array_equal(data.X.toarray(), X4)


def test_sparse_with_long_indices_gets_short_ones():
    X = sp.csr_matrix(X4)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    assert as_table(X)[0].indices.dtype == np.int32


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.array([1, None, 3, 4], dtype="Int64"), "i"),
        (pd.array([True, None, False, True], dtype="boolean"), "b"),
        (pd.array(["a", None, "b", "a"], dtype="string"), "O"),
        (pd.Categorical(["a", None, "b", "a"]), "O"),
        (pd.date_range("2024", periods=4, tz="Asia/Tokyo"), "M"),
        (pd.period_range("2024", periods=4, freq="M"), "O"),
        (pd.to_timedelta([1, 2, 3, None], unit="h"), "m"),
        (pd.arrays.SparseArray([0.0, 0.0, 1.0, 2.0]), "f"),
        (np.array([1, None, 2.5, 3], dtype=object), "f"),
    ],
)
def test_columns_of_a_frame_keep_their_kind(column, kind):
    data = inspect(pd.DataFrame({"c": column, "n": 1.0}), Y4)
    assert data.X["c"].dtype.kind == kind
    assert data.feature_names == ["c", "n"]


def test_columns_backed_by_arrow():
    pa = pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"n": [1, None, 3, 4], "s": ["a", "b", None, "a"]})
    data = inspect(frame.astype({"n": pd.ArrowDtype(pa.int64()), "s": pd.ArrowDtype(pa.string())}), pd.array(Y4))
    assert data.X.shape == (4, 2)


def test_mixed_arrays_and_lists_become_frames_with_numbers_kept():
    for X in ([[1, "a"], [2, "b"]], np.array([[1, "a"], [2, None]], dtype=object)):
        data = inspect(X, [0, 1])
        assert list(data.X.columns) == ["x0", "x1"]
        assert data.X["x0"].dtype.kind == "i"
        assert data.feature_names is None


def test_names_that_are_no_strings():
    assert inspect(pd.DataFrame(X4), Y4).feature_names is None
    assert inspect(pd.DataFrame(X4, columns=["a", 7]), Y4).feature_names == ["a", "7"]


def test_rows_are_renumbered_and_the_frame_of_the_caller_stays():
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=[5, 5])
    data = inspect(frame, [0, 1])
    assert list(data.X.index) == [0, 1]
    assert list(data.index) == list(frame.index) == [5, 5]
    assert inspect(X4, Y4).index is None


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.ones((4, 2, 2)), ValueError, "a table has two axes; sequences have three"),
        (np.ones((4, 2, 2, 3)), ValueError, r"shape \(4, 2, 2, 3\): a table has two axes"),
        ([np.ones((3, 2)), np.ones((4, 2))], ValueError, "list of arrays: a table has two axes"),
        ([[1, 2], [3]], ValueError, r"different lengths: \[1, 2\]"),
        (np.ones(4), ValueError, "Expected 2D array, got 1D array instead(.|\n)*Reshape your data"),
        (pd.Series([1.0, 2.0]), ValueError, "Reshape your data"),
        (np.array(3.0), ValueError, "got scalar array"),
        (np.ones((4, 2), dtype=complex), ValueError, "Complex data not supported"),
        (sp.csr_matrix(np.ones((4, 2), dtype=complex)), ValueError, "Complex data not supported"),
        (pd.DataFrame({"z": [1j, 2]}), ValueError, "Complex data not supported\ncolumn 'z'"),
        (np.zeros(4, dtype=[("a", float)]), ValueError, r"structured arrays .* pandas.DataFrame\(X\)"),
        (
            np.empty((0, 3)),
            ValueError,
            r"X has no rows.*0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1",
        ),
        (np.empty((4, 0)), ValueError, r"0 feature\(s\) \(shape=\(4, 0\)\) while a minimum of 1 is required"),
        (pd.DataFrame(index=range(4)), ValueError, r"0 feature\(s\)"),
        (pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]), ValueError, "duplicate column names: 'a'"),
        (np.array([[1, 2], [3, np.inf], [np.inf, 1]]), ValueError, "infinity: column 0, first in row 2, 1 in all"),
        (pd.DataFrame({"a": [1.0, 2], "b": [1, -np.inf]}), ValueError, "infinity: column 'b', first in row 1"),
        (pd.DataFrame({"b": np.array([None, np.inf, 2], object)}), ValueError, "infinity: column 'b', first in row 1"),
        (sp.csr_matrix([[0, 1], [0, np.inf]]), ValueError, "infinity: column 1, first in row 1"),
        ("table.csv", TypeError, "not str"),
        (None, TypeError, "not NoneType"),
    ],
)
def test_faults_of_x(X, error, message):
    with pytest.raises(error, match=message):
        inspect(X, Y4)


# Labels


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        (["b", "a", "b", "a"], ["a", "b"], "U"),
        (np.array(["b", "a", "b", "a"], dtype=object), ["a", "b"], "U"),
        (pd.Series(["b", "a", "b", "a"]), ["a", "b"], "U"),
        (pd.Series(["b", "a", "b", "a"], dtype="category"), ["a", "b"], "U"),
        (pd.Series([3, 1, 3, 1], dtype="category"), [1, 3], "i"),
        (pd.Series([3, 1, 3, 1], dtype="Int64"), [1, 3], "i"),
        (np.array([3, 1, 3, 1], dtype=np.uint8), [1, 3], "i"),
        (np.array([3, 1, 3, 1], dtype=object), [1, 3], "i"),
        ([True, False, True, False], [False, True], "b"),
        (pd.Series([True, False, True, False], dtype="boolean"), [False, True], "b"),
        ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0], "f"),
        (np.array([2**64 - 1, 3] * 2, dtype=np.uint64), [3, 2**64 - 1], "u"),
        (NotAnArray([1, 0, 1, 0]), [0, 1], "i"),
    ],
)
def test_labels_of_every_type(y, classes, kind):
    data = inspect(X4, y)
    assert data.classes.tolist() == classes
    assert data.classes.dtype.kind == kind
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("y", [np.array([[0], [1], [0], [1]]), pd.DataFrame({"y": Y4}), [[0], [1], [0], [1]]])
def test_a_column_of_labels_is_taken_with_a_warning(y):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        assert inspect(X4, y).y.tolist() == Y4


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "This Auto estimator requires y to be passed, but the target y is None"),
        ([0, None, 1, None], "2 of 4 labels are missing, the first in row 1"),
        ([0, np.nan, 1, 1], "1 of 4 labels are missing, the first in row 1"),
        (pd.Series(["a", "b", pd.NA, "b"], dtype="string"), "1 of 4 labels are missing, the first in row 2"),
        ([0.0, np.inf, 1, 1], "Input y contains infinity.*The first of 1 is in row 1"),
        (["a"] * 4, "only one class, 'a': a classifier needs at least two classes"),
        ([0, 1, 0], "X has 4 rows, y has 3"),
        ([1, "a", 1, "a"], "Unknown label type: y holds values of type int, str"),
        ([0.1, 0.2, 0.7, 1.5], "Unknown label type: continuous"),
        (np.eye(4, 2), "y should be a 1d array"),
        (pd.cut([1, 2, 3, 4], 2), "Unknown label type: y holds values of type Interval"),
    ],
)
def test_faults_of_y(y, message):
    with pytest.raises(ValueError, match=message):
        inspect(X4, y, estimator="Auto")


def test_the_rarer_class_is_positive_and_the_second_on_a_tie():
    assert rarest_class(["a", "b", "c"], [0, 1, 1, 2, 2]) == "a"
    assert rarest_class(["a", "b"], [0, 1]) == "b"
    assert rarest_class(np.array([False, True]), np.array([1, 1, 0])) == np.False_


# Weights and groups


def test_weights_and_groups_are_taken():
    data = inspect(X4, Y4, sample_weight=[1, 2, 3, 4], groups=["u", "v", "u", "w"])
    assert data.sample_weight.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert data.groups.tolist() == [0, 1, 0, 2]
    assert inspect(X4, Y4, sample_weight=2).sample_weight.tolist() == [2.0] * 4


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"sample_weight": [1, 2, 3]}, "X has 4 rows, sample_weight has 3"),
        ({"sample_weight": np.ones((4, 2))}, r"must be 1D array or scalar, got shape \(4, 2\)"),
        ({"sample_weight": [1, -1, 1, 1]}, r"row 1 has -1\.0"),
        ({"sample_weight": [1, 1, np.nan, 1]}, "row 2 has nan"),
        ({"sample_weight": list("1a11")}, "sample_weight must hold one number for each row.*'a'"),
        ({"sample_weight": np.zeros(4)}, "Sample weights must contain at least one non-zero number"),
        ({"sample_weight": [1, 0, 1, 0]}, "leaves only one class"),
        ({"groups": [1, 2]}, "X has 4 rows, groups has 2"),
        ({"groups": ["a", None, "b", "b"]}, "groups has 1 missing values, the first in row 1"),
        ({"groups": np.ones((4, 2))}, "1d array"),
    ],
)
def test_faults_of_weights_and_groups(keywords, message):
    with pytest.raises(ValueError, match=message):
        inspect(X4, Y4, **keywords)


# Predict

NAMES = ["age", "town", "income"]
FRAME = pd.DataFrame({"age": [1.0, 2.0], "town": ["a", "b"], "income": [3.0, 4.0]})


@settings(deadline=None)
@given(st.permutations([*NAMES, "spare"]))
def test_frames_are_aligned_by_name_and_further_columns_left_out(order):
    table = align(FRAME.assign(spare=0)[order], NAMES, 3)
    pd.testing.assert_frame_equal(table, FRAME)


def test_missing_columns_are_named_with_a_guess():
    message = "now missing:\n- age\n- income\nX has 'Age': did you mean 'age'"
    with pytest.raises(ValueError, match=message):
        align(FRAME.rename(columns={"age": "Age"})[["Age", "town"]], NAMES, 3)
    with pytest.raises(ValueError, match="X has 'A': did you mean 'a'"):
        align(pd.DataFrame({"A": [1]}), ["a"], 1)


def test_arrays_go_by_position_with_a_warning():
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Auto was fitted with feature names"):
        table = align(np.ones((2, 3)), NAMES, 3, estimator="Auto")
    assert list(table.columns) == NAMES
    with pytest.warns(UserWarning, match="X has feature names, but Auto was fitted without feature names"):
        align(FRAME, None, 3, estimator="Auto")


def test_numbered_columns_are_put_in_order_without_a_warning():
    frame = pd.DataFrame(X4)[[1, 0]]
    np.testing.assert_array_equal(align(frame, None, 2), X4)
    pd.testing.assert_frame_equal(align(frame, ["x0", "x1"], 2), pd.DataFrame(X4, columns=["x0", "x1"]))
    mixed = np.array([[1, "a"], [2, "b"]], dtype=object)
    assert list(align(mixed, ["x0", "x1"], 2).columns) == ["x0", "x1"]


@pytest.mark.parametrize("X", [np.ones((4, 2)), sp.csr_matrix(np.ones((4, 2)))])
def test_another_number_of_features(X):
    with pytest.raises(ValueError, match="X has 2 features, but AutoClassifier is expecting 3 features as input"):
        align(X, None, 3)


def test_infinite_values_at_predict():
    with pytest.raises(ValueError, match="column 'income', first in row 0"):
        align(FRAME.assign(income=np.inf), NAMES, 3)


# scikit-learn's own checks, on the smallest classifier that only inspects and aligns


class Prior(ClassifierMixin, BaseEstimator):
    """Predicts how often each class occurs, behind the public door."""

    def fit(self, X, y, sample_weight=None):
        data = inspect(X, y, sample_weight, estimator="Prior")
        self.classes_, self.n_features_in_, self._names = data.classes, data.n_features, data.feature_names
        if data.feature_names is not None:
            self.feature_names_in_ = np.array(data.feature_names, dtype=object)
        self.model_ = DummyClassifier().fit(np.zeros((len(data.y), 1)), data.y, data.sample_weight)
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        table = align(X, self._names, self.n_features_in_, estimator="Prior")
        return self.model_.predict_proba(np.zeros((table.shape[0], 1)))

    def predict(self, X):
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = tags.input_tags.string = True
        tags.classifier_tags.poor_score = True
        return tags


@parametrize_with_checks([Prior()])
def test_scikit_learn_accepts_the_door(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke some
        check(estimator)


def test_frames_of_other_libraries_come_through_to_pandas():
    class Frame:
        columns = NAMES

        def to_pandas(self):
            return FRAME

    assert as_table(Frame())[1] == NAMES
