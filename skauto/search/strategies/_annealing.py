"""Simulated annealing: a walk that goes uphill, and downhill less and less."""

from typing import cast

import numpy as np

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Bounds, Params
from skauto.search.strategies._base import Strategy, check_choice, comparable_fidelity
from skauto.search.strategies._failures import Failures
from skauto.search.strategies._genetic import mutate

TRIES = 20  # steps made before a new random configuration is taken instead


class Annealing(Strategy):
    """Simulated annealing: one walk through the space by small steps.

    A worse trial is accepted with probability ``exp(-loss / T)``, where the loss is in standard deviations of the
    scores of the first trials and T falls with each trial, as the size of the steps does. The loss that each trial may
    have is drawn when it is asked and stored in its tags, so the walk can be read from the history.

    Parameters
    ----------
    n_initial : int, default=10
        Random trials first; the walk starts from the best of them.
    temperature : float, default=0.3
        T at the first step.
    cooling : float, default=0.97
        Factor of T at each step.
    step : float, default=0.2
        Standard deviation of a step at first, as a fraction of the range; it falls with the square root of T.
    least_step : float, default=0.05
        Minimum standard deviation of a step.
    random_probability : float, default=0.05
        Probability of a random configuration instead of a step, which keeps other branches in play.
    bounds : {"clip", "reflect"}, default="clip"
        A step that leaves the range stops at its end, or is turned back.

    References
    ----------
    Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", Science 220, 1983. Corana et al., "Minimizing
    multimodal functions of continuous variables", ACM TOMS 13(3), 1987, section 2 (steps that shrink).

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import Annealing, maximize
    >>> history = maximize(lambda params: -abs(params["x"] - 0.3), {"x": uniform(0, 1)}, strategy=Annealing(),
    ...                    n_iter=50, random_state=0)
    >>> history.best()[1].score > -0.05
    True
    """

    def __init__(
        self,
        n_initial: int = 10,
        temperature: float = 0.3,
        cooling: float = 0.97,
        step: float = 0.2,
        least_step: float = 0.05,
        random_probability: float = 0.05,
        bounds: Bounds = "clip",
    ) -> None:
        self.n_initial = n_initial
        self.temperature = temperature
        self.cooling = cooling
        self.step = step
        self.least_step = least_step
        self.random_probability = random_probability
        self.bounds = bounds

    def propose(self, history: View) -> Trial | None:
        """A random configuration at first, then a step from where the walk is."""
        check_choice(self, "bounds", ("clip", "reflect"))
        rng = self.rng(history)
        allowance, is_fresh = float(rng.exponential()), rng.random() < self.random_probability
        here = None if len(history) < self.n_initial or is_fresh else self._present(history)
        failures = Failures(history)
        if here is None:
            params = failures.sample_new(history, rng)
        else:
            params = self._neighbour(history, here.params, failures, rng)
        return None if params is None else self.next_trial(history, params, {"annealing": {"allowance": allowance}})

    def _heat(self, number: int) -> float:
        """The fraction of the first temperature that is left at a trial."""
        return self.cooling ** max(0, number - self.n_initial)

    def _present(self, history: View) -> Trial | None:
        """The trial at which the walk is; None before any is complete."""
        levels = history.complete()
        pairs = levels.get(cast(float, comparable_fidelity(levels, self.n_initial)), [])
        first = [pair for pair in pairs if pair[0].number < self.n_initial] or pairs[:1]
        if not first:
            return None
        here, height = max(first, key=lambda pair: pair[1].score)
        scale = float(np.std([result.score for _, result in pairs[: self.n_initial]])) or 1.0
        for trial, result in pairs[len(first) :]:
            allowance = trial.tags.get("annealing", {}).get("allowance", 0.0)
            heat = scale * self.temperature * self._heat(trial.number)
            if result.score >= height.score - allowance * heat:
                here, height = trial, result
        return here

    def _neighbour(self, history: View, params: Params, failures: Failures, rng: np.random.Generator) -> Params | None:
        """A configuration one step away that was not asked, at least one of its parameters moved."""
        space, dims = history.space, history.space.branches[params["branch"]]
        if history.n_distinct >= space.size:
            return None
        step = max(self.least_step, self.step * self._heat(len(history)) ** 0.5)
        for _ in range(TRIES if dims else 0):
            values = dict(params["values"])
            moved = rng.random(len(dims)) < 1 / len(dims)
            moved[rng.integers(len(dims))] = True
            for name in [name for name, hit in zip(dims, moved, strict=True) if hit]:
                values[name] = mutate(dims[name], values[name], step, rng, self.bounds)
            found = {"branch": params["branch"], "values": values}
            if not history.has_asked(found) and not failures.shuns(found, rng):
                return found
        return failures.sample_new(history, rng)
