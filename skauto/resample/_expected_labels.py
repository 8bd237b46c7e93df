"""Labels of two classes, shrunk to the probability of them: by these a threshold is chosen with less luck.

Where positives are few, the threshold with the best score on the rows at hand is the one between two rows that happen
to lie well. Probabilities say what score each threshold can expect, and are smooth.
"""

import numpy as np
from scipy.special import expit

from skauto.resample._log_odds import BOUND, log_odds

# Rows of the rarer class that count as much as the sigmoid. Of 20 to 2,000 the greatest were best; see decision 812.
PRIOR_ROWS = 400.0

# Log-odds are fitted between the bounds of calibration, in so many cells.
CELLS = 2048

# Steps of Newton's method, and the weight of the sigmoid that changes nothing, in rows.
STEPS, RIDGE = 12, 10.0

# The sigmoid is not believed where Hosmer and Lemeshow's statistic is beyond the 95 % quantile of chi-squared with two
# degrees of freedom less than groups.
GROUPS, LARGEST_MISFIT = 8, 12.6


def expected_labels(
    y: np.ndarray, score: np.ndarray, sample_weight: np.ndarray | None = None, repeats: int = 1
) -> np.ndarray:
    """The labels, shrunk to what a sigmoid of the log-odds expects; as they are where none fits them.

    Parameters
    ----------
    y : ndarray of shape (n,), codes 0 and 1
    score : ndarray of shape (n,)
        Probability of the second class, on rows that the model was not fitted on.
    sample_weight : ndarray of shape (n,), default=None
    repeats : int, default=1
        How often each row occurs in y.

    Returns
    -------
    expected : ndarray of float64, shape (n,)
        Between 0 and 1. With n rows of the rarer class the label has the weight n / (n + 400), the sigmoid the rest.

    References
    ----------
    Platt, Probabilistic outputs for support vector machines, 1999, for the sigmoid. Hosmer, Lemeshow, Sturdivant,
    Applied Logistic Regression, 3rd edition, 2013, section 5.2.2, for the test of its fit. A threshold on expected
    labels maximises the plug-in estimate of a score; of F1 see Ye, Chai, Lee, Chieu, Optimizing F-measure: a tale of
    two approaches, ICML 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample._expected_labels import expected_labels
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=400)
    >>> y = (rng.uniform(size=400) < p).astype(int)
    >>> expected = expected_labels(y, p)
    >>> bool(expected[(y == 1) & (p < 0.1)].max() < 0.45)
    True
    """
    n_rarer = min(np.bincount(y, minlength=2)) / repeats
    if n_rarer == 0:
        return y.astype(np.float64)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    # Rows as many as tell as much if they weigh alike, after Kish; a row tells nothing new when it is repeated.
    weight = weight * (weight.sum() / np.square(weight).sum() / repeats)
    score = np.asarray(score, dtype=np.float64)
    odds = np.clip(log_odds(np.column_stack([1 - score, score])), -BOUND, BOUND)
    x, rows, positives = _cells(odds, y, weight)
    sigmoid = _fitted(x, rows, positives)
    if sigmoid is None or _misfit(expit(sigmoid[0] * x + sigmoid[1]), rows, positives) > LARGEST_MISFIT:
        return y.astype(np.float64)
    of_labels = n_rarer / (n_rarer + PRIOR_ROWS)
    return of_labels * y + (1 - of_labels) * expit(sigmoid[0] * odds + sigmoid[1])


def _cells(odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds, weight of rows and weight of positives; of many rows those of narrow cells, which take less time."""
    if len(odds) <= CELLS:
        return odds, weight, weight * y
    cell = ((odds + BOUND) * ((CELLS - 1) / (2 * BOUND))).round().astype(np.int64)
    rows = np.bincount(cell, weight, CELLS)
    positives = np.bincount(cell, weight * y, CELLS)
    filled = rows > 0
    return np.linspace(-BOUND, BOUND, CELLS)[filled], rows[filled], positives[filled]


def _fitted(x: np.ndarray, rows: np.ndarray, positives: np.ndarray) -> tuple[float, float] | None:
    """Slope and intercept of the sigmoid of least log loss by Newton's method; None where it does not rise."""
    slope, intercept = 1.0, 0.0
    for _ in range(STEPS):
        proba = expit(slope * x + intercept)
        missing, spread = rows * proba - positives, rows * proba * (1 - proba)
        gradient = np.array([missing @ x + RIDGE * (slope - 1), missing.sum() + RIDGE * intercept])
        across = spread @ x
        curve = np.array([[spread @ (x * x) + RIDGE, across], [across, spread.sum() + RIDGE]])
        step = np.linalg.solve(curve, gradient)
        slope, intercept = slope - step[0], intercept - step[1]
        if np.abs(step).max() < 1e-6:
            break
    return (slope, intercept) if np.isfinite(slope + intercept) and slope > 0 else None


def _misfit(proba: np.ndarray, rows: np.ndarray, positives: np.ndarray) -> float:
    """Hosmer and Lemeshow's statistic over groups of rising probability, in which positives vary alike."""
    order = np.argsort(proba, kind="stable")
    proba, rows, positives = proba[order], rows[order], positives[order]
    variance = rows * proba * (1 - proba)
    total = variance.sum()
    if not total > np.finfo(np.float64).eps * rows.sum():  # all are sure: nothing can be told of the fit
        return np.inf
    group = np.minimum(variance.cumsum() / total * GROUPS, GROUPS - 1).astype(np.int64)
    apart = np.bincount(group, positives - rows * proba, GROUPS)
    of_group = np.bincount(group, variance, GROUPS)
    return float(np.sum(np.divide(apart**2, of_group, out=np.zeros(GROUPS), where=of_group > 0)))
