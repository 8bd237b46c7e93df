"""The geometric mean of the recalls, as a metric of labels."""

from typing import Any

import numpy as np

from skauto.resample._label_scores import geometric_mean
from skauto.resample._threshold import confusion_of


def geometric_mean_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """The geometric mean of the recalls of the classes in y_true: 1 is perfect, 0 where a class is never found.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    score : float

    References
    ----------
    M. Kubat, S. Matwin, "Addressing the curse of imbalanced training sets: one-sided selection", ICML 1997, section 2.

    Examples
    --------
    >>> from skauto.resample import geometric_mean_score
    >>> geometric_mean_score([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    0.8660254037844386
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} labels, but y_pred has {len(y_pred)}.")
    classes, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return float(geometric_mean(confusion_of(codes[: len(y_true)], codes[len(y_true) :], len(classes), weight)))
