"""Many classifiers, each on its own balanced draw of the rows."""

import numpy as np
from joblib import Parallel, delayed
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto._seeds import child_seed, root_seed, seeded_clone
from skauto.resample._inner_models import CLEANERS, rule_within, warn_of_losses
from skauto.resample._priors import correct_priors, moves_priors
from skauto.resample._random_samplers import RandomUnderSampler
from skauto.resample._resampling_classifier import ResamplingClassifier
from skauto.resample._wrapped import WrappedClassifier, checked_target, checked_weight, most_voted


class BalancedBaggingClassifier(WrappedClassifier):
    """Averages classifiers that were each fitted on a draw of their own, with the classes balanced by under-sampling.

    Takes whatever the classifier takes: DataFrames with categories, missing values, images, `sample_weight`.
    imbalanced-learn's class of this name takes arrays of numbers and refuses weights.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        The classifier of each bag; None for a decision tree.
    n_estimators : int, default=10
        Number of bags.
    sampler : sampler, default=None
        What balances a bag; None for `RandomUnderSampler()`. Each bag has a seed of its own.
    prior_correction : bool, default=True
        Move the mean probabilities back to the natural shares of the classes (see `ResamplingClassifier`); bags of a
        sampler that cleans are calibrated one by one.
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
    natural_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Shares of the classes in y, and in the bags on average.

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
        estimator=None,
        n_estimators=10,
        *,
        sampler=None,
        prior_correction=True,
        random_state=None,
        n_jobs=None,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.sampler = sampler
        self.prior_correction = prior_correction
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None, **fit_params):
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
        labels, self.classes_ = checked_target(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = checked_weight(sample_weight, labels)
        fit_params = self._routed(fit_params)
        seed = root_seed(self.random_state)
        bags = [self._bag(child_seed(seed, "bag", i)) for i in range(self.n_estimators)]
        self.estimators_ = Parallel(n_jobs=self.n_jobs)(delayed(_fit)(bag, X, labels, fit_params) for bag in bags)
        self.estimator_ = self.estimators_[0]
        self.natural_priors_ = self.estimator_.natural_priors_
        trained = np.mean([bag.trained_priors_ for bag in self.estimators_], axis=0)
        self.trained_priors_ = self.natural_priors_ if self._cleans() else trained
        if self.prior_correction and not self._cleans() and hasattr(self, "predict_proba"):
            warn_of_losses(self, self.estimator_.estimator_, moves_priors(self))
        return self

    def _bag(self, seed):
        sampler = RandomUnderSampler() if self.sampler is None else self.sampler
        estimator, sampler = (seeded_clone(part, seed) for part in (self._base(), sampler))
        # The mean is corrected, not each bag: those of pure trees say 0 or 1, which no factor moves.
        return ResamplingClassifier(estimator, sampler, prior_correction=self._cleans())

    def _cleans(self):
        """Whether the bags see to their probabilities themselves."""
        return self.prior_correction and isinstance(self.sampler, CLEANERS)

    def _base(self):
        return DecisionTreeClassifier() if self.estimator is None else self.estimator

    @available_if(lambda self: self.estimator is None or hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X):
        """Mean probabilities of the bags under the natural shares of the classes, (n, n_classes)."""
        check_is_fitted(self)
        proba = np.mean([bag.predict_proba(X) for bag in self.estimators_], axis=0)
        return correct_priors(proba, self.trained_priors_, self.natural_priors_) if moves_priors(self) else proba

    def predict(self, X):
        """The class of the greatest mean probability, (n,).

        That of most votes where there are no probabilities, or where they are not moved and the bags decide by a rule
        of their own.
        """
        check_is_fitted(self)
        ruled = not moves_priors(self) and rule_within(self.estimator_.estimator_) is not None
        if hasattr(self, "predict_proba") and not ruled:
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        votes = np.stack([np.searchsorted(self.classes_, bag.predict(X)) for bag in self.estimators_])
        return self.classes_[most_voted(votes, len(self.classes_))]


def _fit(bag, X, y, fit_params):
    return bag.fit(X, y, **fit_params)
