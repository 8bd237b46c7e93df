"""Tune the decision: thresholds of the ensemble and of single models, and the scores of the ensemble."""

import functools
from dataclasses import replace
from typing import Any, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._time_left import first_of, part_of
from skauto.automl._time_budget import CLOSING_SAFETY
from skauto.automl._types import Threshold
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._bootstrap import Units
from skauto.automl.selection._calibrate import calibration_of
from skauto.automl.selection._enforce import held_to, largest_within
from skauto.automl.selection._fallback import fall_back
from skauto.automl.selection._final_model import FinalModel
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._honest_score import honest_scores
from skauto.automl.selection._models import REFITTED, Models
from skauto.automl.selection._select import Scored, mixed
from skauto.automl.selection._shortlist import Selection
from skauto.resample._label_metric import is_slow
from skauto.search._folds import take_if_given
from skauto.search._trial import Status

# Of the seconds that are left honest scores may use so much: a slow score ends late by one call.
HONEST_PART = 0.75


def conclude(finishing: Finishing, selection: Selection, models: Models) -> FinalModel:
    """What predicts: the models within their constraints with tuned thresholds, or a fallback where there is no model.

    Raises
    ------
    ValueError
        If nothing is within the constraints.
    """
    if not models.members:
        with finishing.phases("refit"):
            final = fall_back(finishing)
        return held_to(
            finishing,
            final,
            "the quick model that had to do, as no trial was ready in time,",
        )
    # Measuring takes seconds in which Ctrl-C may fall; it changes nothing, so it can begin anew.
    final = finishing.interrupts.despite(largest_within, finishing, selection, models)
    with finishing.phases("ensemble"):
        final = tune_decision(
            finishing,
            selection.scoring,
            final,
            models.fitted[cast(Scored, final.best).number],
            # One that was asked for alone is `best_estimator_`, probabilities included; those of folds predict by
            # their mean, of which no out-of-fold row tells.
            calibrate=not selection.alone and final.kind == REFITTED,
        )
        return estimate(finishing, selection, final)


def tune_decision(
    finishing: Finishing,
    scoring: Scoring,
    final: FinalModel,
    best_model: Pipeline,
    *,
    calibrate: bool = True,
) -> FinalModel:
    """The final model with thresholds and scores; what an exception or Ctrl-C prevents stays as it was.

    `best_model` is the fitted pipeline of the best trial, without a threshold; `calibrate` says whether the ensemble
    may be calibrated.
    """
    found: dict[str, Any] = {}
    thresholds: dict[int, Threshold] = {}
    blended, left = mixed(final.members), finishing.phases.left
    best = cast(Scored, final.best)

    def tune() -> None:
        proba = blended
        if calibrate:
            calibration = calibration_of(scoring, blended, left)
            found["ensemble"] = final.ensemble.calibrated(calibration)
            proba = blended if calibration is None else calibration(blended)
        # The order is that of importance, as time may run out: each is a third, then half, of what is left.
        found["threshold"] = finishing.threshold_or_none(
            scoring.threshold(proba, first_of(3, left))
        )
        thresholds[best.number] = scoring.threshold(best.proba, first_of(2, left))
        found["best_estimator"] = finishing.decided(best_model, thresholds[best.number])
        found["scores"] = scoring.report(proba, left)
        for trial, _ in final.members:
            if (
                trial.number not in thresholds
                and left() > finishing.closing_seconds / CLOSING_SAFETY
            ):
                thresholds[trial.number] = scoring.threshold(trial.proba, left)

    made = finishing.interrupts.attempt(tune)
    if made.status != Status.COMPLETE:
        finishing.warn_of_score(
            made,
            "the ensemble has no score, and the default threshold where none was found",
        )
    return replace(final, thresholds=thresholds, **found)


def estimate(
    finishing: Finishing, selection: Selection, final: FinalModel
) -> FinalModel:
    """The final model with honest scores; what an exception or Ctrl-C prevents is not known."""
    scoring, folds = selection.scoring, finishing.plan.context.folds
    # A function of the user would be called some ten thousand times, and one that failed would fail again.
    slow = scoring.judged_by == "estimator" or is_slow(scoring.metric)
    if slow or not final.scores:
        return final
    number = np.concatenate([valid for _, valid in folds])[: len(scoring.y)]
    best = cast(Scored, final.best)
    # A trial of which models of the folds predict was chosen among nothing: there was no time to refit it.
    is_among = best.number in {trial.number for trial in selection.affordable}
    trials = selection.affordable if is_among else [best]
    units = Units(number, scoring.y, take_if_given(finishing.groups, number))
    estimated = functools.partial(
        honest_scores,
        trials,
        scoring,
        units,
        seed=finishing.plan.context.seed,
        best=best.number,
        n_members=len(final.members),
        even=finishing.plan.profile.kind.effort.even_ensemble,
        calibration=final.ensemble.calibration_,
        left=part_of(HONEST_PART, finishing.phases.left),
    )
    made = finishing.interrupts.attempt(estimated)
    if made.status != Status.COMPLETE:
        finishing.warn_of_score(made, "there is no honest score")
        return final
    return replace(final, honest=made.value)
