"""Log-odds of probabilities, damped far from zero: what sigmoids are fitted to."""

import numpy as np

LEAST = np.finfo(float).tiny  # so that log-odds stay finite
# Log-odds beyond those of 1e-5 keep their order and little more: a sigmoid through all of them would fit the farthest.
BOUND, BEYOND = 11.5, 1e-3


def log_odds(proba: np.ndarray) -> np.ndarray:
    """Log-odds of the second of two classes (n,), or of each class against the others (n, K), damped far from zero."""
    proba = np.maximum(proba, LEAST)
    if proba.shape[1] == 2:
        odds = np.log(proba[:, 1]) - np.log(proba[:, 0])
    else:
        odds = np.log(proba) - np.log(np.maximum(1 - proba, np.finfo(float).eps))
    near = np.clip(odds, -BOUND, BOUND)
    return near + BEYOND * (odds - near)
