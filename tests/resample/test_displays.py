"""Displays: the data they answer with, and that they draw."""

import matplotlib
import numpy as np
import pytest
from sklearn.metrics import f1_score

from skauto.resample import ClassBalanceDisplay, CostCurveDisplay, ThresholdCurveDisplay, total_cost_score

matplotlib.use("Agg")


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    y = rng.random(200) < 0.3
    return np.where(y, "yes", "no"), np.clip(0.3 * y + rng.random(200) * 0.7, 0, 1).round(2)


def test_the_threshold_curve_is_the_metric_at_each_threshold(predictions):
    y, score = predictions
    frame = ThresholdCurveDisplay.from_predictions(y, score).plot().frame()
    for threshold, value in frame.iloc[::20].itertuples(index=False):
        answer = np.where(score >= threshold, "yes", "no")
        assert value == pytest.approx(f1_score(y, answer, pos_label="yes", zero_division=0))
    with pytest.raises(ValueError, match="metric='magic' must be one of"):
        ThresholdCurveDisplay.from_predictions(y, score, "magic")
    with pytest.raises(ValueError, match="two classes, not 1"):
        ThresholdCurveDisplay.from_predictions(["a", "a"], [0.1, 0.2])


def test_the_cost_curve_is_the_mean_cost_at_each_threshold(predictions):
    y, score = predictions
    display = CostCurveDisplay.from_predictions(y, score, [[0, 1], [4, 0]]).plot()
    assert display.implied == pytest.approx(0.2)
    for threshold, cost in display.frame().iloc[::20].itertuples(index=False):
        answer = np.where(score >= threshold, "yes", "no")
        assert cost == pytest.approx(total_cost_score(y, answer, [[0, 1], [4, 0]]) / 200)


def test_costs_that_imply_no_threshold(predictions):
    for costs in (np.zeros((2, 2)), [[1, 0], [0, 1]]):
        display = CostCurveDisplay.from_predictions(*predictions, costs).plot()
        assert display.implied is None
        assert len(display.ax_.lines) == 1


def test_the_legend_covers_no_bar():
    axes = ClassBalanceDisplay.from_labels([0] * 90 + [1] * 10, [0] * 90 + [1] * 90).plot().ax_
    axes.figure.draw_without_rendering()
    legend = axes.get_legend().get_window_extent()
    assert not any(legend.overlaps(bar.get_window_extent()) for bar in axes.patches)
    assert axes.figure.bbox.y1 >= legend.y1


def test_class_balance_names_every_class():
    display = ClassBalanceDisplay.from_labels(["a", "a", "b"], ["a", "a"]).plot()
    assert display.frame().to_dict() == {"before": {"a": 2, "b": 1}, "after": {"a": 2, "b": 0}}
    assert len(display.ax_.patches) == 4
