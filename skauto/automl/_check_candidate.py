"""Checks of a candidate: what could not be tried is refused where it is made."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import cloudpickle
from sklearn.base import BaseEstimator, clone, is_classifier

from skauto.automl._imbalance import NAMES, NONE
from skauto.automl._types import Branch, Estimator, Values
from skauto.inputs._closest import did_you_mean
from skauto.search._sandbox import attempt
from skauto.search._space import Space

# Names that a candidate may not have: rows of the leaderboard and words of `candidates`.
RESERVED = ("auto", "ensemble", "quick_model", "class_frequencies")

# Imbalance strategies that a candidate may name.
STRATEGIES = [name for name in NAMES if name != NONE]


class Checked(Protocol):
    """What is checked of a Candidate, which imports this file."""

    @property
    def name(self) -> str: ...

    @property
    def estimator(self) -> Estimator: ...

    @property
    def initial(self) -> Sequence[Values]: ...

    @property
    def defaults(self) -> Mapping[str, Any]: ...

    @property
    def prepare(self) -> object: ...

    @property
    def weight(self) -> float: ...

    def branches(self) -> list[Branch]: ...

    def own_fidelity(self) -> object: ...


def _require(holds: object, error: type[Exception], message: str) -> None:
    """Raise an error where a condition does not hold."""
    if not holds:
        raise error(message)


def check_own(candidate: Checked) -> None:
    """Raise where a user's candidate could not be tried."""
    _check_name(candidate.name)
    this = f"Candidate({candidate.name!r})"
    _check_estimator(candidate.estimator, this)
    _check_space(candidate, this)
    _require(
        isinstance(candidate.prepare, bool),
        TypeError,
        f"prepare={candidate.prepare!r} of {this} must be True or False",
    )
    _require(
        candidate.weight > 0,
        ValueError,
        f"weight={candidate.weight!r} of {this} must be above 0",
    )
    made = attempt(cloudpickle.dumps, candidate.estimator)
    if made.error is not None:
        raise TypeError(
            f"estimator of {this} cannot be pickled, so no worker can have it: "
            f"{made.reason}"
        ) from made.error


def _check_name(name: object) -> None:
    usable = isinstance(name, str) and name and not name.startswith("-")
    _require(
        usable and name not in RESERVED,
        ValueError,
        f"name={name!r} of a Candidate must be a text that is none of "
        f"{', '.join(map(repr, RESERVED))} and does not begin with '-'",
    )


def _check_estimator(estimator: object, this: str) -> None:
    _require(
        not isinstance(estimator, type),
        TypeError,
        f"estimator of {this} must be a classifier, got the class "
        f"{getattr(estimator, '__name__', '')}",
    )
    _require(
        isinstance(estimator, BaseEstimator) and is_classifier(estimator),
        TypeError,
        f"estimator of {this} must be a classifier, got {repr(estimator)[:60]}",
    )
    _require(
        hasattr(estimator, "predict_proba"),
        TypeError,
        f"estimator of {this} has no predict_proba, which thresholds and ensembles "
        "need: put it into sklearn.calibration.CalibratedClassifierCV, or switch its "
        "probabilities on",
    )


def _check_space(candidate: Checked, this: str) -> None:
    """Raise where the space, the fidelity or a configuration does not fit the estimator."""
    branches, known = candidate.branches(), candidate.estimator.get_params()
    for parameter in sorted({name for branch in branches for name in branch}):
        _require(
            parameter in known or _can_be_set(candidate.estimator, parameter),
            ValueError,
            f"space of {this} has {parameter!r}, which is no parameter of "
            f"{type(candidate.estimator).__name__}{did_you_mean(parameter, known)}",
        )
        _require(
            not parameter.startswith("imbalance") and parameter != "candidate",
            ValueError,
            f"space of {this} has {parameter!r}: such names are AutoClassifier's own; "
            "give the step another name",
        )
    Space(branches)
    candidate.own_fidelity()
    for number, changed in enumerate(candidate.initial):
        _require(
            completed(changed, known, branches) is not None,
            ValueError,
            f"initial[{number}]={changed!r} of {this} does not lie in its space; widen "
            "the space or change the configuration",
        )


def _can_be_set(estimator: Any, parameter: str) -> bool:
    """Whether an estimator takes a parameter that it does not list, as skorch does those of a module.

    Nothing else fails for None: values are checked in a fit.
    """
    return (
        attempt(lambda: clone(estimator).set_params(**{parameter: None})).error is None
    )


def check_initial_of_builtin(candidate: Checked) -> None:
    """Raise where an initial configuration of a built-in candidate does not lie in its space."""
    for number, changed in enumerate(candidate.initial):
        _require(
            lies_in({**candidate.defaults, **changed}, candidate.branches()),
            ValueError,
            f"initial[{number}]={changed!r} of Candidate.builtin({candidate.name!r}) "
            "does not lie in its space",
        )


def completed(changed: Values, params: Values, branches: list[Branch]) -> Values | None:
    """A configuration completed by the settings of the estimator, of the first branch that holds it; None of none."""
    whole = {**params, **changed}
    for branch in branches:
        if not changed.keys() <= branch.keys() <= whole.keys():
            continue
        values = {name: whole[name] for name in branch}
        if lies_in(values, [branch]):
            return values
    return None


def lies_in(values: Values, branches: list[Branch]) -> bool:
    """Whether a configuration lies in a space."""
    return attempt(Space(branches).encode, values).error is None


def groups_of(name: str, strategies: Sequence[Any]) -> tuple[tuple[str, ...], ...]:
    """The imbalance strategies of a candidate as groups: those of a user's one are a single group.

    Parameters
    ----------
    name : str
        Of the candidate.
    strategies : sequence of str, or of tuple where they are grouped already
    """
    if not strategies:
        return ()
    _require(
        not isinstance(strategies, str),
        TypeError,
        f"imbalance={strategies!r} of Candidate({name!r}) must be a list of names",
    )
    if all(isinstance(group, tuple) for group in strategies):
        return tuple(strategies)
    for strategy in strategies:
        _require(
            strategy in STRATEGIES,
            ValueError,
            f"imbalance of Candidate({name!r}) has {strategy!r}; known are "
            f"{STRATEGIES}",
        )
    return (tuple(strategies),)
