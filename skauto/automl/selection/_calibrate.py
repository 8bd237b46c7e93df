"""Calibrate: blended probabilities are corrected where out-of-fold rows say that they are too sure, or too little."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from skauto._time_left import endless
from skauto.automl.evaluation._scoring import Scoring
from skauto.inputs._types import Left
from skauto.search._folds import take_if_given

# With fewer rows, or fewer of the rarest class of two, a correction is a matter of luck.
LEAST_ROWS, LEAST_POSITIVES = 1_000, 20

# More rows would take longer and tell no more.
MOST_ROWS = 50_000

# Seconds that the choice may take for as many rows.
SECONDS = 0.6

# Logarithms of probabilities below that of 1e-5 keep their order and little more: a curve through all of them would
# fit the farthest. As `skauto.resample` calibrates.
BOUND, BEYOND = -11.5, 1e-3

# Steps of Newton's method, and the weight of the parameters that change nothing, in rows: where nearly all rows are
# sure, the few others would bend the curve far.
STEPS, RIDGE = 12, 10.0

# Standard errors by which the loss must be lower. Few: blends of real tables are mostly too timid, and a curve of two
# or three parameters that was not needed costs next to nothing on a thousand rows.
STANDARD_ERRORS = 0.25


@dataclass(frozen=True)
class Calibration:
    """Calibrated probabilities from those of a blend. The order of rows stays, and of many classes that in each row.

    Parameters
    ----------
    kind : {"sigmoid", "beta", "temperature"}
        Of two classes p and 1 - p become a logistic function of a log p - b log(1 - p) + c: "beta", after Kull, Silva
        Filho and Flach, Beta calibration, AISTATS 2017, section 4; "sigmoid" has a = b. Of more classes each
        probability is raised to one power: "temperature".
    weights : tuple of float
        (a, b, c), (a, c) or (power,).

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.automl.selection._calibrate import Calibration
    >>> Calibration("sigmoid", (2.0, 0.0))(np.array([[0.4, 0.6]])).round(3).tolist()
    [[0.308, 0.692]]
    """

    kind: str
    weights: tuple[float, ...]

    def __call__(self, proba: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, n_classes) from those of the blend."""
        return _applied(_features(proba, self.kind), np.array(self.weights))


def calibration_of(
    scoring: Scoring, proba: np.ndarray, left: Left = endless
) -> Calibration | None:
    """The calibration that pays on folds that it was not fitted on; None where none does, or rows are few.

    It must lower the log loss by a quarter of a standard error, else the probabilities stay as they are.

    Parameters
    ----------
    scoring : Scoring
        Of the out-of-fold rows.
    proba : ndarray of shape (n_validated, n_classes)
        Of the blend.
    left : callable, default=endless
        Gives the seconds that are left; with too few nothing is tried.
    """
    counts = np.bincount(scoring.y, minlength=proba.shape[1]) / len(scoring.parts)
    few = scoring.n_rows < LEAST_ROWS or (
        proba.shape[1] == 2 and counts.min() < LEAST_POSITIVES
    )
    rows = np.arange(0, len(proba), int(np.ceil(len(proba) / MOST_ROWS)))
    if few or left() < SECONDS * len(rows) / MOST_ROWS:
        return None
    y, proba = scoring.y[rows], proba[rows]
    part, repeat = scoring.part[rows], scoring.repeat[rows]
    weight = take_if_given(scoring.weight, rows)
    weight = np.ones(len(rows)) if weight is None else weight
    return _best(y, proba, part, repeat, weight)


