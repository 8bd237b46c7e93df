"""How a fit takes up a journal: what it must agree on, and the history that it holds."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto.automl._settings import Settings
from skauto.automl.evaluation._scoring import Scoring
from skauto.inputs._data import Data
from skauto.search._fingerprint import (
    described_seed,
    fingerprint,
    folds_part,
    part,
    space_part,
)
from skauto.search._history import History
from skauto.search._journal import Journal

if TYPE_CHECKING:  # load the portfolio's packages, which importing skauto must not
    from skauto.automl._candidate import Candidate
    from skauto.automl._plan import Plan

# Of what the workers get, what a journal need not agree on, and why.
DOES_NOT_MATTER = {
    "seed": "the journal has its own",
    "cache": "saves time alone",
    "build": "follows from the data, the candidates and the limits",
    "keep_model": "asks the builder",
    "bag": "keeps models alone",
    "constraints": "are a part of their own",
    "record": "is what a worker has seen",
    "most_folds": "follows from the limits",
    "apply_fidelity": "asks the builder",
    "plain": "asks the builder",
    "plan_training": "follows from the time that is left",
    "labels": "are those of the data",
    "report": "follows from the score, the data and the folds",
    "low_fidelity_score": "follows from the score, the data and the folds",
}
# What the fingerprint spells out itself.
SPELLED_OUT = ("X", "y", "weight", "folds", "repeat", "space")


def begin_history(
    settings: Settings, journal: Journal | None, data: Data, plan: "Plan", seed: int
) -> History:
    """The history of the search, with what the journal holds of it.

    Parameters
    ----------
    settings : Settings
    journal : Journal or None
        Checked against the plan.
    data : Data
    plan : Plan
    seed : int
        That of the journal, where there is one.
    """
    if journal is None:
        return History(plan.space, seed)
    return journal.begin(_about(settings, data, plan)).replay(plan.space)


def _about(settings: Settings, data: Data, plan: "Plan") -> dict[str, Any]:
    """What a journal must agree on: what the workers get, and what chooses."""
    context = plan.context
    skipped = {*DOES_NOT_MATTER, *SPELLED_OUT}
    rest = {
        field.name: getattr(context, field.name)
        for field in fields(context)
        if field.name not in skipped
    }
    return fingerprint(
        search="AutoClassifier",
        mode="time" if settings.timed else "count",
        kind=data.kind,
        data=part((context.X, context.y), f"{data.kind} of {len(context.y)} rows"),
        labels=part(data.classes, ", ".join(map(str, data.classes[:9]))),
        sample_weight=None if context.weight is None else part(context.weight, "given"),
        groups=None if data.groups is None else part(data.groups, "given"),
        folds=folds_part(context.folds, settings.cv),
        repeat=context.repeat,
        scoring=part(_judgement(plan.scoring), plan.scoring.name),
        pos_label=part(data.pos_label, str(data.pos_label)),
        cost_matrix=data.mean_costs,
        constraints=part(plan.constraints, str(plan.constraints) or "none"),
        candidates=part(
            _own(context.build.candidates), ", ".join(context.build.candidates)
        ),
        space=part(
            space_part(plan.space)["content"],
            f"{len(plan.space.branches)} kinds of pipelines",
        ),
        strategy=settings.strategy,
        random_state=described_seed(settings.random_state),
        **rest,
    )


def _own(candidates: "dict[str, Candidate]") -> dict[str, Any]:
    """What makes the candidates: of the user's own all that there is of them, of the built-in ones the name."""
    return {
        name: vars(candidate) if candidate.is_own else name
        for name, candidate in candidates.items()
    }


def _judgement(scoring: Scoring) -> dict[str, Any]:
    """What makes a score beside the rows that it is given; those that are only shown do not matter."""
    values = {field.name: getattr(scoring, field.name) for field in fields(scoring)}
    for shown in ("parts", "also"):
        del values[shown]
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, np.ndarray)
    }
