"""How long networks of images train: epochs and seconds within the time of a trial, planned in the worker."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import epochs_within
from skauto.inputs._images import channel_axis
from skauto.search import _deadline

# Epochs of a net where there is time, and the fewest with which it is worth trying.
EPOCHS, FEWEST_EPOCHS = 30, 2

# Rows of a step of training, of which few epochs are enough steps; and the fewest steps that make up for an epoch.
BATCH, FEWEST_STEPS = 64, 200

# The part of a trial's seconds that its fits may plan with: networks plan their own epochs to the end.
PLAN_FRACTION = 0.85

# Past the latest part of what is left, and some seconds before the end, no epoch may end: they are planned by the
# quickest steps, and left out should the machine be slower.
LATEST, MARGIN = 0.9, 1.0

# Operations of a training step for each pixel and square of the width, and the most of them a second on one thread.
FLOPS_A_PIXEL, MOST_FLOPS = 320, 4e10

# The least time limit of a network: none is given zero seconds.
LEAST_SECONDS = 0.1

# Seconds that a row takes beside the network's work on it: taken from the rest, augmented, scaled.
ROW_SECONDS = 1e-4


def epochs(values: Mapping[str, Any], profile: DataProfile) -> int:
    """Epochs of a network that there is time for."""
    if profile.seconds is None:
        return EPOCHS
    row_seconds = seconds_a_row(values, profile)
    return epochs_within(
        replace(profile, seconds=_seconds(profile)), row_seconds, EPOCHS
    )


def require_min_epochs(most: int, profile: DataProfile) -> int:
    """The number of epochs, at least one; TimeoutError where a trial has fewer than the fewest.

    A refit goes on with a single one, and so does a trial where nothing but networks is tried: it is stopped in time,
    and better than none.
    """
    if most >= FEWEST_EPOCHS or profile.refit or profile.alone:
        return max(most, 1)
    left = _seconds(profile)
    raise TimeoutError(
        f"{FEWEST_EPOCHS} epochs of it do not fit into the {left:.3g} s that are left to its training"
    )


def seconds_limit(profile: DataProfile) -> float | None:
    """Seconds after which a network must stop, should the machine turn out slower than when it was timed."""
    if profile.seconds is None:
        return None
    left = _left()
    if math.isfinite(left):
        return max(left, LEAST_SECONDS)
    return None if profile.refit else LATEST * profile.seconds / PLAN_FRACTION


def _left() -> float:
    """Seconds left to the training of a network, infinity where nothing limits the task."""
    return max(LATEST * _deadline.left() - MARGIN, 0.0) / _deadline.CURRENT.parts


def _seconds(profile: DataProfile) -> float:
    """Seconds that a network may plan with: what the trial has left, and in a refit no more than folds had."""
    left = _left()
    # A refit may have much time left, but a network that trains longer than those of the folds is another one.
    if profile.refit or not math.isfinite(left):
        return min(cast(float, profile.seconds), left)
    return left


def precision_of(profile: DataProfile) -> str:
    """The precision of training: without a time limit one that does not depend on the processor."""
    return "float32" if profile.seconds is None else "auto"


def seconds_a_row(values: Mapping[str, Any], profile: DataProfile) -> float:
    """Seconds that a row takes in training, measured where the network is to be trained."""
    return ROW_SECONDS + _network_seconds(values, profile)


def _network_seconds(values: Mapping[str, Any], profile: DataProfile) -> float:
    """Seconds of the network's own work on a row."""
    from skauto.estimators.images._backbones import build_backbone
    from skauto.estimators.neural._speed import training_seconds_a_row

    channels, height, width = _form(profile.shape)
    network = build_backbone(
        values["backbone"],
        channels,
        profile.n_classes,
        values["width"],
        values["depth"],
    )
    shape = channels, height, width
    return training_seconds_a_row(network, shape, precision_of(profile))


def _form(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Channels, height and width of a row's shape."""
    if len(shape) == 2:
        return 1, *shape
    return shape if channel_axis((1, *shape)) == "first" else (shape[2], *shape[:2])


def fewest_epochs(profile: DataProfile) -> float:
    """The fewest epochs with which a network is worth trying: of many rows a part of one is."""
    if not profile.holds_out:
        return FEWEST_EPOCHS
    return min(FEWEST_EPOCHS, FEWEST_STEPS * BATCH / profile.n_rows)


def net_time_reason(
    values: Mapping[str, Any], profile: DataProfile, tuning: int = 0
) -> str:
    """Why there is no time for a network and so many epochs of tuning, an empty line if there may be.

    Nothing is trained for it: that happens in a worker, which ends a trial that turns out to have too little time.
    """
    fewest = fewest_epochs(profile) + tuning
    _, height, width = _form(profile.shape)
    row_seconds = (
        ROW_SECONDS + height * width * FLOPS_A_PIXEL * values["width"] ** 2 / MOST_FLOPS
    )
    seconds = math.inf if profile.seconds is None else profile.seconds
    if seconds >= fewest * row_seconds * profile.n_rows:
        return ""
    return (
        f"{fewest:.3g} epochs of it do not fit into what a trial may use of time_limit"
    )
