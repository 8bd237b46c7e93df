"""History: all trials in the order asked and their results, the only thing a strategy may read."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import numpy as np

from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search._types import Levels, Pair, Params

Made = TypeVar("Made")


class View:
    """What a strategy may see of a history: all trials asked, the results of the first ``visible`` of them.

    Attributes
    ----------
    space : Space
        Where the trials lie.
    seed : int
        Root of all randomness; strategies derive their own with ``child_rng(seed, "ask", len(view))``.
    trials : list of Trial
        In the order asked; a trial's number is its index.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        trials: list[Trial],
        results: dict[int, Result],
        in_order: list[Pair],
        keys: set[tuple[Any, ...]],
        index: "_Index",
        visible: int | None = None,
    ) -> None:
        self.space = space
        self.seed = seed
        self.trials = trials
        self._results = results
        self._in_order = in_order
        self._keys = keys
        self._index = index
        self._visible = visible

    def __len__(self) -> int:
        return len(self.trials)

    def result(self, number: int) -> Result | None:
        """The result of a trial, or None while it is not known."""
        if self._visible is not None and number >= self._visible:
            return None
        return self._results.get(number)

    @property
    def n_told_in_order(self) -> int:
        """How many trials have results with none missing before them."""
        return len(self._in_order) if self._visible is None else min(self._visible, len(self._in_order))

    @property
    def pending(self) -> list[Trial]:
        """Trials asked whose results are not known."""
        return [trial for trial in self.trials[self.n_told_in_order :] if self.result(trial.number) is None]

    @property
    def finished(self) -> list[Pair]:
        """Pairs (trial, result) of all known results, in the order asked."""
        rest: Iterator[Any] = ((trial, self.result(trial.number)) for trial in self.trials[self.n_told_in_order :])
        return self._in_order[: self.n_told_in_order] + [pair for pair in rest if pair[1] is not None]

    @property
    def _ahead(self) -> list[Pair]:
        """Complete pairs (trial, result) whose trials come after one without a result."""
        rest: Iterator[Any] = ((trial, self.result(trial.number)) for trial in self.trials[self.n_told_in_order :])
        return [pair for pair in rest if pair[1] is not None and pair[1].status == Status.COMPLETE]

    def complete(self) -> Levels:
        """Complete pairs (trial, result) by fidelity, in the order asked."""
        n_told = self.n_told_in_order
        found = {f: level.pairs[: bisect_left(level.numbers, n_told)] for f, level in self._index.levels.items()}
        for trial, result in self._ahead:
            found.setdefault(trial.fidelity, []).append((trial, result))
        return {fidelity: pairs for fidelity, pairs in found.items() if pairs}

    def top(self, n: int, fidelity: float = 1.0) -> list[Pair]:
        """The n pairs (trial, result) of the highest scores at a fidelity, the earlier first on a tie."""
        n_told, level = self.n_told_in_order, self._index.levels.get(fidelity)
        found = [(-result.score, trial.number) for trial, result in self._ahead if trial.fidelity == fidelity]
        n_ahead = len(found)
        for ranked_pair in level.ranked if level else ():
            if len(found) - n_ahead == n:
                break
            if ranked_pair[1] < n_told:
                found.append(ranked_pair)
        return [(self.trials[number], self._results[number]) for _, number in sorted(found)[:n]]

    def best(self, fidelity: float = 1.0) -> Pair | None:
        """The pair (trial, result) of the highest score at a fidelity, the earlier on a tie; None without one."""
        return next(iter(self.top(1, fidelity)), None)

    def units(self, trial: Trial) -> np.ndarray:
        """`Space.to_unit_branch` of a trial's params as an array; not to be changed."""
        known = self._index.units.get(trial.number)
        if known is None or known[0] is not trial:
            known = self._index.units[trial.number] = (trial, np.array(self.space.to_unit_branch(trial.params)))
        return known[1]

    def remember(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for a key; it must follow from the key and the trials told in order alone."""
        if key not in self._index.made:
            self._index.made[key] = make()
        return self._index.made[key]

    @property
    def n_distinct(self) -> int:
        """Number of different configurations asked."""
        return len(self._keys)

    def has_asked(self, params: Params) -> bool:
        """Whether this configuration was asked before, at any fidelity."""
        return self.space.key(params) in self._keys

    def view(self, visible: int) -> "View":
        """The same history as count mode shows it: results of trials 0 ... visible - 1 only."""
        return View(self.space, self.seed, self.trials, self._results, self._in_order, self._keys, self._index, visible)

    def plus(self, trials: list[Trial]) -> "View":
        """The same history as if these trials had been asked too."""
        if not trials:
            return self
        keys = self._keys | {self.space.key(trial.params) for trial in trials}
        trials = [*self.trials, *trials]
        return View(self.space, self.seed, trials, self._results, self._in_order, keys, self._index, self._visible)


class History(View):
    """All trials and results of one search.

    Parameters
    ----------
    space : Space
        Where the trials lie.
    seed : int
        Root of all randomness of the search.

    Examples
    --------
    >>> from skauto.search import History, Result, Space, Trial
    >>> space = Space({"C": [1, 10]})
    >>> history = History(space, seed=0)
    >>> history.asked(Trial(0, space.encode({"C": 10})))
    >>> history.told(Result(0, "complete", score=0.5))
    >>> trial, result = history.best()
    >>> space.decode(trial.params)
    {'C': 10}
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed, trials=[], results={}, in_order=[], keys=set(), index=_Index())

    @property
    def results(self) -> dict[int, Result]:
        """Results by trial number, in the order told. Not to be changed."""
        return self._results

    def asked(self, trial: Trial) -> None:
        """Add a trial."""
        if trial.number != len(self.trials):
            raise ValueError(f"trial number {trial.number} is out of order: {len(self.trials)} comes next")
        self.trials.append(trial)
        self._keys.add(self.space.key(trial.params))

    def told(self, result: Result) -> None:
        """Add the result of a trial asked before."""
        if not 0 <= result.number < len(self.trials):
            raise ValueError(f"result for trial {result.number}, which was never asked")
        if result.number in self._results:
            raise ValueError(f"trial {result.number} has a result already")
        self._results[result.number] = result
        while (number := len(self._in_order)) in self._results:
            pair = (self.trials[number], self._results[number])
            self._in_order.append(pair)
            if pair[1].status == Status.COMPLETE:
                self._index.levels.setdefault(pair[0].fidelity, _Level()).add(pair)


class _Index:
    """What is kept so that no ask has to look at all trials: complete pairs by fidelity, and points by number."""

    def __init__(self) -> None:
        self.levels: dict[float, _Level] = {}
        self.units: dict[int, tuple[Trial, np.ndarray]] = {}
        self.made: dict[Hashable, Any] = {}


class _Level:
    """Complete pairs of one fidelity, told in order: in the order asked, and by score."""

    pairs: list[Pair]
    numbers: list[int]
    ranked: list[tuple[float, int]]

    def __init__(self) -> None:
        self.pairs, self.numbers, self.ranked = [], [], []

    def add(self, pair: Pair) -> None:
        trial, result = pair
        self.pairs.append(pair)
        self.numbers.append(trial.number)
        insort(self.ranked, (-result.score, trial.number))
