"""Checks of a candidate: what could not be tried is refused where it is made."""

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from numbers import Real
from typing import Any, Protocol, cast

import cloudpickle
from sklearn.base import BaseEstimator, clone, is_classifier

from skauto.automl._imbalance import CLASS_WEIGHT, NAMES, NONE
from skauto.automl._types import Branch, Estimator, Values
from skauto.inputs._closest import did_you_mean
from skauto.resample._search_space import class_weight_parameter
from skauto.search._sandbox import attempt
from skauto.search._space import Space

# Names that a candidate may not have: rows of the leaderboard and words of `candidates`.
RESERVED = ("auto", "ensemble", "quick_model", "class_frequencies")

# Imbalance strategies that a candidate may name.
STRATEGIES = [name for name in NAMES if name != NONE]

# Parameters of a network of skorch that hold a class, which is given all that follows them in a name.
OF_CLASSES = ("module", "criterion")


class Checked(Protocol):
    """What is checked of a Candidate, which imports this file."""

    @property
    def name(self) -> str: ...

    @property
    def estimator(self) -> Estimator: ...

    @property
    def space(self) -> object: ...

    @property
    def initial(self) -> Sequence[Values]: ...

    @property
    def prepare(self) -> object: ...

    @property
    def weight(self) -> float: ...

    def branches(self) -> list[Branch]: ...

    def own_fidelity(self) -> object: ...


def require_that(holds: object, error: type[Exception], message: str) -> None:
    """Raise an error where a condition does not hold."""
    if not holds:
        raise error(message)


def check_own(candidate: Checked) -> None:
    """Raise where a user's candidate could not be tried."""
    _check_name(candidate.name)
    this = f"Candidate({candidate.name!r})"
    _check_estimator(candidate.estimator, this)
    _check_space(candidate, this)
    require_that(
        isinstance(candidate.prepare, bool),
        TypeError,
        f"prepare={candidate.prepare!r} of {this} must be True or False",
    )
    # A comparison with NaN is false.
    weight: object = candidate.weight
    is_number = isinstance(weight, Real)
    require_that(
        is_number and 0 < candidate.weight < math.inf,
        ValueError if is_number else TypeError,
        f"weight={weight!r} of {this} must be a finite number above 0; 1.0 is as often "
        "as the others",
    )
    check_pickled(candidate.estimator, f"estimator of {this}")
    for branch in candidate.branches():
        check_values_pickled(branch, this)


def check_pickled(value: object, what: str) -> None:
    """Raise where something cannot be sent to a worker."""
    made = attempt(cloudpickle.dumps, value)
    if made.error is not None:
        raise TypeError(
            f"{what} cannot be pickled, so no worker can have it: {made.reason}"
        ) from made.error


def check_values_pickled(branch: Any, this: str) -> None:
    """The same of the values in a part of a space."""
    for parameter, values in branch.items():
        check_pickled(values, f"what the space of {this} has for {parameter!r}")


def read_space(space: Any, this: str) -> Space:
    """The space, or an error that names the candidate."""
    made = attempt(Space, space)
    if made.error is not None:
        kind = TypeError if isinstance(made.error, TypeError) else ValueError
        raise kind(f"space of {this}: {made.error}") from made.error
    return cast(Space, made.value)


def check_initial_form(initial: Any, this: str) -> tuple[Values, ...]:
    """The configurations as a tuple; TypeError where they are no list of dicts."""
    require_that(
        isinstance(initial, list | tuple)
        and all(isinstance(changed, Mapping) for changed in initial),
        TypeError,
        f"initial={initial!r:.60} of {this} must be a list of dicts of parameters with "
        "values; [{}] is one configuration, of the settings as they are",
    )
    return tuple(initial)


def _check_name(name: object) -> None:
    usable = isinstance(name, str) and name and not name.startswith("-")
    require_that(
        usable and name not in RESERVED,
        ValueError,
        f"name={name!r} of a Candidate must be a text that is none of "
        f"{', '.join(map(repr, RESERVED))} and does not begin with '-'",
    )


def _check_estimator(estimator: object, this: str) -> None:
    require_that(
        not isinstance(estimator, type),
        TypeError,
        f"estimator of {this} must be a classifier, got the class "
        f"{getattr(estimator, '__name__', '')}",
    )
    require_that(
        isinstance(estimator, BaseEstimator) and is_classifier(estimator),
        TypeError,
        f"estimator of {this} must be a classifier, got {repr(estimator)[:60]}",
    )
    require_that(
        hasattr(estimator, "predict_proba"),
        TypeError,
        f"estimator of {this} has no predict_proba, which thresholds and ensembles "
        "need: put it into sklearn.calibration.CalibratedClassifierCV, or switch its "
        "probabilities on",
    )


