"""Imbalance strategies: what `imbalance_search_space` offers, as branches of a candidate's space, and back."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from skauto.automl._types import Branch, Estimator, Values
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._resampling_classifier import ResamplingClassifier
from skauto.resample._search_space import (
    OVER,
    UNDER,
    class_weight_parameter,
    imbalance_search_space,
)

NONE = "none"

# The strategy that is a parameter of the classifier.
CLASS_WEIGHT = "class_weight"
SAMPLERS = {cls.__name__: cls for cls in (*OVER, *UNDER)}

# Names of all imbalance strategies, that which leaves the classes as they are first.
NAMES = (NONE, CLASS_WEIGHT, *SAMPLERS)

# Groups of imbalance strategies, of which a candidate takes some beside leaving the classes as they are. Of series and
# images rows are repeated alone: what lies between two of them is no series and no image.
WEIGHTS = (CLASS_WEIGHT,)
OVER_SAMPLERS = tuple(cls.__name__ for cls in OVER)
UNDER_SAMPLERS = tuple(cls.__name__ for cls in UNDER)
REPEATED = ("RandomOverSampler",)

# Before the names of a strategy's settings: "imbalance__sampling_strategy".
PREFIX = "imbalance__"
WEIGHT = PREFIX + "class_weight"


def imbalance_strategies(y: np.ndarray) -> dict[str, Branch]:
    """What there is to try against the imbalance of y.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels of a training fold, as codes.

    Returns
    -------
    strategies : dict
        By the name of a strategy, "none" first, its part of a space: {"imbalance": [name]} and lists of settings.
    """
    strategies: dict[str, Branch] = {}
    # A candidate says itself whether it takes weights.
    for entry in imbalance_search_space(y, LogisticRegression()):
        sampler = entry["sampler"][0]
        settings = {
            PREFIX + key.split("__")[1]: values
            for key, values in entry.items()
            if "__" in key
        }
        name = (
            CLASS_WEIGHT
            if WEIGHT in settings
            else NONE
            if sampler is None
            else type(sampler).__name__
        )
        strategies[name] = {"imbalance": [name], **settings}
    return strategies


def separated(values: Values) -> tuple[Values, Values]:
    """The values of a configuration that are a candidate's own, and those of its imbalance strategy."""
    own = {
        name: value
        for name, value in values.items()
        if not name.startswith("imbalance")
    }
    return own, {name: value for name, value in values.items() if name not in own}


def with_imbalance_strategy(
    classifier: Estimator, strategy: Values, seed: int
) -> Estimator:
    """The classifier under an imbalance strategy; probabilities stay those of the unresampled distribution.

    Parameters
    ----------
    classifier : classifier
    strategy : dict
        "imbalance" and the settings of this strategy; those left out are the defaults.
    seed : int
    """
    name = strategy.get("imbalance", NONE)
    if name == NONE:
        return classifier
    if name == CLASS_WEIGHT:
        return PriorCorrectedClassifier(
            _weighted(classifier, strategy.get(WEIGHT, "balanced"))
        )
    settings = {
        key.removeprefix(PREFIX): value
        for key, value in strategy.items()
        if key != "imbalance"
    }
    # calibration would take more fits, and moves neither a ranking nor a decision at a tuned threshold
    sampler = SAMPLERS[name](**settings, random_state=seed)
    return ResamplingClassifier(classifier, sampler, prior_correction="bayes")


def _weighted(classifier: Estimator, class_weight: str | dict[Any, float]) -> Estimator:
    name, by_label = class_weight_parameter(classifier)
    weights: dict[Any, Any] = {name: class_weight if by_label else "balanced"}
    return classifier.set_params(**weights)


def with_labels(values: Values, labels: np.ndarray) -> Values:
    """The values of a configuration with class weights by label, which the search knows by code."""
    weight = values.get(WEIGHT)
    if not isinstance(weight, dict):
        return values
    names = labels.tolist()
    return {
        **values,
        WEIGHT: {names[code]: fraction for code, fraction in weight.items()},
    }
