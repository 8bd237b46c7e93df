"""Scores of anomaly detectors as features."""

from itertools import chain, count
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import KFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skauto._seeds import child_seed, root_seed, seeded_clone
from skauto.resample._detector_input import DetectorInput, as_frame, column_kinds, is_numbers
from skauto.resample._rows import take_rows


class OutlierScoreTransformer(TransformerMixin, BaseEstimator):
    """Adds an outlier score from any detector to each row; greater is more anomalous.

    A detector has seen the rows that it was fitted on. So training rows get scores from detectors fitted on the other
    folds (`fit_transform`), and new rows from one fitted on all rows (`transform`): the two differ on purpose.

    Takes tables with missing values, categories and dates: the detector sees numbers; the columns are returned
    unchanged.

    Parameters
    ----------
    detector : {"isolation_forest", "lof", "ecod"} or detector, default="isolation_forest"
        Any object with `fit(X)` and `score_samples(X)` (greater is more normal) or `decision_function(X)`.
    encoder : transformer, default=None
        Converts a table to numbers for the detector; fitted on the same rows as the detector. None: numbers and dates
        unchanged, missing values filled by medians where the detector accepts none, and categories one-hot encoded
        (of more than 50 levels the rarest together).
    cv : int, default=5
        Folds for the scores of the training rows.
    append : bool, default=True
        Whether to keep the columns of X before the score.
    random_state : int, RandomState or None, default=None
        Seed of folds and detectors, of a detector within a Pipeline too. None keeps the detector's own seed.

    Attributes
    ----------
    detector_, encoder_ : detector, transformer
        Those fitted on all rows.
    n_features_in_ : int
        Number of columns of X.

    References
    ----------
    Y. Zhao, M. K. Hryniewicki, "XGBOD: improving supervised outlier detection with unsupervised representation
    learning", IJCNN 2018, section III.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample import OutlierScoreTransformer
    >>> X = np.vstack([np.random.RandomState(0).normal(size=(99, 2)), [[9.0, 9.0]]])
    >>> scored = OutlierScoreTransformer("ecod", random_state=0).fit_transform(X)
    >>> scored.shape, int(scored[:, 2].argmax())
    ((100, 3), 99)
    """

    def __init__(
        self,
        detector: Any = "isolation_forest",
        *,
        encoder: Any = None,
        cv: int = 5,
        append: bool = True,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.detector = detector
        self.encoder = encoder
        self.cv = cv
        self.append = append
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the detector on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, p)
            Rows: numbers, categories, dates, missing values.
        y : None
            Not used.

        Returns
        -------
        self : object
        """
        self._detector("all", 2)  # an unknown name is reported before a wrong table
        X = self._checked(X, reset=True)
        self.encoder_, self.detector_ = self._fitted("all", X)
        if not (hasattr(self.detector_, "score_samples") or hasattr(self.detector_, "decision_function")):
            raise ValueError(
                f"detector={self.detector!r} has neither score_samples nor decision_function, so it cannot score new "
                "rows: give one that has (LocalOutlierFactor has with novelty=True)."
            )
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray | pd.DataFrame:
        """Fit, and score the training rows by detectors that have not seen them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, p)
            Rows.
        y : None
            Not used.

        Returns
        -------
        X : ndarray of shape (n, p + 1) or (n, 1); a DataFrame if X is one with categories or dates
        """
        self.fit(X)
        table = self._checked(X, reset=False)
        folds = min(self.cv, len(table))
        if folds < 2:
            return self._with_scores(X, table, _anomaly_scores(self.encoder_, self.detector_, table))
        scores = np.empty(len(table))
        seed = child_seed(root_seed(self.random_state), "folds")
        for i, (train, test) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(table)):
            encoder, detector = self._fitted(i, take_rows(table, train))
            scores[test] = _anomaly_scores(encoder, detector, take_rows(table, test))
        return self._with_scores(X, table, scores)

    def transform(self, X: Any) -> np.ndarray | pd.DataFrame:
        """Scores of the detector fitted on all training rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, p)
            Rows.

        Returns
        -------
        X : ndarray of shape (n, p + 1) or (n, 1); a DataFrame if X is one with categories or dates
        """
        check_is_fitted(self)
        table = self._checked(X, reset=False)
        return self._with_scores(X, table, _anomaly_scores(self.encoder_, self.detector_, table))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns: those of X, then "outlier_score", or "outlier_score_2" if X has that, and so on."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if input_features is not None:
            if len(input_features) != self.n_features_in_:
                raise ValueError("input_features should have length equal to number of features")
            if names is not None and not np.array_equal(names, input_features):
                raise ValueError("input_features is not equal to feature_names_in_")
            names = input_features
        if names is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
        return np.asarray([*names, _score_name(names)] if self.append else ["outlier_score"], dtype=object)

    def _checked(self, X, reset):
        """A matrix of floats, or a mixed frame; what an encoder of one's own takes, as it came."""
        if reset:
            self.mixed_ = self.encoder is None and not is_numbers(X)
            self.column_kinds_ = column_kinds(X) if self.mixed_ else None
        if self.encoder is not None or self.mixed_:
            validate_data(self, X, reset=reset, skip_check_array=True)
            return as_frame(X, self.column_kinds_) if self.encoder is None else X
        return validate_data(self, X, reset=reset, dtype=float, ensure_all_finite="allow-nan")

    def _fitted(self, key, table):
        """An encoder and a detector of these rows."""
        encoder = DetectorInput(fill=not self._takes_gaps()) if self.encoder is None else clone(self.encoder)
        numbers = encoder.fit_transform(table)
        return encoder, self._detector(key, numbers.shape[0]).fit(numbers)

    def _takes_gaps(self):
        detector = self._detector("all", 2)
        return hasattr(detector, "__sklearn_tags__") and get_tags(detector).input_tags.allow_nan

    def _detector(self, key, n_rows):
        given = self.detector
        if isinstance(given, str) and given not in DETECTORS:
            raise ValueError(f"detector={given!r} must be one of {', '.join(DETECTORS)}, or an object.")
        detector = DETECTORS[given](n_rows) if isinstance(given, str) else given
        if self.random_state is None:
            return clone(detector)
        return seeded_clone(detector, child_seed(root_seed(self.random_state), "detector", key))

    def _with_scores(self, X, table, scores):
        if not self.append:
            return scores[:, None]
        if isinstance(X, pd.DataFrame) and isinstance(table, pd.DataFrame):
            return X.assign(**{_score_name(X.columns): scores})
        return np.column_stack([X if isinstance(table, pd.DataFrame) else table, scores])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _score_name(names):
    """A name for the scores that no column has."""
    taken = set(names)
    numbered = (f"outlier_score_{i}" for i in count(2))
    return next(name for name in chain(["outlier_score"], numbered) if name not in taken)


