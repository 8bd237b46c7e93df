"""A built-in candidate that is narrowed or widened: what of it is refused, and what its first configurations become."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from skauto.automl._check_candidate import (
    check_class_weight,
    check_initial_form,
    check_values_pickled,
    groups_of,
    read_space,
    require_that,
)
from skauto.automl._data_profile import DataProfile
from skauto.automl._imbalance import CLASS_WEIGHT
from skauto.automl._kind import KINDS, kind_named
from skauto.automl._types import Estimator, Values
from skauto.inputs._closest import did_you_mean
from skauto.search._dimensions import Choice, Dimension, Drawn, Whole
from skauto.search._sandbox import attempt
from skauto.search._space import Space

# A Candidate, which imports this file.
BuiltIn: TypeAlias = Any

# Parameters that LightGBM takes by keyword alone, so that its estimators do not list them.
LIGHTGBM_KEYWORDS = (
    "cat_l2",
    "cat_smooth",
    "extra_trees",
    "feature_fraction_bynode",
    "linear_lambda",
    "linear_tree",
    "max_bin",
    "max_cat_threshold",
    "max_cat_to_onehot",
    "max_delta_step",
    "min_data_in_bin",
    "min_data_per_group",
    "path_smooth",
)


def changes_of(
    candidate: BuiltIn,
    kind: str,
    space: object,
    initial: object,
    samplers: Sequence[Any] | None,
) -> dict[str, Any]:
    """The fields of a built-in candidate that are not as they were.

    Parameters
    ----------
    candidate : Candidate
        As it is in its kind of data.
    kind : str
    space, initial, samplers : object
        As the user gave them, None where they stay.

    Raises
    ------
    ValueError, TypeError
        For a parameter that the candidate does not take, for what is no list or distribution, for a configuration that
        does not lie in the space and for an imbalance strategy that it cannot have.
    """
    this = f"Candidate.builtin({candidate.name!r})"
    changes: dict[str, Any] = {}
    if samplers is not None:
        changes["imbalance"] = _read_samplers(candidate, kind, samplers, this)
    whole, defaults = candidate.branches()[0], dict(candidate.defaults)
    if space is not None:
        given = _read_given(space, this)
        whole |= given
        added = {name: given[name] for name in given if name not in defaults}
        if added:
            defaults |= _defaults_of_added(candidate, kind, added, this)
        read = Space(whole)
        defaults = _moved(defaults, read)
        moved = tuple(_moved(changed, read) for changed in candidate.initial)
        changes |= {"space": whole, "defaults": defaults, "initial": moved}
    if initial is not None:
        changes["initial"] = _read_initial(initial, defaults, Space(whole), this)
    return changes


def _read_samplers(
    candidate: BuiltIn, kind: str, samplers: Sequence[Any], this: str
) -> tuple[tuple[str, ...], ...]:
    groups = groups_of(f"samplers of {this}", samplers)
    # What a candidate has already suits it, and to build a network takes an import of seconds.
    had = chain(*candidate.imbalance)
    asked = CLASS_WEIGHT in chain(*groups) and CLASS_WEIGHT not in had
    built = _built(candidate, kind, {}) if asked else None
    if built is not None:
        check_class_weight([built[0]], groups, f"samplers of {this}")
    return groups


def _read_given(space: object, this: str) -> dict[str, Any]:
    """The space that was given, where it can be read."""
    # Several branches would leave open which of them its own parameters belong to.
    require_that(
        isinstance(space, Mapping),
        TypeError,
        f"space of {this} must be one dict of parameters with lists or distributions, "
        f"without a list around it, got {space!r:.60}",
    )
    read_space(space, this)
    check_values_pickled(space, this)
    return dict(space)  # type: ignore[call-overload]  # it is a Mapping


def _read_initial(
    initial: object, defaults: Values, space: Space, this: str
) -> tuple[Values, ...]:
    """Configurations of the user, of which each lies in the space together with the defaults."""
    read = check_initial_form(initial, this)
    for number, changed in enumerate(read):
        error = attempt(space.encode, {**defaults, **changed}).error
        require_that(
            error is None,
            ValueError,
            f"initial[{number}]={changed!r} of {this} does not lie in its space: "
            f"{error}; widen the space or change the configuration",
        )
    return read


def _built(
    candidate: BuiltIn, kind: str, changed: Values
) -> tuple[Estimator, set[str]] | None:
    """The classifier of the defaults with some changes, and what it was given; None where it cannot be made."""
    # The sizes stand for any data: no name of a parameter depends on them.
    profile = DataProfile(200, 6, 2, False, 1, False, kind=kind_named(kind))
    values = {**candidate.defaults, **changed}
    prepared = attempt(candidate.prepare, values, profile)
    given = set(values)
    made = attempt(candidate.build, values, profile, 0)
    failed = prepared.error is not None or made.error is not None
    return None if failed else (made.value, given)


def _defaults_of_added(
    candidate: BuiltIn, kind: str, added: Mapping[str, Any], this: str
) -> Values:
    """What the classifier has for each added parameter, None where it does not say; ValueError for others."""
    plain = _built(candidate, kind, {})
    # A package that is not there: the search says so.
    if plain is None:
        return dict.fromkeys(added)
    known = {
        name.rpartition("__")[2]: value for name, value in plain[0].get_params().items()
    }
    if type(plain[0]).__module__.startswith("lightgbm."):
        known = {**dict.fromkeys(LIGHTGBM_KEYWORDS), **known}
    for name, dimension in Space(added).branches[0].items():
        middle: Any = dimension.from_unit(0.5)
        example = dimension.decode(middle)
        built = _built(candidate, kind, {name: example})
        # What the transformer took needs no parameter of the classifier.
        if built is None or (name in built[1] and name not in known):
            taken = [*candidate.space, *_addable(candidate, kind, known)]
            raise ValueError(
                f"space of {this} has {name!r}, which it does not take; allowed are "
                f"{sorted(set(taken))}{did_you_mean(name, taken)}"
            )
    return {name: known.get(name) for name in added}


def _addable(candidate: BuiltIn, kind: str, known: Values) -> list[str]:
    """Parameters of a classifier that the candidate does not set itself."""
    return [name for name in known if _built(candidate, kind, {name: known[name]})]


def _moved(values: Mapping[str, Any], space: Space) -> Values:
    """Values of a configuration, each moved into a space of one branch."""
    dims = space.branches[0]
    return {name: nearest(dims[name], value) for name, value in values.items()}


def nearest(dimension: Dimension, value: Any) -> Any:
    """The value of a dimension that is nearest to another one: of numbers by their distance, else the first or middle.

    Examples
    --------
    >>> from skauto.automl._check_builtin import nearest
    >>> from skauto.search._dimensions import Choice, Whole
    >>> nearest(Choice([7, 15]), 31), nearest(Choice(["a", "b"]), 31), nearest(Whole(2, 9), 31)
    (15, 'a', 9)
    """
    # Nothing is known of what only draws.
    if attempt(dimension.encode, value).error is None or isinstance(dimension, Drawn):
        return value
    if isinstance(dimension, Choice):
        numbers = list(filter(_is_number, dimension.values))
        if not numbers or not _is_number(value):
            return dimension.values[0]
        return min(numbers, key=lambda choice: abs(choice - value))
    if not _is_number(value):
        return dimension.decode(dimension.from_unit(0.5))
    clipped = min(max(value, dimension.low), dimension.high)
    whole = isinstance(dimension, Whole) or getattr(dimension, "discrete", False)
    return round(clipped) if whole else float(clipped)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def check_kind(candidate: BuiltIn, known: Mapping[str, BuiltIn], kind: str) -> None:
    """Raise where a candidate is a built-in one of another kind of data.

    Parameters
    ----------
    candidate : Candidate
    known : dict of str to Candidate
        The built-in ones of the kind at hand.
    kind : str
        Its name.
    """
    name = candidate.name
    if not candidate.is_own and not any(map(partial(_same, candidate), known.values())):
        other = _kind_of(candidate)
        require_that(
            other in (None, kind),
            ValueError,
            f"candidates: Candidate.builtin({name!r}, kind={other!r}) is for data of kind "
            f"{other!r}, but X is taken for {kind!r}; choose some of {sorted(known)} by "
            f"Candidate.builtin(name, kind={kind!r}), or AutoClassifier(kind={other!r}) "
            "where X is such data",
        )


def _kind_of(candidate: BuiltIn) -> str | None:
    """The kind of data that a built-in candidate is for; None for one that is in none."""
    for kind in KINDS:
        if any(map(partial(_same, candidate), kind_named(kind).built_in)):
            return kind
    return None


def _same(one: BuiltIn, other: BuiltIn) -> bool:
    """Whether two candidates are the same built-in one, narrowed or not."""
    # The same name, and the same classifier, can be there in several kinds.
    return _made(one) == _made(other)


def _made(candidate: BuiltIn) -> tuple[object, ...]:
    return candidate.name, candidate.build, candidate.prepare
