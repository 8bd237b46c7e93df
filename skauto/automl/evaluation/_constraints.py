"""What a winner of AutoClassifier may cost: bounds checked at the public door, held against fitted pipelines."""

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar, cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skauto.automl._types import Estimator, Footprint, Values
from skauto.automl.evaluation._context import Evaluation, weights_for
from skauto.automl.evaluation._early_stopping import with_rounds
from skauto.automl.evaluation._measurements import (
    Measured,
    first_row,
    format_measurements,
    number,
    shortest,
)
from skauto.estimators.footprints._footprint import latency_ms, saved_bytes
from skauto.inputs._types import Left, Rows
from skauto.search import _deadline
from skauto.search._folds import nested_rows, take, take_if_given
from skauto.search._front import pareto_front
from skauto.search._sandbox import attempt
from skauto.search._trial import InfeasibleError, Result, Status

# PATIENCE: seconds to repeat a latency measurement that exceeds its bound, for on a shared machine the same network
# takes up to twice as long while others work there. PATIENCE_PART: the part of the seconds left that a measurement may
# take. HOPELESS: stop above this multiple of the bound.
PATIENCE, PATIENCE_PART, HOPELESS = 4.0, 0.1, 2.0

# The multiple of its bound that a network may take at the end, where it was within it before: it is the same one.
SLOWED = 2.0

# The multiple of its bound up to which a trial that was measured beside other trials may be within it alone: it is
# measured again at the end, which decides.
BESIDE_TRIALS = 1.5

# Rows of a feasibility check, of every class some. Of a network it must leave a part of the milliseconds allowed, for
# the threshold around it and since minutes of training are at stake, and may take some more bytes: weights that learnt
# take fewer.
CHECKED_ROWS, CHECKED_CLASS_ROWS = 32, 2

NETWORK_ROOM = {"latency_ms": 0.9, "bytes": 1.05}

# A measure of the user's and the least that it must give.
OwnMeasure: TypeAlias = tuple[Callable[[Estimator, Rows, np.ndarray], float], float]

TrialT = TypeVar("TrialT", bound=Measured)


