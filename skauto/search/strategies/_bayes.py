"""Bayesian optimisation with Gaussian processes, through scikit-optimize."""

import math
import warnings
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from threadpoolctl import threadpool_limits

from skauto.search._dimensions import Dimension
from skauto.search._history import View
from skauto.search._space import Space
from skauto.search._trial import Status, Trial
from skauto.search._types import Params
from skauto.search.strategies._base import Strategy, check_choice, comparable, first_new, sample_new

ACQUISITIONS = ("ei", "pi", "lcb")
N_LOCAL = 5  # known configurations whose neighbourhood is looked at
LOCAL_STEP = 0.05
MIN_FIT = 3  # points that a branch needs before a surrogate is fitted to it

# Params with their loss.
Point: TypeAlias = tuple[Params, float]


class Bayes(Strategy):
    """A Gaussian process per branch of the space, rebuilt from the history at each ask.

    Scores are modelled over unit-scaled numbers and one-hot choices with a Matern 5/2 kernel that has one length per
    dimension. The next trial maximises the acquisition over random candidates and neighbours of the best known ones.
    Trials that failed count as the worst score, trials still running as the median (constant liar).

    Parameters
    ----------
    acquisition : {"ei", "pi", "lcb", "gp_hedge"}, default="ei"
        Expected improvement, probability of improvement, confidence bound, or GP-Hedge, which weights the three by
        their success.
    n_initial : int, default=10
        Random trials before the first model.
    xi : float, default=0.01
        Improvement, in standard deviations of the scores, that "ei" and "pi" ask for.
    kappa : float, default=1.96
        Standard deviations that "lcb" looks beyond the mean.
    n_candidates : int, default=1000
        Random candidates per ask, divided among the branches.
    max_points : int, default=150
        Trials that a surrogate is fitted to, the best half and the latest: its cost is cubic.

    References
    ----------
    Snoek, Larochelle and Adams, "Practical Bayesian optimization of machine learning algorithms", NeurIPS 2012.
    Ginsbourger, Le Riche and Carraro, "Kriging is well-suited to parallelize optimization", 2010, section 4 (constant
    liar). Hoffman, Brochu and de Freitas, "Portfolio allocation for Bayesian optimization", UAI 2011 (hedge).

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._bayes import Bayes
    >>> len(Bayes().ask(History(Space({"C": [1, 10, 100]}), seed=0), 2))
    2
    """

    def __init__(
        self,
        acquisition: Literal["ei", "pi", "lcb", "gp_hedge"] = "ei",
        n_initial: int = 10,
        xi: float = 0.01,
        kappa: float = 1.96,
        n_candidates: int = 1000,
        max_points: int = 150,
    ) -> None:
        self.acquisition = acquisition
        self.n_initial = n_initial
        self.xi = xi
        self.kappa = kappa
        self.n_candidates = n_candidates
        self.max_points = max_points

    def propose(self, history: View) -> Trial | None:
        """A random configuration at first, then the one of highest acquisition."""
        check_choice(self, "acquisition", (*ACQUISITIONS, "gp_hedge"))
        rng = self.rng(history)
        if len(history) < self.n_initial or len(comparable(history, self.n_initial)) < MIN_FIT:
            params = sample_new(history, rng)
            return None if params is None else self.next_trial(history, params)
        if history.n_distinct >= history.space.size:
            return None
        # threadpoolctl: on two cores the surrogate is several times faster with one BLAS thread.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's notes on kernel lengths at their bounds
            params, tags = self._best_candidate(history, rng)
        return self.next_trial(history, params, tags)

    def _best_candidate(self, history: View, rng: np.random.Generator) -> tuple[Params, dict[str, Any]]:
        # One surrogate per branch, not one over all: inactive dimensions need no stand-in, the matrices stay small,
        # and since all predict the same scores the branch follows from the highest acquisition.
        points = self._points(history)
        best_loss = min(loss for _, loss in points)
        nominees: dict[str, tuple[float, Params]] = {}
        models = []
        for branch in range(len(history.space.branches)):
            inside = [(params, loss) for params, loss in points if params["branch"] == branch]
            model = _fit(history.space, inside, self.max_points, rng)
            models.append(model)
            candidates = self._candidates(history, branch, inside, rng)
            if not candidates:
                continue
            features = _features(history.space, candidates)
            for name in self._wanted():
                values = self._values(name, features, model, best_loss)
                top = int(np.argmax(values))
                if name not in nominees or values[top] > nominees[name][0]:
                    nominees[name] = (float(values[top]), candidates[top])
        if not nominees:  # every candidate was asked before: a small space, nearly exhausted
            return cast(Params, first_new(history)), {}
        chosen = {name: params for name, (_, params) in nominees.items()}
        if self.acquisition != "gp_hedge":
            return chosen[self.acquisition], {}
        return _hedge(history, chosen, models, rng)

    def _wanted(self) -> tuple[str, ...]:
        return ACQUISITIONS if self.acquisition == "gp_hedge" else (self.acquisition,)

    def _points(self, history: View) -> list[Point]:
        """Params with their losses: the negative scores, standardised."""
        known = comparable(history, self.n_initial)
        scores = np.array([result.score for _, result in known])
        losses = ((scores.mean() - scores) / (scores.std() or 1.0)).tolist()
        points = [(trial.params, loss) for (trial, _), loss in zip(known, losses, strict=True)]
        worst, middle = max(losses), float(np.median(losses))
        for trial in history.trials:
            result = history.result(trial.number)
            if result is None:
                points.append((trial.params, middle))
            elif result.status not in (Status.COMPLETE, Status.CANCELLED):
                points.append((trial.params, worst))
        return points

    def _candidates(self, history: View, branch: int, points: list[Point], rng: np.random.Generator) -> list[Params]:
        """Configurations of a branch that were not asked: random ones, and near its best."""
        space = history.space
        n_random = max(100, self.n_candidates // len(space.branches))
        candidates = [space.sample_branch(branch, rng) for _ in range(n_random)]
        for params, _ in sorted(points, key=lambda point: point[1])[:N_LOCAL]:
            units = np.array(space.to_unit_branch(params))
            steps = rng.normal(0, LOCAL_STEP, size=(n_random // 20, len(units)))
            candidates += [space.from_unit_branch(unit, branch) for unit in units + steps]
        return [params for params in candidates if not history.has_asked(params)]

    def _values(self, name: str, features: np.ndarray, model: Any, best_loss: float) -> Any:
        """The acquisition at each candidate, greater is better."""
        from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi

        if name == "lcb":
            return -gaussian_lcb(features, model, self.kappa)
        function = gaussian_ei if name == "ei" else gaussian_pi
        return function(features, model, best_loss, self.xi)


class _Unknown:
    """The model of a branch with too few results: the spread of all scores."""

    def predict(self, features: np.ndarray, return_std: bool = False) -> Any:
        zeros = np.zeros(len(features))
        return (zeros, zeros + 1.0) if return_std else zeros


def _fit(space: Space, points: list[Point], max_points: int, rng: np.random.Generator) -> Any:
    """A Gaussian process of the losses of one branch."""
    random_state = int(rng.integers(2**31))
    if len(points) < MIN_FIT or not space.branches[points[0][0]["branch"]]:
        return _Unknown()
    from skopt.learning import GaussianProcessRegressor
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern

    if len(points) > max_points:
        order = sorted(range(len(points)), key=lambda i: points[i][1])[: max_points // 2]
        latest = range(len(points) - (max_points - len(order)), len(points))
        points = [points[i] for i in sorted({*order, *latest})]
    features = _features(space, [params for params, _ in points])
    kernel = ConstantKernel(1.0, (0.01, 1000.0)) * Matern(
        length_scale=np.ones(features.shape[1]), length_scale_bounds=(0.05, 100.0), nu=2.5
    )
    model = GaussianProcessRegressor(
        kernel, noise="gaussian", normalize_y=True, n_restarts_optimizer=1, random_state=random_state
    )
    return model.fit(features, [loss for _, loss in points])


def _features(space: Space, many: list[Params]) -> np.ndarray:
    """Params of one branch as rows: ordered dimensions on the unit scale, others one-hot."""
    dims = list(space.branches[many[0]["branch"]].items())
    return np.array([[number for name, dim in dims for number in _row(dim, p["values"][name])] for p in many])


def _row(dim: Dimension, value: Any) -> list[float]:
    if dim.ordered:
        return [dim.to_unit(value)]
    return [1.0 if index == value else 0.0 for index in range(dim.size)]


def _hedge(
    history: View, nominees: dict[str, Params], models: list[Any], rng: np.random.Generator
) -> tuple[Params, dict[str, Any]]:
    """One of the nominees, by the gains of the acquisitions so far; gains and nominees ride on the tags."""
    last = next((trial.tags["hedge"] for trial in reversed(history.trials) if "hedge" in trial.tags), None)
    gains = dict.fromkeys(nominees, 0.0) if last is None else dict(last["gains"])
    if last is not None:
        for name, params in last["nominees"].items():
            features = _features(history.space, [params])
            gains[name] -= float(models[params["branch"]].predict(features)[0])
    highest = max(gains.values())
    weights = np.array([math.exp(gains[name] - highest) for name in nominees])
    name = list(nominees)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    return nominees[name], {"hedge": {"gains": gains, "nominees": nominees}}
