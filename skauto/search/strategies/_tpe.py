"""Tree-structured Parzen estimator: try what is likely among good trials and unlikely among the others."""

import math

import numpy as np

from skauto.search._trial import Status
from skauto.search.strategies._base import Strategy, ask_rng, next_trial, sample_new
from skauto.search.strategies._mixture import Mixture
from skauto.search.strategies._scale import on_one_scale


class TPE(Strategy):
    """Multivariate TPE over mixed and conditional spaces.

    The best trials and all others each get a density: a share for each branch, times a kernel density for each group
    of dimensions that occur in the same branches, so that a parameter of several branches is learnt from all of them.
    Of some candidates drawn from the density of the good, the one of the highest ratio is asked. Failed and running
    trials count among the others.

    Parameters
    ----------
    n_initial : int, default=10
        Random trials before the first model.
    good : float, default=0.1
        Share of the trials that are good, rounded up.
    max_good : int, default=25
        At most so many are.
    n_candidates : int, default=24
        Candidates per ask.
    full_weight : int, default=25
        So many of the latest trials weigh 1, older ones less, down to 1/n.
    prior : float, default=1.0
        Weight of a broad kernel beside those of the trials.
    bandwidth : float, default=0.2
        Standard deviation of a single kernel, as a share of the range.

    References
    ----------
    Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011, section 4. Falkner, Klein and Hutter,
    "BOHB", ICML 2018, section 4 (multivariate). Watanabe, arXiv 2304.11127, section 3 (what each setting does).

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

    def __init__(self, n_initial=10, good=0.1, max_good=25, n_candidates=24, full_weight=25, prior=1.0, bandwidth=0.2):
        self.n_initial = n_initial
        self.good = good
        self.max_good = max_good
        self.n_candidates = n_candidates
        self.full_weight = full_weight
        self.prior = prior
        self.bandwidth = bandwidth

    def propose(self, history):
        """A random configuration at first, then the most promising candidate."""
        rng = ask_rng(history)
        good, others = self._split(history)
        if history.n_distinct >= history.space.size:
            params = None
        elif len(good) + len(others) < self.n_initial or not good:
            params = sample_new(history, rng)
        else:
            params = self._best_candidate(history, good, others, rng)
        return None if params is None else next_trial(history, params)

    def _split(self, history):
        """Trials that are good and all others, both in the order asked."""
        ranked = sorted(on_one_scale(history), key=lambda pair: -pair[1])
        n_good = min(math.ceil(self.good * len(ranked)), self.max_good)
        others = [trial for trial, _ in ranked[n_good:]] + unscored(history)
        return in_order(trial for trial, _ in ranked[:n_good]), in_order(others)

    def _best_candidate(self, history, good, others, rng):
        """The candidate of the highest ratio of densities that was not asked before."""
        space = history.space
        branches = [self._branch_shares(len(space.branches), trials) for trials in (good, others)]
        counts = rng.multinomial(self.n_candidates, branches[0])
        units = [np.full((n, len(dims)), 0.5) for n, dims in zip(counts, space.branches, strict=True)]
        ratios = [np.full(n, b) for n, b in zip(counts, np.log(branches[0] / branches[1]), strict=True)]
        for group in space.groups:
            used = [branch for branch in group if counts[branch]]
            if not used:
                continue
            low, high = (self._mixture(history, group, trials) for trials in (good, others))
            for branch in used:
                points = low.sample(counts[branch], rng)
                units[branch][:, group[branch]] = points
                ratios[branch] += low.log_density(points) - high.log_density(points)
        order = [(-ratio, branch, i) for branch, found in enumerate(ratios) for i, ratio in enumerate(found.tolist())]
        for _, branch, i in sorted(order):
            params = space.from_unit_branch(units[branch][i], branch)
            if not history.has_asked(params):
                return params
        return sample_new(history, rng)

    def _branch_shares(self, n_branches, trials):
        """How much of the weight of some trials lies in each branch."""
        found = np.full(n_branches, self.prior / n_branches)
        np.add.at(found, [trial.params["branch"] for trial in trials], self._weights(len(trials)))
        return found / found.sum()

    def _mixture(self, history, group, trials):
        """The density of a group of dimensions among the trials that have them."""
        branch, columns = next(iter(group.items()))
        dims = list(history.space.branches[branch].values())
        weighted = zip(trials, self._weights(len(trials)).tolist(), strict=True)
        inside = [(trial, weight) for trial, weight in weighted if trial.params["branch"] in group]
        points = np.empty((len(inside), len(columns)))
        for i, (trial, _) in enumerate(inside):
            points[i] = history.units(trial)[group[trial.params["branch"]]]
        weights = np.array([weight for _, weight in inside])
        return Mixture([dims[column] for column in columns], points, weights, self.prior, self.bandwidth)

    def _weights(self, n):
        """Weights of n trials in the order asked: the latest count in full."""
        n_old = max(0, n - self.full_weight)
        return np.append(np.linspace(1 / max(n, 1), 1, n_old), np.ones(n - n_old))


def unscored(history):
    """Trials that failed or still run, of configurations without a complete trial."""
    found = [trial for trial, result in history.finished if result.status not in (Status.COMPLETE, Status.CANCELLED)]
    found += history.pending
    if not found:
        return []
    scored = {history.space.key(trial.params) for pairs in history.complete().values() for trial, _ in pairs}
    return [trial for trial in found if history.space.key(trial.params) not in scored]


def in_order(trials):
    """Trials by number."""
    return sorted(trials, key=lambda trial: trial.number)
