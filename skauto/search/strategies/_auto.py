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

TURN = 5  # one full trial of so many is TPE's, where there are branches


class Auto(Strategy):
    """A Gaussian process proposes; at little effort where that says something, later in turn with evolution.

    With a `min_fidelity` the first `sweeps` times round the brackets of Hyperband are run, over the process. After
    that, or from the beginning without it, every trial is a full one. The process looks at its best and latest
    trials; once there are `explore`, a share `evolve` of the next ones are small steps from the best (genetic
    search), which cost no thinking. Where the space has branches, every fifth full trial is one of `TPE`: a process
    that has learnt one branch well rarely looks into the others again.

    Parameters
    ----------
    min_fidelity : float, default=None
        The least effort that says something; None if there is none but the full one.
    sweeps : int, default=1
        Times round the brackets of Hyperband.
    explore : int, default=150
        Trials of full fidelity before evolution begins.
    evolve : float, default=0.5
        Share of evolution from then on.
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
        """The same strategy for a search of so many trials."""
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
        return Genetic(population=10, fresh=0.0, step=0.1, bounds=self.bounds)
