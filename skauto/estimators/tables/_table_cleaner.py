"""The first step of every pipeline on tables: any table in, only floats and categories out."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skauto._sklearn import Interval, check_feature_names_in, check_parameters
from skauto._telling import warn
from skauto.estimators.tables._magnitude import bounded
from skauto.estimators.tables._table_columns import NumberColumn, Useless, learn_column, to_floats, useless_number
from skauto.inputs._read import align, as_table, is_all_numbers
from skauto.inputs._row_numbers import NO_NAMES

EMPTY = "constant"  # the one column of a table in which nothing varies

_CONSTRAINTS = {
    "max_categories": [Interval(Integral, 2, None, closed="left"), None],
    "min_frequency": [Interval(Integral, 1, None, closed="left")],
    "text_components": [Interval(Integral, 0, None, closed="left")],
    "random_state": [Interval(Integral, 0, None, closed="left")],
}


class TableCleaner(TransformerMixin, BaseEstimator):
    """Turn any table into columns of float64 and of pandas categories.

    Column types are learned at fit and kept: how a row is converted never depends on the other rows. Booleans,
    numbers, durations and texts that parse as numbers become floats, also with percent, currencies, units, thousands
    separators or decimal commas, and with a few missing markers among them. Dates and texts that parse as dates become
    year, month, day, weekday, hour and seconds since 1970, those that vary; times of day become seconds. Texts with few
    distinct values become a category, with all levels that are frequent. Codes of one shape (AB-1234) become their
    parts; they, names and free text also become a category of their frequent values, their length, number of words,
    fraction of digits, a latent semantic analysis, and the terms that discriminate the classes if fit is given y.
    Constant columns, empty ones, random keys, serial numbers and row numbers without a name are dropped.

    `transform` takes columns in another order, further columns, unseen categories, new missing values and columns
    of another dtype; in a finished model it warns of columns that no longer parse. A numeric array
    gives an array, a sparse matrix itself as CSR. Cells that are empty or say ?, NA, N/A, #N/A, NaN or null are
    missing, among numbers and dates also none, nil, -, unknown and the like; infinite numbers in texts are missing too.
    Numbers beyond 1e33 become 1e33, those below -1e33 become -1e33.

    Parameters
    ----------
    max_categories : int or None, default=None
        Maximum number of levels of a category, including "infrequent"; None keeps all frequent ones.
    min_frequency : int, default=3
        Levels with fewer rows at fit become the level "infrequent". So do values unseen at fit; in a category without
        that level they are missing.
    text_components : int, default=8
        Components of the latent semantic analysis for each column of text, see [1]_.
    random_state : int, default=0
        Seed of that analysis.

    Attributes
    ----------
    dropped_columns_ : dict of str to str
        The columns that were dropped, and why.
    columns_ : DataFrame
        A row a column: `name`, `taken_as`, `dropped` and `why`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Only where X has column names.

    References
    ----------
    .. [1] Deerwester, Dumais, Furnas, Landauer and Harshman (1990), "Indexing by latent semantic analysis",
       section 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.estimators.tables._table_cleaner import TableCleaner
    >>> X = pd.DataFrame({"n": ["1", "2.5", None], "day": ["2024-01-05", "2024-01-09", None], "same": 7})
    >>> cleaner = TableCleaner().fit(X)
    >>> cleaner.get_feature_names_out().tolist()
    ['n', 'day_day', 'day_weekday', 'day_seconds']
    >>> cleaner.dropped_columns_
    {'same': 'constant'}
    """

    watches = False  # whether transform warns of columns that can no longer be read: not of the rows of a fold

    def __init__(
        self, max_categories: int | None = None, min_frequency: int = 3, text_components: int = 8, random_state: int = 0
    ) -> None:
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.text_components = text_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what each column is.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix, shape (n_rows, n_features)
        y : array-like of shape (n_rows,), default=None
            Classes; without them texts get no discriminative terms.

        Returns
        -------
        self : TableCleaner

        Raises
        ------
        ValueError
            For infinite values, duplicate column names, complex numbers, no rows and no columns.
        """
        check_parameters(self, _CONSTRAINTS)
        table, names = as_table(X)
        self.n_features_in_ = table.shape[1]
        self._names_in = names
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        if names is not None:
            self.feature_names_in_ = np.asarray(names, dtype=object)
        self._kind = "frame" if isinstance(table, pd.DataFrame) else "sparse" if sp.issparse(table) else "array"
        self.dropped_columns_ = {}
        self._columns = (
            self._fit_frame(table, y) if self._kind == "frame" else getattr(self, f"_fit_{self._kind}")(table)
        )
        self._empty = not self._columns
        self._out_names = self._names_out(check_feature_names_in(self))
        if self._empty:
            warn("no column of X varies: the model gets one constant column instead")
        return self

    def transform(self, X: Any) -> Any:
        """Convert the columns.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix, shape (n_rows, n_features)
            A DataFrame needs the column names of fit, in any order; others are ignored. An array goes by position.

        Returns
        -------
        X : DataFrame, ndarray or CSR matrix, shape (n_rows, n_features_out)
            A DataFrame of float64 and category columns if fit saw one, or an array of other things than numbers; an
            ndarray of float64 if fit saw a numeric array; else the sparse matrix.

        Raises
        ------
        ValueError
            For missing columns, another number of columns, and infinite values.
        """
        check_is_fitted(self)
        table = align(X, self._names_in, self.n_features_in_, estimator=type(self).__name__)
        return getattr(self, f"_to_{self._kind}")(table)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the output columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns, where fit saw none.

        Returns
        -------
        names : ndarray of object (str)
        """
        check_is_fitted(self)
        return np.asarray(self._names_out(check_feature_names_in(self, input_features)), dtype=object)

    @property
    def columns_(self) -> pd.DataFrame:
        """What each column was taken as."""
        check_is_fitted(self)
        names = check_feature_names_in(self)
        kept = dict(self._columns if self._kind == "frame" else ((i, NumberColumn) for i in self._columns))
        rows = [
            (name, getattr(kept.get(i), "taken", ""), i not in kept, getattr(kept.get(i), "note", "") or "")
            for i, name in enumerate(names)
        ]
        table = pd.DataFrame(rows, columns=["name", "taken_as", "dropped", "why"])
        table.loc[table["dropped"], "why"] = [
            self.dropped_columns_.get(name, "") for name in table["name"][table["dropped"]]
        ]
        return table

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _fit_sparse(self, table):
        return list(range(table.shape[1]))

    def _fit_array(self, table, names=None):
        reasons, table = {}, bounded(table)
        suspects = np.flatnonzero(((table == table[0]) | np.isnan(table)).all(axis=0))
        for i in suspects:
            reasons[i] = useless_number(table[:, i])
            if reasons[i]:
                self.dropped_columns_[f"x{i}" if names is None else names[i]] = reasons[i]
        return [i for i in range(table.shape[1]) if not reasons.get(i)]

    def _fit_frame(self, table, y):
        columns, plain = [], NumberColumn()
        all_numbers = is_all_numbers(table)  # one array, without a loop over its columns
        if all_numbers:
            columns = [(i, plain) for i in self._fit_array(table.to_numpy(dtype=np.float64), table.columns)]
        for i, name in enumerate([] if all_numbers else table.columns):
            try:
                columns.append((i, learn_column(table.iloc[:, i], self, y)))
            except Useless as reason:
                self.dropped_columns_[name] = str(reason)
        if columns and columns[0][0] == 0 and table.columns[0] in NO_NAMES and _are_row_numbers(*columns[0], table):
            self.dropped_columns_[table.columns[0]] = (
                "row numbers: a first column without a name, every value different"
            )
            return columns[1:]
        return columns

    def _to_sparse(self, table):
        return bounded(table) if sp.issparse(table) else sp.csr_matrix(self._floats(table))

    def _to_array(self, table):
        if self._empty:
            return np.zeros((table.shape[0], 1))
        table = self._floats(table)
        return table if len(self._columns) == self.n_features_in_ else table[:, self._columns]

    def _to_frame(self, table):
        if not isinstance(table, pd.DataFrame):  # sparse, or rows of numbers alone where fit saw others too
            table = table.toarray() if sp.issparse(table) else table
            table = pd.DataFrame(table, columns=check_feature_names_in(self))
        if self._empty:
            return pd.DataFrame({EMPTY: np.zeros(len(table))}, index=table.index)
        positions = self._plain_positions(table)
        values = bounded(table.iloc[:, positions].to_numpy(dtype=np.float64))
        if len(positions) == len(self._columns):
            return pd.DataFrame(values, index=table.index, columns=self._out_names, copy=False)
        plain, outputs, unread = dict(zip(positions, values.T, strict=True)), [], {}
        columns = {i: column for i, column in self._columns if i not in plain}
        for i, (name, series) in enumerate(table.items()):  # quicker than to ask for each by its position
            trouble = []
            outputs += [plain[i]] if i in plain else columns[i].transform(series, trouble) if i in columns else []
            if trouble:
                unread[name] = trouble[0]
        if unread and self.watches:
            warn(_unread_said(unread))
        return pd.DataFrame(dict(zip(self._out_names, outputs, strict=True)), index=table.index, copy=False)

    def _plain_positions(self, table):
        """Positions of the columns that are numbers as they are, which are converted all at once."""
        dtypes = list(table.dtypes)
        return [
            i
            for i, column in self._columns
            if isinstance(column, NumberColumn)
            and not column.marks
            and isinstance(dtypes[i], np.dtype)
            and dtypes[i].kind in "biuf"
        ]

    @staticmethod
    def _floats(table):
        if sp.issparse(table):
            table = table.toarray()
        if isinstance(table, pd.DataFrame):
            return np.column_stack([to_floats(table.iloc[:, i]) for i in range(table.shape[1])])
        return bounded(table)

    def _names_out(self, names):
        if self._empty:
            return [EMPTY]
        if self._kind != "frame":
            return [names[i] for i in self._columns]
        taken = set(names)
        out = []
        for i, column in self._columns:
            for suffix in column.suffixes:
                name = f"{names[i]}_{suffix}" if suffix else names[i]
                while suffix and name in taken:
                    name += "_"
                taken.add(name)
                out.append(name)
        return out


def _are_row_numbers(position, column, table):
    """Whether a column is one of whole numbers that are all different."""
    if not isinstance(column, NumberColumn) or column.marks:
        return False
    values = column.transform(table.iloc[:, position])[0]
    return not np.isnan(values).any() and (values == np.round(values)).all() and len(np.unique(values)) == len(values)


def _unread_said(unread):
    """A line on columns whose cells could not be read, from how many are filled and how many of these are not read."""
    parts = [f"{name!r} ({bad} of {filled} filled cells)" for name, (filled, bad) in list(unread.items())[:10]]
    more = f" and {len(unread) - 10} more columns" if len(unread) > 10 else ""
    return (
        f"X has columns that could be read at fit and no longer can, or hold unseen categories: {', '.join(parts)}"
        f"{more}; these cells count as missing or infrequent. Write them as in the table of fit"
    )


def numeric_columns(X: Any) -> list[Any]:
    """Columns of a cleaned table that hold floats: a selector for ColumnTransformer.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix

    Returns
    -------
    columns : list of str for a DataFrame, of int for an array
    """
    return column_kinds(X)[0]


def category_columns(X: Any) -> list[Any]:
    """Columns of a cleaned table that hold categories: a selector for ColumnTransformer.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix

    Returns
    -------
    columns : list of str for a DataFrame; empty for an array
    """
    return column_kinds(X)[1]


def column_kinds(X: Any) -> tuple[list[Any], list[Any]]:
    """Numeric and categorical columns of a cleaned table, as two lists."""
    if not isinstance(X, pd.DataFrame):
        return list(range(X.shape[1])), []
    is_category = [isinstance(dtype, pd.CategoricalDtype) for dtype in X.dtypes]
    names = list(X.columns)
    return (
        [name for name, category in zip(names, is_category, strict=True) if not category],
        [name for name, category in zip(names, is_category, strict=True) if category],
    )
