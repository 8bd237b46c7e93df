"""How large the first trials are for the time that there is: folds, and fractions of the rows."""

from typing import cast

from skauto.automl._data_profile import DataProfile

# The least part of the rows that a trial may begin with, as powers of a third.
POWERS = 5


def folds_within(profile: DataProfile, n_folds: int) -> int | None:
    """Folds of a trial: one where all of them would not fit into its seconds, None for all.

    Other kinds than tables plan their epochs, and end after as many folds as there is time for.
    """
    effort = profile.kind.effort
    too_long = n_folds * effort.fit_seconds(profile) > cast(
        float, profile.trial_seconds
    )
    return 1 if effort.starts_with_one_fold and too_long else None


def ends_in_time(profile: DataProfile) -> bool:
    """Whether one fit on all training rows ends within its trial, as far as that can be told before."""
    return (
        profile.trial_seconds is None
        or profile.kind.effort.fit_seconds(profile) <= profile.trial_seconds
    )


def fidelity_within(profile: DataProfile, least: float, n_rows: int) -> float:
    """The fraction of the rows that the first trials have: the given one, or less so that one fit ends in time."""
    if profile.trial_seconds is None:
        return least
    fraction, seconds = least, profile.kind.effort.fit_seconds(profile)
    for _ in range(POWERS):
        if (
            fraction * seconds <= profile.trial_seconds / 2
            or fraction / 3 * profile.n_rows < n_rows
        ):
            break
        fraction /= 3
    return fraction
