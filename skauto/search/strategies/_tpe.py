"""Tree-structured Parzen estimator: try what is likely among good trials and unlikely among the others."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from skauto.search._history import View
from skauto.search._space import Space
from skauto.search._trial import Status, Trial
from skauto.search._types import Params
from skauto.search.strategies._base import Strategy, sample_new
from skauto.search.strategies._failures import Failures
from skauto.search.strategies._mixture import Mixture
from skauto.search.strategies._scale import on_one_scale

# A branch has at least this many good trials, once it has twice as many: fewer say nothing of a density.
LEAST_GOOD = 3


class TPE(Strategy):
    """Multivariate TPE over mixed and conditional spaces.

    A branch is chosen by Thompson sampling: each draws from the posterior of its fraction of good trials, those among
    the best of all, and the highest wins. Inside the branch its own best trials and its others
    each get a kernel density. So neither a branch that is good nearly everywhere nor one that was tried often keeps
    the others from being modelled. A parameter of several branches is also learnt from the others' trials, which
    together count as one. Of some candidates drawn from the density of the good, the one of the highest ratio is
    asked. Failed and running trials count among the others.

    Parameters
    ----------
    n_initial : int, default=10
        Random trials before the first model.
    gamma : float, default=0.15
        Fraction of the trials that are good, rounded up: of all for the choice of a branch, of its own inside a branch.
    max_good : int, default=25
        Maximum number of good trials.
    n_candidates : int, default=24
        Candidates per ask.
    full_weight : int, default=25
        The latest `full_weight` trials weigh 1, older ones less, down to 1/n.
    prior : float, default=1.0
        Weight of a broad kernel beside those of the trials.
    bandwidth : float, default=0.12
        Standard deviation of a single kernel, as a fraction of the range.

    References
    ----------
    Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011, section 4. Falkner, Klein and Hutter,
    "BOHB", ICML 2018, section 4 (multivariate). Watanabe, arXiv 2304.11127, section 3 (what each setting does).
    Chapelle and Li, "An empirical evaluation of Thompson sampling", NeurIPS 2011, algorithm 2 (branches).

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import TPE, maximize
    >>> space = {"x": uniform(0, 1), "kind": ["round", "flat"]}
    >>> def peak(params):
    ...     return -abs(params["x"] - 0.3) - (params["kind"] == "flat")
    >>> history = maximize(peak, space, strategy=TPE(), n_iter=40, random_state=0)
    >>> history.best()[1].score > -0.05
    True
    """

    def __init__(
        self,
        n_initial: int = 10,
        gamma: float = 0.15,
        max_good: int = 25,
        n_candidates: int = 24,
        full_weight: int = 25,
        prior: float = 1.0,
        bandwidth: float = 0.12,
    ) -> None:
        self.n_initial = n_initial
        self.gamma = gamma
        self.max_good = max_good
        self.n_candidates = n_candidates
        self.full_weight = full_weight
        self.prior = prior
        self.bandwidth = bandwidth

    def propose(self, history: View) -> Trial | None:
        """A random configuration at first, then the most promising candidate."""
        rng = self.rng(history)
        ranked, unknown = self._known(history)
        if history.n_distinct >= history.space.size:
            params = None
        elif len(ranked) + len(unknown) < self.n_initial or not ranked:
            params = sample_new(history, rng)
        else:
            params = self._best_candidate(history, ranked, unknown, rng)
        return None if params is None else self.next_trial(history, params)

    @staticmethod
    def _known(history: View) -> tuple[list[Trial], list[Trial]]:
        """Trials with a score, the best first, and those without."""
        pairs = sorted(on_one_scale(history), key=lambda pair: -pair[1])
        return [trial for trial, _ in pairs], unscored(history)

    def _best_candidate(
        self, history: View, ranked: list[Trial], unknown: list[Trial], rng: np.random.Generator
    ) -> Params | None:
        """The best candidate that was not asked before, of the branch drawn, or else of the next one."""
        good, others = self._split(history.space, ranked, unknown)
        failures = Failures(history)
        for branch in self._branches(history.space, ranked, unknown, rng):
            low, high = (self._mixture(history, branch, trials) for trials in (good, others))
            points = low.sample(self.n_candidates, rng)
            for i in np.argsort(high.log_density(points) - low.log_density(points), kind="stable"):
                params = history.space.from_unit_branch(points[i], branch)
                if not history.has_asked(params) and not failures.shuns(params, rng):
                    return params
        return failures.sample_new(history, rng)

    def _branches(self, space: Space, ranked: list[Trial], unknown: list[Trial], rng: np.random.Generator) -> list[int]:
        """The branches, the one drawn first."""
        n_branches, n_good = len(space.branches), self._n_good(len(ranked))
        if n_branches == 1:
            return [0]
        good = np.bincount([trial.params["branch"] for trial in ranked[:n_good]], minlength=n_branches)
        others: Any = [trial.params["branch"] for trial in [*ranked[n_good:], *unknown]]
        others = np.bincount(others, minlength=n_branches)
        return np.argsort(-rng.beta(1 + good, 1 + others), kind="stable").tolist()

    def _n_good(self, n: int) -> int:
        return min(math.ceil(self.gamma * n), self.max_good)

    def _split(self, space: Space, ranked: list[Trial], unknown: list[Trial]) -> tuple[list[Trial], list[Trial]]:
        """Trials that are good in their own branch, and all others, both in the order asked."""
        good: list[Trial] = []
        others = list(unknown)
        for branch in range(len(space.branches)):
            inside = [trial for trial in ranked if trial.params["branch"] == branch]
            n_good = max(self._n_good(len(inside)), min(LEAST_GOOD, len(inside) // 2))
            good += inside[:n_good]
            others += inside[n_good:]
        return in_order(good), in_order(others)

    def _mixture(self, history: View, branch: int, trials: list[Trial]) -> Mixture:
        """The density of a branch among its trials; those of other branches tell of the dimensions they share."""
        dims = list(history.space.branches[branch].values())
        own = [history.units(trial) for trial in trials if trial.params["branch"] == branch]
        others = _told_by_others(history, branch, trials)
        points = np.array([*own, *others]).reshape(len(own) + len(others), len(dims))
        weight = 1.0 / len(others) if own and others else 1.0
        weights = np.append(self._weights(len(own)), np.full(len(others), weight))
        return Mixture(dims, points, weights, self.prior, self.bandwidth)

    def _weights(self, n: int) -> np.ndarray:
        """Weights of n trials in the order asked: the latest count in full."""
        n_old = max(0, n - self.full_weight)
        return np.append(np.linspace(1 / max(n, 1), 1, n_old), np.ones(n - n_old))


def _told_by_others(history: View, branch: int, trials: list[Trial]) -> list[np.ndarray]:
    """Points of a branch from trials of others, NaN in the dimensions that only the branch has."""
    shared = [group for group in history.space.groups if branch in group and len(group) > 1]
    points: list[np.ndarray] = []
    for trial in trials:
        there = trial.params["branch"]
        groups = [group for group in shared if there in group and there != branch]
        point = np.full(len(history.space.branches[branch]), np.nan)
        for group in groups:
            point[group[branch]] = history.units(trial)[group[there]]
        points += [point] if groups else []
    return points


def unscored(history: View) -> list[Trial]:
    """Trials that failed or still run, of configurations without a complete trial."""
    found = [trial for trial, result in history.finished if result.status not in (Status.COMPLETE, Status.CANCELLED)]
    found += history.pending
    if not found:
        return []
    scored = {history.space.key(trial.params) for pairs in history.complete().values() for trial, _ in pairs}
    return [trial for trial in found if history.space.key(trial.params) not in scored]


def in_order(trials: Iterable[Trial]) -> list[Trial]:
    """Trials by number."""
    return sorted(trials, key=lambda trial: trial.number)
