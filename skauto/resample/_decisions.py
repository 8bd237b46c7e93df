"""Where probabilities and votes become labels: every classifier of skauto.resample decides here."""

from typing import Any

import numpy as np

from skauto.resample._costs import expected_costs
from skauto.resample._threshold import labels_at

DECISIONS = ("resampled", "unresampled")


def check_decision(decision: Any) -> None:
    """Raise ValueError for an unknown value of `decision`.

    Raises
    ------
    ValueError
        If it is none of "resampled" and "unresampled".
    """
    if decision not in DECISIONS:
        raise ValueError(
            f"decision={decision!r} must be 'resampled' (as the classifier trained on the resampled rows decides) or "
            "'unresampled' (the most probable class); for a tuned threshold put TunedThresholdClassifierCV around the "
            "classifier."
        )


def deciding_unresampled(model: Any) -> Any:
    """The unfitted classifier, with `decision="unresampled"` set in all inner ones that resample or correct priors."""
    params = model.get_params()
    names = [name for name in params if name.split("__")[-1] == "decision" and isinstance(params[name], str)]
    return model.set_params(**dict.fromkeys(names, "unresampled"))


def most_probable(proba: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The label of the greatest probability of each row, (n,), from probabilities (n, K)."""
    return classes[proba.argmax(axis=1)]


def by_weights(proba: np.ndarray, classes: np.ndarray, weights: Any) -> np.ndarray:
    """The label of the greatest weighted probability of each row, (n,), from weights (K,)."""
    return classes[labels_at(proba, np.asarray(weights, dtype=float))]


def cheapest(proba: np.ndarray, classes: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The label of the least expected cost of each row, (n,), from costs (K, K) or (n, K, K)."""
    return classes[expected_costs(proba, costs).argmin(axis=1)]


def most_voted(votes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The majority label of each row, (n,), from labels (n_voters, n); of a tie the first."""
    return classes[np.stack([(votes == label).sum(axis=0) for label in classes]).argmax(axis=0)]
