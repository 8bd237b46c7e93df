"""CatBoost on tables of floats and pandas categories, with scikit-learn's parameters."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto._sklearn import Interval, StrOptions, check_parameters

# Categories are combined by twos at most: by fours, as CatBoost does of itself, a fit on six columns of categories took
# twelve times as long.
MOST_COMBINED = 2

# The seed is taken modulo this: CatBoost has a signed number of 32 bits.
SEEDS = 2**31

_CONSTRAINTS: dict[str, list[Any]] = {
    "n_estimators": [Interval(Integral, 1, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
    "max_depth": [Interval(Integral, 1, 16, closed="both")],
    "l2_leaf_reg": [Interval(Real, 0, None, closed="left"), None],
    "random_strength": [Interval(Real, 0, None, closed="left")],
    "subsample": [Interval(Real, 0, 1, closed="right")],
    "one_hot_max_size": [Interval(Integral, 2, 255, closed="both")],
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "n_jobs": [Integral, None],
}


class CatBoostTableClassifier(ClassifierMixin, BaseEstimator):
    """Gradient boosting of symmetric trees, with ordered target statistics of the categories.

    Needs the package catboost, which ``pip install 'skauto[boost]'`` brings.

    Parameters
    ----------
    n_estimators : int, default=300
        Trees.
    learning_rate : float or None, default=None
        None: what CatBoost chooses by rows and trees, which it does where `l2_leaf_reg` is None too, else 0.03.
    max_depth : int, default=6
    l2_leaf_reg : float or None, default=None
        None is 3.
    random_strength : float, default=1.0
        Noise in the scores of splits.
    subsample : float, default=0.8
        Fraction of the rows that each tree sees.
    one_hot_max_size : int, default=10
        Categories of at most as many levels become a column a level, others target statistics.
    class_weight : "balanced", dict or None, default=None
    n_jobs : int or None, default=None
        Threads; None is one.
    random_state : int or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    model_ : catboost.CatBoostClassifier

    References
    ----------
    Prokhorenkova, Gusev, Vorobev, Dorogush, Gulin: "CatBoost: unbiased boosting with categorical features", NeurIPS
    2018, sections 3 and 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skauto.estimators.tables._catboost import CatBoostTableClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> CatBoostTableClassifier(n_estimators=20, random_state=0).fit(X, y).predict(X[:2]).tolist()  # doctest: +SKIP
    [0, 0]
    """

    def __init__(
        self,
        n_estimators: int = 300,
        *,
        learning_rate: float | None = None,
        max_depth: int = 6,
        l2_leaf_reg: float | None = None,
        random_strength: float = 1.0,
        subsample: float = 0.8,
        one_hot_max_size: int = 10,
        class_weight: str | dict[Any, float] | None = None,
        n_jobs: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.l2_leaf_reg = l2_leaf_reg
        self.random_strength = random_strength
        self.subsample = subsample
        self.one_hot_max_size = one_hot_max_size
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit all trees.

        Parameters
        ----------
        X : DataFrame of floats and categories, or array of floats, shape (n, n_features)
            Missing values are welcome.
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,), default=None

        Raises
        ------
        MissingDependencyError
            Without catboost.
        """
        check_parameters(self, _CONSTRAINTS)
        catboost = require("catboost", extra="boost")
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.n_features_in_ = X.shape[1]
        rows, categories = _numbered(X)
        weight = sample_weight
        if self.class_weight is not None:
            balanced = compute_sample_weight(self.class_weight, y)
            weight = balanced if weight is None else balanced * np.asarray(weight)
        # CatBoost chooses a learning rate only where it is told neither of them.
        open_to_choice = {"learning_rate": self.learning_rate, "l2_leaf_reg": self.l2_leaf_reg}
        chosen = {name: value for name, value in open_to_choice.items() if value is not None}
        seed = 0 if self.random_state is None else int(self.random_state) % SEEDS
        self.model_ = catboost.CatBoostClassifier(
            iterations=self.n_estimators,
            depth=self.max_depth,
            random_strength=self.random_strength,
            bootstrap_type="Bernoulli",
            subsample=self.subsample,
            one_hot_max_size=self.one_hot_max_size,
            max_ctr_complexity=MOST_COMBINED,
            boosting_type="Plain",
            loss_function="Logloss" if len(self.classes_) == 2 else "MultiClass",
            random_seed=seed,
            thread_count=self.n_jobs or 1,
            allow_writing_files=False,
            logging_level="Silent",
            **chosen,
        )
        self.model_.fit(rows, codes, cat_features=categories, sample_weight=weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (n, n_classes)."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(_numbered(X)[0], thread_count=self.n_jobs or 1)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def _numbered(X: Any) -> tuple[Any, list[int]]:
    """A table whose categories are codes, and the positions of these."""
    if not isinstance(X, pd.DataFrame):
        return np.asarray(X, dtype=np.float64), []
    positions = [k for k, dtype in enumerate(X.dtypes) if isinstance(dtype, pd.CategoricalDtype)]
    if not positions:
        return X.to_numpy(np.float64), []
    columns = {
        k: X.iloc[:, k].cat.codes.to_numpy() if k in positions else X.iloc[:, k].to_numpy() for k in range(X.shape[1])
    }
    return pd.DataFrame(columns), positions
