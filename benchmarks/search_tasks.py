"""The surrogate tasks of search.py: spaces, and what an evaluation costs."""

import importlib.util
import math
from functools import cached_property
from pathlib import Path

from scipy.stats import loguniform, randint, uniform
from skopt.space import Integer

from skauto.search._space import Space
from skauto.search.strategies._base import Strategy, parent


def load_suite(folder):
    """The tasks of a folder of surrogates, see its surrogate.py."""
    spec = importlib.util.spec_from_file_location("surrogate", Path(folder) / "surrogate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [Task(module.Surrogate(*names)) for names in module.SUITE]


class Task:
    """A surrogate, its space in scikit-learn's form, one branch for each value of the switching parameter.

    Where it `continues`, a promoted trial pays the difference of fidelities only.
    """

    def __init__(self, surrogate, continues=True):
        self.surrogate = surrogate
        self.continues = continues
        self.name = f"{surrogate.scenario}:{surrogate.instance}"

    @cached_property
    def branches(self):
        """Lists of names: parameters without a parent, and those that a value of the parent switches on."""
        parents = {parent for parent, _ in self.surrogate.parents.values()}
        if not parents:
            return [dict(self.surrogate.params)]
        (switch,) = parents
        return [
            {n: i for n, i in self.surrogate.params.items() if n != switch and self._is_on(n, value)}
            | {switch: {"type": "categorical", "choices": [value]}}
            for value in self.surrogate.params[switch]["choices"]
        ]

    def _is_on(self, name, value):
        return name not in self.surrogate.parents or value in self.surrogate.parents[name][1]

    @cached_property
    def space(self):
        return Space([{name: _distribution(info) for name, info in branch.items()} for branch in self.branches])

    def __call__(self, params, fidelity=1.0):
        return self.surrogate(params, fidelity)


def _distribution(info):
    if info["type"] == "categorical":
        return info["choices"]
    low, high = info["lower"], info["upper"]
    if info["type"] == "int":
        return Integer(low, high, prior="log-uniform") if info["log"] else randint(low, high + 1)
    return loguniform(low, high) if info["log"] else uniform(low, high - low)


def spent(history, continued=True):
    """Cost of each trial in full evaluations: its fidelity, less that of the trial it goes on from."""
    below = [parent(trial) if continued else None for trial in history.trials]
    return [
        trial.fidelity - (0.0 if source is None else history.trials[source].fidelity)
        for trial, source in zip(history.trials, below, strict=True)
    ]


class Budgeted(Strategy):
    """Another strategy until the cost of its trials has reached a limit."""

    def __init__(self, base, limit, continued=True):
        self.base = base
        self.limit = limit
        self.continued = continued

    def propose(self, history):
        costs = spent(history, self.continued)
        return None if math.fsum(costs) >= self.limit - 1e-9 else self.base.propose(history)


def curve(costs, fidelities, scores, points):
    """The best score at full fidelity for each budget of `points`; -inf before any."""
    total, best, found = 0.0, -math.inf, [-math.inf] * len(points)
    for cost, fidelity, score in zip(costs, fidelities, scores, strict=True):
        total += cost
        if fidelity == 1.0 and not math.isnan(score):
            best = max(best, score)
        for i, point in enumerate(points):
            if total <= point + 1e-9:
                found[i] = best
    return found