@dataclass(frozen=True)
class Constraints:
    """Bounds of what is measured on a fitted pipeline: `most` by name, `least` with the callable that measures."""

    most: dict[str, float]
    least: dict[str, OwnMeasure]

    def __bool__(self) -> bool:
        """Whether anything is bounded."""
        return bool(self.names)

    @property
    def names(self) -> list[str]:
        """What is measured."""
        return [*self.most, *self.least]

    def measure(
        self,
        pipeline: Estimator,
        row: Rows,
        rows: tuple[Rows, np.ndarray] | None = None,
        left: Left | None = None,
    ) -> Footprint:
        """What is bounded, by name.

        Parameters
        ----------
        pipeline : estimator
            A fitted one.
        row : array or DataFrame
            The row that is predicted, again and again, for the latency.
        rows : tuple of X and y, default=None
            What the callables are given. Without it they are left out: they know pipelines, not ensembles of them.
        left : callable, default=None
            Gives the seconds that are left. Without it milliseconds that are just too many are not measured again.
        """
        values = {} if rows is None else self._own_values(pipeline, *rows)
        if "bytes" in self.most:
            values["bytes"] = saved_bytes(pipeline)
        if "latency_ms" in self.most:
            small = values.get("bytes", 0) <= self.most.get("bytes", 0)
            patience = 0.0
            if left is not None and small:
                patience = min(PATIENCE, PATIENCE_PART * left())
            values["latency_ms"] = self._latency(pipeline, row, patience)
        return values

    def _own_values(self, pipeline: Estimator, X: Rows, y: np.ndarray) -> Footprint:
        """What the measures of the user say, by name."""
        return {
            name: float(measure(pipeline, X, y))
            for name, (measure, _) in self.least.items()
        }

    def _latency(self, pipeline: Estimator, row: Rows, patience: float) -> float:
        """Milliseconds, measured again where they are just too many: what else runs here can only add to them."""
        bound = self.most["latency_ms"]
        least = latency_ms(pipeline, row)
        end = time.monotonic() + patience
        while bound < least <= HOPELESS * bound and time.monotonic() < end:
            least = min(least, latency_ms(pipeline, row))
        return least

    def of_trial(
        self,
        context: Evaluation,
        values: Values,
        seed: int,
        fitted: Estimator,
        best_iteration: int | None,
        checked: Footprint | None = None,
    ) -> Footprint:
        """`measure` of a trial's pipeline, fitted on the first fold; runs in a worker.

        Of milliseconds the least counts, those of the feasibility check among them: what else runs here can only add to
        them. `fitted` is its last step. It is fitted anew where it stopped early: it then carries rounds, and rows that
        it watched, which a final model has not.
        """
        train, _ = context.folds[0]
        X, y = take(context.X, train), context.targets(values)[train]
        estimator = with_rounds(context.build(values, seed), best_iteration)
        steps, prepared = estimator.steps[:-1], X
        if steps:
            prepared = Pipeline(steps).fit_transform(X, y)
        if best_iteration is not None:
            weight = take_if_given(context.weight, train)
            last = estimator.steps[-1][1]
            fitted = last.fit(prepared, y, **weights_for(last, weight))
        whole = Pipeline([*steps, (estimator.steps[-1][0], fitted)])
        measured = self.measure(whole, first_row(context), (X, y))
        if "latency_ms" in self.most and checked:
            quickest = min(measured["latency_ms"], checked["latency_ms"])
            measured["latency_ms"] = quickest
        return measured

    def check_feasible(
        self, context: Evaluation, values: Values, seed: int
    ) -> Footprint | None:
        """What a trial's network takes; raises where a model on a few rows is too much already. Runs in a worker.

        Its pipeline is fitted on a few rows, for one epoch or round of boosting. Of a network that gives the bytes and
        milliseconds of its form, which hardly depend on what it learns; other models only grow with rows and rounds.
        Kinds whose trials are short are left out.

        Returns
        -------
        measured : dict or None
            None for what is no network.

        Raises
        ------
        InfeasibleError
        """
        effort = context.build.profile.kind.effort
        if not self.most or not effort.checks_feasibility:
            return None
        network = values["candidate"] in context.build.nets
        room = NETWORK_ROOM if network else {"latency_ms": BESIDE_TRIALS}
        bounds = replace(self.times(**room), least={})
        made = attempt(bounds._measured_on_few_rows, context, values, seed)
        # What raised here will do so in earnest too, and is told there.
        if made.status == Status.COMPLETE and not bounds.hold(made.value):
            measured = format_measurements(made.value)
            raise InfeasibleError(
                f"{measured} when fitted on a few rows, where it must be within {bounds}"
            )
        return made.value if network else None

    def _measured_on_few_rows(
        self, context: Evaluation, values: Values, seed: int
    ) -> Footprint:
        """What is measured of a pipeline that was fitted on a few rows."""
        train, _ = context.folds[0]
        fraction = min(CHECKED_ROWS / len(train), 1.0)
        y = context.y[train]
        rows = train[nested_rows(y, fraction, CHECKED_CLASS_ROWS, context.seed)]
        pipeline = shortest(context.build(values, seed))
        with warnings.catch_warnings():
            # So few rows give reasons to warn, which are no news of the trial.
            warnings.simplefilter("ignore")
            pipeline.fit(take(context.X, rows), context.targets(values)[rows])
            row = first_row(context)
            return self.measure(pipeline, row, left=_deadline.left)

    def times(self, **factors: float) -> "Constraints":
        """Copy with the named upper bounds scaled by the factors."""
        most = dict(self.most)
        for name in factors.keys() & most.keys():
            most[name] *= factors[name]
        return replace(self, most=most)

    def hold(self, values: Footprint) -> bool:
        """Whether what was measured is within the bounds."""
        if any(values[name] > bound for name, bound in self.most.items()):
            return False
        least = {name: bound for name, (_, bound) in self.least.items()}
        return all(values.get(name, bound) >= bound for name, bound in least.items())

    def may_hold(self, values: Footprint | None) -> bool:
        """Whether what was measured beside other trials may be within the bounds alone; None was not measured."""
        return values is None or self.times(latency_ms=BESIDE_TRIALS).hold(values)

    def allowed(self, trials: list[TrialT], results: list[Result]) -> list[TrialT]:
        """The trials that may be within the bounds, in their order.

        Parameters
        ----------
        trials : list of Scored
            Those that were fully evaluated.
        results : list of Result
            Of all that was asked.

        Raises
        ------
        ValueError
            If there are trials and none is within them, with the nearest one, or if nothing was worth evaluating.
        """
        if results and all(result.status == Status.INFEASIBLE for result in results):
            raise ValueError(
                f"constraints: none of {len(results)} trials is near enough to {self}, the first: {results[0].reason}. "
                "Loosen them, or name smaller candidates"
            )
        kept = [trial for trial in trials if self.may_hold(trial.footprint)]
        if trials and not kept:
            near = self.roomiest(trials)
            measured = format_measurements(cast(Footprint, near.footprint))
            raise ValueError(
                f"constraints: none of {len(trials)} trials is within {self}; the nearest, {near.values['candidate']}, "
                f"has {measured}. Loosen them, search longer, or name smaller candidates"
            )
        return kept

    def roomiest(self, trials: list[TrialT]) -> TrialT:
        """The trial that is farthest within its tightest bound, or that exceeds it the least.

        Trials at a low fidelity are not measured: the first one, where that is all there are.
        """
        measured = [trial for trial in trials if trial.footprint is not None]
        return min(
            measured or trials[:1],
            key=lambda trial: self._excess(trial.footprint) if trial.footprint else 0.0,
        )

    def check(self, values: Footprint, what: str) -> None:
        """Raise a ValueError where what was measured is out of bounds."""
        if not self.hold(values):
            measured = format_measurements(values)
            raise ValueError(
                f"constraints: {what} has {measured}, which is not within {self}. Loosen them, or give more time"
            )

    def front(self, frame: pd.DataFrame, others: Iterable[str] = ()) -> pd.DataFrame:
        """The rows of a leaderboard that no other row matches in all scores and costs and beats in one of them.

        `others` are the columns of further scores.
        """
        known = [*others, *self.names, "score"]
        frame = frame[frame[known].notna().all(axis=1)]
        signs = dict.fromkeys(["score", *others, *self.least], 1)
        signs |= dict.fromkeys(self.most, -1)
        values = {
            f"mean_test_{name}": sign * frame[name].to_numpy(float)
            for name, sign in signs.items()
        }
        return frame.iloc[pareto_front(values)] if len(frame) else frame

    def _excess(self, values: Footprint) -> float:
        """How far the worst bound is missed, as a fraction of it for those from above."""
        excess = []
        for name, bound in self.most.items():
            excess.append(values[name] / bound)
        for name, (_, bound) in self.least.items():
            excess.append(1 + bound - values[name])
        return max(excess)

    def __str__(self) -> str:
        bounds = []
        for name, bound in self.most.items():
            bounds.append(f"{name} <= {number(bound)}")
        for name, (_, bound) in self.least.items():
            bounds.append(f"{name} >= {number(bound)}")
        return ", ".join(bounds)


UNBOUND = Constraints({}, {})
