"""What is inside a fitted classifier: the shares of the classes its probabilities speak of, and a rule of its own."""

import warnings

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
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.resample._targets import targets
from skauto.resample._wrapped import WrappedClassifier

THRESHOLDS = (FixedThresholdClassifier, TunedThresholdClassifierCV, MulticlassFixedThresholdClassifier)
# Their probabilities are those of the one classifier inside, which sees the labels as they are; so are those of classes
# that say it of themselves, by `passes_on`.
PASS_ON = (*THRESHOLDS, BaseSearchCV, WrappedClassifier)
# Their probabilities are a mean over classifiers, which see codes.
MEANS = (BaggingClassifier, VotingClassifier)
# These balance the weighted counts of the classes; others balance the plain counts, then multiply by the weights.
BALANCES_WEIGHTS = (LogisticRegression, LinearSVC, RandomForestClassifier, ExtraTreesClassifier)

# These choose rows by where they lie, so they change the shape of the classes and not only their shares.
CLEANERS = (BaseCleaningSampler, SMOTEENN, SMOTETomek, NearMiss, InstanceHardnessThreshold)
COUNTED = ("over-sampling", "under-sampling")

BALANCED = ("balanced", "balanced_subsample")
# LightGBM's parameters about the two classes, by all their names.
UNBALANCED = ("is_unbalance", "unbalance", "unbalanced_sets")
POSITIVE_SHARE = ("pos_bagging_fraction", "pos_sub_row", "pos_subsample", "pos_bagging")
NEGATIVE_SHARE = ("neg_bagging_fraction", "neg_sub_row", "neg_subsample", "neg_bagging")
BAGGING = ("bagging_freq", "subsample_freq")
WEIGHTS = ("class_weight", "scale_pos_weight", *UNBALANCED)


def thawed(model):
    """The estimator inside a FrozenEstimator, or the one given."""
    return model.estimator if isinstance(model, FrozenEstimator) else model


def passes_on(model):
    """Whether the probabilities of a classifier are those of the one inside, which sees the labels as they are."""
    return isinstance(model, PASS_ON) or getattr(model, "passes_on", False)


def within(model):
    """The fitted classifier whose probabilities, moved or not, a fitted one gives as its own; None if there is none."""
    model = thawed(model)
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    if isinstance(model, StackingClassifier):
        return model.final_estimator_
    if passes_on(model):
        return getattr(model, "best_estimator_", getattr(model, "estimator_", None))
    return None


def trained_priors(model, y, classes, sample_weight=None):
    """The shares of the classes that the probabilities of a fitted classifier speak of.

    Read are `class_weight` ("balanced", "balanced_subsample", a dict), LightGBM's and XGBoost's `scale_pos_weight`,
    LightGBM's `is_unbalance` and `pos_bagging_fraction`/`neg_bagging_fraction`, the balanced ensembles of
    imbalanced-learn (`sampling_strategy`), and what a classifier of skauto.resample says of itself; also within
    Pipelines, searches, thresholds, bagging and voting. Calibrated probabilities are those of y.

    Parameters
    ----------
    model : fitted classifier
    y : array-like of shape (n,)
        The labels it was fitted on.
    classes : array of shape (n_classes,)
        The classes, in the order of the answer.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    priors : ndarray of shape (n_classes,)
        Shares that sum to 1.
    """
    of_class = np.asarray(y) == np.asarray(classes)[:, None]
    counts = of_class.sum(axis=1).astype(float)
    masses = counts if sample_weight is None else of_class @ np.asarray(sample_weight, dtype=float)
    return _priors(model, np.asarray(classes), counts, masses)


def _priors(model, classes, counts, masses):
    """As trained_priors, from rows of each class and what they weigh."""
    model = thawed(model)
    if isinstance(model, CalibratedClassifierCV):
        return masses / masses.sum()
    if hasattr(model, "trained_priors_"):
        moved_back = getattr(model, "prior_correction", True)
        return model.natural_priors_ if moved_back else model.trained_priors_
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
        shares = _mean_priors(model, "sampling_strategy" in params, counts, masses)
    elif inner is not None:
        seen = np.arange(len(classes)) if isinstance(model, StackingClassifier) else classes  # that one encodes y
        shares = _priors(inner, seen, counts, masses)
    else:
        shares = masses
    shares = shares * _class_weights(model, params.get("class_weight"), classes, counts, masses)
    if len(classes) == 2:
        shares = shares * _binary_weights(params, counts)
    return shares / shares.sum()


