"""A classifier that resamples its training rows, and only those."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto.resample._inner_models import CLEANERS, counts_after, trained_priors, warn_of_losses
from skauto.resample._priors import correct_priors, moves_priors, positive_priors
from skauto.resample._rows import resample_rows, take_rows
from skauto.resample._wrapped import (
    WrappedClassifier,
    asking_for_weights,
    checked_target,
    checked_weight,
    decoding,
    fitted_has,
)

CALIBRATION_FOLDS = 3
# Rows of the rarer of two classes with which calibration is better than Bayes' rule: with fewer a sigmoid is luck, with
# more the rule is as good. Of more classes each would have a sigmoid of its own, which bends the ranking.
FEWEST, MOST = 10, 1_000
CORRECTIONS = (True, False, "bayes", "calibration")
LEAST = np.finfo(float).tiny  # so that log-odds stay finite
# Log-odds beyond those of 1e-5 keep their order and little more: a sigmoid through all of them would fit the farthest.
BOUND, BEYOND = 11.5, 1e-3


class ResamplingClassifier(WrappedClassifier):
    """Resamples the rows in `fit` and only there, then gives probabilities under the natural shares of the classes.

    An ordinary classifier: it works inside a plain or nested scikit-learn Pipeline, in calibration, threshold tuning
    and any search, and no row of a validation fold can reach a training fold.

    Parameters
    ----------
    estimator : classifier
        The classifier to fit on the resampled rows.
    sampler : sampler or None
        Any object with `fit_resample(X, y)`, of skauto or imbalanced-learn. None fits on the rows as they are.
    prior_correction : bool, "bayes" or "calibration", default=True
        How `predict_proba` comes back to the natural shares of the classes.

        - "bayes": by Bayes' rule; class weights of the estimator are allowed for (see `PriorCorrectedClassifier`).
        - "calibration": by a sigmoid of the log-odds of out-of-fold predictions (Platt's, 3 folds of natural rows),
          which takes four fits.
        - True: calibration after samplers that clean (TomekLinks, EditedNearestNeighbours, SMOTEENN, SMOTETomek,
          NearMiss, ...), since Bayes' rule does not hold there, and where the rarer of two classes has 10 to 1,000
          rows and its share is moved, since a model that saw few rows again and again, or weighed them, is too sure of
          itself; Bayes' rule otherwise.
        - False: not at all.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on the resampled rows, or a fitted `CalibratedClassifierCV` (see `prior_correction`).
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    natural_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Shares of the classes in y, and in the rows that the probabilities are given for.

    Notes
    -----
    Without `predict_proba` in the inner estimator, its `predict` and `decision_function` are passed on. Costs go
    outside: probabilities moved back to the natural shares forget what an estimator inside was weighted for.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
    Neural Computation 14(1), 2002, section 2.2.

    Examples
    --------
    >>> from imblearn.under_sampling import RandomUnderSampler
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import ResamplingClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.9], class_sep=0.3, random_state=0)
    >>> sampler = RandomUnderSampler(random_state=0)
    >>> model = ResamplingClassifier(LogisticRegression(), sampler).fit(X, y)
    >>> print(round(model.predict_proba(X)[:, 1].mean(), 1))
    0.1
    >>> naive = ResamplingClassifier(LogisticRegression(), sampler, prior_correction=False).fit(X, y)
    >>> print(round(naive.predict_proba(X)[:, 1].mean(), 1))
    0.3
    """

    def __init__(self, estimator, sampler=None, prior_correction=True):
        self.estimator = estimator
        self.sampler = sampler
        self.prior_correction = prior_correction

    def fit(self, X, y, sample_weight=None, **fit_params):
        """Resample, then fit the estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows: a DataFrame, matrix or array of any rank that the sampler takes.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; they follow the rows through the sampler, which never sees rows that weigh nothing.
        **fit_params : dict
            For the estimator's fit. Arrays of length n follow the rows through the sampler, anything else
            (`eval_set`, callbacks) is passed on as it is. With metadata routing enabled, what the estimator requested.

        Returns
        -------
        self : object
        """
        if self.prior_correction not in CORRECTIONS:
            raise ValueError(
                f"prior_correction={self.prior_correction!r} must be True, False, 'bayes' or 'calibration'."
            )
        labels, self.classes_ = checked_target(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight = checked_weight(sample_weight, labels)
        self.natural_priors_ = positive_priors(labels, self.classes_, sample_weight)
        X, labels, fit_params = self._rows_that_weigh(X, labels, fit_params)
        if self._calibrates(labels):
            return self._fit_calibrated(X, labels, fit_params)
        self._fit_resampled(X, labels, fit_params)
        if self._by_rule() and self._is_rare(labels) and moves_priors(self):  # class weights within the estimator
            return self._fit_calibrated(X, labels, fit_params)
        if self.prior_correction and hasattr(self, "predict_proba"):
            warn_of_losses(self, self.estimator_, moves_priors(self))
        return self

    def _rows_that_weigh(self, X, y, fit_params):
        """X, y and fit parameters without the rows whose weight is zero: to a sampler each row counts."""
        weight, n = fit_params.get("sample_weight"), len(y)
        if self.sampler is None or weight is None or weight.all():
            return X, y, fit_params
        rows = np.flatnonzero(weight)
        fit_params = {
            name: np.asarray(value)[rows] if _belongs_to_rows(value, n) else value for name, value in fit_params.items()
        }
        return take_rows(X, rows), take_rows(y, rows), fit_params

    def _calibrates(self, labels):
        """Whether the classifier is calibrated, as far as the sampler tells."""
        counts = np.unique(labels, return_counts=True)[1]
        if not hasattr(self.estimator, "predict_proba") or counts.min() < 2:
            return False
        moved = isinstance(self.sampler, CLEANERS) or (self._is_rare(labels) and self._moves_shares(counts))
        return self.prior_correction == "calibration" or (self._by_rule() and moved)

    def _moves_shares(self, counts):
        """Whether the sampler changes the shares of the classes; those it cannot tell in advance may."""
        if self.sampler is None:
            return False
        after = counts_after(self.sampler, self.classes_, counts)
        return after is None or not np.allclose(after / after.sum(), counts / counts.sum())

    def _by_rule(self):
        return bool(self.prior_correction) and self.prior_correction not in ("bayes", "calibration")

    def _is_rare(self, labels):
        """Whether one of two classes is so rare that a model which saw its rows again and again is too sure."""
        counts = np.unique(labels, return_counts=True)[1]
        return hasattr(self.estimator, "predict_proba") and len(counts) == 2 and FEWEST <= counts.min() <= MOST

    def _fit_resampled(self, X, y, fit_params):
        inner = self._inner()
        routed = self._routed(fit_params)
        rows = {name: value for name, value in routed.items() if _belongs_to_rows(value, len(y))}
        X_new, y_new, rows = resample_rows(self.sampler, X, y, rows)
        self.estimator_ = inner.fit(X_new, y_new, **{**routed, **rows})
        self.trained_priors_ = trained_priors(self.estimator_, y_new, self.classes_, rows.get("sample_weight"))

    def _fit_calibrated(self, X, y, fit_params):
        self.trained_priors_ = self.natural_priors_
        folds = min(CALIBRATION_FOLDS, *np.unique(y, return_counts=True)[1])
        uncorrected = _LogOddsClassifier(self.estimator, self.sampler, prior_correction=False)
        cv = StratifiedKFold(folds, shuffle=True, random_state=0)
        calibrated = CalibratedClassifierCV(
            decoding(asking_for_weights(uncorrected), self.classes_), cv=cv, ensemble=False
        )
        self.estimator_ = calibrated.fit(X, y, **fit_params)
        inner = self.estimator_.calibrated_classifiers_[0].estimator.estimator_.estimator_
        warn_of_losses(self, inner, moved=True, readable=True)
        return self

    def resample(self, X, y, sample_weight=None):
        """The rows that `fit` would train the inner estimator on.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        X, y, sample_weight
            The resampled rows, labels and weights (None where none were given).
        """
        rows = {} if sample_weight is None else {"sample_weight": checked_weight(sample_weight, y)}
        X, y, rows = self._rows_that_weigh(X, y, rows)
        X, y, rows = resample_rows(self.sampler, X, y, rows)
        return X, y, rows.get("sample_weight")

    @available_if(fitted_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities under the natural shares of the classes (see `prior_correction`), (n, n_classes)."""
        check_is_fitted(self)
        proba = self.estimator_.predict_proba(X)
        return correct_priors(proba, self.trained_priors_, self.natural_priors_) if moves_priors(self) else proba

    @available_if(
        lambda self: (
            not (self.prior_correction and hasattr(self, "predict_proba")) and fitted_has("decision_function")(self)
        )
    )
    def decision_function(self, X):
        """Scores of the inner estimator, where they are not contradicted by corrected probabilities."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def predict(self, X):
        """The most probable class of each row, (n,); where no probabilities are moved, as the estimator decides."""
        check_is_fitted(self)
        if hasattr(self, "predict_proba") and moves_priors(self):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        return self.estimator_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.sampler is not None:
            accepted = self.sampler.__sklearn_tags__().input_tags
            tags.input_tags.sparse &= accepted.sparse
            tags.input_tags.allow_nan &= accepted.allow_nan
        return tags


class _LogOddsClassifier(ResamplingClassifier):
    """The classifier to calibrate: a sigmoid of its log-odds can move and stretch them, one of probabilities cannot."""

    def decision_function(self, X):
        """Log-odds of the second class (n,), or of each class against the others (n, n_classes)."""
        check_is_fitted(self)
        proba = np.maximum(self.estimator_.predict_proba(X), LEAST)
        if proba.shape[1] == 2:
            odds = np.log(proba[:, 1]) - np.log(proba[:, 0])
        else:
            odds = np.log(proba) - np.log(np.maximum(1 - proba, np.finfo(float).eps))
        near = np.clip(odds, -BOUND, BOUND)
        return near + BEYOND * (odds - near)


def _belongs_to_rows(value, n):
    """Whether a fit parameter is an array with one entry for each of the n rows."""
    return not isinstance(value, (str, bytes, dict)) and hasattr(value, "__len__") and len(value) == n
