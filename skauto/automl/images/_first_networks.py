"""Which networks of images come first: narrow ones in a short search, a wide one too where there is time."""

from collections.abc import Sequence

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Values
from skauto.automl.images._epoch_planning import BATCH
from skauto.automl.images._hold_out import seconds_of_rows

# In a short search, and where nothing limits it.
NARROW: tuple[Values, ...] = (
    {},
    {"lr": 8e-3},
    {"shift": 0.1, "cutout": 0.25},
    {"backbone": "resnet"},
)

# Where there is time: half of the networks are wide, which learn more of many epochs.
WIDE: tuple[Values, ...] = (
    {"width": 32},
    {},
    {"width": 32, "shift": 0.1, "cutout": 0.25},
    {"lr": 8e-3},
)

# What a wide network costs of a narrow one, and the epochs and the steps with which it is better.
WIDE_COST, WIDE_EPOCHS, WIDE_STEPS = 2.7, 9, 1_500


def first_networks(profile: DataProfile) -> Sequence[Values]:
    """The first configurations, by the time and the rows that there are.

    Parameters
    ----------
    profile : DataProfile
    """
    if not profile.holds_out or profile.seconds is None:
        return NARROW
    of_all = seconds_of_rows(profile.n_rows, profile.shape)
    epochs = profile.seconds / of_all / WIDE_COST
    enough_steps = epochs * profile.n_rows / BATCH >= WIDE_STEPS
    return WIDE if epochs >= WIDE_EPOCHS and enough_steps else NARROW
