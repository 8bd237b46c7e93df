"""How the last step of a pipeline of images is fitted where one part of the rows is held back."""

import sys

import numpy as np

from skauto.automl._types import Estimator
from skauto.automl.evaluation._early_stopping import fit_last_step
from skauto.inputs._types import Rows
from skauto.search._folds import take_if_given

# Held-back rows by which a network chooses its views: each is looked at up to four times.
ROWS = 1_000

# Where networks are defined; loaded already where there is one.
CNN_MODULE = "skauto.estimators.images._cnn"


def fit_held_out(
    estimator: Estimator,
    X: Rows,
    y: np.ndarray,
    weight: np.ndarray | None,
    X_valid: Rows,
    y_valid: np.ndarray,
    weight_valid: np.ndarray | None,
) -> tuple[Estimator, int | None]:
    """`fit_last_step`, after which a network chooses by the held-back rows how it looks at an image."""
    fitted, best_iteration = fit_last_step(
        estimator, X, y, weight, X_valid, y_valid, weight_valid
    )
    network = _network_of(fitted)
    if network is not None:
        known = np.flatnonzero(np.isin(y_valid, network.classes_))[:ROWS]
        if len(known):
            weight_known = take_if_given(weight_valid, known)
            network.choose_views(X_valid[known], y_valid[known], weight_known)
    return fitted, best_iteration


def _network_of(fitted: Estimator) -> Estimator | None:
    """The network that a last step is, or that an imbalance strategy wraps; None for another classifier."""
    if CNN_MODULE not in sys.modules:
        return None
    inner = getattr(fitted, "estimator_", fitted)
    # A compressed network answers by itself, and not by the one that it was made from.
    compressed = hasattr(fitted, "steps") and inner is not fitted
    is_network = isinstance(inner, sys.modules[CNN_MODULE].CNNClassifier)
    return inner if is_network and not compressed else None
