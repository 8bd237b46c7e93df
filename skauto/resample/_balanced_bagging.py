"""Many classifiers, each on its own balanced sample of the rows."""

from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto._seeds import child_rng, child_seed, root_seed, seeded_clone
from skauto.resample._calibration import Sigmoid
from skauto.resample._decisions import check_decision, most_probable, most_voted
from skauto.resample._inner_models import CLEANERS, rule_within, warn_of_losses
from skauto.resample._priors import correct_priors, moves_priors, positive_priors
from skauto.resample._random_samplers import RandomUnderSampler
from skauto.resample._resampling_classifier import ResamplingClassifier
from skauto.resample._rows import take_rows
from skauto.resample._wrapped import WrappedClassifier, checked_target, checked_weight, of_rows


class BalancedBaggingClassifier(WrappedClassifier):
    """Averages classifiers, each fitted on its own random sample with the classes balanced by under-sampling.

    Takes all input that the classifier takes: DataFrames with categories, missing values, images, `sample_weight`.
    imbalanced-learn's class of this name takes arrays of numbers and refuses weights.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        The classifier of each bag; None for a decision tree.
    n_estimators : int, default=30
        Number of bags.
    sampler : sampler, default=None
        Balances each bag; None for `RandomUnderSampler()`. Each bag has a seed of its own.
    bootstrap : bool, default=True
        Whether the rows of each class are drawn with replacement before they are balanced, so that the bags differ in
        the rare class too. Always so for a cleaning sampler, which would choose the same rows each time.
    prior_correction : bool, default=True
        Correct the mean probabilities to the unresampled class fractions: once, after averaging, by Bayes'
        rule; for a cleaning sampler by a sigmoid fitted on the out-of-bag rows.
    decision : {"resampled", "unresampled"}, default="resampled"
        How `predict` decides: "resampled" by the mean probabilities as the balanced bags give them; "unresampled" by
        the most probable class of `predict_proba`.
    random_state : int, RandomState or None, default=None
        Seed.
    n_jobs : int, default=None
        Processes.

    Attributes
    ----------
    estimators_ : list of ResamplingClassifier
        The fitted bags.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    original_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Fractions of the classes in y, and in the bags on average.
    calibration_ : callable or None
        Calibrates the mean probabilities after a cleaning sampler.

    References
    ----------
    X.-Y. Liu, J. Wu, Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE Transactions on
    Systems, Man, and Cybernetics B 39(2), 2009, section III.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import BalancedBaggingClassifier
    >>> X, y = make_classification(n_samples=1000, weights=[0.9], random_state=0)
    >>> model = BalancedBaggingClassifier(n_estimators=5, random_state=0).fit(X, y)
    >>> model.predict_proba(X).shape
    (1000, 2)
    """

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 30,
        *,
        sampler: Any = None,
        bootstrap: bool = True,
        prior_correction: bool = True,
        decision: str = "resampled",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.sampler = sampler
        self.bootstrap = bootstrap
        self.prior_correction = prior_correction
        self.decision = decision
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit all bags.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; they follow the rows into the bags.
        **fit_params : dict
            For the classifier's fit; arrays of length n follow the rows.

        Returns
        -------
        self : object
        """
        check_decision(self.decision)
        labels, self.classes_ = checked_target(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight = checked_weight(sample_weight, labels)
        self.original_priors_ = positive_priors(labels, self.classes_, sample_weight)
        fit_params = self._routed(fit_params)
        cleans = self.prior_correction and isinstance(self.sampler, CLEANERS)
        seed = root_seed(self.random_state)
        bags = [self._bag(child_seed(seed, "bag", i)) for i in range(self.n_estimators)]
        draws = [np.arange(len(labels))] * self.n_estimators
        if self.bootstrap or cleans:
            draws = [_bootstrap(labels, sample_weight, child_rng(seed, "rows", i)) for i in range(self.n_estimators)]
        self.estimators_ = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(bag, X, labels, fit_params, rows) for bag, rows in zip(bags, draws, strict=True)
        )
        self.estimator_ = self.estimators_[0]
        self.trained_priors_ = np.mean([bag.trained_priors_ for bag in self.estimators_], axis=0)
        has_proba = hasattr(self, "predict_proba")
        self.calibration_ = self._calibrated(X, labels, sample_weight, draws) if cleans and has_proba else None
        if self.prior_correction and has_proba:
            replaced = self.decision == "unresampled" and self._corrects()
            warn_of_losses(self, self.estimator_.estimator_, replaced, readable=self.calibration_ is not None)
        return self

    def _bag(self, seed):
        sampler = RandomUnderSampler() if self.sampler is None else self.sampler
        estimator, sampler = (seeded_clone(part, seed) for part in (self._base(), sampler))
        # The mean is corrected, not each bag: trees with pure leaves predict 0 or 1, which no factor changes.
        return ResamplingClassifier(estimator, sampler, prior_correction=False)

    def _calibrated(self, X, labels, weight, draws):
        """A sigmoid of the mean of the bags that have not seen a row; None where a class has no such row."""
        total, seen_by = np.zeros((len(labels), len(self.classes_))), np.zeros(len(labels))
        for bag, drawn in zip(self.estimators_, draws, strict=True):
            out = np.setdiff1d(np.arange(len(labels)), drawn)
            if len(out):
                total[out] += bag.predict_proba(take_rows(X, out))
                seen_by[out] += 1
        rows = np.flatnonzero(seen_by)
        if len(np.unique(labels[rows])) < len(self.classes_):
            return None
        codes = np.searchsorted(self.classes_, labels[rows])
        return Sigmoid(total[rows] / seen_by[rows, None], codes, None if weight is None else weight[rows])

    def _corrects(self):
        """Whether probabilities differ from the mean of the bags."""
        return self.calibration_ is not None or moves_priors(self)

    def _base(self):
        return DecisionTreeClassifier() if self.estimator is None else self.estimator

    @available_if(lambda self: self.estimator is None or hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Mean probabilities of the bags for the unresampled class fractions, (n, n_classes)."""
        proba = self._mean_proba(X)
        if self.calibration_ is not None:
            return self.calibration_(proba)
        return correct_priors(proba, self.trained_priors_, self.original_priors_) if moves_priors(self) else proba

    def _mean_proba(self, X):
        check_is_fitted(self)
        return np.mean([bag.predict_proba(X) for bag in self.estimators_], axis=0)

    def predict(self, X: Any) -> np.ndarray:
        """The labels of the rows, (n,): the class of the greatest mean probability (see `decision`).

        By majority vote where there are no probabilities, or where the bags have their own decision rule.
        """
        check_is_fitted(self)
        replaced = self.decision == "unresampled" and self._corrects()
        if hasattr(self, "predict_proba") and (replaced or rule_within(self.estimator_.estimator_) is None):
            return most_probable(self.predict_proba(X) if replaced else self._mean_proba(X), self.classes_)
        return most_voted(np.stack([bag.predict(X) for bag in self.estimators_]), self.classes_)


def _bootstrap(labels, weight, rng):
    """Positions drawn with replacement, (n,), as many of each class as it has; rows of weight zero are left out."""
    weighs = np.ones(len(labels), dtype=bool) if weight is None else weight > 0
    own = [np.flatnonzero((labels == label) & weighs) for label in np.unique(labels)]
    return np.concatenate([rng.choice(rows, len(rows)) for rows in own])


def _fit(bag, X, y, fit_params, rows):
    of_bag = {name: np.asarray(value)[rows] if of_rows(value, len(y)) else value for name, value in fit_params.items()}
    return bag.fit(take_rows(X, rows), y[rows], **of_bag)