def _best(
    y: np.ndarray,
    proba: np.ndarray,
    part: np.ndarray,
    repeat: np.ndarray,
    weight: np.ndarray,
) -> Calibration | None:
    """The kind with the least loss on parts that it was not fitted on, among those that pay."""
    loss = losses(y, proba)
    kinds = ("sigmoid", "beta") if proba.shape[1] == 2 else ("temperature",)
    found: list[tuple[float, str]] = []
    for kind in kinds:
        tried = proba.copy()
        # A row of one repeat must not be calibrated by itself in another.
        for number in np.unique(repeat):
            rows = repeat == number
            tried[rows] = _cross_fitted(
                y[rows], proba[rows], part[rows], weight[rows], kind
            )
        gain = loss - losses(y, tried)
        # Rows of repeats are the same rows again.
        error_of_gain = _standard_error(gain, weight) * np.sqrt(len(np.unique(repeat)))
        least = STANDARD_ERRORS * error_of_gain
        mean = float(np.average(gain, weights=weight))
        if mean > least:
            found.append((mean, kind))
    if not found:
        return None
    _, kind = max(found)
    return _fitted(y, proba, weight, kind)


def _cross_fitted(
    y: np.ndarray, proba: np.ndarray, part: np.ndarray, weight: np.ndarray, kind: str
) -> np.ndarray:
    """Calibrated probabilities, those of each part by the other parts; as they are where a fit reverses the order."""
    tried = proba.copy()
    for number in np.unique(part):
        here, others = part == number, part != number
        fitted = _fitted(y[others], proba[others], weight[others], kind)
        if fitted is not None:
            tried[here] = fitted(proba[here])
    return tried


def _fitted(
    y: np.ndarray, proba: np.ndarray, weight: np.ndarray, kind: str
) -> Calibration | None:
    """The calibration of least log loss by Newton's method, None where it would reverse the order of rows."""
    features = _features(proba, kind)
    # As many rows as tell as much if they weigh alike, after Kish.
    weight = weight * (weight.sum() / np.square(weight).sum())
    same = np.ones(features.shape[-1])
    same[1 if kind == "sigmoid" else 2 :] = 0.0
    weights = same.copy()
    for _ in range(STEPS):
        slope, curve = _derivatives(features, y, weight, weights)
        slope += RIDGE * (weights - same)
        step = np.linalg.solve(curve + RIDGE * np.eye(len(weights)), slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    n_slopes = int(same.sum())
    if not np.isfinite(weights).all() or (weights[:n_slopes] <= 0).any():
        return None
    return Calibration(kind, tuple(float(value) for value in weights))


def _features(proba: np.ndarray, kind: str) -> np.ndarray:
    """What the weights are of: (n, n_weights) of two classes, (n, n_classes, 1) of more."""
    logs = np.log(np.maximum(proba, np.finfo(float).tiny))
    near = np.maximum(logs, BOUND)
    logs = near + BEYOND * (logs - near)
    if kind == "temperature":
        return logs[:, :, None]
    ones = np.ones(len(proba))
    if kind == "sigmoid":
        return np.stack([logs[:, 1] - logs[:, 0], ones], axis=1)
    return np.stack([logs[:, 1], -logs[:, 0], ones], axis=1)


def _applied(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probabilities of shape (n, n_classes)."""
    odds = features @ weights
    if features.ndim == 2:
        return np.stack([expit(-odds), expit(odds)], axis=1)
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _derivatives(
    features: np.ndarray, y: np.ndarray, weight: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian of the summed log loss."""
    proba = _applied(features, weights)
    if features.ndim == 2:
        slope = features.T @ (weight * (proba[:, 1] - y))
        curve = (features.T * (weight * proba[:, 0] * proba[:, 1])) @ features
        return slope, curve
    logs = features[:, :, 0]
    mean = np.sum(proba * logs, axis=1)
    spread = np.sum(proba * logs**2, axis=1) - mean**2
    slope = weight @ (mean - logs[np.arange(len(y)), y])
    return np.array([slope]), np.array([[weight @ spread]])


def losses(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """The log loss of each row, shape (n,)."""
    return -np.log(np.maximum(proba[np.arange(len(y)), y], np.finfo(float).eps))


def _standard_error(values: np.ndarray, weight: np.ndarray) -> float:
    """Of the weighted mean of values of rows."""
    apart = weight * (values - np.average(values, weights=weight))
    return float(np.sqrt(np.sum(apart**2)) / weight.sum())
