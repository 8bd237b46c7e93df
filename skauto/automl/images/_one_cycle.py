"""One cycle of a network that fills the time: where a part of the rows is held back, and the network is final."""

import math
import time
from collections.abc import Mapping
from typing import Any

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator
from skauto.automl.images._epoch_planning import (
    LEAST_SECONDS,
    fewest_epochs,
    seconds_a_row,
)
from skauto.search import _deadline

# The latest part of what is left at which training ends, and what its rows cost afterwards: held-back ones are looked
# at up to seven times, a tenth to a quarter of the rows, at two thirds of the price of a training step.
LATEST, AFTER_EPOCHS, AFTER_SECONDS = 0.95, 0.4, 1.5

# How many times as long as its work a process may take on a busy machine, and the seconds of work that tell it.
MOST_WAITING, TELLING_SECONDS = 4.0, 0.02

# Epochs from which on two networks, one after the other, are better than one that trains twice as long; and the most
# of them, as each is asked at predict.
MANY_EPOCHS, MOST_TURNS = 40, 2

# The schedule is shortened to what fits, never prolonged: so much longer it is at first.
SPARE = 1.5


def plan_one_cycle(
    network: Estimator, values: Mapping[str, Any], profile: DataProfile
) -> None:
    """Give a network the seconds that its trial has left, or a half of them where it needs no more.

    Raises
    ------
    TimeoutError
        Where it would have fewer than the fewest epochs.
    """
    began, work_began = time.perf_counter(), time.process_time()
    epoch_seconds = seconds_a_row(values, profile) * profile.n_rows
    took, worked = time.perf_counter() - began, time.process_time() - work_began
    waiting = 1.0
    if worked > TELLING_SECONDS:
        # Several threads work more seconds than pass.
        waiting = min(max(took / worked, 1.0), MOST_WAITING)
    after = waiting * (AFTER_SECONDS + AFTER_EPOCHS * epoch_seconds)
    seconds = max(_seconds(profile, after), LEAST_SECONDS)
    epochs, fewest = seconds / epoch_seconds, fewest_epochs(profile)
    if epochs < fewest and not profile.alone:
        raise TimeoutError(
            f"{fewest:.3g} epochs of it do not fit into the {seconds:.3g} s that are left to its training"
        )
    turns = max(1, min(round(epochs / MANY_EPOCHS), MOST_TURNS))
    network.set_params(
        max_epochs=math.ceil(SPARE * epochs / turns), time_limit=seconds / turns
    )


def _seconds(profile: DataProfile, after: float) -> float:
    """Seconds of training that leave enough for what follows it, which takes `after` seconds."""
    left = _deadline.left()
    if math.isinf(left):
        left = profile.seconds or 0.0
    return min(LATEST * left, left - after)
