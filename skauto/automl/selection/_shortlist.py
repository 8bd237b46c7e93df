"""Select: the first stage after a search. Which trials are compared, which is best, which the ensemble blends."""

import functools
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._finishing import CHOICE_PART, Finishing
from skauto.automl.selection._refit_chain import refit_seconds
from skauto.automl.selection._select import (
    Member,
    Scored,
    choose_best,
    choose_members,
    comparable,
    fullest,
)
from skauto.search._trial import Status

# The part of what is left that the refit of one trial may take, where there are others that take less.
AFFORDABLE_PART = 0.5

# Most members by rows, between these in proportion of their logarithms: on few rows more only fit the noise of folds.
ROWS, MOST_MEMBERS = (100, 500, 2_500, 10_000), (4, 8, 15, 40)


@dataclass(frozen=True)
class Selection:
    """What is to become models.

    Parameters
    ----------
    trials : list of Scored
        All that can be compared, the best first; empty where no trial was complete.
    scoring : Scoring
        Of the rows that all of them were judged on.
    affordable : list of Scored
        Those whose refit is short enough.
    best : Scored or None
    members : list of (Scored, float)
        Of the ensemble, with their weights.
    alone : bool
        Whether the best one was asked for alone.
    """

    trials: list[Scored]
    scoring: Scoring
    affordable: list[Scored]
    best: Scored | None
    members: list[Member]
    alone: bool = False


def most_members(ensemble: Any, n_rows: int) -> int:
    """Most members of an ensemble.

    Parameters
    ----------
    ensemble : "auto", "single", int or bool
        As AutoClassifier takes it; True is "auto", False is "single".
    n_rows : int
        Rows of the data.

    Examples
    --------
    >>> from skauto.automl.selection._shortlist import most_members
    >>> [most_members("auto", n_rows) for n_rows in (50, 500, 1_000, 10_000, 10**6)]
    [4, 8, 10, 40, 40]
    >>> most_members("single", 500), most_members(False, 500), most_members(3, 500)
    (1, 1, 3)
    """
    if isinstance(ensemble, (bool, np.bool_)):
        ensemble = "auto" if ensemble else "single"
    if ensemble == "single":
        return 1
    if ensemble != "auto":
        return int(ensemble)
    logs = np.interp(np.log(n_rows), np.log(ROWS), np.log(MOST_MEMBERS))
    return round(float(np.exp(logs)))


def select(finishing: Finishing, ensemble: Any) -> Selection:
    """Choose among the trials of a search, within a part of the time that is left.

    Parameters
    ----------
    finishing : Finishing
    ensemble : "auto", "single", int or bool
        How many members the ensemble may have, as in AutoClassifier.

    Raises
    ------
    ValueError
        If there are complete trials, and none within the constraints.
    """
    results = [result for _, result in finishing.history.finished]
    trials, scoring = _comparable(
        finishing, finishing.plan.constraints.allowed(finishing.found, results)
    )
    if not trials:
        return Selection([], scoring, [], None, [])
    finishing.progress.show("ensemble")
    with finishing.phases("ensemble"):
        affordable = _affordable(finishing, trials)
        best = choose_best(affordable, finishing.valid_over_train())
        most = most_members(ensemble, finishing.plan.n_rows)
        members = (
            _blend(finishing, affordable, best, scoring)[:most]
            if most > 1
            else [(best, 1.0)]
        )
    return Selection(trials, scoring, affordable, best, members, alone=most == 1)


def _comparable(
    finishing: Finishing, trials: list[Scored]
) -> tuple[list[Scored], Scoring]:
    """Trials that are judged on the same rows; those of the most rows where there is no time to judge anew.

    The same where a scorer raises on fewer rows, and at Ctrl-C.
    """
    # The rest of the time is for the refit, without which a choice is worth nothing.
    left = finishing.countdown(finishing.left() * CHOICE_PART)
    scoring = finishing.plan.scoring
    with finishing.phases("ensemble"):
        made = finishing.interrupts.attempt(comparable, trials, scoring, left)
    if made.status == Status.COMPLETE:
        return cast(tuple[list[Scored], Scoring], made.value)
    if made.status == Status.FAILED and not isinstance(made.error, TimeoutError):
        finishing.warn_of_score(made, "trials of fewer folds do not count")
    return fullest(trials, scoring)


def _affordable(finishing: Finishing, trials: list[Scored]) -> list[Scored]:
    """Trials whose refit is short enough; all of them if none is."""
    window = finishing.left() * AFFORDABLE_PART
    return [trial for trial in trials if refit_seconds(trial) < window] or trials


def _blend(
    finishing: Finishing, trials: list[Scored], best: Scored, scoring: Scoring
) -> list[Member]:
    """The members with their weights; the best one alone where no time is left, a scorer raises or at Ctrl-C."""
    seconds = (finishing.left() - refit_seconds(best)) * CHOICE_PART
    if seconds <= 0:
        return [(best, 1.0)]
    even = finishing.plan.profile.kind.effort.even_ensemble
    choose = functools.partial(
        choose_members, left=finishing.countdown(seconds), even=even
    )
    made = finishing.interrupts.attempt(choose, trials, scoring)
    if made.status == Status.COMPLETE:
        return _in_time(finishing, best, cast(list[Member], made.value))
    finishing.warn_of_score(made, "the best model predicts alone")
    return [(best, 1.0)]


def _in_time(finishing: Finishing, best: Scored, members: list[Member]) -> list[Member]:
    """The members, the lightest dropped until all refits fit into what is left."""
    window = finishing.left() * finishing.pool.n_workers
    kept: list[Member] = []
    # The best model is refitted in any case, whether it is a member or not.
    seconds = refit_seconds(best)
    for trial, weight in members:
        seconds += 0 if trial is best else refit_seconds(trial)
        if seconds < window or not kept:
            kept.append((trial, weight))
    return kept
