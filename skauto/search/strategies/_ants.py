"""Ant colony: the choices of the best trials get more pheromone, and more ants take them."""

from typing import Any, cast

import numpy as np

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Params
from skauto.search.strategies._base import Strategy, comparable
from skauto.search.strategies._failures import Failures

TRIES = 20  # walks before a random configuration is taken instead


class Ants(Strategy):
    """Each trial is the walk of an ant: first to a branch, then to one cell of each of its dimensions.

    Ordered dimensions of more than `cells` values are divided into `cells` cells of the unit scale, and the value lies
    anywhere in its cell; others have a cell per choice. At first one unit of pheromone is divided equally among the
    cells of a dimension. With each trial a part of it evaporates and goes to the cells of the `elite` best trials, by
    rank; every cell keeps a minimum.

    Parameters
    ----------
    n_initial : int, default=10
        Random trials first.
    cells : int, default=10
        Cells of a continuous dimension.
    elite : int, default=8
        How many of the best trials deposit pheromone, by rank.
    evaporation : float, default=0.03
        Fraction of the initial pheromone that evaporates with each trial.
    floor : float, default=0.1
        Permanent pheromone of a dimension, divided equally among its cells; that of the elite is 1.

    References
    ----------
    Dorigo, Maniezzo and Colorni, "Ant system", IEEE Transactions on Systems, Man, and Cybernetics B 26(1), 1996.
    Bullnheimer, Hartl and Strauss, "A new rank based version of the ant system", 1999 (the elite). Stuetzle and Hoos,
    "MAX-MIN ant system", Future Generation Computer Systems 16(8), 2000 (the floor).

    Examples
    --------
    >>> from skauto.search import Ants, maximize
    >>> space = {name: ["a", "b", "c", "d"] for name in "uvwxyz"}
    >>> history = maximize(lambda params: list(params.values()).count("b"), space, strategy=Ants(), n_iter=150,
    ...                    random_state=0)
    >>> history.best()[1].score
    6.0
    """

    def __init__(
        self, n_initial: int = 10, cells: int = 10, elite: int = 8, evaporation: float = 0.03, floor: float = 0.1
    ) -> None:
        self.n_initial = n_initial
        self.cells = cells
        self.elite = elite
        self.evaporation = evaporation
        self.floor = floor

    def propose(self, history: View) -> Trial | None:
        """The end of a walk that no ant has walked before."""
        rng = self.rng(history)
        if history.n_distinct >= history.space.size:
            return None
        known, failures = comparable(history, self.n_initial), Failures(history)
        if len(history) >= self.n_initial and known:
            best: Any = sorted(known, key=lambda pair: (-pair[1].score, pair[0].number))[: self.elite]
            best = [trial for trial, _ in best]
            for _ in range(TRIES):
                params = self._walk(history, best, len(known), rng)
                if not history.has_asked(params) and not failures.shuns(params, rng):
                    return self.next_trial(history, params)
        return self.next_trial(history, cast(Params, failures.sample_new(history, rng)))

    def _walk(self, history: View, best: list[Trial], n_known: int, rng: np.random.Generator) -> Params:
        """Params of one walk."""
        space = history.space
        weights = np.arange(len(best), 0, -1) / np.arange(1, len(best) + 1).sum()
        fresh = (1 - self.evaporation) ** n_known

        def step(n_cells: int, taken: list[int], deposits: np.ndarray) -> int:
            """A cell, given those that trials of the elite have taken and the pheromone that each deposits."""
            pheromone = np.full(n_cells, (fresh + self.floor + (1 - fresh) * (1 - deposits.sum())) / n_cells)
            np.add.at(pheromone, taken, (1 - fresh) * deposits)
            return int(np.searchsorted(np.cumsum(pheromone / pheromone.sum()), rng.random()).clip(0, n_cells - 1))

        branch = step(len(space.branches), [trial.params["branch"] for trial in best], weights)
        inside = [i for i, trial in enumerate(best) if trial.params["branch"] == branch]
        points = [history.units(best[i]) for i in inside]
        units = []
        for column, dim in enumerate(space.branches[branch].values()):
            n_cells = self.cells if dim.ordered and dim.size > self.cells else int(dim.size)
            taken = [min(int(point[column] * n_cells), n_cells - 1) for point in points]
            units.append((step(n_cells, taken, weights[inside]) + rng.random()) / n_cells)
        return space.from_unit_branch(units, branch)
