"""Categories of too many levels for histograms, ordinal codes and one-hot columns, as target means of all levels."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder
from sklearn.utils.validation import check_is_fitted

from skauto._sklearn import check_feature_names_in
from skauto.estimators.tables._category_codes import category_codes


class ManyLevelsEncoder(TransformerMixin, BaseEstimator):
    """Replace each category with more than `max_levels` levels by cross-fitted target means; other columns are kept.

    Parameters
    ----------
    max_levels : int, default=100

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skauto.estimators.tables._many_levels import ManyLevelsEncoder
    >>> shop = pd.Series(np.arange(200) % 4).astype(str).astype("category")
    >>> X, y = pd.DataFrame({"shop": shop, "size": 1.0}), np.arange(200) % 4 == 3
    >>> ManyLevelsEncoder(max_levels=3).fit(X, y).transform(X[:4]).round(1)["shop"].tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    def __init__(self, max_levels: int = 100) -> None:
        self.max_levels = max_levels

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the means of the levels.

        Parameters
        ----------
        X : DataFrame of floats and categories, array or sparse matrix, shape (n, n_columns)
        y : array-like of shape (n,)
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any) -> Any:
        """Learn, and encode each row by means of other rows."""
        self._names_in: Any = list(X.columns) if isinstance(X, pd.DataFrame) else None
        self.n_features_in_ = X.shape[1]
        dtypes = X.dtypes.items() if isinstance(X, pd.DataFrame) else ()
        self.encoded_ = [
            name
            for name, dtype in dtypes
            if isinstance(dtype, pd.CategoricalDtype) and len(dtype.categories) > self.max_levels
        ]
        if not self.encoded_:
            return X
        self.encoder_ = TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))
        return self._replaced(X, self.encoder_.fit_transform(category_codes(X[self.encoded_]), y))

    def transform(self, X: Any) -> Any:
        """Encode by the means of all rows of fit.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        X : of the same kind; the object given where there is nothing to encode
        """
        check_is_fitted(self, "encoded_")
        return self._replaced(X, self.encoder_.transform(category_codes(X[self.encoded_]))) if self.encoded_ else X

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns, those that stay first where any are encoded."""
        check_is_fitted(self, "encoded_")
        if not self.encoded_:
            names = self._names_in if input_features is None else input_features
            return check_feature_names_in(self, names)
        kept = [name for name in self._names_in if name not in set(self.encoded_)]
        return np.asarray([*kept, *self._means_names()], dtype=object)

    def _means_names(self):
        """A name a column, of more than two classes one for each class."""
        classes = self.encoder_.classes_
        if len(classes) <= 2:
            return self.encoded_
        return [f"{name}_{label}" for name in self.encoded_ for label in classes]

    def _replaced(self, X, means):
        encoded = pd.DataFrame(means, columns=self._means_names(), index=X.index)
        return pd.concat([X.drop(columns=self.encoded_), encoded], axis=1)
