"""Calibration by a sigmoid of log-odds, learnt from out-of-fold predictions once somebody asks for probabilities."""

import copy
from collections.abc import Callable
from threading import Lock
from typing import Any, Self

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skauto._telling import warn
from skauto.resample._log_odds import log_odds
from skauto.resample._wrapped import asking_for_weights, decoding

FOLDS = 3
# What samplers and classifiers raise where a fold has too few rows for settings that suit all rows.
TOO_FEW = (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError)


class Sigmoid:
    """Calibrated probabilities from those of a classifier: Platt's sigmoid of their log-odds.

    Parameters
    ----------
    proba : ndarray of shape (n, K)
        Probabilities of rows that the classifier was not trained on.
    codes : ndarray of shape (n,)
        Column indices of the true classes.
    sample_weight : ndarray of shape (n,), default=None
        Weights of the rows.
    """

    def __init__(self, proba: np.ndarray, codes: np.ndarray, sample_weight: Any = None) -> None:
        rows = np.arange(len(codes))
        with config_context(enable_metadata_routing=False):
            calibrated = CalibratedClassifierCV(_Scores(), cv=[(rows, rows)], ensemble=False)
            self.calibrated = calibrated.fit(_columns(proba), codes, sample_weight)

    def __call__(self, proba: np.ndarray) -> np.ndarray:
        return self.calibrated.predict_proba(_columns(proba))


def _columns(proba):
    odds = log_odds(proba)
    return odds[:, None] if odds.ndim == 1 else odds


class _Scores(ClassifierMixin, BaseEstimator):
    """Stands in for the classifier whose scores are the columns of X."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Store the classes."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """The columns as they are."""
        return X[:, 0] if len(self.classes_) == 2 else X

    def predict(self, X: Any) -> np.ndarray:
        """The class of the greatest score, which CalibratedClassifierCV asks each classifier to have."""
        score = self.decision_function(X)
        return self.classes_[(score > 0).astype(int) if score.ndim == 1 else score.argmax(axis=1)]


class DeferredCalibration:
    """The calibration of a classifier, fitted at the first call and not before.

    It takes a fit for each fold, which a search that scores labels never needs. Until then it holds a copy of the rows,
    so that later changes of them do not matter; a pickle or a deep copy of it is always fitted.

    Parameters
    ----------
    model : classifier with `predict_proba`
        Not fitted; its probabilities are to be calibrated.
    classes : ndarray of shape (K,)
    X, y : the rows and labels that the model is fitted on
    fit_params : dict
        For its fit; "sample_weight" is also used by the sigmoid.
    otherwise : callable
        What corrects the probabilities where the model cannot be fitted on the rows of a fold. It must be picklable.
    """

    def __init__(
        self,
        model: Any,
        classes: np.ndarray,
        X: Any,
        y: Any,
        fit_params: dict[str, Any],
        otherwise: Callable[..., np.ndarray],
    ) -> None:
        known = {name: _copied(value) for name, value in fit_params.items()}
        self._waiting = model, classes, _copied(X), _copied(y), known, get_config()
        self._otherwise, self._sigmoid, self._lock = otherwise, None, Lock()

    def __call__(self, proba: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, K) from those of the model fitted on all rows."""
        return self._learnt()(proba)

    def _learnt(self):
        with self._lock:
            if self._sigmoid is None:
                self._sigmoid, failure = self._learn()
                self._waiting = None
                if failure:
                    warn(failure)
            return self._sigmoid

    def _learn(self):
        """The sigmoid, or the fallback and the reason for it."""
        *known, config = self._waiting
        try:
            with config_context(**config):
                return _out_of_fold_sigmoid(*known), ""
        except TOO_FEW as error:
            model = " ".join(repr(known[0]).split())
            return self._otherwise, (
                f"Probabilities are corrected by Bayes' rule and not calibrated, since {model} could not be fitted on "
                f"two thirds of the rows ({type(error).__name__}: {error}). Give the sampler a ratio, not numbers of "
                "rows, or fewer neighbours; or choose prior_correction='bayes'."
            )

    def __getstate__(self):
        return self._learnt()

    def __setstate__(self, sigmoid):
        self._waiting, self._otherwise, self._sigmoid, self._lock = None, None, sigmoid, Lock()


def _copied(values):
    return values.copy() if hasattr(values, "copy") else copy.copy(values)


def _out_of_fold_sigmoid(model, classes, X, y, fit_params):
    codes = np.searchsorted(classes, y)
    cv = StratifiedKFold(min(FOLDS, np.bincount(codes).min()), shuffle=True, random_state=0)
    decoder = decoding(asking_for_weights(model), classes)
    proba = cross_val_predict(decoder, X, codes, cv=cv, method="predict_proba", params=fit_params)
    return Sigmoid(proba, codes, fit_params.get("sample_weight"))
