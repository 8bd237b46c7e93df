"""Bayesian optimisation with one small Gaussian process over all branches, in a tenth of a second an ask at most."""

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from scipy.special import erfcx, ndtr, ndtri
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from skauto.search._history import View
from skauto.search._space import Space
from skauto.search._trial import Trial
from skauto.search._types import Bounds, Params, Scored
from skauto.search.strategies._base import Strategy, bounded, check_choice, check_count, sample_new
from skauto.search.strategies._columns import Columns
from skauto.search.strategies._failures import Failures
from skauto.search.strategies._kriging import Kriging
from skauto.search.strategies._scale import on_one_scale
from skauto.search.strategies._tpe import unscored

MIN_FIT = 3  # complete trials that a process needs
ELITE = 5  # known or proposed configurations whose neighbourhood is looked at
ROUNDS = ((40, 0.1), (30, 0.05), (30, 0.02))  # neighbours of each and their step, the later rounds around the best
NOMINEES = 10  # the best of a batch that are kept

# A branch with positions in its unit cube; and one such position with its gain.
Point: TypeAlias = tuple[int, np.ndarray]
Found: TypeAlias = tuple[float, Point]


class GaussianProcess(Strategy):
    """A Gaussian process of the ranks of all results, and expected improvement over it.

    One process serves all branches, so that a parameter of several is learnt from all of them. It models normal
    quantiles of the ranks, so it is robust to very low scores and to many nearly equal good ones; failed trials rank
    last, running ones in the middle. Candidates are random ones and neighbours of the best; then twice neighbours of
    the best candidates.

    Parameters
    ----------
    n_initial : int, default=10
        Random trials before the first model.
    n_candidates : int, default=600
        Random candidates per ask.
    max_points : int, default=150
        Trials that the process is fitted to: a third at most are the latest failed and running ones, the others half
        the best and half the latest. Its cost is cubic.
    bounds : {"clip", "reflect"}, default="clip"
        A neighbour outside the range is put on its end, or turned back.

    References
    ----------
    Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions", Journal of Global
    Optimization 13, 1998, section 4. Ament et al., arXiv 2310.20708, section 4 (the logarithm of the improvement).

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import GaussianProcess, maximize
    >>> history = maximize(lambda params: -abs(params["x"] - 0.3), {"x": uniform(0, 1)}, strategy=GaussianProcess(),
    ...                    n_iter=25, random_state=0)
    >>> history.best()[1].score > -0.01
    True
    """

    def __init__(
        self, n_initial: int = 10, n_candidates: int = 600, max_points: int = 150, bounds: Bounds = "clip"
    ) -> None:
        self.n_initial = n_initial
        self.n_candidates = n_candidates
        self.max_points = max_points
        self.bounds = bounds

    def propose(self, history: View) -> Trial | None:
        """A random configuration at first, then the one of highest expected improvement."""
        check_choice(self, "bounds", ("clip", "reflect"))
        for name, least in (("n_initial", 0), ("n_candidates", 1), ("max_points", 2)):
            check_count(self, name, least)
        rng = self.rng(history)
        known, others = on_one_scale(history), unscored(history)
        if history.n_distinct >= history.space.size:
            params = None
        elif len(known) + len(others) < self.n_initial or len(known) < MIN_FIT:
            params = sample_new(history, rng)
        else:
            with threadpool_limits(1):  # so small a matrix is several times faster on one thread
                params = self._best_candidate(history, known, others, rng)
        return None if params is None else self.next_trial(history, params)

    def _best_candidate(
        self, history: View, known: list[Scored], others: list[Trial], rng: np.random.Generator
    ) -> Params | None:
        space = history.space
        columns = history.remember("columns", lambda: Columns(space))
        trials, values = self._points(history, known, others)
        points = [(trial.params["branch"], history.units(trial)) for trial in trials]
        rows = np.vstack([columns.rows(branch, units[None]) for branch, units in points])
        judge = _Judge(Kriging(rows, values, columns.length_of), columns, values.max())
        best = [points[i] for i in np.argsort(-values, kind="stable")[:ELITE]]
        found = judge.best(self._random(space, rng))
        for n, step in ROUNDS:
            found = _first(found + judge.best(self._near(space, best, n, step, rng)))
            best = [point for _, point in found[:ELITE]]
        failures = Failures(history)
        for _, (branch, units) in found:
            params = space.from_unit_branch(units, branch)
            if not history.has_asked(params) and not failures.shuns(params, rng):
                return params
        return failures.sample_new(history, rng)

    def _points(self, history: View, known: list[Scored], others: list[Trial]) -> tuple[list[Trial], np.ndarray]:
        """Trials and their values, of mean 0 and variance 1."""
        running = {trial.number for trial in history.pending}
        scores = [score for _, score in known]
        middle: Any = np.median(scores)
        scores += [middle if trial.number in running else -np.inf for trial in others]
        values = ndtri((rankdata(scores) - 0.5) / len(scores))
        kept = self._kept(values[: len(known)], len(others))
        trials, values = [trial for trial, _ in known] + others, values[kept]
        return [trials[i] for i in kept], (values - values.mean()) / (values.std() or 1.0)

    def _kept(self, values: np.ndarray, n_others: int) -> list[int]:
        """Numbers of the points that count: scored ones with their values come first, then the others."""
        n = len(values)
        latest = range(n + max(0, n_others - self.max_points // 3), n + n_others)
        room = self.max_points - len(latest)
        if n <= room:
            return [*range(n), *latest]
        best = set(np.argsort(-values, kind="stable")[: room // 2].tolist())
        rest = [i for i in range(n) if i not in best]
        return [*sorted(best.union(rest[len(best) - room :])), *latest]

    def _random(self, space: Space, rng: np.random.Generator) -> list[Point]:
        """Random points, as (branch, units) with units of shape (n, d)."""
        counts = rng.multinomial(self.n_candidates, space.branch_probabilities)
        return [(b, rng.random((n, len(space.branches[b])))) for b, n in enumerate(counts.tolist()) if n]

    def _near(
        self, space: Space, points: Iterable[Point], n: int, step: float, rng: np.random.Generator
    ) -> list[Point]:
        """Neighbours of points: a few dimensions of each are moved, unordered ones to any choice."""
        return [(branch, self._moved(space, branch, units, n, step, rng)) for branch, units in points]

    def _moved(
        self, space: Space, branch: int, units: np.ndarray, n: int, step: float, rng: np.random.Generator
    ) -> np.ndarray:
        dims = list(space.branches[branch].values())
        if not dims:
            return np.empty((n, 0))
        hit = rng.random((n, len(dims))) < min(1.0, 2 / len(dims) + 0.15)
        hit[np.arange(n), rng.integers(len(dims), size=n)] = True
        moved = units + rng.normal(0, step, hit.shape)
        moved = bounded(moved, self.bounds)
        sizes = np.array([1 if dim.ordered else dim.size for dim in dims])
        drawn = (np.floor(rng.random(hit.shape) * sizes) + 0.5) / sizes
        return np.where(hit, np.where([dim.ordered for dim in dims], moved, drawn), units)


class _Judge:
    """Expected improvement of points."""

    def __init__(self, process: Kriging, columns: Columns, best: float) -> None:
        self.process, self.columns, self.best_value = process, columns, best

    def best(self, batches: Iterable[Point]) -> list[Found]:
        """The best points of each batch with the logarithms of their improvements, the greatest first."""
        found: list[Found] = []
        for branch, units in batches:
            gains = log_improvement(*self.process.predict(self.columns.rows(branch, units)), self.best_value)
            order = np.argsort(-gains, kind="stable")[:NOMINEES]
            found += [(float(gains[i]), (branch, units[i])) for i in order]
        return _first(found)


def _first(found: list[Found]) -> list[Found]:
    """The greatest gains first; of equal ones the first found."""
    return sorted(found, key=lambda pair: -pair[0])


def log_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """The logarithm of the expected improvement over a value, also where the improvement itself would be 0."""
    z = (mean - best) / deviation
    density = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    near, far = np.maximum(z, -1.0), np.minimum(z, -1.0)  # each form where it loses no digits
    gain = np.log(np.exp(-0.5 * near**2) / math.sqrt(2 * math.pi) + near * ndtr(near))
    left = density + np.log1p(far * math.sqrt(math.pi / 2) * erfcx(-far / math.sqrt(2)))
    return np.where(z > -1, gain, left) + np.log(deviation)
