"""Whether images are divided into folds, or a part of them is held back once: by the time that networks would need."""

import math

from skauto.automl._kind import Shape
from skauto.inputs._images import channel_axis

# Rows from which one part alone is held back whatever the time: a network for each fold would take most of it.
SINGLE_FOLD_ROWS = 5_000

# Epochs that a network of each fold needs, and of the one that is then trained on all rows.
FOLD_EPOCHS = 30

# The part of the seconds of all cores that they may take: there are to be more networks than one.
FOLDS_PART = 0.5

# About what training takes for a pixel and a row, in seconds of a core: two pooled networks of width 16, without
# bfloat16 (see decision 809).
PIXEL_SECONDS, ROW_SECONDS = 8e-7, 1e-4

# Rows that are held back, at least: as few as tell networks apart. The parts of which one is held back are from four
# to ten.
HELD_ROWS, FEWEST_PARTS, MOST_PARTS = 150, 4, 10


def parts_with_one_held_out(
    n_rows: int, shape: Shape, n_folds: int, seconds: float
) -> int | None:
    """The number of parts of which one is held back; None where there is time for folds.

    Parameters
    ----------
    n_rows : int
    shape : tuple of int
        Of an image.
    n_folds : int
        Folds where there is time for them.
    seconds : float
        Of all cores together.

    Examples
    --------
    >>> from skauto.automl.images._hold_out import parts_with_one_held_out
    >>> parts_with_one_held_out(1_500, (32, 32, 3), n_folds=5, seconds=120)
    10
    >>> parts_with_one_held_out(1_500, (32, 32, 3), n_folds=5, seconds=3_600) is None
    True
    """
    if n_rows < SINGLE_FOLD_ROWS and _folds_fit(n_rows, shape, n_folds, seconds):
        return None
    return max(FEWEST_PARTS, min(n_rows // HELD_ROWS, MOST_PARTS))


def _folds_fit(n_rows: int, shape: Shape, n_folds: int, seconds: float) -> bool:
    """Whether a network can be trained on each fold, and another one on all rows."""
    rows_learnt = n_rows * (n_folds - 1) + n_rows
    return FOLD_EPOCHS * seconds_of_rows(rows_learnt, shape) <= FOLDS_PART * seconds


def seconds_of_rows(n_rows: int, shape: Shape) -> float:
    """About what an epoch of a network of these rows takes one core."""
    return n_rows * (ROW_SECONDS + PIXEL_SECONDS * _pixels(shape))


def _pixels(shape: Shape) -> int:
    """Pixels of an image, each of all its channels."""
    if len(shape) == 2:
        return math.prod(shape)
    first = channel_axis((1, *shape)) == "first"
    return math.prod(shape[1:] if first else shape[:2])
