"""How long networks may train: epochs and seconds within the time of a trial."""

import math

from sklearn.pipeline import Pipeline

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator
from skauto.search import _deadline

# The least seconds of a net.
LEAST_NET_SECONDS = 0.1


def net_seconds(profile: DataProfile) -> float | None:
    """Seconds after which a net must stop: its part of what the task has left, None where nothing limits it.

    Without a limit of the task a trial has what the plan says, and a refit all the time it needs.
    """
    if profile.seconds is None:
        return None
    seconds = _deadline.part()
    if math.isfinite(seconds):
        return max(seconds, LEAST_NET_SECONDS)
    return None if profile.refit else profile.seconds


def epochs_within(profile: DataProfile, row_seconds: float, most: int) -> int:
    """Epochs that one fit has time for, if a row takes so many seconds an epoch; all of them without a time limit."""
    return (
        most
        if profile.seconds is None
        else int(min(profile.seconds / (row_seconds * profile.n_rows), most))
    )


def apply_fidelity(
    estimator: Estimator, fidelity: float, least: float = 0.0
) -> tuple[Estimator, float]:
    """An estimator and its fraction of the rows at a fidelity.

    Nets are given all rows and fewer epochs, all others that fraction of the rows, or `least` where that is more.
    """
    last = estimator
    while isinstance(last, Pipeline) or hasattr(last, "estimator"):
        last = last.steps[-1][1] if isinstance(last, Pipeline) else last.estimator
    if fidelity >= 1 or not hasattr(last, "max_epochs"):
        return estimator, max(fidelity, least)
    last.set_params(max_epochs=max(1, round(fidelity * last.max_epochs)))
    return estimator, 1.0
