"""How large the first trials of a table may be for the time that there is: folds, and shares of the rows."""

# Seconds of one thread that a fit takes for each cell of its table, and for each of its cells times further classes:
# measured on boosting and forests with the first settings, from a tenth to three times as much.
CELL_SECONDS, CLASS_FACTOR = 1.0e-6, 0.2

# The least part of the rows that a trial may begin with, as powers of a third.
POWERS = 5


def fit_seconds(traits):
    """About what one fit on all training rows takes."""
    classes = 1 + CLASS_FACTOR * (traits.n_classes - 2)
    return CELL_SECONDS * traits.n_rows * traits.n_columns * classes / traits.threads


def folds_within(traits, n_folds):
    """Folds of a trial: one where all of them would not fit into its seconds, None for all.

    Other kinds than tables plan their epochs, and end after as many folds as there is time for.
    """
    if traits.kind != "table" or traits.sparse:
        return None
    return 1 if n_folds * fit_seconds(traits) > traits.trial_seconds else None


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