def _check_space(candidate: Checked, this: str) -> None:
    """Raise where the space, the fidelity or a configuration does not fit the estimator."""
    read_space(candidate.space, this)
    check_initial_form(candidate.initial, this)
    branches, known = candidate.branches(), candidate.estimator.get_params()
    for parameter in sorted({name for branch in branches for name in branch}):
        require_that(
            parameter in known or _can_be_set(candidate.estimator, parameter),
            ValueError,
            f"space of {this} has {parameter!r}, which is no parameter of "
            f"{type(candidate.estimator).__name__}{did_you_mean(parameter, known)}",
        )
        require_that(
            not parameter.startswith("imbalance") and parameter != "candidate",
            ValueError,
            f"space of {this} has {parameter!r}: such names are AutoClassifier's own; "
            "give the step another name",
        )
        if parameter not in known:
            _check_of_class(parameter, known, branches, this)
    candidate.own_fidelity()
    for number, changed in enumerate(candidate.initial):
        require_that(
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


def _check_of_class(
    parameter: str, known: Values, branches: list[Branch], this: str
) -> None:
    """Raise where the class of a network's module does not take a parameter that skorch would hand on to it."""
    for owner in known:
        made = known[owner]
        # Where the space chooses the class, another one may take it.
        if _is_class_of_net(owner, made) and owner not in chain(*branches):
            taken = _taken_by(made)
            names = [f"{owner}__{name}" for name in taken]
            require_that(
                not parameter.startswith(f"{owner}__")
                or not taken
                or parameter in names,
                ValueError,
                f"space of {this} has {parameter!r}; of its {owner!r} {made.__name__} "
                f"takes {names}{did_you_mean(parameter, names)}",
            )


def _is_class_of_net(owner: str, made: object) -> bool:
    return owner.rpartition("__")[2] in OF_CLASSES and isinstance(made, type)


def _taken_by(made: type) -> list[str]:
    """Names of the parameters with which a class is made; none where it takes any."""
    signature = attempt(inspect.signature, made).value
    taken = {} if signature is None else dict(signature.parameters)
    anything = any(taken[name].kind == inspect.Parameter.VAR_KEYWORD for name in taken)
    return [] if anything else list(taken)


def completed(changed: Values, params: Values, branches: list[Branch]) -> Values | None:
    """A configuration completed by the settings of the estimator, of the first branch that holds it; None of none."""
    whole = {**params, **changed}
    for branch in branches:
        if not changed.keys() <= branch.keys() <= whole.keys():
            continue
        values = {name: whole[name] for name in branch}
        if attempt(Space(branch).encode, values).error is None:
            return values
    return None


def groups_of(where: str, strategies: Any) -> tuple[tuple[str, ...], ...]:
    """The imbalance strategies of a candidate as groups: those of a user's one are a single group.

    Parameters
    ----------
    where : str
        What they are of, for messages.
    strategies : sequence of str, or of tuple where they are grouped already
    """
    given = () if strategies is None else strategies
    require_that(
        isinstance(given, Iterable) and not isinstance(given, str | Mapping),
        TypeError,
        f"{where} must be a list of names, got {given!r:.60}",
    )
    given = tuple(given)
    grouped = all(isinstance(group, tuple) for group in given)
    groups = given if grouped else (given,)
    for strategy in chain.from_iterable(groups):
        require_that(
            strategy in STRATEGIES,
            ValueError,
            f"{where} has {strategy!r}; known are {STRATEGIES}"
            f"{did_you_mean(strategy, STRATEGIES)}",
        )
    return groups


def check_class_weight(
    estimators: Iterable[Estimator], groups: Iterable[Iterable[str]], where: str
) -> None:
    """Raise where class weights are a strategy of a candidate, and none of its estimators has them."""
    tried = list(estimators)
    named = CLASS_WEIGHT in chain.from_iterable(groups)
    require_that(
        not named or any(map(_has_weights, tried)),
        ValueError,
        f"{where} has {CLASS_WEIGHT!r}, but {type(tried[0]).__name__} has no class_weight "
        "that could be set, nor has what it wraps; leave it out, or name samplers: "
        f"{STRATEGIES[1:]}",
    )


def _has_weights(estimator: Estimator) -> bool:
    return class_weight_parameter(estimator)[0] is not None


def estimators_of(candidate: Checked) -> list[Estimator]:
    """The estimator of a user's candidate, then those that its space lists for steps."""
    # A distribution draws no estimators.
    dims = chain.from_iterable(map(dict.values, candidate.branches()))
    listed = chain(*(values for values in dims if isinstance(values, list | tuple)))
    return [
        candidate.estimator,
        *(choice for choice in listed if hasattr(choice, "fit")),
    ]
