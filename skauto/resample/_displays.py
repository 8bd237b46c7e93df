"""Pictures of imbalance, costs and thresholds; each also answers `frame()` with its data."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix_at_thresholds

from skauto._deps import require
from skauto.resample._costs import checked_costs
from skauto.resample._label_scores import CONFUSION_METRICS


def _axes(ax):
    pyplot = require("matplotlib.pyplot", extra="plot")
    return pyplot.subplots()[1] if ax is None else ax


class ClassBalanceDisplay:
    """Rows of each class before and after resampling.

    Parameters
    ----------
    before, after : Series
        Counts by label.

    Examples
    --------
    >>> from skauto.resample import ClassBalanceDisplay
    >>> ClassBalanceDisplay.from_labels([0, 0, 0, 1], [0, 0, 0, 1, 1, 1]).frame()
       before  after
    0       3      3
    1       1      3
    """

    def __init__(self, before: pd.Series, after: pd.Series) -> None:
        self.before = before
        self.after = after

    @classmethod
    def from_labels(cls, y_before: Any, y_after: Any) -> Self:
        """From labels before and after, each array-like of shape (n,)."""
        before, after = (pd.Series(y).value_counts().sort_index() for y in (y_before, y_after))
        return cls(before, after)

    def frame(self) -> pd.DataFrame:
        """Counts, one row a class."""
        table = pd.DataFrame({"before": self.before, "after": self.after}).fillna(0).astype(int)
        return table.rename_axis(index=None)

    def plot(self, ax: Any = None) -> Self:
        """Bars, side by side; returns the display."""
        self.ax_ = _axes(ax)
        table = self.frame()
        positions = np.arange(len(table))
        for shift, name in ((-0.2, "before"), (0.2, "after")):
            self.ax_.bar(positions + shift, table[name], width=0.4, label=name)
        self.ax_.set_xticks(positions, [str(label) for label in table.index])
        self.ax_.set(xlabel="class", ylabel="rows")
        # above the axes, since any bar may be the tallest
        self.ax_.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
        return self


class ThresholdCurveDisplay:
    """A label metric over the threshold, for two classes.

    Parameters
    ----------
    thresholds, values : ndarray of shape (m,)
        The curve.
    metric : str
        Its name.

    Examples
    --------
    >>> from skauto.resample import ThresholdCurveDisplay
    >>> curve = ThresholdCurveDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], metric="f1")
    >>> float(curve.frame()["f1"].max())
    0.8
    """

    def __init__(self, thresholds: np.ndarray, values: np.ndarray, metric: str) -> None:
        self.thresholds = thresholds
        self.values = values
        self.metric = metric

    @classmethod
    def from_predictions(cls, y_true: Any, score: Any, metric: str = "f1") -> Self:
        """From labels (n,) and probabilities of the greater label (n,); metric as in skauto.resample._threshold."""
        if metric not in CONFUSION_METRICS:
            raise ValueError(f"metric={metric!r} must be one of {', '.join(CONFUSION_METRICS)}.")
        thresholds, confusion = _confusion_by_threshold(y_true, score)
        return cls(thresholds, CONFUSION_METRICS[metric](confusion), metric)

    def frame(self) -> pd.DataFrame:
        """Thresholds and values."""
        return pd.DataFrame({"threshold": self.thresholds, self.metric: self.values})

    def plot(self, ax: Any = None) -> Self:
        """The curve, its best point marked; returns the display."""
        self.ax_ = _axes(ax)
        best = int(np.argmax(self.values))
        self.ax_.plot(self.thresholds, self.values, drawstyle="steps-pre")
        self.ax_.plot(self.thresholds[best], self.values[best], "o")
        self.ax_.set(xlabel="threshold", ylabel=self.metric)
        return self


class CostCurveDisplay:
    """Mean cost over the threshold, for two classes, beside the threshold that the costs imply.

    Parameters
    ----------
    thresholds, costs : ndarray of shape (m,)
        The curve.
    implied : float or None
        The threshold of least expected cost for calibrated probabilities (Elkan 2001, equation 2); None where the costs
        imply none, as mistakes in both classes together cost no more than being right.

    Examples
    --------
    >>> from skauto.resample import CostCurveDisplay
    >>> display = CostCurveDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [[0, 1], [4, 0]])
    >>> display.implied, float(display.frame()["cost"].min())
    (0.2, 0.25)
    """

    def __init__(self, thresholds: np.ndarray, costs: np.ndarray, implied: float | None) -> None:
        self.thresholds = thresholds
        self.costs = costs
        self.implied = implied

    @classmethod
    def from_predictions(cls, y_true: Any, score: Any, cost_matrix: Any) -> Self:
        """From labels (n,), probabilities of the greater label (n,) and costs of shape (2, 2) or a DataFrame."""
        matrix = checked_costs(cost_matrix, np.unique(np.asarray(y_true)))
        thresholds, confusion = _confusion_by_threshold(y_true, score)
        false_alarm, miss = matrix[0, 1] - matrix[0, 0], matrix[1, 0] - matrix[1, 1]
        implied = float(false_alarm / (false_alarm + miss)) if false_alarm + miss > 0 else None
        return cls(thresholds, (confusion * matrix).sum(axis=(1, 2)) / len(score), implied)

    def frame(self) -> pd.DataFrame:
        """Thresholds and mean costs."""
        return pd.DataFrame({"threshold": self.thresholds, "cost": self.costs})

    def plot(self, ax: Any = None) -> Self:
        """The curve and the implied threshold; returns the display."""
        self.ax_ = _axes(ax)
        self.ax_.plot(self.thresholds, self.costs, drawstyle="steps-pre")
        self.ax_.set(xlabel="threshold", ylabel="mean cost")
        if self.implied is not None:
            self.ax_.axvline(self.implied, linestyle="--", label="implied by the costs")
            self.ax_.legend()
        return self


def _confusion_by_threshold(y_true, score):
    """Every threshold at which a row changes sides, rising, and the confusion matrix (m, 2, 2) of score >= it."""
    labels, codes = np.unique(np.asarray(y_true), return_inverse=True)
    if len(labels) != 2:
        raise ValueError(f"y_true must hold two classes, not {len(labels)}.")
    *counts, falling = confusion_matrix_at_thresholds(codes, np.asarray(score, dtype=float), pos_label=1)
    rising = np.stack(counts, axis=-1)[::-1].reshape(-1, 2, 2)
    # beyond the greatest score nothing is positive
    none_positive = rising[-1:].sum(axis=2, keepdims=True) * [1, 0]
    return np.append(falling[::-1], np.inf), np.concatenate([rising, none_positive])