def _anomaly_scores(encoder, detector, table):
    X = encoder.transform(table)
    score = getattr(detector, "score_samples", None) or detector.decision_function
    return -np.asarray(score(X), dtype=float)


class ECOD(OutlierMixin, BaseEstimator):
    """Outliers by empirical tail probabilities: negative logarithms of the tail of each column, summed.

    One parameter, and fit only sorts; missing values add nothing.

    Parameters
    ----------
    contamination : float, default=0.1
        Fraction of the training rows that `predict` calls outliers.

    Attributes
    ----------
    offset_ : float
        `decision_function` is `score_samples - offset_`.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. Chen, "ECOD: unsupervised outlier detection using empirical
    cumulative distribution functions", IEEE TKDE 35(12), 2023, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample import ECOD
    >>> X = np.vstack([np.random.RandomState(0).normal(size=(99, 2)), [[9.0, 9.0]]])
    >>> int(ECOD(contamination=0.02).fit(X).score_samples(X).argmin())
    99
    """

    def __init__(self, contamination: float = 0.1) -> None:
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None) -> Self:
        """Sort each column.

        Parameters
        ----------
        X : array-like of shape (n, p)
            Numbers, NaN for missing.
        y : None
            Not used.

        Returns
        -------
        self : object
        """
        if not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination={self.contamination!r} must be above 0 and at most 0.5.")
        X = validate_data(self, X, dtype=float, ensure_all_finite="allow-nan")
        self.sorted_ = [np.sort(column[~np.isnan(column)]) for column in X.T]
        self.skewed_left_ = np.array([_skewness(column) < 0 for column in self.sorted_])
        self.offset_ = np.percentile(self.score_samples(X), 100 * self.contamination)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """How normal each row is, (n,): the sum of its log tail probabilities, the least of three such sums."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=float, ensure_all_finite="allow-nan")
        left, right = np.zeros(X.shape), np.zeros(X.shape)
        for j, known in enumerate(self.sorted_):
            there, n = ~np.isnan(X[:, j]), len(known)
            if n:
                below = np.searchsorted(known, X[there, j], side="right")
                above = n - np.searchsorted(known, X[there, j], side="left")
                left[there, j] = np.log(np.maximum(below, 1) / n)
                right[there, j] = np.log(np.maximum(above, 1) / n)
        by_skew = np.where(self.skewed_left_, left, right)
        return np.minimum.reduce([left.sum(axis=1), right.sum(axis=1), by_skew.sum(axis=1)])

    def decision_function(self, X: Any) -> np.ndarray:
        """Above zero for normal rows, below for outliers, (n,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """1 for normal rows, -1 for outliers, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _skewness(values):
    spread = values.std() if len(values) else 0.0
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


DETECTORS = {
    "isolation_forest": lambda n_rows: IsolationForest(),
    "lof": lambda n_rows: LocalOutlierFactor(n_neighbors=max(min(20, n_rows - 1), 1), novelty=True),
    "ecod": lambda n_rows: ECOD(),
}
