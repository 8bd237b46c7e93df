"""Population based training: trials go on with the weights of better ones, their settings slightly changed."""

import copy
from typing import Any, Self, cast

import numpy as np

from skauto.search._history import View
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search._types import Params
from skauto.search.strategies._base import Strategy, check_count, proposed_by, within
from skauto.search.strategies._genetic import mutate
from skauto.search.strategies._random import Random

# A smaller population has nobody to learn from.
LEAST_MEMBERS = 2


class PBT(Strategy):
    """Population-based training: a population is trained in steps; after each step the worst members copy better ones.

    The tags of a member's trial name the trial whose weights it continues from: its own last one, or, for the worst
    quarter, one of the best quarter (exploit); then its params are that one's, some of them changed (explore). The
    evaluation has to continue the parent for this to mean anything, so the space should hold what may change during
    training, such as a learning rate. All members of a step are awaited before the next. After the last step, at full
    fidelity, another population begins. A search of a fixed number of trials counts all of them; a population that does
    not fit into what is left is smaller, then trained in fewer steps, so that its last step is reached.

    Parameters
    ----------
    base : Strategy, default=None
        Proposes the first members; None for random ones.
    population : int, default=8
        Number of members.
    steps : int, default=5
        Steps to the full fidelity.
    quantile_fraction : float, default=0.25
        Fraction of the population that is replaced, and that is copied.
    resample : float, default=0.25
        Probability that a parameter is sampled again; otherwise it is moved by a step.
    step : float, default=0.1
        Standard deviation of a step, as a fraction of the range.

    References
    ----------
    Jaderberg et al., "Population based training of neural networks", arXiv 1711.09846, section 3 and appendix A.1
    (truncation selection). The paper multiplies by 0.8 or 1.2; a step on the unit scale suits every kind of range.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skauto.search import PBT, Space
    >>> from skauto.search._history import History
    >>> trials = PBT(population=4, steps=4).ask(History(Space({"lr": loguniform(1e-4, 1)}), seed=0), 10)
    >>> len(trials), trials[0].fidelity
    (4, 0.25)
    """

    n_trials: int | None = None  # of the whole search, where that is known: see `within`

    def __init__(
        self,
        base: Strategy | None = None,
        population: int = 8,
        steps: int = 5,
        quantile_fraction: float = 0.25,
        resample: float = 0.25,
        step: float = 0.1,
    ) -> None:
        self.base = base
        self.population = population
        self.steps = steps
        self.quantile_fraction = quantile_fraction
        self.resample = resample
        self.step = step

    def within(self, n_trials: int | None) -> Self:
        """The same strategy for a search of `n_trials` trials."""
        sized = copy.copy(self)
        sized.base, sized.n_trials = within(self.base, n_trials), n_trials
        return sized

    def _sized(self, history: View, members: list[Trial]) -> tuple[int, int]:
        """Members and steps of a population, as they fit into what is left of the search when it begins."""
        if members and "of" in members[0].tags["pbt"]:
            return members[0].tags["pbt"]["of"]
        if members or self.n_trials is None:
            return self.population, self.steps
        left = max(self.n_trials - len(history), 1)
        steps = min(self.steps, max(1, left // LEAST_MEMBERS))
        return max(1, min(self.population, left // steps)), steps

    def propose(self, history: View) -> Trial | None:
        """The next member of the present step; None while the last step still runs."""
        check_count(self, "population", 2)
        check_count(self, "steps", 1)
        members = [trial for trial in history.trials if "pbt" in trial.tags]
        number, step = self._place(members[-1]) if members else (0, 0)
        members = [trial for trial in members if self._place(trial)[0] == number]
        size, n_steps = self._sized(history, members)
        present = [trial for trial in members if self._place(trial)[1] == step]
        before = [trial for trial in members if self._place(trial)[1] == step - 1]
        if step == 0 and len(present) < size:
            trial = self._first(history, number, len(present), size, n_steps)
            if trial is not None or history.pending or not present:
                return trial  # else the space has no more: this is the population
        is_within = len(present) < len(before)
        source = before if is_within else present
        results: list[Any] = [history.result(trial.number) for trial in source]
        if any(result is None for result in results):
            return None
        if is_within:
            return self._next(history, before, len(present), n_steps)
        if step + 1 < n_steps and any(result.status == Status.COMPLETE for result in results):
            return self._next(history, present, 0, n_steps)
        return self._first(history, number + 1, 0, *self._sized(history, []))

    @staticmethod
    def _place(trial: Trial) -> tuple[int, int]:
        return trial.tags["pbt"]["round"], trial.tags["pbt"]["step"]

    def _first(self, history: View, number: int, member: int, size: int, n_steps: int) -> Trial | None:
        """A member of a new population, or None if the space has no more."""
        trial = proposed_by(self.base or Random(), history)
        if trial is None:
            return None
        tag: dict[str, Any] = {"round": number, "step": 0, "member": member}
        if (size, n_steps) != (self.population, self.steps):
            tag["of"] = [size, n_steps]
        return Trial(trial.number, trial.params, 1 / n_steps, {**trial.tags, "pbt": tag})

    def _next(self, history: View, before: list[Trial], member: int, n_steps: int) -> Trial:
        """A member's next step: from its own last trial, or from a better one."""
        rng = self.rng(history)
        ranked = sorted(before, key=lambda trial: (-self._height(history, trial), trial.number))
        n_replaced = min(max(1, int(self.quantile_fraction * len(before))), len(before) // 2)
        source, params = before[member], before[member].params
        failed = cast(Result, history.result(source.number)).status != Status.COMPLETE
        if failed or source in ranked[len(ranked) - n_replaced :]:
            best = [
                t
                for t in ranked[: max(1, n_replaced)]
                if cast(Result, history.result(t.number)).status == Status.COMPLETE
            ]
            source = best[int(rng.integers(len(best)))]
            params = self._explore(history.space, source.params, rng)
        number, step = self._place(before[member])
        tags = {"pbt": {"round": number, "step": step + 1, "member": member, "parent": source.number}}
        return Trial(len(history), params, (step + 2) / n_steps, tags)

    def _height(self, history: View, trial: Trial) -> float:
        result = cast(Result, history.result(trial.number))
        return result.score if result.status == Status.COMPLETE else float("-inf")

    def _explore(self, space: Space, params: Params, rng: np.random.Generator) -> Params:
        """Params with every number moved a little, or drawn anew; other choices stay, or are drawn anew."""
        values = dict(params["values"])
        for name, dim in space.branches[params["branch"]].items():
            if rng.random() < self.resample:
                values[name] = dim.draw(rng.random())
            elif dim.ordered:
                values[name] = mutate(dim, values[name], self.step, rng)
        return {"branch": params["branch"], "values": values}
