"""What a winner of AutoClassifier may cost: bounds checked at the public door, held against fitted pipelines."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.pipeline import Pipeline

from skauto.estimators._early_stopping import with_rounds
from skauto.estimators._footprint import latency_ms, saved_bytes
from skauto.search._evaluate import fit_weighted, take
from skauto.search._front import pareto_front

MOST = {"bytes": "bytes", "latency_ms": "milliseconds"}
FORM = "bytes and latency_ms take a number, the most allowed; another name takes (callable, least allowed)"


def read_constraints(constraints):
    """The checked bounds; without any, those that everything meets.

    Raises
    ------
    ValueError
        For a name without a measure, and for a bound that is none.
    """
    if constraints is None:
        return UNBOUND
    if not constraints:
        raise ValueError(f"constraints={constraints!r} bounds nothing: leave it None, or name a bound. {FORM}")
    most, least = {}, {}
    for name, value in constraints.items():
        own = isinstance(value, (tuple, list)) and len(value) == 2 and callable(value[0])
        bound = value[1] if own else value
        if own == (name in MOST) or not isinstance(bound, Real) or isinstance(bound, bool) or not np.isfinite(bound):
            raise ValueError(f"constraints[{name!r}]={value!r} cannot be used; {FORM}")
        if not own and bound <= 0:
            raise ValueError(f"constraints[{name!r}]={value!r} must be above 0")
        if own:
            least[name] = tuple(value)
        else:
            most[name] = bound
    return Constraints(most, least)


@dataclass(frozen=True)
class Constraints:
    """Bounds of what is measured on a fitted pipeline: `most` by name, `least` with the callable that measures."""

    most: dict
    least: dict

    def __bool__(self):
        """Whether anything is bounded."""
        return bool(self.names)

    @property
    def names(self):
        """What is measured."""
        return [*self.most, *self.least]

    def measure(self, pipeline, X, y=None):
        """What is bounded, by name.

        Parameters
        ----------
        pipeline : estimator
            A fitted one.
        X : array or DataFrame
            The rows it was fitted on; the first is predicted, again and again, for the latency.
        y : array, default=None
            Their labels. Without them the callables are left out: they know pipelines, not ensembles of them.
        """
        own = {} if y is None else self.least
        values = {name: float(measure(pipeline, X, y)) for name, (measure, _) in own.items()}
        if "bytes" in self.most:
            values["bytes"] = saved_bytes(pipeline)
        if "latency_ms" in self.most:
            values["latency_ms"] = latency_ms(pipeline, take(X, slice(0, 1)))
        return values

    def of_trial(self, context, values, seed, fitted, stop):
        """`measure` of a trial's pipeline, fitted on the first fold; runs in a worker.

        `fitted` is its last step. It is fitted anew where it stopped early: it then carries rounds, and rows that
        it watched, which a final model has not.
        """
        train, _ = context.folds[0]
        X, y = take(context.X, train), context.y[train]
        estimator = with_rounds(context.build.untimed()(values, seed), stop)
        steps, prepared = estimator.steps[:-1], X
        if steps:
            prepared = Pipeline(steps).fit_transform(X, y)
        if stop is not None:
            weight = None if context.weight is None else context.weight[train]
            fitted = fit_weighted(estimator.steps[-1][1], prepared, y, weight)
        return self.measure(Pipeline([*steps, (estimator.steps[-1][0], fitted)]), X, y)

    def hold(self, values):
        """Whether what was measured is within the bounds."""
        small = all(values[name] <= bound for name, bound in self.most.items())
        return small and all(values.get(name, bound) >= bound for name, (_, bound) in self.least.items())

    def allowed(self, trials):
        """The trials within the bounds, in their order.

        Raises
        ------
        ValueError
            If there are trials and none is; the message names the nearest.
        """
        kept = [trial for trial in trials if self.hold(trial.footprint)]
        if trials and not kept:
            near = min(trials, key=lambda trial: self._excess(trial.footprint))
            raise ValueError(
                f"constraints: none of {len(trials)} trials is within {self}; the nearest, {near.values['candidate']}, "
                f"has {told(near.footprint)}. Loosen them, search longer, or name smaller candidates"
            )
        return kept

    def check(self, values, what):
        """Raise a ValueError where what was measured is out of bounds."""
        if not self.hold(values):
            raise ValueError(
                f"constraints: {what} has {told(values)}, which is not within {self}. Loosen them, or give more time"
            )

    def front(self, frame):
        """The rows of a leaderboard that no other row matches in score and footprint and beats in one of them."""
        frame = frame[frame["score"].notna() & frame[self.names].notna().all(axis=1)]
        signs = dict.fromkeys(["score", *self.least], 1) | dict.fromkeys(self.most, -1)
        results = {f"mean_test_{name}": sign * frame[name].to_numpy(float) for name, sign in signs.items()}
        return frame.iloc[pareto_front(results)] if len(frame) else frame

    def _excess(self, values):
        """How far the worst bound is missed, in shares of it for those from above."""
        over = [values[name] / bound for name, bound in self.most.items()]
        return max(over + [1 + bound - values[name] for name, (_, bound) in self.least.items()])

    def __str__(self):
        most = [f"{name} <= {bound:g}" for name, bound in self.most.items()]
        return ", ".join(most + [f"{name} >= {bound:g}" for name, (_, bound) in self.least.items()])


UNBOUND = Constraints({}, {})


def told(values):
    """Measured values as words."""
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())
