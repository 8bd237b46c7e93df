"""The space of a search: a branch for each candidate and imbalance strategy, and the initial configurations."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from skauto.automl._candidate import Candidate
from skauto.automl._imbalance import NONE
from skauto.automl._types import Branch, Values
from skauto.search._space import Space

# What a grid tries of a distribution.
GRID_QUANTILES = (0.2, 0.8)

# Fraction of the trials that leave the classes as they are.
UNRESAMPLED_FRACTION = 0.6


def space_of(
    candidates: list[Candidate], strategies: dict[str, Branch], finite: bool = False
) -> tuple[Space, list[dict[str, Any]]]:
    """The space of some candidates, a branch for each imbalance strategy, and their initial configurations.

    `strategies` are those of `imbalance_strategies`; a candidate takes those that suit it. With `finite` each
    distribution becomes a few of its quantiles, and there are no initial configurations.
    """
    branches, weights = [], []
    for candidate in candidates:
        fractions = _fractions(candidate.imbalance, strategies)
        spaces = candidate.branches()
        for own, (strategy, fraction) in itertools.product(spaces, fractions):
            branches.append({"candidate": [candidate.name], **own, **strategy})
            weights.append(fraction * candidate.weight / len(spaces))
    if finite:
        return Space(list(map(_listed, branches)), weights=weights), []
    space = Space(branches, weights=weights)
    return space, [space.encode(values) for values in _initial(candidates)]


def _initial(candidates: list[Candidate]) -> list[Values]:
    """The initial configurations of all candidates by rank, among equals by name of the candidate."""
    ranked = []
    for candidate in candidates:
        for rank, values in candidate.initial_configurations():
            whole = {"candidate": candidate.name, "imbalance": NONE, **values}
            ranked.append((rank, candidate.name, whole))
    # The name decides among equal ranks, so that the order is the same in every process.
    ranked.sort(key=lambda entry: entry[:2])
    return [values for _, _, values in ranked]


def _fractions(
    groups: Iterable[Iterable[str]], strategies: dict[str, Branch]
) -> list[tuple[Branch, float]]:
    """Pairs of an imbalance strategy and its fraction of a candidate's trials: equal by groups, and within a group."""
    suited = []
    for group in groups:
        names = [name for name in group if name in strategies]
        if names:
            suited.append(names)
    if not suited:
        return [(strategies[NONE], 1.0)]
    fractions = [(strategies[NONE], UNRESAMPLED_FRACTION)]
    of_group = (1 - UNRESAMPLED_FRACTION) / len(suited)
    for names in suited:
        fractions += [(strategies[name], of_group / len(names)) for name in names]
    return fractions


def _listed(branch: Branch) -> Branch:
    """The branch with a list in the place of each distribution."""
    return {
        name: _quantiles(values) if hasattr(values, "ppf") else values
        for name, values in branch.items()
    }


def _quantiles(distribution: Any) -> list[float]:
    values = np.unique(distribution.ppf(GRID_QUANTILES))
    is_discrete = hasattr(distribution.dist, "pmf")
    return list(map(int if is_discrete else float, values))
