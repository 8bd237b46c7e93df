"""Scorers that suit the labels: a positive class where labels are names, one error where no scorer would do."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    d2_brier_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    jaccard_score,
    make_scorer,
    precision_score,
    recall_score,
)
from sklearn.utils.multiclass import type_of_target

from skauto._sklearn import MultimetricScorer
from skauto.inputs._closest import did_you_mean
from skauto.search._sandbox import attempt
from skauto.search._types import Data, Estimator

PROBABILITY = {"response_method": "predict_proba"}
# Scorers by name that need to know the positive class of two.
OF_ONE_CLASS: dict[str | None, tuple[Callable[..., Any], dict[str, Any]]] = {
    "f1": (f1_score, {}),
    "precision": (precision_score, {}),
    "recall": (recall_score, {}),
    "jaccard": (jaccard_score, {}),
    "average_precision": (average_precision_score, {"response_method": ("decision_function", "predict_proba")}),
    "neg_brier_score": (brier_score_loss, {"greater_is_better": False, **PROBABILITY}),
    "d2_brier_score": (d2_brier_score, PROBABILITY),
}
# What to write instead where there are more than two classes.
OF_MANY_CLASSES: dict[str | None, str] = {
    "f1": "f1_macro", "precision": "precision_macro", "recall": "recall_macro", "jaccard": "jaccard_macro",
    "roc_auc": "roc_auc_ovr",
}  # fmt: skip

# What to write instead of a goal that AutoClassifier knows by its name.
OF_A_GOAL = (
    "; for a goal under a bound give make_scorer(skauto.resample.constrained_score, response_method='predict_proba', "
    "goal='recall_at_precision>=0.9')"
)


def check_names(scoring: Any, refit: Any, choices: tuple[str, ...]) -> None:
    """Refuse names that mean nothing, with the likely fix.

    Parameters
    ----------
    scoring : object
        Of a search: a name is looked up, alone or in a list, tuple, set or dict.
    refit : object
        A near miss of one of `choices` is refused; other names may be those of scores.
    choices : tuple of str

    Raises
    ------
    ValueError
    """
    several = isinstance(scoring, (dict, list, tuple, set))
    given = list(scoring.values() if isinstance(scoring, dict) else scoring) if several else [scoring]
    known = get_scorer_names()
    for name in given:
        if isinstance(name, str) and name not in known:
            begin_alike = [one for one in known if one.startswith(name[:1])]
            hint = did_you_mean(name, known, most=3) or did_you_mean(name, begin_alike, most=3, alike=0)
            hint = OF_A_GOAL if "_at_" in name else hint or "; see get_scorer_names()"
            raise ValueError(f"scoring={scoring!r}: {name!r} is no scorer of scikit-learn{hint}")
    if isinstance(refit, str) and refit not in choices and not several:
        hint = did_you_mean(refit, choices)
        if hint:
            raise ValueError(f"refit={refit!r} is not known{hint}")


class OwnScorer:
    """A function of (estimator, X, y) among several scorers, each of which scikit-learn asks whether it takes weights.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, estimator: Estimator, *args: Any, **kwargs: Any) -> Any:
        return self.function(estimator, *args, **kwargs)

    def __repr__(self) -> str:
        return repr(self.function)

    def _accept_sample_weight(self) -> bool:
        return "sample_weight" in signature(self.function).parameters


def with_own(scorers: Any) -> Any:
    """Several scorers with the functions among them as `OwnScorer`; a single one as it is."""
    if isinstance(scorers, MultimetricScorer):
        for key, scorer in scorers._scorers.items():
            if not hasattr(scorer, "_accept_sample_weight"):
                scorers._scorers[key] = OwnScorer(scorer)
    return scorers


def as_given(scorers: Any) -> Any:
    """What `scorer_` shows: a dict of several, the functions among them as the user gave them, or the single one."""
    if not isinstance(scorers, MultimetricScorer):
        return scorers
    return {key: one.function if isinstance(one, OwnScorer) else one for key, one in scorers._scorers.items()}


def suited(scorers: Any, scoring: Any, y: Data) -> Any:
    """The scorers of a search of a classifier as its labels need them.

    scikit-learn's "f1" and its kin look for a label 1. Where two classes are called otherwise, the rarer one is
    positive, the greater label on a tie; labels with a 1 keep scikit-learn's meaning.

    Parameters
    ----------
    scorers : callable
        As `BaseSearchCV` makes them of `scoring`.
    scoring : str, callable, list, tuple, dict or None
    y : array-like

    Returns
    -------
    scorers : callable

    Raises
    ------
    ValueError
        Before any fit, if a scorer cannot score these labels; the message says what would.
    """
    named = scorers._scorers if isinstance(scorers, MultimetricScorer) else {"score": scorers}
    for key, scorer in named.items():
        name = _name_of(scoring, key)
        error = _trouble(scorer, y)
        if error is None:
            continue
        if name in OF_ONE_CLASS and type_of_target(y) == "binary":
            metric, settings = OF_ONE_CLASS[name]
            named[key] = make_scorer(metric, pos_label=rarer_class(y), **settings)
        else:
            raise ValueError(_message(name, key, error, y)) from error
    return scorers if isinstance(scorers, MultimetricScorer) else named["score"]


def rarer_class(y: Data) -> Any:
    """The label of the rarer of two classes, the greater one on a tie."""
    labels, counts = np.unique(np.asarray(y), return_counts=True)
    return labels[0] if counts[0] < counts[1] else labels[1]


def _name_of(scoring: Any, key: str) -> str | None:
    """The name that the user gave for a scorer, None for an object."""
    if isinstance(scoring, dict):
        scoring = scoring[key]
    elif isinstance(scoring, (list, tuple, set)):
        scoring = key
    return scoring if isinstance(scoring, str) else None


def _trouble(scorer: Any, y: Data) -> ValueError | None:
    """The error with which a scorer of scikit-learn refuses any classifier's answers to these labels, or None."""
    if type(scorer) is not type(get_scorer("accuracy")):
        return None  # of one's own: it may measure the fitted estimator itself
    rows = np.zeros((len(y), 1))
    error = attempt(lambda: scorer(DummyClassifier(strategy="prior").fit(rows, y), rows, y)).error
    return error if isinstance(error, ValueError) else None


def _message(name: str | None, key: str, error: ValueError, y: Data) -> str:
    what = f"scoring={name!r}" if name is not None else f"the scorer {key!r}"
    classes = np.unique(np.asarray(y))
    if type_of_target(y) != "binary" and name in OF_MANY_CLASSES:
        return f"{what} is for two classes, y has {len(classes)}; use {OF_MANY_CLASSES[name]!r}, or make a scorer"
    label = rarer_class(y) if len(classes) == 2 else classes[0]
    label = label.item() if hasattr(label, "item") else label
    return (
        f"{what} cannot score the labels {classes[:5].tolist()}: {error}. Where it needs the positive class, make the "
        f"scorer with it: make_scorer(metric, pos_label={label!r})"
    )
