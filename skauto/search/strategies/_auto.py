"""The strategy to take where nothing speaks for another: a Gaussian process, Hyperband before and evolution later."""

import copy
from typing import Self

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Bounds
from skauto.search.strategies._base import Strategy, check_choice, within
from skauto.search.strategies._gaussian_process import GaussianProcess
from skauto.search.strategies._genetic import Genetic
from skauto.search.strategies._hyperband import Hyperband
from skauto.search.strategies._tpe import TPE

TURN = 5  # one in this many full trials is TPE's, where there are branches


class Auto(Strategy):
    """A Gaussian process, under Hyperband where low fidelities are informative, later in turn with evolution.

    With a `min_fidelity`, Hyperband over the Gaussian process runs first, for `sweeps` rounds of its brackets. After
    that, or from the beginning without it, every trial has full fidelity. The process is fitted to the best and the
    latest trials; after `explore` of them, a fraction `evolve` of the next ones are small steps from the best
    (genetic search), which take no time to propose. Where the space has branches, every fifth full trial is one of
    `TPE`: a process that has learnt one branch well rarely tries the others again.

    Parameters
    ----------
    min_fidelity : float, default=None
        The lowest informative fidelity; None for full trials only.
    sweeps : int, default=1
        Rounds of the brackets of Hyperband.
    explore : int, default=150
        Trials of full fidelity before evolution begins.
    evolve : float, default=0.5
        Fraction of trials by evolution from then on.
    bounds : {"clip", "reflect"}, default="clip"
        A step that leaves the range stops at its end, or is turned back.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import Auto, maximize
    >>> history = maximize(lambda params: -abs(params["x"] - 0.3), {"x": uniform(0, 1)}, strategy=Auto(), n_iter=30,
    ...                    random_state=0)
    >>> history.best()[1].score > -0.01
    True
    """

    n_trials: int | None = None  # of the whole search, where that is known

    def __init__(
        self,
        min_fidelity: float | None = None,
        sweeps: int = 1,
        explore: int = 150,
        evolve: float = 0.5,
        bounds: Bounds = "clip",
    ) -> None:
        self.min_fidelity = min_fidelity
        self.sweeps = sweeps
        self.explore = explore
        self.evolve = evolve
        self.bounds = bounds

    def within(self, n_trials: int | None) -> Self:
        """The same strategy for a search of `n_trials` trials."""
        sized = copy.copy(self)
        sized.n_trials = n_trials
        return sized

    def propose(self, history: View) -> Trial | None:
        """What the strategy of the present phase proposes."""
        check_choice(self, "bounds", ("clip", "reflect"))
        process = GaussianProcess(bounds=self.bounds)
        if self.min_fidelity is not None and self.min_fidelity < 1:
            hyperband = Hyperband(process, min_fidelity=self.min_fidelity)
            hyperband.max_brackets = self.sweeps * len(hyperband.fidelities())
            trial, is_over = within(hyperband, self.n_trials).decide(history)
            if not is_over:
                return trial
        n_full = sum(trial.fidelity == 1.0 for trial in history.trials)
        if len(history.space.branches) > 1 and n_full % TURN == TURN - 1:
            return TPE().propose(history)
        evolving = n_full >= self.explore and self.rng(history).random() < self.evolve
        return (self._evolution() if evolving else process).propose(history)

    def _evolution(self) -> Genetic:
        return Genetic(population=10, random_probability=0.0, step=0.1, bounds=self.bounds)
