"""Lighten: members that cost much to ask for little weight are left out, by what fitted models are counted to cost."""

from collections.abc import Sequence

from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._select import Member, Scored
from skauto.estimators.footprints._counted import Counted, counted
from skauto.search._sandbox import attempt

# Most that all members may cost: 0.3 s of one core for 10,000 rows, and 20 MB of a file. See decision 804.
MOST_NS_PER_ROW, MOST_BYTES = 30_000.0, 20e6


def lightened(
    finishing: Finishing, members: list[Member], models: Sequence[object]
) -> list[Member]:
    """The members that an ensemble can afford, those that cost most for their weight left out first.

    Parameters
    ----------
    finishing : Finishing
    members : list of (Scored, float)
    models : list of fitted pipelines
        One a member.

    Returns
    -------
    members : list of (Scored, float)
        At least one; a line names the others.
    """
    costs = {
        trial.number: _cost(model)
        for (trial, _), model in zip(members, models, strict=True)
    }
    kept = affordable(members, costs)
    if len(kept) < len(members):
        numbers = {trial.number for trial, _ in kept}
        out = [trial for trial, _ in members if trial.number not in numbers]
        finishing.progress.say(
            "left out of the ensemble, as it takes too long or too many bytes: "
            + ", ".join(map(_named, out))
        )
    return kept


def affordable(members: list[Member], costs: dict[int, Counted]) -> list[Member]:
    """The members without those of most cost for their weight, until the rest is within the limits.

    Parameters
    ----------
    members : list of (Scored, float)
    costs : dict of int to Counted
        By number of the trial.
    """
    kept = list(members)
    while len(kept) > 1 and _burden(_total(kept, costs)) > 1:
        dearest = max(kept, key=lambda pair: _burden(costs[pair[0].number]) / pair[1])
        kept.remove(dearest)
    return kept


def _total(members: list[Member], costs: dict[int, Counted]) -> Counted:
    return sum((costs[trial.number] for trial, _ in members), Counted())


def _burden(cost: Counted) -> float:
    """The part of a limit that something takes, of that limit of which it takes more."""
    return max(cost.ns_per_row / MOST_NS_PER_ROW, cost.bytes / MOST_BYTES)


def _cost(model: object) -> Counted:
    """What a model is counted to cost; nothing where a class of the user has not the attributes of its base."""
    made = attempt(counted, model)
    return Counted() if made.error is not None else made.value


def _named(trial: Scored) -> str:
    return f"{trial.values['candidate']} (trial {trial.number})"
