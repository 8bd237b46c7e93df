"""Inspects a fitted classifier: the class priors that its probabilities assume, and its own decision rule."""

from typing import Any

import numpy as np
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.under_sampling import InstanceHardnessThreshold, NearMiss, RandomUnderSampler
from imblearn.under_sampling.base import BaseCleaningSampler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from skauto._sklearn import BaseSearchCV
from skauto._telling import warn
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.resample._targets import targets
from skauto.resample._wrapped import WrappedClassifier

THRESHOLDS = (FixedThresholdClassifier, TunedThresholdClassifierCV, MulticlassFixedThresholdClassifier)
# Their probabilities are those of the one inner classifier, which sees the labels unchanged. Other classes declare the
# same by an attribute `passes_on`.
PASS_ON = (*THRESHOLDS, BaseSearchCV, WrappedClassifier)
# Their probabilities are a mean over classifiers that are fitted on integer codes.
MEANS = (BaggingClassifier, VotingClassifier)
# These balance the weighted counts of the classes; others balance the plain counts, then multiply by the weights.
BALANCES_WEIGHTS = (LogisticRegression, LinearSVC, RandomForestClassifier, ExtraTreesClassifier)

# These choose rows by their features, so they change the distribution within each class, not only the class fractions.
CLEANERS = (BaseCleaningSampler, SMOTEENN, SMOTETomek, NearMiss, InstanceHardnessThreshold)
COUNTED = ("over-sampling", "under-sampling")

BALANCED = ("balanced", "balanced_subsample")
# LightGBM's parameters about the two classes, by all their names.
UNBALANCED = ("is_unbalance", "unbalance", "unbalanced_sets")
POSITIVE_FRACTION = ("pos_bagging_fraction", "pos_sub_row", "pos_subsample", "pos_bagging")
NEGATIVE_FRACTION = ("neg_bagging_fraction", "neg_sub_row", "neg_subsample", "neg_bagging")
BAGGING = ("bagging_freq", "subsample_freq")
WEIGHTS = ("class_weight", "scale_pos_weight", *UNBALANCED)


def thawed(model: Any) -> Any:
    """The estimator inside a FrozenEstimator, or the one given."""
    return model.estimator if isinstance(model, FrozenEstimator) else model


def passes_on(model: Any) -> bool:
    """Whether a classifier's probabilities are those of its inner classifier, which sees the labels unchanged."""
    return isinstance(model, PASS_ON) or getattr(model, "passes_on", False)


def within(model: Any) -> Any:
    """The inner fitted classifier that the probabilities of `model` come from, corrected or not; else None."""
    model = thawed(model)
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    if isinstance(model, StackingClassifier):
        return model.final_estimator_
    if passes_on(model):
        return getattr(model, "best_estimator_", getattr(model, "estimator_", None))
    return None


def trained_priors(model: Any, y: Any, classes: Any, sample_weight: Any = None) -> np.ndarray:
    """The class priors that the probabilities of a fitted classifier assume.

    Reads `class_weight` ("balanced", "balanced_subsample", a dict), LightGBM's and XGBoost's `scale_pos_weight`,
    LightGBM's `is_unbalance` and `pos_bagging_fraction`/`neg_bagging_fraction`, the balanced ensembles of
    imbalanced-learn (`sampling_strategy`), and the fitted attributes of skauto.resample's classifiers; also within
    Pipelines, searches, thresholds, bagging and voting. Calibrated probabilities assume the priors of y.

    Parameters
    ----------
    model : fitted classifier
    y : array-like of shape (n,)
        The labels it was fitted on.
    classes : array of shape (n_classes,)
        The classes, in the order of the result.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    priors : ndarray of shape (n_classes,)
        Fractions that sum to 1.
    """
    of_class = np.asarray(y) == np.asarray(classes)[:, None]
    counts = of_class.sum(axis=1).astype(float)
    masses = counts if sample_weight is None else of_class @ np.asarray(sample_weight, dtype=float)
    return _priors(model, np.asarray(classes), counts, masses)


def _priors(model, classes, counts, masses):
    """As trained_priors, from the row counts and the weight sums of the classes."""
    model = thawed(model)
    if isinstance(model, CalibratedClassifierCV):
        return masses / masses.sum()
    if hasattr(model, "trained_priors_"):
        corrected = getattr(model, "prior_correction", True)
        return model.original_priors_ if corrected else model.trained_priors_
    if isinstance(model, Pipeline):
        for _, step in model.steps[:-1]:
            growth = _growth(step, classes, counts)
            counts, masses = counts * growth, masses * growth
        return _priors(model.steps[-1][1], classes, counts, masses)
    params = model.get_params(deep=False)
    if "sampling_strategy" in params:
        growth = _growth_of_bags(params, classes, counts)
        counts, masses = counts * growth, masses * growth
    inner = within(model)
    if isinstance(model, MEANS):
        priors = _mean_priors(model, "sampling_strategy" in params, counts, masses)
    elif inner is not None:
        seen = np.arange(len(classes)) if isinstance(model, StackingClassifier) else classes  # it encodes y
        priors = _priors(inner, seen, counts, masses)
    else:
        priors = masses
    priors = priors * _class_weights(model, params.get("class_weight"), classes, counts, masses)
    if len(classes) == 2:
        priors = priors * _binary_weights(params, counts)
    return priors / priors.sum()


