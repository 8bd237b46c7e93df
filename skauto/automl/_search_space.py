"""The space of a search: a branch for each candidate and imbalance strategy, and the initial configurations."""

import numpy as np

from skauto.automl._imbalance import NONE
from skauto.search._space import Space

# What a grid tries of a distribution.
GRID_QUANTILES = (0.2, 0.8)

# Fraction of the trials that leave the classes as they are.
UNRESAMPLED_FRACTION = 0.6


def space_of(candidates, strategies, finite=False):
    """The space of some candidates, a branch for each imbalance strategy, and their initial configurations.

    `strategies` are those of `imbalance_strategies`; a candidate takes those that suit it. With `finite` each
    distribution becomes a few of its quantiles, and there are no initial configurations.
    """
    branches, weights = [], []
    for candidate in candidates:
        spaces = candidate.branches()
        for own in spaces:
            for strategy, fraction in _fractions(candidate.imbalance, strategies):
                branch = {"candidate": [candidate.name], **own, **strategy}
                branches.append(_listed(branch) if finite else branch)
                weights.append(fraction * candidate.weight / len(spaces))
    space = Space(branches, weights=weights)
    if finite:
        return space, []
    ranked = [
        (
            rank,
            candidate.name,
            {"candidate": candidate.name, "imbalance": NONE, **values},
        )
        for candidate in candidates
        for rank, values in candidate.initial_configurations()
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return space, [space.encode(values) for _, _, values in ranked]


def _fractions(groups, strategies):
    """Pairs of an imbalance strategy and its fraction of a candidate's trials: equal by groups, and within a group."""
    suited = [
        [strategies[name] for name in group if name in strategies] for group in groups
    ]
    suited = [group for group in suited if group]
    unresampled = [(strategies[NONE], UNRESAMPLED_FRACTION if suited else 1.0)]
    return unresampled + [
        (strategy, (1 - UNRESAMPLED_FRACTION) / len(suited) / len(group))
        for group in suited
        for strategy in group
    ]


def _listed(branch):
    """The branch with a list in the place of each distribution."""
    return {
        name: _quantiles(values) if hasattr(values, "ppf") else values
        for name, values in branch.items()
    }


def _quantiles(distribution):
    values = np.unique(distribution.ppf(GRID_QUANTILES))
    return [
        int(value) if hasattr(distribution.dist, "pmf") else float(value)
        for value in values
    ]
