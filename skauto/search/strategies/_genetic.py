"""Genetic search: small steps from the better of what is known, over mixed and conditional spaces."""

from heapq import nlargest
from typing import Any, Literal

import numpy as np

from skauto.search._dimensions import Dimension
from skauto.search._history import View
from skauto.search._space import Space
from skauto.search._trial import Trial
from skauto.search._types import Bounds, Params
from skauto.search.strategies._base import Strategy, bounded, check_choice
from skauto.search.strategies._failures import Failures
from skauto.search.strategies._scale import on_one_scale

TRIES = 20  # children made before a new random configuration is taken instead


class Genetic(Strategy):
    """Steady-state evolution: each ask makes one child of the present population.

    Parents are winners of tournaments. Parents of one branch are crossed gene by gene; then each of the d active
    dimensions is mutated with probability 1/d, at least one: ordered ones by a Gaussian step on the unit scale, others
    by another random choice.

    Parameters
    ----------
    population : int, default=20
        Size of the population; the first `population` trials are random.
    tournament : int, default=5
        Size of a tournament.
    crossover : float, default=0.5
        Probability of a second parent.
    step : float, default=0.2
        Standard deviation of a mutation, as a fraction of the range.
    random_probability : float, default=0.05
        Probability of a new random configuration, which keeps other branches in play.
    survival : {"best", "age"}, default="best"
        Parents are the best trials, or the latest ones (aging evolution: lucky scores do not survive).
    bounds : {"clip", "reflect"}, default="clip"
        A step that leaves the range stops at its end, or is turned back. Good settings often lie at an end.

    References
    ----------
    Real et al., "Regularized evolution for image classifier architecture search", AAAI 2019, algorithm 1 (survival by
    age). Li et al., "Mixed integer evolution strategies for parameter optimization", Evolutionary Computation 21(1),
    2013 (one step size per kind of variable, mutation probability 1/d).

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._genetic import Genetic
    >>> len(Genetic(population=4).ask(History(Space({"C": [1, 10, 100]}), seed=0), 2))
    2
    """

    def __init__(
        self,
        population: int = 20,
        tournament: int = 5,
        crossover: float = 0.5,
        step: float = 0.2,
        random_probability: float = 0.05,
        survival: Literal["best", "age"] = "best",
        bounds: Bounds = "clip",
    ) -> None:
        self.population = population
        self.tournament = tournament
        self.crossover = crossover
        self.step = step
        self.random_probability = random_probability
        self.survival = survival
        self.bounds = bounds

    def propose(self, history: View) -> Trial | None:
        """A child of the population, or a random configuration while there is none."""
        rng = self.rng(history)
        parents = self._parents(history)
        if len(history) < self.population or not parents or rng.random() < self.random_probability:
            params = Failures(history).sample_new(history, rng)
        else:
            params = self._new_child(history, parents, rng)
        return None if params is None else self.next_trial(history, params)

    def _parents(self, history: View) -> list[tuple[float, Params]]:
        """The present population as (score, params)."""
        check_choice(self, "survival", ("best", "age"))
        check_choice(self, "bounds", ("clip", "reflect"))
        levels = history.complete()
        if self.survival == "best" and len(levels) == 1:  # as below, without a look at every trial
            pairs = [(trial, result.score) for trial, result in history.top(self.population, *levels)]
        else:
            pairs = on_one_scale(history)
            if self.survival == "best":
                pairs = nlargest(self.population, pairs, key=lambda pair: pair[1])
        return [(score, trial.params) for trial, score in pairs[-self.population :]]

    def _new_child(self, history: View, parents: list[tuple[float, Params]], rng: np.random.Generator) -> Params | None:
        if history.n_distinct >= history.space.size:
            return None
        failures = Failures(history)
        for _ in range(TRIES):
            params = self._child(history.space, parents, rng)
            if not history.has_asked(params) and not failures.shuns(params, rng):
                return params
        return failures.sample_new(history, rng)

    def _child(self, space: Space, parents: list[tuple[float, Params]], rng: np.random.Generator) -> Params:
        mother = self._winner(parents, rng)
        genes = dict(mother["values"])
        if rng.random() < self.crossover:
            father = self._winner(parents, rng)
            if father["branch"] == mother["branch"]:
                genes = {name: father["values"][name] if rng.random() < 0.5 else genes[name] for name in genes}
        dims = space.branches[mother["branch"]]
        if dims:
            mutated = rng.random(len(dims)) < 1 / len(dims)
            mutated[rng.integers(len(dims))] = True
            for name in [name for name, hit in zip(dims, mutated, strict=True) if hit]:
                genes[name] = mutate(dims[name], genes[name], self.step, rng, self.bounds)
        return {"branch": mother["branch"], "values": genes}

    def _winner(self, parents: list[tuple[float, Params]], rng: np.random.Generator) -> Params:
        entrants = rng.integers(len(parents), size=self.tournament).tolist()
        return max((parents[i] for i in entrants), key=lambda parent: parent[0])[1]


def mutate(dim: Dimension, value: Any, step: float, rng: np.random.Generator, bounds: Bounds = "clip") -> Any:
    """Another value of a dimension: a neighbour of an ordered one, any other of an unordered one."""
    if not dim.ordered:
        return (value + int(rng.integers(1, dim.size))) % dim.size if dim.size > 1 else value
    push = rng.normal(0, step)
    moved = dim.from_unit(float(bounded(dim.to_unit(value) + push, bounds)))
    if moved == value and dim.size < float("inf"):  # the step stayed in its cell: go to the next one
        moved = value + (1 if push > 0 else -1)
        moved = moved if dim.contains(moved) else value
    return moved
