"""A classifier that resamples its training rows, and only those."""

from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto.resample._calibration import DeferredCalibration
from skauto.resample._decisions import check_decision, most_probable
from skauto.resample._inner_models import CLEANERS, trained_priors, warn_of_losses
from skauto.resample._priors import correct_priors, moves_priors, positive_priors
from skauto.resample._rows import resample_rows, take_rows
from skauto.resample._wrapped import (
    WrappedClassifier,
    checked_target,
    checked_weight,
    fitted_has,
    of_rows,
    weights_placed,
)

# Rows of the rarer of two classes with which calibration is better than Bayes' rule: with fewer a sigmoid is luck, with
# more the rule is as good. Of more classes each would have a sigmoid of its own, which bends the ranking.
FEWEST, MOST = 10, 1_000
CORRECTIONS = (True, False, "bayes", "calibration")


class ResamplingClassifier(WrappedClassifier):
    """Resamples the rows in `fit` only; decides as the classifier trained on them, with corrected probabilities.

    `predict` gives the labels that a Pipeline of imbalanced-learn gives with the same sampler and seed; `predict_proba`
    gives the probabilities for the unresampled class fractions, by which a rare class is seldom the most probable.

    An ordinary classifier: it works inside a plain or nested scikit-learn Pipeline, in calibration, threshold tuning
    and any search, and no row of a validation fold can reach a training fold.

    Parameters
    ----------
    estimator : classifier
        The classifier to fit on the resampled rows.
    sampler : sampler or None
        Any object with `fit_resample(X, y)`, of skauto or imbalanced-learn. None fits on the rows as they are.
    prior_correction : bool, "bayes" or "calibration", default=True
        How `predict_proba` is corrected to the unresampled class fractions.

        - "bayes": by Bayes' rule; class weights of the estimator are allowed for (see `PriorCorrectedClassifier`).
        - "calibration": by a sigmoid of the log-odds of out-of-fold predictions (Platt's, 3 folds of unresampled
          rows), which takes three more fits, made when probabilities are first requested. If one of them fails, Bayes'
          rule with a warning: a number of rows or neighbours that suits all rows may be too large for two thirds of
          them.
        - True: calibration after samplers that clean (TomekLinks, EditedNearestNeighbours, SMOTEENN, SMOTETomek,
          NearMiss, ...), since Bayes' rule does not hold there, and where the rarer of two classes has 10 to 1,000
          rows and its fraction is changed, since a model that saw few rows repeatedly, or with large weights, is
          overconfident; Bayes' rule otherwise.
        - False: no correction.
    decision : {"resampled", "unresampled"}, default="resampled"
        How `predict` decides.

        - "resampled": as the classifier trained on the resampled rows does; best for F1, recall and other scores of
          labels.
        - "unresampled": the most probable class by `predict_proba`; best for accuracy.

        To tune a threshold for a score, wrap this class in `TunedThresholdClassifierCV` or
        `MulticlassThresholdClassifierCV`.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on the resampled rows.
    calibration_ : callable or None
        Calibrates the probabilities, where they are calibrated (see `prior_correction`). It keeps a copy of the rows
        until probabilities are first requested or the model is pickled.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    original_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Fractions of the classes in y, and those that Bayes' rule corrects from; the same where calibration replaces it.

    Notes
    -----
    What averages or calibrates `predict_proba` (bagging, soft voting, `CalibratedClassifierCV`) decides on unresampled
    probabilities. Without `predict_proba` in the inner estimator, its `predict` and `decision_function` are passed on.
    Put costs outside: the correction to the unresampled class fractions undoes the weights of an inner estimator.

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
    >>> print(round(model.predict(X).mean(), 1))
    0.2
    >>> print(round(model.set_params(decision="unresampled").predict(X).mean(), 1))
    0.1
    """

    trained_priors_: np.ndarray

    def __init__(
        self, estimator: Any, sampler: Any = None, prior_correction: bool | str = True, *, decision: str = "resampled"
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.prior_correction = prior_correction
        self.decision = decision

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Resample, then fit the estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows: a DataFrame, matrix or array of any rank that the sampler takes.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; they follow the rows through the sampler, which never sees rows of weight zero.
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
        check_decision(self.decision)
        labels, self.classes_ = checked_target(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight = checked_weight(sample_weight, labels)
        self.original_priors_ = positive_priors(labels, self.classes_, sample_weight)
        X, labels, fit_params = self._rows_that_weigh(X, labels, fit_params)
        self._fit_resampled(X, labels, fit_params)
        self.calibration_ = None
        if self._calibrates(labels):
            uncorrected = clone(self).set_params(prior_correction=False)
            by_rule = partial(
                correct_priors, trained_priors=self.trained_priors_, original_priors=self.original_priors_
            )
            self.calibration_ = DeferredCalibration(uncorrected, self.classes_, X, labels, fit_params, by_rule)
            self.trained_priors_ = self.original_priors_
        if self.prior_correction and hasattr(self, "predict_proba"):
            replaced = self.decision == "unresampled" and self._corrects()
            warn_of_losses(self, self.estimator_, replaced, readable=self.calibration_ is not None)
        return self

    def _corrects(self):
        """Whether probabilities differ from those of the classifier trained on the resampled rows."""
        return self.calibration_ is not None or moves_priors(self)

    def _rows_that_weigh(self, X, y, fit_params):
        """X, y and fit parameters without the rows whose weight is zero: to a sampler each row counts."""
        weight, n = fit_params.get("sample_weight"), len(y)
        if self.sampler is None or weight is None or weight.all():
            return X, y, fit_params
        rows = np.flatnonzero(weight)
        fit_params = {
            name: np.asarray(value)[rows] if of_rows(value, n) else value for name, value in fit_params.items()
        }
        return take_rows(X, rows), take_rows(y, rows), fit_params

    def _calibrates(self, labels):
        """Whether the probabilities of the fitted classifier are to be calibrated."""
        counts = np.unique(labels, return_counts=True)[1]
        if not self.prior_correction or not hasattr(self, "predict_proba") or counts.min() < 2:
            return False
        if self.prior_correction in ("bayes", "calibration"):
            return self.prior_correction == "calibration"
        rare = len(counts) == 2 and FEWEST <= counts.min() <= MOST
        return isinstance(self.sampler, CLEANERS) or (rare and moves_priors(self))

    def _fit_resampled(self, X, y, fit_params):
        inner = self._inner()
        routed = self._routed(fit_params)
        rows = {name: value for name, value in routed.items() if of_rows(value, len(y))}
        X_new, y_new, rows = resample_rows(self.sampler, X, y, rows)
        self.estimator_ = inner.fit(X_new, y_new, **weights_placed(inner, {**routed, **rows}))
        self.trained_priors_ = trained_priors(self.estimator_, y_new, self.classes_, rows.get("sample_weight"))

    def resample(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
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
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities for the unresampled class fractions (see `prior_correction`), (n, n_classes)."""
        check_is_fitted(self)
        proba = self.estimator_.predict_proba(X)
        if self.calibration_ is not None:
            return self.calibration_(proba)
        return correct_priors(proba, self.trained_priors_, self.original_priors_) if moves_priors(self) else proba

    @available_if(
        lambda self: (
            not (self.prior_correction and hasattr(self, "predict_proba")) and fitted_has("decision_function")(self)
        )
    )
    def decision_function(self, X: Any) -> np.ndarray:
        """Scores of the inner estimator, unless corrected probabilities would contradict them."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def predict(self, X: Any) -> np.ndarray:
        """The labels of the rows, (n,): as the estimator decides, or the most probable class (see `decision`)."""
        check_is_fitted(self)
        if self.decision == "unresampled" and hasattr(self, "predict_proba") and self._corrects():
            return most_probable(self.predict_proba(X), self.classes_)
        return self.estimator_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.sampler is not None:
            accepted = self.sampler.__sklearn_tags__().input_tags
            tags.input_tags.sparse &= accepted.sparse
            tags.input_tags.allow_nan &= accepted.allow_nan
        return tags
