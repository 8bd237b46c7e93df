"""A classifier that decides by misclassification costs."""

from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto._seeds import child_rng, root_seed
from skauto.resample._costs import checked_costs, expected_costs
from skauto.resample._decisions import cheapest, deciding_unresampled, most_probable, most_voted
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._rows import take_rows
from skauto.resample._wrapped import (
    WrappedClassifier,
    asking_for_weights,
    checked_target,
    checked_weight,
    decoding,
    fitted_has,
    weights_placed,
)

METHODS = ("minimum_expected_cost", "reweight", "metacost", "rejection_sampling")
CALIBRATIONS = ("auto", "sigmoid", "isotonic", "temperature", None)


class CostSensitiveClassifier(WrappedClassifier):
    """Makes any classifier cost-sensitive, for two or more classes.

    Parameters
    ----------
    estimator : classifier
        The classifier; with probabilities for "minimum_expected_cost" and "metacost", with `sample_weight` for
        "reweight" (of a Pipeline the last step). Classifiers within it that resample decide "unresampled".
    cost_matrix : array-like of shape (K, K) or DataFrame, default=None
        Cost of predicting class j where i is true, in the order of `classes_`, or labelled. None: 1 for every mistake.
        Costs that differ by row are given to `fit` and `predict`.
    method : str, default="minimum_expected_cost"
        - "minimum_expected_cost": probabilities, calibrated, then the decision of least expected cost (Elkan 2001,
          section 2).
        - "reweight": rows are weighted by the cost of a mistake on them (Elkan 2001, section 3; for more classes the
          sum over mistakes).
        - "metacost": bagged classifiers relabel each training row with its cheapest class, and the classifier learns
          these labels (Domingos 1999, section 3).
        - "rejection_sampling": each of several copies is fitted on rows drawn with a probability proportional to
          the cost of a mistake on them (Zadrozny, Langford and Abe 2003, section 3, "costing").
    calibration : {"auto", "sigmoid", "isotonic", "temperature", None}, default="auto"
        How "minimum_expected_cost" calibrates, on 3 folds: "auto" is a sigmoid for two classes and one temperature for
        more, since a sigmoid of each class against the others distorts probabilities that were right before. A
        temperature does not undo class weights, so there an estimator with probabilities is put into
        `PriorCorrectedClassifier` first. None uses the probabilities uncalibrated.
    n_estimators : int, default=10
        Bags of "metacost", copies of "rejection_sampling".
    random_state : int, RandomState or None, default=None
        Seed of the bags and samples.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The class labels.
    cost_matrix_ : ndarray of shape (K, K)
        The costs; the mean over rows where they differ by row. Predictions without costs of their own use it.
    estimator_ : classifier
        The fitted classifier, or the first of those of "rejection_sampling".
    estimators_ : list of classifiers
        The fitted copies of "rejection_sampling", else `estimator_` alone.

    Notes
    -----
    Where costs differ by row use "minimum_expected_cost": it alone uses the costs of the row that it predicts. The
    others learn their decisions in fit, and ignore the costs of a new row. See the figures in the guide.

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001. P. Domingos, "MetaCost: a general method for
    making classifiers cost-sensitive", KDD 1999. B. Zadrozny, J. Langford, N. Abe, "Cost-sensitive learning by
    cost-proportionate example weighting", ICDM 2003. C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of
    modern neural networks", ICML 2017, section 4.2 (temperature).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import CostSensitiveClassifier, total_cost_score
    >>> X, y = make_classification(n_samples=1000, weights=[0.8], class_sep=0.5, random_state=0)
    >>> costs = [[0, 1], [5, 0]]
    >>> plain = LogisticRegression().fit(X, y)
    >>> minded = CostSensitiveClassifier(LogisticRegression(), costs).fit(X, y)
    >>> total_cost_score(y, minded.predict(X), costs) < total_cost_score(y, plain.predict(X), costs)
    True
    """

    def __init__(
        self,
        estimator: Any,
        cost_matrix: Any = None,
        method: str = "minimum_expected_cost",
        *,
        calibration: str | None = "auto",
        n_estimators: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.cost_matrix = cost_matrix
        self.method = method
        self.calibration = calibration
        self.n_estimators = n_estimators
        self.random_state = random_state

    @property
    def decides_by_rule(self) -> bool:
        """Whether predict is other than the most probable class."""
        return self.method == "minimum_expected_cost"

    def fit(self, X: Any, y: Any, sample_weight: Any = None, cost_matrix: Any = None) -> Self:
        """Fit under costs.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows, handed to the estimator as they are.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.
        cost_matrix : array-like of shape (K, K) or (n, K, K), default=None
            Costs, possibly by row, instead of those of the constructor.

        Returns
        -------
        self : object
        """
        self._check_parameters()
        labels, self.classes_ = checked_target(X, y)
        codes = np.searchsorted(self.classes_, labels)
        costs = checked_costs(self.cost_matrix if cost_matrix is None else cost_matrix, self.classes_, len(codes))
        self.cost_matrix_ = costs.mean(axis=0) if costs.ndim == 3 else costs
        weight = None if sample_weight is None else checked_weight(sample_weight, labels)
        fitted = getattr(self, f"_fit_{self.method}")(X, codes, costs, weight)
        self.estimators_ = fitted if isinstance(fitted, list) else [fitted]
        self.estimator_ = self.estimators_[0]
        return self

    def _check_parameters(self):
        if self.method not in METHODS:
            raise ValueError(f"method={self.method!r} must be one of {', '.join(METHODS)}.")
        if self.calibration not in CALIBRATIONS:
            raise ValueError(
                f"calibration={self.calibration!r} must be 'auto', 'sigmoid', 'isotonic', 'temperature' or None."
            )
        if self.method in ("minimum_expected_cost", "metacost") and not hasattr(self.estimator, "predict_proba"):
            scores = self.calibration is not None and hasattr(self.estimator, "decision_function")
            if self.method == "metacost" or not scores:
                raise ValueError(
                    f"method={self.method!r} needs probabilities, which {self.estimator!r} does not give: use "
                    "method='reweight' or 'rejection_sampling'."
                )

    def _fit_minimum_expected_cost(self, X, codes, costs, weight):
        model = self._inner()
        smallest = np.bincount(codes).min()
        if self.calibration is not None and smallest > 1:
            cv = StratifiedKFold(min(3, smallest), shuffle=True, random_state=0)
            default = "sigmoid" if len(self.classes_) == 2 else "temperature"
            method = default if self.calibration == "auto" else self.calibration
            if method == "temperature":
                model = _with_unresampled_priors(model, self.classes_)
            model = CalibratedClassifierCV(decoding(model, self.classes_), method=method, cv=cv, ensemble=False)
        return self._learn(model, X, codes, weight)

    def _fit_reweight(self, X, codes, costs, weight):
        importance = mistake_costs(codes, costs)
        return self._learn(self._inner(), X, codes, importance if weight is None else importance * weight)

    def _fit_metacost(self, X, codes, costs, weight):
        proba = np.zeros((len(codes), len(self.classes_)))
        for rng in self._streams():
            rows = np.concatenate(
                [rng.choice(np.flatnonzero(codes == c), np.sum(codes == c)) for c in np.unique(codes)]
            )
            bag = self._learn(self._inner(), take_rows(X, rows), codes[rows], None if weight is None else weight[rows])
            proba += bag.predict_proba(X)
        cheapest = expected_costs(proba / self.n_estimators, costs).argmin(axis=1)
        if len(np.unique(cheapest)) == 1:
            return DummyClassifier().fit(X, self.classes_[cheapest])
        return self._learn(self._inner(), X, cheapest, weight)

    def _fit_rejection_sampling(self, X, codes, costs, weight):
        importance = mistake_costs(codes, costs)
        probability = importance if weight is None else importance * weight
        probability = probability / probability.max()
        fitted = []
        for rng in self._streams():
            taken = rng.random(len(codes)) < probability
            for code in np.setdiff1d(codes, codes[taken]):  # a class is never lost
                own = np.flatnonzero(codes == code)
                taken[own[probability[own].argmax()]] = True
            rows = np.flatnonzero(taken)
            fitted.append(self._learn(self._inner(), take_rows(X, rows), codes[rows], None))
        return fitted

    def _inner(self):
        """A fresh copy of the estimator; the costs weight the classes, so inner samplers must not do it again."""
        return deciding_unresampled(super()._inner())

    def _streams(self):
        seed = root_seed(self.random_state)
        return [child_rng(seed, self.method, i) for i in range(self.n_estimators)]

    def _learn(self, model, X, codes, weight):
        extra = {} if weight is None else {"sample_weight": weight}
        return clone(model).fit(X, self.classes_[codes], **weights_placed(model, extra))

    @available_if(fitted_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the fitted classifier, (n, K).

        Those of "minimum_expected_cost" are calibrated and know nothing of costs; those of other methods hold for the
        rows that they were fitted on.
        """
        check_is_fitted(self)
        proba = np.zeros((0, 0))
        for model in self.estimators_:
            found = model.predict_proba(X)
            if proba.size == 0:
                proba = np.zeros((len(found), len(self.classes_)))
            proba[:, np.searchsorted(self.classes_, model.classes_)] += found
        return proba / len(self.estimators_)

    def predict(self, X: Any, cost_matrix: Any = None) -> np.ndarray:
        """The decision for each row.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        cost_matrix : array-like of shape (K, K) or (n, K, K), default=None
            Costs of these rows, for "minimum_expected_cost"; None for those learned with.

        Returns
        -------
        labels : ndarray of shape (n,)

        Raises
        ------
        ValueError
            If costs are given to a method that has already decided in fit.
        """
        check_is_fitted(self)
        if self.method == "minimum_expected_cost":
            proba = self.predict_proba(X)
            costs = self.cost_matrix_ if cost_matrix is None else checked_costs(cost_matrix, self.classes_, len(proba))
            return cheapest(proba, self.classes_, costs)
        if cost_matrix is not None:
            raise ValueError(
                f"method={self.method!r} has learned its costs in fit and cannot take others in predict: use "
                "method='minimum_expected_cost'."
            )
        if len(self.estimators_) == 1:
            return self.estimator_.predict(X)
        if hasattr(self, "predict_proba"):
            return most_probable(self.predict_proba(X), self.classes_)
        return most_voted(np.stack([model.predict(X) for model in self.estimators_]), self.classes_)


def _with_unresampled_priors(model, labels):
    """The model corrected for its class weights, where it has probabilities."""
    if not hasattr(model, "predict_proba"):
        return model
    return asking_for_weights(PriorCorrectedClassifier(decoding(model, labels)))


def mistake_costs(codes: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The cost of a mistake on each row beyond that of being right, summed over the wrong classes; of mean 1."""
    of_true = costs[np.arange(len(codes)), codes] if costs.ndim == 3 else costs[codes]
    right = of_true[np.arange(len(codes)), codes]
    importance = np.maximum(of_true - right[:, None], 0).sum(axis=1)
    if not importance.any():
        raise ValueError("cost_matrix makes no mistake cost more than being right: there is nothing to learn from it.")
    return importance / importance.mean()
