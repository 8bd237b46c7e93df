"""Where trials have failed: strategies that make steps look there before they take one."""

from collections.abc import Iterable

import numpy as np

from skauto.search._history import View
from skauto.search._trial import Status, Trial
from skauto.search._types import Params
from skauto.search.strategies._base import sample_new

TRIES = 10  # configurations drawn before one is taken whatever lies near it
CLOSED = 5  # trials of a branch that must have failed, all of them, before the whole branch is expected to
DARING = 0.1  # fraction of asks in which a configuration that is expected to fail may still be tried


class Failures:
    """What is known of failed trials in a history, for one ask.

    A configuration is expected to fail where the nearest known one of its branch did, and where five of the branch did
    and none completed. Distances are on the unit scale,
    another choice counts as one. A configuration that completed at any fidelity has not failed.

    Parameters
    ----------
    history : View

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import Space
    >>> from skauto.search._history import History
    >>> from skauto.search._trial import Result, Status, Trial
    >>> space = Space({"x": uniform(0, 1)})
    >>> history = History(space, seed=0)
    >>> for number, x in enumerate([0.2, 0.8]):
    ...     history.asked(Trial(number, space.encode({"x": x})))
    >>> history.told(Result(0, Status.FAILED))
    >>> history.told(Result(1, Status.COMPLETE, 0.5))
    >>> [Failures(history).near(space.encode({"x": x})) for x in (0.1, 0.9)]
    [True, False]
    """

    def __init__(self, history: View) -> None:
        self._space = history.space
        self._dares: bool | None = None
        ended = [(trial, result.status) for trial, result in history.finished if result.status != Status.CANCELLED]
        failed = [trial for trial, status in ended if status != Status.COMPLETE]
        complete = [trial for trial, status in ended if status == Status.COMPLETE] if failed else []
        scored = {self._space.key(trial.params) for trial in complete}
        failed = [trial for trial in failed if self._space.key(trial.params) not in scored]
        self._bad = self._points(history, failed)
        self._good = self._points(history, [t for t in complete if t.params["branch"] in self._bad])

    @staticmethod
    def _points(history: View, trials: Iterable[Trial]) -> dict[int, np.ndarray]:
        """Positions of trials by branch."""
        found: dict[int, list[np.ndarray]] = {}
        for trial in trials:
            found.setdefault(trial.params["branch"], []).append(history.units(trial))
        return {branch: np.array(points) for branch, points in found.items()}

    def near(self, params: Params) -> bool:
        """Whether the nearest known trial of the branch has failed."""
        branch = params["branch"]
        if branch not in self._bad:
            return False
        if branch not in self._good:
            return len(self._bad[branch]) >= CLOSED
        point = np.array(self._space.to_unit_branch(params))
        unordered = np.array([not dim.ordered for dim in self._space.branches[branch].values()], dtype=bool)
        bad, good = (self._nearest(points[branch], point, unordered) for points in (self._bad, self._good))
        return bool(bad < good)

    @staticmethod
    def _nearest(points: np.ndarray, point: np.ndarray, unordered: np.ndarray) -> float:
        steps = np.abs(points - point)
        steps[:, unordered] = steps[:, unordered] > 0
        return (steps**2).sum(axis=1).min()

    def shuns(self, params: Params, rng: np.random.Generator) -> bool:
        """Whether to avoid params: those expected to fail, except in an ask that explores."""
        if not self.near(params):
            return False
        if self._dares is None:  # once for all candidates of an ask: of a hundred, one would pass
            self._dares = bool(rng.random() < DARING)
        return not self._dares

    def sample_new(self, history: View, rng: np.random.Generator) -> Params | None:
        """Random params never asked before, away from failures where such are found soon; None where all were asked."""
        for _ in range(TRIES):
            params = sample_new(history, rng)
            if params is None or not self.shuns(params, rng):
                break
        return params
