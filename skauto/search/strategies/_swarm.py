"""Particle swarm: every particle is drawn to the best it has seen and the best the swarm has."""

import math
from typing import Any, cast

import numpy as np

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Bounds, Params
from skauto.search.strategies._base import Strategy, bounded, check_choice, comparable
from skauto.search.strategies._failures import Failures

INERTIA = 1 / (2 * math.log(2))
PULL = 0.5 + math.log(2)

TRIES = 5  # moves drawn before a particle begins anew, where the first end among failures


class Swarm(Strategy):
    """Particle swarm: particles move in turn, each within the branch of the space where it began.

    Ordered dimensions have a velocity on the unit scale. An unordered one takes the choice of the particle's best trial
    or of the best in its branch, or stays, with probabilities in the ratio of `pull` to `inertia`. Position and
    velocity are stored in the tags of a particle's trials. A particle whose moves all lead to failed trials restarts.

    Parameters
    ----------
    particles : int, default=12
        Number of particles; the first `particles` trials are random.
    inertia : float, default=0.721
        Fraction of the velocity that is kept: 1 / (2 ln 2).
    pull : float, default=1.193
        Greatest pull towards each of the two best trials: 1/2 + ln 2.
    random_probability : float, default=0.05
        Probability that a particle begins anew anywhere, which keeps other branches in play.
    bounds : {"clip", "reflect"}, default="clip"
        At an end of the range a particle stops, or is turned back; its velocity is halved and turned.

    References
    ----------
    Kennedy and Eberhart, "Particle swarm optimization", ICNN 1995. Zambrano-Bigiarini, Clerc and Rojas, "Standard
    particle swarm optimisation 2011 at CEC-2013", CEC 2013, section II (constants and bounds).

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import Swarm, maximize
    >>> history = maximize(lambda params: -abs(params["x"] - 0.3), {"x": uniform(0, 1)}, strategy=Swarm(),
    ...                    n_iter=60, random_state=0)
    >>> history.best()[1].score > -0.05
    True
    """

    def __init__(
        self,
        particles: int = 12,
        inertia: float = INERTIA,
        pull: float = PULL,
        random_probability: float = 0.05,
        bounds: Bounds = "clip",
    ) -> None:
        self.particles = particles
        self.inertia = inertia
        self.pull = pull
        self.random_probability = random_probability
        self.bounds = bounds

    def propose(self, history: View) -> Trial | None:
        """The next move of the particle whose turn it is."""
        check_choice(self, "bounds", ("clip", "reflect"))
        rng = self.rng(history)
        moves = [trial for trial in history.trials if "swarm" in trial.tags]
        particle = len(moves) % self.particles
        last = next((trial for trial in reversed(moves) if trial.tags["swarm"]["particle"] == particle), None)
        if history.n_distinct >= history.space.size:
            return None
        failures = Failures(history)
        if last is not None and rng.random() >= self.random_probability:
            for _ in range(TRIES):
                params, tag = self._move(history, last, rng)
                if not history.has_asked(params) and not failures.shuns(params, rng):
                    return self.next_trial(history, params, {"swarm": {"particle": particle, **tag}})
        params = cast(Params, failures.sample_new(history, rng))
        units = history.space.to_unit_branch(params)
        tag = {"particle": particle, "at": units, "velocity": ((rng.random(len(units)) - units) / 2).tolist()}
        return self.next_trial(history, params, {"swarm": tag})

    def _move(self, history: View, last: Trial, rng: np.random.Generator) -> tuple[Params, dict[str, Any]]:
        """The params a particle goes to, with its new position and velocity."""
        branch, here = last.params["branch"], last.tags["swarm"]
        dims = list(history.space.branches[branch].values())
        own, swarm = self._attractors(history, last)
        at, velocity = np.array(here["at"]), np.array(here["velocity"])
        own_at, swarm_at = (history.units(trial) for trial in (own, swarm))
        pulls = self.pull * rng.random((2, len(dims)))
        velocity = self.inertia * velocity + pulls[0] * (own_at - at) + pulls[1] * (swarm_at - at)
        moved = at + velocity
        outside = (moved < 0) | (moved > 1)
        velocity = np.where(outside, -velocity / 2, velocity)
        moved = bounded(moved, self.bounds)
        cumulative = np.cumsum([self.inertia, self.pull / 2, self.pull / 2])
        taken = np.searchsorted(cumulative / cumulative[-1], rng.random(len(dims))).clip(0, 2)
        unordered = np.array([not dim.ordered for dim in dims], dtype=bool)
        moved[unordered] = np.choose(taken, [at, own_at, swarm_at])[unordered]
        params = history.space.from_unit_branch(moved, branch)
        return params, {"at": moved.tolist(), "velocity": velocity.tolist()}

    def _attractors(self, history: View, last: Trial) -> tuple[Trial, Trial]:
        """The best trial of the particle in its branch, and that of all; the last one where none is complete."""
        branch, particle = last.params["branch"], last.tags["swarm"]["particle"]
        best = [(-math.inf, last), (-math.inf, last)]
        for trial, result in comparable(history, self.particles):
            if trial.params["branch"] == branch:
                mine = trial.tags.get("swarm", {}).get("particle") == particle
                for i in (0, 1) if mine else (1,):
                    best[i] = max(best[i], (result.score, trial), key=lambda pair: pair[0])
        return best[0][1], best[1][1]
