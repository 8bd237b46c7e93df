"""Learning rate schedules: the factor on `lr` as a pure function of how far training is."""

import math
from collections.abc import Sequence

PLATEAU_EPOCHS = 5  # epochs without a better loss before the rate is halved
WARM_UP = 0.3  # fraction of a one-cycle run that climbs
LEAST = 0.01  # factor once all epochs are done: whoever trains on shall not do so in vain


def _one_cycle(progress):
    if progress < WARM_UP:
        return 0.04 + 0.96 * _half_cosine(1 - progress / WARM_UP)
    return _half_cosine((progress - WARM_UP) / (1 - WARM_UP))


def _half_cosine(fraction):
    return (1 + math.cos(math.pi * fraction)) / 2


SCHEDULES = {
    "constant": lambda progress: 1.0,
    "step": lambda progress: 0.1 ** min(2, int(3 * progress)),
    "exponential": lambda progress: 0.01**progress,
    "cosine": _half_cosine,
    "one_cycle": _one_cycle,
}


def lr_factor(schedule: str, progress: float, losses: Sequence[float] = ()) -> float:
    """Factor on the learning rate.

    Parameters
    ----------
    schedule : {"constant", "step", "exponential", "cosine", "one_cycle", "plateau"}
        "step" divides by ten after each third, "exponential" falls to a hundredth, "cosine" to zero,
        "one_cycle" climbs over the first 30 % and then falls to zero (Smith and Topin 2017), "plateau"
        halves whenever the loss has not improved for five epochs.
    progress : float
        Fraction of `max_epochs` that is done; from 1 on the final factor stays, but no less than a hundredth.
    losses : sequence of float, default=()
        Loss of each past epoch, which only "plateau" reads.

    Examples
    --------
    >>> lr_factor("step", 0.5)
    0.1
    >>> lr_factor("plateau", 0.0, losses=[1.0] * 6)
    0.5
    """
    if schedule == "plateau":
        return _plateau(losses)
    return SCHEDULES[schedule](progress) if progress < 1 else max(SCHEDULES[schedule](1.0), LEAST)


def _plateau(losses):
    factor, best, waited = 1.0, math.inf, 0
    for loss in losses:
        waited = 0 if loss < best * (1 - 1e-4) else waited + 1
        best = min(best, loss)
        if waited == PLATEAU_EPOCHS:
            factor, waited = factor / 2, 0
    return factor
