"""Refit: the second stage after a search. Fitted models of the chosen trials, or what can do without a refit."""

from dataclasses import dataclass
from typing import cast

from sklearn.pipeline import Pipeline

from skauto._telling import warn
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._lighten import lightened
from skauto.automl.selection._refit_chain import RefitChain
from skauto.automl.selection._select import Member, Scored, beats
from skauto.automl.selection._shortlist import Selection

# Further models refitted where constraints bound them: others may grow out of bounds on all rows.
SPARE_MODELS = 3

# What predicts in the end, from the best to the last resort.
REFITTED, FOLD_MODELS, QUICK_MODEL, FREQUENCIES = (
    "refitted",
    "fold_models",
    "quick_model",
    "class_frequencies",
)


@dataclass(frozen=True)
class Models:
    """Fitted models.

    Parameters
    ----------
    fitted : dict of int to Pipeline
        By number of the trial.
    members : list of (Scored, float)
        Those of the ensemble that are fitted, the best trial first; empty where nothing is.
    kind : {"refitted", "fold_models"}
    fidelity : float
        The fraction of the rows or epochs that they were fitted with: below 1 only for the models of folds.
    """

    fitted: dict[int, Pipeline]
    members: list[Member]
    kind: str = REFITTED
    fidelity: float = 1.0


def refit(finishing: Finishing, selection: Selection) -> Models:
    """Fit the chosen trials on all rows, as many as the time allows."""
    if not selection.trials:
        return Models({}, [])
    finishing.progress.show("refit")
    finishing.pool.remaining = finishing.left
    chain = RefitChain(
        finishing.plan.context,
        finishing.classes,
        finishing.pool,
        finishing.left,
        finishing.progress.say,
        finishing.interrupts,
        finishing.here,
    )
    with finishing.phases("refit"):
        fitted, kind = _fitted(finishing, selection, chain)
    members = [
        (trial, weight) for trial, weight in selection.members if trial.number in fitted
    ]
    if not members:
        members = [
            (trial, 1.0) for trial in selection.trials if trial.number in fitted
        ][:1]
    ready = [fitted[trial.number] for trial, _ in members]
    members = lightened(finishing, members, ready)
    total = sum(weight for _, weight in members)
    members = [(trial, weight / total) for trial, weight in members]
    members = sorted(members, key=lambda pair: pair[0] is not selection.best)
    return Models(
        fitted, members, kind, members[0][0].fidelity if kind == FOLD_MODELS else 1.0
    )


def _fitted(
    finishing: Finishing, selection: Selection, chain: RefitChain
) -> tuple[dict[int, Pipeline], str]:
    """Models by trial, and what they are: the fold models of the best trial where these are all there is, or better."""
    best, trials = cast(Scored, selection.best), selection.trials
    can_be_refitted = {trial.number for trial in selection.affordable}
    others = [trial for trial in trials if trial.number not in can_be_refitted]
    # Before any refit: one that will not be used would take the time of the user.
    if _folds_beat(finishing, best, others):
        fitted, kind = _instead(
            chain, others, "the best trial could not have been refitted in time"
        )
        if fitted:
            return fitted, kind
    fitted = chain.refitted(_wanted(finishing, selection))
    # `trials` are in the order of their scores, so this is the best one that became a model.
    ready = next((trial for trial in trials if trial.number in fitted), None)
    if ready is None:
        return _instead(
            chain,
            trials,
            f"{n_trials_were(len(trials))} evaluated, none could be refitted in time",
        )
    if best.number not in fitted and _folds_beat(finishing, ready, trials):
        instead, kind = _instead(
            chain, trials, "the best trial could not be refitted in time"
        )
        return (instead, kind) if instead else (fitted, REFITTED)
    return fitted, REFITTED


def _wanted(finishing: Finishing, selection: Selection) -> list[Scored]:
    """The trials to refit, each once: the best one, the members, and under constraints some more."""
    wanted = [cast(Scored, selection.best), *(trial for trial, _ in selection.members)]
    bounds = finishing.plan.constraints
    if bounds:  # the models of the chosen ones may be out of bounds in the end
        wanted += [
            *selection.affordable[:SPARE_MODELS],
            bounds.roomiest(selection.affordable),
        ]
    return list({trial.number: trial for trial in wanted}.values())


def _instead(
    chain: RefitChain, trials: list[Scored], why: str
) -> tuple[dict[int, Pipeline], str]:
    """What can do without a refit by workers, and what that is; a warning where it is the fold models."""
    fitted = chain.fold_models(trials)
    if not fitted:
        return chain.refitted_here(trials), REFITTED
    fidelity = next(trial.fidelity for trial in trials if trial.number in fitted)
    small = (
        f", fitted on a part of the rows or epochs (fidelity {fidelity:.2g}),"
        if fidelity < 1
        else ""
    )
    warn(
        f"{why}, so the models of the folds of the best one{small} predict together; raise time_limit for a model of "
        "all rows"
    )
    return fitted, FOLD_MODELS


def _folds_beat(finishing: Finishing, ready: Scored, trials: list[Scored]) -> bool:
    """Whether the fold models at hand are of one of some trials, and of a better one than a trial that is ready.

    Not under constraints, which several models together easily break.
    """
    by_number = {trial.number: trial for trial in trials}
    trial = by_number.get(cast(int, finishing.pool.bag_of))
    if trial is None or trial.fidelity < 1 or finishing.plan.constraints:
        return False
    return beats(trial, ready, finishing.valid_over_train())


def n_trials_were(n_trials: int) -> str:
    """How many trials, as the beginning of a sentence."""
    return f"{n_trials} trials were" if n_trials != 1 else "1 trial was"
