"""How large the first trials are for the time that there is: folds, and shares of the rows."""

from skauto.automl.selection._quick import IMAGE_CELLS, SERIES_CELLS

# Seconds of one thread that a fit takes for each cell of its table, and for each of its cells times further classes:
# measured on boosting and forests with the first settings, from a tenth to three times as much.
CELL_SECONDS, CLASS_FACTOR = 1.0e-6, 0.2

# The same for each cell of a column of texts, which linear models see as one column a level.
TEXT_SECONDS = 3.0e-6

# The least part of the rows that a trial may begin with, as powers of a third.
POWERS = 5


def fit_seconds(traits):
    """About what one fit on all training rows takes."""
    if traits.kind == "image":
        return traits.n_rows * traits.n_columns / IMAGE_CELLS
    if traits.kind == "sequence":
        return traits.n_rows * traits.length * traits.shape[-1] / SERIES_CELLS
    classes = 1 + CLASS_FACTOR * (traits.n_classes - 2)
    numbers = CELL_SECONDS * traits.n_rows * traits.n_columns * classes / traits.threads
    return numbers + TEXT_SECONDS * traits.n_rows * traits.n_texts


def folds_within(traits, n_folds):
    """Folds of a trial: one where all of them would not fit into its seconds, None for all.

    Other kinds than tables plan their epochs, and end after as many folds as there is time for.
    """
    if traits.kind != "table" or traits.sparse:
        return None
    return 1 if n_folds * fit_seconds(traits) > traits.trial_seconds else None


def ends_in_time(traits):
    """Whether one fit on all training rows ends within its trial, as far as that can be told before."""
    if traits.sparse or traits.trial_seconds is None:
        return True
    return fit_seconds(traits) <= traits.trial_seconds


def fidelity_within(traits, least, n_rows):
    """The share of the rows that the first trials have: the given one, or less so that one fit ends in time."""
    if traits.trial_seconds is None or traits.sparse:
        return least
    share = least
    for _ in range(POWERS):
        if share * fit_seconds(traits) <= traits.trial_seconds / 2 or share / 3 * traits.n_rows < n_rows:
            break
        share /= 3
    return share
