"""Fall back where no trial became a model: on the quick model, or else on the frequencies of the classes."""

import math
from contextlib import suppress

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from skauto._telling import warn
from skauto.automl.selection._final_model import FinalModel, fallback_of
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._models import FREQUENCIES, QUICK_MODEL, n_trials_were
from skauto.automl.selection._quick import LEAST, quick_fit
from skauto.automl.selection._refit_chain import WAIT
from skauto.automl.selection._rescue import QUICK
from skauto.search._pool import WorkersLostError
from skauto.search._trial import Status

# With fewer seconds left than these a quick model that is still to be fitted is smaller.
LATE = 2.0

# What ends a trial for a reason that more time would not change.
BROKEN = (Status.FAILED, Status.CRASHED, Status.MEMORY)


def fall_back(finishing: Finishing) -> FinalModel:
    """The quick model, or else the frequencies of the classes, with a warning that says why."""
    advice = _advice(finishing)
    made = finishing.interrupts.attempt(_quick_model, finishing)
    if made.status == Status.COMPLETE:
        model, kind, name = made.value, QUICK_MODEL, "a small one on part of the rows"
    else:
        model, kind = _frequencies(finishing), FREQUENCIES
        name = (
            f"the frequencies of the classes (a small one failed with {made.reason!r})"
        )
    n_trials = len(finishing.found)
    done = (
        f"{n_trials_were(n_trials)} evaluated, none could be refitted in time"
        if n_trials
        else ""
    )
    warn(f"{done or 'no trial was evaluated'}, so the model is {name}; {advice}")
    return fallback_of(finishing, model, kind)


def _quick_model(finishing: Finishing) -> Pipeline:
    """The quick model of a worker where it is ready or soon will be, else one made here, which is soon done."""
    pool = finishing.pool
    with suppress(WorkersLostError):
        while (
            pool.quick is None
            and QUICK in pool.running
            and 0 < finishing.left() < math.inf
        ):
            pool.wait(min(finishing.left(), WAIT))
    seconds = LEAST if finishing.left() > LATE else LEAST / 3
    return pool.quick or quick_fit(finishing.plan.context, finishing.classes, seconds)


def _frequencies(finishing: Finishing) -> Pipeline:
    """A pipeline that predicts how often each class is, whatever the row."""
    prior, context = DummyClassifier(strategy="prior"), finishing.plan.context
    y = finishing.classes[context.y]
    return Pipeline([("classify", prior.fit(np.zeros((len(y), 1)), y, context.weight))])


def _advice(finishing: Finishing) -> str:
    """What the user can do: mend the first failure, else give more time or loosen the constraints."""
    results = [result for _, result in finishing.history.finished]
    reasons = [result.reason for result in results if result.status in BROKEN]
    if reasons:
        return f"a trial failed with {reasons[0]!r}"
    refused = [
        result.reason for result in results if result.status == Status.INFEASIBLE
    ]
    bounds = (
        f"; {len(refused)} trials were out of constraints, the first: {refused[0]}"
        if refused
        else ""
    )
    interrupted = "the search was interrupted before its first trial ended"
    return (interrupted if finishing.interrupts.seen else "raise time_limit") + bounds
