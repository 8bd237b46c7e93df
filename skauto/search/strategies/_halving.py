"""Successive halving: many trials at low fidelity, the better ones again at a higher one."""

import copy
import itertools
from collections.abc import Sequence
from typing import Any, Self, cast

from skauto.search._history import View
from skauto.search._trial import Status, Trial
from skauto.search.strategies._base import Strategy, proposed_by, within

FULL = 1 - 1e-9  # a fidelity that rounding keeps just below 1 counts as 1


class Halving(Strategy):
    """Synchronous successive halving around any strategy; brackets repeat.

    A bracket starts `n_initial` trials of `base` at `min_fidelity`. Once all of a rung have results, the best
    ``1 / factor`` of it are asked again at `factor` times the fidelity, up to 1. Promotion depends on the results of
    the rung alone, not on the order in which they came. Failed trials are not promoted, except where the whole rung
    failed: then those that raised an error are, since more data may help.

    A search of a fixed number of trials counts all of them, whatever their fidelity. A bracket that does not fit into
    the remaining trials begins with fewer, so that its last rung is reached: 10 trials become 7, 2 and 1.

    Parameters
    ----------
    base : Strategy
        Proposes configurations; it sees all trials, whatever their fidelity.
    factor : float, default=3
        One in `factor` trials is promoted, at `factor` times the fidelity.
    min_fidelity : float, default=1/9
        Fidelity of the first rung. With 1 there is one rung: `base`, limited to `n_initial` trials.
    n_initial : int, default=None
        Trials of the first rung; None for `factor` to the number of rungs, so that `factor` of them arrive.
    max_brackets : int, default=None
        Brackets before it is finished; None for no limit (one, if there is one rung).
    rungs : tuple of float, default=None
        The fidelity of each rung, instead of `min_fidelity` and its growth; the last is 1. A fidelity twice in a row
        drops trials without more effort for the rest.

    References
    ----------
    Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016,
    algorithm 1. Li et al., "Hyperband", JMLR 18(185), 2018, section 3 (rungs and brackets).

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._halving import Halving
    >>> from skauto.search.strategies._random import Random
    >>> trials = Halving(Random(), n_initial=9).ask(History(Space({"C": list(range(99))}), seed=0), 20)
    >>> len(trials), trials[0].fidelity
    (9, 0.1111111111111111)
    """

    rungs: Sequence[float] | None = None
    n_trials: int | None = None  # of the whole search, where that is known: see `within`

    def __init__(
        self,
        base: Strategy,
        factor: float = 3,
        min_fidelity: float = 1 / 9,
        n_initial: int | None = None,
        max_brackets: int | None = None,
        rungs: Sequence[float] | None = None,
    ) -> None:
        self.base = base
        self.factor = factor
        self.min_fidelity = min_fidelity
        self.n_initial = n_initial
        self.max_brackets = max_brackets
        self.rungs = rungs

    def fidelities(self) -> list[float]:
        """The fidelity of each rung, the last one 1."""
        name = type(self).__name__
        if self.rungs is not None:
            return self._given_rungs()
        if not 0 < self.min_fidelity <= 1:
            raise ValueError(f"min_fidelity of {name} must be in (0, 1], got {self.min_fidelity!r}")
        if not self.factor > 1:
            raise ValueError(f"factor of {name} must be greater than 1, got {self.factor!r}")
        levels = [self.min_fidelity]
        while levels[-1] < FULL:
            levels.append(min(levels[-1] * self.factor, 1.0))
        return [1.0 if level >= FULL else level for level in levels]

    def ladder(self, bracket: int) -> tuple[int, list[float]]:
        """Trials of the first rung of a bracket, and the fidelity of each rung."""
        levels = self.fidelities()
        return round(self.factor ** len(levels)) if self.n_initial is None else self.n_initial, levels

    def within(self, n_trials: int | None) -> Self:
        """The same strategy for a search of `n_trials` trials."""
        sized = copy.copy(self)
        sized.base, sized.n_trials = within(self.base, n_trials), n_trials
        return sized

    def _sized(self, bracket: int, history: View, trials: list[Trial]) -> tuple[int, list[float], int]:
        """`ladder` as it fits into what is left of the search when the bracket begins, and rungs left out below."""
        if trials and "width" in trials[0].tags["halving"]:
            tag = trials[0].tags["halving"]
            return tag["width"], self.ladder(bracket)[1][tag["from"] :], tag["from"]
        width, levels = self.ladder(bracket)
        if trials or self.n_trials is None:
            return width, levels, 0
        left = self.n_trials - len(history)
        start = max(0, len(levels) - max(left, 1))  # each rung needs a trial: with too few, begin higher up
        levels = levels[start:]
        fitting = [n for n in range(1, width + 1) if self._total(n, len(levels)) <= left]
        return (fitting[-1] if fitting else 1), levels, start

    def _total(self, n: int, n_rungs: int) -> int:
        """Trials of a bracket that begins with n."""
        kept = [n]
        while len(kept) < n_rungs:
            kept.append(self._kept(kept[-1]))
        return sum(kept)

    def plan(self, n_brackets: int = 1) -> list[dict[str, Any]]:
        """What brackets will spend if no trial fails, before anything runs.

        Returns
        -------
        rows : list of dict
            For each rung ``"bracket"``, ``"rung"``, ``"trials"``, ``"fidelity"``, ``"cost"`` in full evaluations with
            every trial trained from scratch, and ``"continued"``, the cost where a promoted one continues training.
        """
        rows: list[dict[str, Any]] = []
        for bracket in range(n_brackets):
            n, levels = self.ladder(bracket)
            for rung, level in enumerate(levels):
                n = n if rung == 0 else self._kept(n)
                below = levels[rung - 1] if rung else 0.0
                costs = {"cost": n * level, "continued": n * (level - below)}
                rows.append({"bracket": bracket, "rung": rung, "trials": n, "fidelity": level, **costs})
        return rows

    def _kept(self, n: int) -> int:
        """How many of n trials go on."""
        return max(1, int(n / self.factor))

    def _given_rungs(self) -> list[float]:
        levels = list(cast(Sequence[float], self.rungs))
        rising = all(low <= high for low, high in itertools.pairwise(levels))
        if not levels or not rising or not levels[0] > 0 or levels[-1] != 1:
            raise ValueError(f"rungs of Halving must rise from above 0 to 1, got {self.rungs!r}")
        return [float(level) for level in levels]

    def propose(self, history: View) -> Trial | None:
        """A promotion that is due, else a new trial for the first rung, else None."""
        return self.decide(history)[0]

    def decide(self, history: View) -> tuple[Trial | None, bool]:
        """What `propose` gives, and whether there will be no more of it."""
        bracket, trials = self._present(history)
        while not self._is_past(bracket):
            width, levels, start = self._sized(bracket, history, trials)
            rungs = [[trial for trial in trials if trial.tags["halving"]["rung"] == i] for i in range(len(levels))]
            if len(rungs[0]) < width:
                trial = proposed_by(self.base, history)
                if trial is not None:
                    is_whole = (width, start) == (self.ladder(bracket)[0], 0)
                    size = {} if is_whole else {"width": width, "from": start}
                    tags = {**trial.tags, "halving": {"bracket": bracket, "rung": 0, **size}}
                    return Trial(trial.number, trial.params, levels[0], tags), False
                # The base waits while anything runs; else it is finished, and the rung is what it has become.
                if history.pending or not rungs[0]:
                    return None, not history.pending
            due, ended = self._promotion(history, rungs, levels)
            if due is not None:
                rung, parent = due
                tags = {"halving": {"bracket": bracket, "rung": rung, "parent": parent.number}}
                return Trial(len(history), parent.params, levels[rung], tags), False
            if not ended:
                return None, False
            bracket, trials = bracket + 1, []
        return None, True

    def _is_past(self, bracket: int) -> bool:
        """Whether a bracket comes after the last one."""
        limit = 1 if self.max_brackets is None and len(self.fidelities()) == 1 else self.max_brackets
        return limit is not None and bracket >= limit

    def _present(self, history: View) -> tuple[int, list[Trial]]:
        """The latest bracket and its trials."""
        bracket, found = None, []
        for trial in reversed(history.trials):
            tag = trial.tags.get("halving")
            if tag is None:
                continue
            if bracket is None:
                bracket = tag["bracket"]
            elif tag["bracket"] != bracket:
                break
            found.append(trial)
        return bracket or 0, found[::-1]

    def _promotion(
        self, history: View, rungs: list[list[Trial]], levels: list[float]
    ) -> tuple[tuple[int, Trial] | None, bool]:
        """What is due, as (rung, parent) or None, and whether the bracket has no more to ask."""
        for rung, trials in enumerate(rungs[:-1]):
            results = [(trial, history.result(trial.number)) for trial in trials]
            if any(result is None for _, result in results):
                return None, False
            promoted = self._winners(results)
            if self.n_trials is not None:  # a rung that failed for all must not take what the rungs above need
                above = len(levels) - rung - 2
                spent = len(history) - len(rungs[rung + 1])
                promoted = promoted[: max(1, self.n_trials - spent - above)]
            n_asked = len(rungs[rung + 1])
            if n_asked < len(promoted):
                return (rung + 1, promoted[n_asked]), False
        return None, True

    def _winners(self, results: Sequence[tuple[Trial, Any]]) -> list[Trial]:
        """Trials of a rung that go on, the best first."""
        complete = [(trial, result) for trial, result in results if result.status == Status.COMPLETE]
        if not complete:
            return [trial for trial, result in results if result.status == Status.FAILED]
        complete.sort(key=lambda pair: (-pair[1].score, pair[0].number))
        return [trial for trial, _ in complete[: self._kept(len(results))]]
