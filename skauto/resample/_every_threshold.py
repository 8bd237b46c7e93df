"""The confusion matrices of every threshold of two classes at once."""

from typing import Any

import numpy as np


def confusions(
    y: np.ndarray, score: np.ndarray, sample_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The confusion matrices of all thresholds of two classes: with no row positive, then with ever more.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Codes 0 and 1, or what is expected of them between these.
    score : ndarray of shape (n,)
    sample_weight : ndarray of shape (n,), default=None

    Returns
    -------
    confusion : ndarray of shape (m + 1, 2, 2)
    last : ndarray of shape (m,)
        The place in `ranked` of the last row that each but the first takes for positive.
    ranked : ndarray of shape (n,)
        The scores, falling.
    """
    order = np.argsort(-score, kind="stable")
    ranked, truth = score[order], y[order]
    weight = np.ones(len(y)) if sample_weight is None else sample_weight[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(y) - 1)
    tp, fp = (np.append(0.0, np.cumsum(weight * part)[last]) for part in (truth, 1 - truth))
    confusion = np.stack([np.stack([fp[-1] - fp, fp], -1), np.stack([tp[-1] - tp, tp], -1)], -2)
    return confusion, last, ranked
