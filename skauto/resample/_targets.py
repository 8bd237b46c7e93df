"""Target counts of the classes: imbalanced-learn's sampling_strategy, lenient with ratios."""

from collections import OrderedDict
from numbers import Real
from typing import Any

import numpy as np
from imblearn.utils import check_sampling_strategy
from sklearn.utils import check_random_state

from skauto._seeds import child_seed


class ResamplingWarning(UserWarning):
    """A sampler did something other than what was requested, because the data do not allow it."""


def targets(strategy: Any, y: np.ndarray, kind: str, notes: list[str]) -> OrderedDict[Any, int]:
    """Rows to add (over-sampling), to keep (under-sampling) or the classes to clean, by label.

    Parameters
    ----------
    strategy : float, str, dict, list or callable
        As in imbalanced-learn. A float is a ratio to the largest class (over-sampling) or of the smallest class
        (under-sampling), for two classes or more; where a class already meets it, nothing is done.
    y : ndarray of shape (n,)
        Labels.
    kind : {"over-sampling", "under-sampling", "clean-sampling"}
        What the sampler does.
    notes : list of str
        Gets a sentence where every class already meets the ratio.

    Returns
    -------
    targets : OrderedDict
        Counts by label, sorted by label.

    Raises
    ------
    ValueError
        If y has one class, or the strategy names unknown classes or impossible counts.
    """
    if not isinstance(strategy, Real) or kind == "clean-sampling":
        return check_sampling_strategy(strategy, y, kind)
    check_sampling_strategy("auto", y, kind)
    labels, counts = np.unique(y, return_counts=True)
    if kind == "over-sampling":
        reference, wanted = counts.argmax(), int(counts.max() * strategy)
        change = np.maximum(wanted - counts, 0)
        met = counts >= wanted
    else:
        reference, wanted = counts.argmin(), int(counts.min() / strategy)
        change = np.minimum(wanted, counts)
        met = counts <= wanted
    others = np.arange(len(labels)) != reference
    if met[others].all():  # of many classes some may well meet it: note it only where nothing is done
        notes.append(f"the classes {labels[others].tolist()} already meet sampling_strategy={strategy}")
    return OrderedDict((labels[i], int(change[i])) for i in np.flatnonzero(others))


def class_seeds(random_state: Any, n: int, shared: bool = False) -> list[Any]:
    """A random_state for each of n classes: independent ones, the first being that of imbalanced-learn.

    An integer starts the stream of its class anew each time it is used; a RandomState goes on.

    imbalanced-learn starts the same stream again for every class, so that two classes of equal rows get equal
    synthetic rows. Its random samplers draw all classes from one stream: shared.
    """
    if shared or not isinstance(random_state, (int, np.integer)):
        return [check_random_state(random_state)] * n
    return [int(random_state), *(child_seed(int(random_state), "class", i) for i in range(1, n))][:n]
