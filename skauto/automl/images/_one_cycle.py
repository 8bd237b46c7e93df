"""One cycle of a network that fills the time: where a part of the rows is held back, and the network is final."""

import math
import os
from collections.abc import Mapping
from typing import Any

import joblib

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator
from skauto.automl.images._epoch_planning import LEAST_SECONDS
from skauto.automl.images._hold_out import seconds_of_rows
from skauto.search import _deadline

# The latest part of what is left at which training ends, and what comes after it: a worker's answer, and predictions
# of the rows that are held back, in seconds and in epochs.
LATEST, AFTER_SECONDS, AFTER_EPOCHS = 0.96, 0.8, 0.25

# How many times as long it may take on a busy machine.
MOST_WAITING = 4.0

# Epochs of one core for a network where several, one after the other, share the time: from one and a half times as many
# on there are two. And the most of them, as each is asked at predict.
MANY_EPOCHS, MOST_TURNS = 20, 2

# What an epoch takes beside one of width 16, at twice the width, and with the blocks of a residual network.
POWER_OF_WIDTH, OF_A_RESNET = 1.4, 2.0

# The schedule is shortened to what fits, never prolonged: so many epochs more than are expected it has at first, as a
# processor may be as much quicker.
SPARE = 10.0


def plan_one_cycle(
    network: Estimator, values: Mapping[str, Any], profile: DataProfile
) -> None:
    """Give a network the seconds that its trial has left, or a half of them where it needs no more.

    Nothing is timed before: the first batches tell how long the cycle is.

    Raises
    ------
    TimeoutError
        Where what follows training would take longer than training may.
    """
    left = _deadline.left()
    if math.isinf(left):
        left = profile.seconds or 0.0
    waiting = _waiting()
    epoch_seconds = waiting * _seconds_of_an_epoch(values, profile)
    after = waiting * AFTER_SECONDS + AFTER_EPOCHS * epoch_seconds
    seconds = min(LATEST * left, left - after)
    if seconds < after and not profile.alone:
        raise TimeoutError(
            f"a network cannot be trained and judged in the {max(left, 0):.3g} s that are left"
        )
    seconds = max(seconds, LEAST_SECONDS)
    epochs = seconds / epoch_seconds
    turns = max(1, min(round(epochs / MANY_EPOCHS), MOST_TURNS))
    network.set_params(
        max_epochs=math.ceil(SPARE * epochs / turns), time_limit=seconds / turns
    )


def _seconds_of_an_epoch(values: Mapping[str, Any], profile: DataProfile) -> float:
    """About what an epoch takes the threads of this worker."""
    cost = (values["width"] / 16) ** POWER_OF_WIDTH
    if values["backbone"] == "resnet":
        cost *= OF_A_RESNET
    rows_seconds = seconds_of_rows(profile.n_rows, profile.shape)
    return cost * rows_seconds / profile.threads


def _waiting() -> float:
    """How many times as long as its work a process takes, by the processes that want a core."""
    wanted = os.getloadavg()[0] / joblib.cpu_count()
    return min(max(wanted, 1.0), MOST_WAITING)
