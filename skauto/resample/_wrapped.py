"""What every classifier around one other classifier shares: input checks, tags, names of columns."""

from collections.abc import Callable
from inspect import Parameter, signature
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skauto._sklearn import BaseSearchCV
from skauto._telling import warn


def fitted_has(name: str) -> Callable[[Any], bool]:
    """A check for available_if: the inner estimator (fitted if it is) has this method or attribute."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


def checked_target(X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """The labels as a plain column and their sorted classes, two at least.

    Raises
    ------
    ValueError
        If y is not as long as X, is continuous, has several outputs, or holds one class only.
    """
    if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
        raise ValueError("Multilabel and multioutput targets are not supported.")
    check_consistent_length(X, y)
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    classes = np.unique(y)
    if len(classes) < 2:
        found = f"1 class: {classes[0]!r}" if len(classes) else "0 rows"
        raise ValueError(f"The number of classes has to be greater than one; y holds {found}.")
    return y, classes


def checked_weight(sample_weight: Any, y: Any) -> np.ndarray:
    """The weights as a column of floats, one for each label; a number stands for all of them.

    Raises
    ------
    ValueError
        If sample_weight is not one finite number for each row.
    """
    if isinstance(sample_weight, Real):
        return np.full(len(y), sample_weight, dtype=float)
    weight = check_array(sample_weight, ensure_2d=False, dtype=[np.float64, np.float32], input_name="sample_weight")
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weight.ndim}D array.")
    check_consistent_length(weight, y)
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def of_rows(value: Any, n: int) -> bool:
    """Whether a fit parameter is an array with one entry for each of the n rows."""
    return not isinstance(value, (str, bytes, dict)) and hasattr(value, "__len__") and len(value) == n


def weight_target(estimator: Any) -> tuple[str, Any]:
    """The fit parameter by which weights reach the deciding classifier, and that classifier.

    A Pipeline hands weights to its last step by name; searches hand on what they are given.
    """
    if isinstance(estimator, Pipeline):
        step, last = estimator.steps[-1]
        name, taker = weight_target(last)
        return f"{step}__{name}", taker
    if isinstance(estimator, WrappedClassifier):
        return "sample_weight", weight_target(estimator._base())[1]
    if isinstance(estimator, (BaseSearchCV, FrozenEstimator)):
        return weight_target(estimator.estimator)
    return "sample_weight", estimator


def takes_weights(estimator: Any) -> bool:
    """Whether weights reach the classifier that decides."""
    if get_config()["enable_metadata_routing"]:
        return True  # its requests say where they go
    taker = weight_target(estimator)[1]
    parameters = signature(taker.fit).parameters
    takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
    # what scikit-learn wraps around one classifier (a threshold, one-vs-rest) takes any parameter, to refuse it
    return "sample_weight" in parameters or (takes_any and not hasattr(taker, "estimator"))


def weights_placed(estimator: Any, fit_params: dict[str, Any]) -> dict[str, Any]:
    """The fit parameters with `sample_weight` where the estimator takes it: in a Pipeline at its last step.

    Raises
    ------
    ValueError
        If weights are given and the classifier that decides takes none.
    """
    if fit_params.get("sample_weight") is None or get_config()["enable_metadata_routing"]:
        return fit_params
    name, taker = weight_target(estimator)
    if not takes_weights(estimator):
        where = "" if taker is estimator else f", which {type(estimator).__name__} hands its weights to,"
        raise ValueError(
            f"sample_weight: {type(taker).__name__}{where} takes none in fit, so rows cannot be weighted. Use a "
            "classifier that takes sample_weight (thresholds and one-vs-rest of scikit-learn do so with "
            "enable_metadata_routing), or leave the weights out; of costs 'minimum_expected_cost' and "
            "'rejection_sampling' need none."
        )
    others = {key: value for key, value in fit_params.items() if key != "sample_weight"}
    return {**others, name: fit_params["sample_weight"]}


class WrappedClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier around `estimator`, which after fit holds the fitted one as `estimator_`."""

    def _inner(self):
        """A fresh copy of the inner estimator; the one given is never changed."""
        if not hasattr(self.estimator, "fit"):
            raise TypeError(f"estimator={self.estimator!r} has no fit method: give an unfitted classifier.")
        return clone(self.estimator)

    def _base(self):
        """The inner estimator as given; a subclass that allows None says here what stands for it."""
        return self.estimator

    @property
    def n_features_in_(self) -> int:
        """Number of columns seen in fit, where the inner estimator counts them."""
        check_is_fitted(self)
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns seen in fit, where the inner estimator keeps them."""
        check_is_fitted(self)
        return self.estimator_.feature_names_in_

    @available_if(fitted_has("predict_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities, (n, n_classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _routed(self, fit_params):
        """The fit parameters meant for the inner estimator: all, or with metadata routing those it requested."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **fit_params).estimator.fit
        return fit_params

    def get_metadata_routing(self) -> MetadataRouter:
        """Routing of metadata: what `fit` gets is for the estimator, and `sample_weight` for both."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._base())
        tags.input_tags = inner.input_tags
        tags.input_tags.pairwise = False
        tags.non_deterministic = inner.non_deterministic
        if inner.classifier_tags is not None:
            tags.classifier_tags = inner.classifier_tags
            tags.classifier_tags.multi_label = False
        return tags


class DecodingClassifier(WrappedClassifier):
    """Gives the classifier inside labels where scikit-learn gives it codes.

    `cross_val_predict`, and with it `CalibratedClassifierCV`, encodes y; but class weights, targets of samplers, costs
    and positive labels inside are by label.

    Parameters
    ----------
    estimator : classifier
    labels : ndarray of shape (n_classes,)
        All labels, sorted.
    """

    def __init__(self, estimator: Any, labels: np.ndarray) -> None:
        self.estimator = estimator
        self.labels = labels

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit on labels, whether y holds all of these or codes."""
        self.classes_ = np.unique(y)
        labels = y if np.array_equal(self.classes_, self.labels) else self.labels[y]
        if sample_weight is not None and takes_weights(self.estimator):
            fit_params["sample_weight"] = sample_weight
        elif sample_weight is not None:
            taker = type(weight_target(self.estimator)[1]).__name__
            warn(f"sample_weight: {taker} takes none in fit, so only the calibration uses it.")
        self.estimator_ = self._inner().fit(X, labels, **weights_placed(self.estimator, self._routed(fit_params)))
        return self

    @available_if(fitted_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities as the estimator gives them."""
        return self.estimator_.predict_proba(X)

    @available_if(fitted_has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Scores as the estimator gives them."""
        return self.estimator_.decision_function(X)

    def predict(self, X: Any) -> np.ndarray:
        """The estimator's decisions, as y was given in fit."""
        return self.classes_[np.searchsorted(self.estimator_.classes_, self.estimator_.predict(X))]


def asking_for_weights(model: Any) -> Any:
    """The model, asking for `sample_weight` where metadata is routed."""
    return model.set_fit_request(sample_weight=True) if get_config()["enable_metadata_routing"] else model


def decoding(model: Any, labels: np.ndarray) -> Any:
    """The model in a DecodingClassifier that asks for `sample_weight`."""
    return asking_for_weights(DecodingClassifier(model, labels))