def _mean_priors(model, balanced, counts, masses):
    """The mean over the classifiers of an ensemble; members whose sample lacked a class are left out."""
    members = [
        member.steps[-1][1] if balanced and isinstance(member, Pipeline) else member for member in model.estimators_
    ]
    codes = np.arange(len(counts))
    whole = [len(getattr(member, "classes_", codes)) == len(codes) for member in members]
    priors = [
        _priors(member, codes, counts, masses) for member, complete in zip(members, whole, strict=True) if complete
    ]
    weights = getattr(model, "weights", None)
    if weights is not None:
        kept = [weight for (_, member), weight in zip(model.estimators, weights, strict=True) if member != "drop"]
        weights = np.asarray(kept)[whole]
    return np.average(priors, axis=0, weights=weights) if priors else masses


def _class_weights(model, given, classes, counts, masses):
    if isinstance(given, dict):
        return np.array([given.get(label, 1.0) for label in classes.tolist()], dtype=float)
    if isinstance(given, str) and given in BALANCED:
        seen = masses if isinstance(model, BALANCES_WEIGHTS) else counts
        return np.divide(1.0, seen, out=np.ones(len(seen)), where=seen > 0)
    return np.ones(len(classes))


def _binary_weights(params, counts):
    """The factors by which boosters weight the two classes; the second class is the positive one."""
    weights = np.array([1.0, params.get("scale_pos_weight") or 1.0])
    if _first(params, UNBALANCED):
        weights = weights / np.maximum(counts, 1)
    if _first(params, BAGGING):
        fractions = [_first(params, names) for names in (NEGATIVE_FRACTION, POSITIVE_FRACTION)]
        weights = weights * [1.0 if fraction is None else fraction for fraction in fractions]
    return weights


def _first(params, names):
    return next((params[name] for name in names if params.get(name) is not None), None)


def counted(sampler: Any) -> str | None:
    """The kind of a sampler whose class counts are known in advance, else None."""
    kind = getattr(sampler, "_sampling_type", None)
    return kind if kind in COUNTED else None


def counts_after(sampler: Any, classes: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """Rows of each class after a sampler, (n_classes,), where they are known in advance, else None."""
    kind = counted(sampler)
    if kind is None:
        return None
    wanted = targets(sampler.sampling_strategy, np.repeat(classes, counts.astype(int)), kind, [])
    given = [wanted.get(label) for label in classes.tolist()]
    old = counts if kind == "under-sampling" else np.zeros(len(counts))
    after = np.array([then if new is None else new for new, then in zip(given, old, strict=True)], dtype=float)
    return after if kind == "under-sampling" else counts + after


def _growth(step, classes, counts):
    """By how much a step of a Pipeline multiplies the rows of each class."""
    after = counts_after(step, classes, counts)
    return np.ones(len(counts)) if after is None else after / np.maximum(counts, 1)


def _growth_of_bags(params, classes, counts):
    """By how much the bags of a balanced ensemble of imbalanced-learn multiply the rows of each class."""
    sampler = params.get("sampler") or RandomUnderSampler()
    if not hasattr(sampler, "sampling_strategy"):
        return np.ones(len(counts))
    return _growth(type(sampler)(sampling_strategy=params["sampling_strategy"]), classes, counts)


def unread_weights(model: Any) -> list[str]:
    """Names of inner parameters that weight classes in a way that trained_priors cannot read."""
    model = thawed(model)
    if isinstance(model, CalibratedClassifierCV) or hasattr(model, "trained_priors_"):
        return []
    own = model.get_params(deep=False).get("class_weight")
    found = [f"class_weight={own!r}"] if isinstance(own, str) and own not in BALANCED else []
    if isinstance(model, Pipeline):
        samplers = [step for _, step in model.steps[:-1] if hasattr(step, "fit_resample")]
        found += [repr(step) for step in samplers if isinstance(step, CLEANERS) or counted(step) is None]
    inner = within(model)
    members = [inner] if inner is not None else model.estimators_ if isinstance(model, MEANS) else []
    if members:
        return found + [name for member in members[:1] for name in unread_weights(member)]
    nested = {name: value for name, value in model.get_params().items() if "__" in name}
    return found + [
        f"{name}={value!r}"
        for name, value in nested.items()
        if name.split("__")[-1] in WEIGHTS and value not in (None, False, 1, 1.0)
    ]


def rule_within(model: Any) -> Any:
    """The inner classifier that predicts by its own decision rule, not the most probable class; else None."""
    while model is not None:
        if isinstance(model, THRESHOLDS) or getattr(model, "decides_by_rule", False):
            return model
        model = within(model)
    return None


def warn_of_losses(outer: Any, model: Any, moved: bool, readable: bool = False) -> None:
    """Warn of what a prior-correcting classifier cannot do for the fitted classifier inside it.

    Parameters
    ----------
    outer : classifier
        The one that corrects the priors.
    model : fitted classifier
    moved : bool
        Whether the most probable class replaces the decisions of the model.
    readable : bool, default=False
        Whether the priors that the model assumes were given, so that they need not be read.

    Warns
    -----
    UserWarning
        If class weights within the model are not read, and if its rule of decision is not used.
    """
    names = type(outer).__name__, type(model).__name__
    unread = [] if readable else unread_weights(model)
    if unread:
        warn(
            f"{names[0]}(estimator={names[1]}(...)) cannot read which class fractions the probabilities assume "
            f"after {', '.join(unread)}, and does not correct them for it: put CalibratedClassifierCV around the "
            "estimator, or PriorCorrectedClassifier with trained_priors=.",
        )
    rule = rule_within(model) if moved else None
    if rule is not None:
        rule = type(rule).__name__
        warn(
            f"{names[0]}(estimator={names[1]}(...), decision='unresampled') does not use the rule by which {rule} "
            "decides: it was tuned for the weighted or resampled classes, and predict takes the most probable "
            f"class. Put the rule outside, {rule}({names[0]}(...)), or choose decision='resampled'.",
        )
