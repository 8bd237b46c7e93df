"""Enforce the constraints: the largest part of the ensemble that is within them, and what it costs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

import numpy as np

from skauto._telling import warn
from skauto.automl._types import Estimator, Footprint
from skauto.automl.evaluation._constraints import SLOWED, Constraints
from skauto.automl.evaluation._measurements import first_row, format_measurements
from skauto.automl.selection._final_model import FinalModel, assemble
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._models import Models
from skauto.automl.selection._select import Member, Scored
from skauto.automl.selection._shortlist import Selection
from skauto.inputs._types import Rows

BEST_MODEL = "the best model"


def largest_within(
    finishing: Finishing, selection: Selection, models: Models
) -> FinalModel:
    """The final model of as many members as the constraints allow, of at least one.

    Raises
    ------
    ValueError
        If not even one model is within them.
    """
    models = _those_within(finishing, selection, models)
    members = [
        (trial, weight)
        for trial, weight in models.members
        if trial.number in models.fitted
    ]
    # The best trial, also where it is no member, unless it could not be fitted.
    chosen = selection.best.number if selection.best else None
    best = next(
        (
            trial
            for trial in selection.trials
            if trial.number == chosen and chosen in models.fitted
        ),
        models.members[0][0],
    )
    tries = [(best, members)] if members else []
    tries += [(best, members[:size]) for size in range(len(members) - 1, 1, -1)]
    tries += [
        (trial, [(trial, 1.0)])
        for trial in selection.trials
        if trial.number in models.fitted
    ]
    *others, last = tries
    for lead, some in others:
        with suppress(ValueError):
            return _held(finishing, models, lead, some)
    return _held(finishing, models, *last)


def _held(
    finishing: Finishing, models: Models, best: Scored, members: list[Member]
) -> FinalModel:
    return held_to(finishing, assemble(finishing, models, best, members), BEST_MODEL)


def _those_within(finishing: Finishing, selection: Selection, models: Models) -> Models:
    """The models without those that alone are out of bounds; ValueError where none is left."""
    context, bounds = finishing.plan.context, finishing.plan.constraints
    if not bounds:
        return models
    rows = context.X, finishing.classes[context.y]
    measured = {
        number: measured_of(finishing, model, rows)
        for number, model in models.fitted.items()
    }
    of_trial = {
        trial.number: bounds_of(finishing, [trial]) for trial in selection.trials
    }
    fitted = {
        number: model
        for number, model in models.fitted.items()
        if of_trial[number].hold(measured[number])
    }
    if not fitted:
        bounds.check(next(iter(measured.values())), BEST_MODEL)
    return replace(models, fitted=fitted)


def measured_of(
    finishing: Finishing, model: Estimator, rows: tuple[Rows, np.ndarray] | None = None
) -> Footprint:
    """What a model costs by the measures that are bounded."""
    return finishing.plan.constraints.measure(
        model, first_row(finishing.plan.context), rows, finishing.left
    )


def bounds_of(finishing: Finishing, trials: Sequence[Scored | None]) -> Constraints:
    """What the model of some trials is held to.

    A single network that was kept, and was within the bounds when it was trained, is only slowed by others now.
    """
    bounds = finishing.plan.constraints
    kept = (
        len(trials) == 1
        and trials[0]
        and trials[0].model is not None
        and bounds.hold(cast(Footprint, trials[0].footprint))
    )
    return bounds.times(latency_ms=SLOWED) if kept else bounds


def held_to(finishing: Finishing, final: FinalModel, what: str) -> FinalModel:
    """The final model with what its ensemble costs.

    Parameters
    ----------
    finishing : Finishing
    final : FinalModel
        Its ensemble and its best single model are measured.
    what : str
        How an error or a warning calls it.

    Raises
    ------
    ValueError
        If it is out of bounds.
    """
    constraints = finishing.plan.constraints
    if not constraints:
        return final
    parts: list[tuple[Estimator, Sequence[Scored | None]]] = [
        (final.ensemble, [trial for trial, _ in final.members]),
        (final.best_estimator, [final.best]),
    ]
    costs = [_checked(finishing, model, trials, what) for model, trials in parts]
    slow = [cost for cost in costs if not constraints.hold(cost)]
    if slow:
        warn(
            f"constraints: {what} has {format_measurements(slow[-1])} now, beyond {constraints}, and was within them "
            "before: something else slows this machine. Measure it again later, with skauto.estimators.footprint"
        )
    return replace(final, footprint=costs[0])


def _checked(
    finishing: Finishing, model: Estimator, trials: Sequence[Scored | None], what: str
) -> Footprint:
    """What a model of some trials costs; ValueError where that is too much."""
    costs = measured_of(finishing, model)
    if not bounds_of(finishing, trials).hold(costs):
        finishing.plan.constraints.check(costs, what)
    return costs