def _mean_priors(model, balanced, counts, masses):
    """The mean over the classifiers of an ensemble; those of a draw that lacks a class are left out."""
    members = [
        member.steps[-1][1] if balanced and isinstance(member, Pipeline) else member for member in model.estimators_
    ]
    codes = np.arange(len(counts))
    whole = [len(getattr(member, "classes_", codes)) == len(codes) for member in members]
    shares = [
        _priors(member, codes, counts, masses) for member, complete in zip(members, whole, strict=True) if complete
    ]
    weights = getattr(model, "weights", None)
    if weights is not None:
        kept = [weight for (_, member), weight in zip(model.estimators, weights, strict=True) if member != "drop"]
        weights = np.asarray(kept)[whole]
    return np.average(shares, axis=0, weights=weights) if shares else masses


def _class_weights(model, given, classes, counts, masses):
    if isinstance(given, dict):
        return np.array([given.get(label, 1.0) for label in classes.tolist()], dtype=float)
    if isinstance(given, str) and given in BALANCED:
        seen = masses if isinstance(model, BALANCES_WEIGHTS) else counts
        return np.divide(1.0, seen, out=np.ones(len(seen)), where=seen > 0)
    return np.ones(len(classes))


def _binary_weights(params, counts):
    """What boosters multiply the two classes by; the second class is the positive one."""
    weights = np.array([1.0, params.get("scale_pos_weight") or 1.0])
    if _first(params, UNBALANCED):
        weights = weights / np.maximum(counts, 1)
    if _first(params, BAGGING):
        fractions = [_first(params, names) for names in (NEGATIVE_SHARE, POSITIVE_SHARE)]
        weights = weights * [1.0 if fraction is None else fraction for fraction in fractions]
    return weights


def _first(params, names):
    return next((params[name] for name in names if params.get(name) is not None), None)


def counted(sampler):
    """The kind of a sampler whose rows of each class can be told in advance, else None."""
    kind = getattr(sampler, "_sampling_type", None)
    return kind if kind in COUNTED else None


def counts_after(sampler, classes, counts):
    """Rows of each class after a sampler, (n_classes,), where that can be told in advance, else None."""
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


def unread_weights(model):
    """Names of parameters within a fitted classifier that weigh classes in a way that trained_priors cannot read."""
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


def rule_within(model):
    """The classifier within a fitted one whose predict is a rule of its own, not the most probable class, or None."""
    while model is not None:
        if isinstance(model, THRESHOLDS) or getattr(model, "decides_by_rule", False):
            return model
        model = within(model)
    return None


def warn_of_losses(outer, model, moved, readable=False):
    """Say what a classifier that corrects priors cannot do for the fitted one inside it.

    Parameters
    ----------
    outer : classifier
        The one that corrects.
    model : fitted classifier
    moved : bool
        Whether its most probable class takes the place of the decisions of the model.
    readable : bool, default=False
        Whether the shares that the model speaks of were given, and need not be read.

    Warns
    -----
    UserWarning
        If class weights within the model are not read, and if its rule of decision is not used.
    """
    names = type(outer).__name__, type(model).__name__
    unread = [] if readable else unread_weights(model)
    if unread:
        warnings.warn(
            f"{names[0]}(estimator={names[1]}(...)) cannot read of which shares of the classes the probabilities speak "
            f"after {', '.join(unread)}, and does not correct them for it: put CalibratedClassifierCV around the "
            "estimator, or PriorCorrectedClassifier with trained_priors=.",
            UserWarning,
            stacklevel=3,
        )
    rule = rule_within(model) if moved else None
    if rule is not None:
        rule = type(rule).__name__
        warnings.warn(
            f"{names[0]}(estimator={names[1]}(...), decision='unresampled') does not use the rule by which {rule} "
            "decides: that is for the classes as they were weighted or resampled, and predict takes the most probable "
            f"class. Put the rule outside, {rule}({names[0]}(...)), or choose decision='resampled'.",
            UserWarning,
            stacklevel=3,
        )
