"""What a fitted network of images takes from the rows that are held back: how it looks at an image."""

import sys

import numpy as np

from skauto.automl._types import Estimator
from skauto.inputs._types import Rows
from skauto.search._folds import take_if_given

# Held-back rows by which a network chooses its views: each is looked at up to four times.
ROWS = 1_000

# Where networks are defined; loaded already where there is one.
CNN_MODULE = "skauto.estimators.images._cnn"


def choose_views(
    fitted: Estimator, X: Rows, y: np.ndarray, weight: np.ndarray | None
) -> None:
    """Have a network choose its views, in place; another classifier stays as it is.

    Parameters
    ----------
    fitted : classifier
        The fitted last step of a pipeline.
    X, y, weight : as it was fitted on
        Rows that are held back.
    """
    network = _network_of(fitted)
    if network is None:
        return
    known = np.flatnonzero(np.isin(y, network.classes_))[:ROWS]
    if len(known):
        network.choose_views(X[known], y[known], take_if_given(weight, known))


def _network_of(fitted: Estimator) -> Estimator | None:
    """The network that a last step is, or that an imbalance strategy wraps; None for another classifier."""
    if CNN_MODULE not in sys.modules:
        return None
    inner = getattr(fitted, "estimator_", fitted)
    # A compressed network answers by itself, and not by the one that it was made from.
    compressed = hasattr(fitted, "steps") and inner is not fitted
    is_network = isinstance(inner, sys.modules[CNN_MODULE].CNNClassifier)
    return inner if is_network and not compressed else None
