"""Thresholds: the best of all of them, never worse than none, and none where the rows say too little."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skauto.resample._expected_labels import expected_labels
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import (
    MIN_POSITIVES,
    MIN_ROWS,
    confusion_of,
    cross_fitted_labels,
    labels_at,
    tune_threshold,
)

f1, f1_macro = CONFUSION_METRICS["f1"], CONFUSION_METRICS["f1_macro"]


def rows(n_classes, min_size=60, max_size=120):
    """Labels with coarse probabilities: ties on purpose."""
    pair = st.tuples(st.integers(0, n_classes - 1), st.lists(st.integers(0, 8), min_size=n_classes, max_size=n_classes))
    return st.lists(pair, min_size=min_size, max_size=max_size)


def unpack(drawn):
    y = np.array([label for label, _ in drawn])
    proba = np.array([levels for _, levels in drawn]) + 0.5
    return y, proba / proba.sum(1, keepdims=True)


def value(y, proba, threshold, metric, weight=None):
    return float(metric(confusion_of(y, labels_at(proba, threshold), proba.shape[1], weight)))


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "matthews_corrcoef"])
@settings(deadline=None, max_examples=30)
@given(drawn=rows(2), weighted=st.booleans())
def test_no_cut_is_better_than_the_best(name, drawn, weighted):
    y, proba = unpack(drawn)
    assume(np.bincount(y, minlength=2).min() >= MIN_POSITIVES)
    metric = CONFUSION_METRICS[name]
    weight = np.random.default_rng(0).uniform(0.1, 2, len(y)) if weighted else None
    truth = expected_labels(y, proba[:, 1], weight)

    def expected(threshold):
        """The metric of a confusion matrix in which each row is partly of either class."""
        labels, whole = labels_at(proba, threshold), np.ones(len(y)) if weight is None else weight
        parts = [confusion_of(np.full(len(y), k), labels, 2, whole * part) for k, part in ((0, 1 - truth), (1, truth))]
        return float(metric(np.sum(parts, axis=0)))

    found = expected(tune_threshold(y, proba, metric, weight))
    assert found >= max(map(expected, np.unique(proba[:, 1]))) - 1e-9


@settings(deadline=None, max_examples=30)
@given(drawn=rows(3))
def test_weights_of_many_classes_never_do_worse_than_equal_ones(drawn):
    y, proba = unpack(drawn)
    threshold = tune_threshold(y, proba, f1_macro)
    assert threshold.shape == (3,)
    assert threshold.min() > 0
    assert value(y, proba, threshold, f1_macro) >= value(y, proba, np.ones(3), f1_macro) - 1e-12


def test_weights_find_a_class_that_is_drowned():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [400, 60, 40])
    proba = np.eye(3)[y] * 0.2 + rng.dirichlet([8, 1, 1], size=500)
    proba /= proba.sum(1, keepdims=True)
    gain = value(y, proba, tune_threshold(y, proba, f1_macro), f1_macro) - value(y, proba, np.ones(3), f1_macro)
    assert gain > 0.2


def by_relabelling(y, proba, metric, n_rounds=3, n_steps=48):
    """The weights as a plain ascent finds them, which labels all rows anew for each of some factors of each class."""
    weights, best = np.ones(proba.shape[1]), value(y, proba, np.ones(proba.shape[1]), metric)
    for k in [*range(len(weights))] * n_rounds:
        rival = np.delete(proba * weights, k, axis=1).max(1)
        ratio = np.sort(np.log(rival) - np.log(proba[:, k] * weights[k]))
        ratio = ratio[np.abs(ratio) < np.log(20)]
        middle = (ratio[1:] + ratio[:-1]) / 2
        chosen = np.unique(np.linspace(0, len(middle) - 1, min(n_steps, len(middle))).astype(int))
        moves = [np.where(np.arange(len(weights)) == k, weights * np.exp(step), weights) for step in middle[chosen]]
        values = [value(y, proba, move, metric) for move in moves]
        if max(values, default=best) > best:
            best, weights = max(values), moves[int(np.argmax(values))] / moves[int(np.argmax(values))].mean()
    return weights


@pytest.mark.parametrize("name", ["f1_macro", "balanced_accuracy", "matthews_corrcoef"])
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), n_classes=st.integers(3, 5), n=st.integers(100, 300))
def test_weights_are_those_of_labelling_all_rows_at_each_step(name, seed, n_classes, n):
    rng, metric = np.random.default_rng(seed), CONFUSION_METRICS[name]
    y = rng.integers(n_classes, size=n)
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.3 * np.eye(n_classes)[y]
    assume(np.bincount(y).min() >= MIN_POSITIVES)
    found, plain = tune_threshold(y, proba, metric), by_relabelling(y, proba, metric)
    np.testing.assert_allclose(found, plain)
    assert value(y, proba, found, metric) == value(y, proba, plain, metric)


@pytest.mark.parametrize("name", CONFUSION_METRICS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), n_classes=st.integers(3, 6), weighted=st.booleans())
def test_counts_of_classes_lead_where_whole_matrices_do(name, seed, n_classes, weighted):
    """Of a built-in metric only the counts of each class are summed, which many classes need; one's own sees all."""
    rng, metric = np.random.default_rng(seed), CONFUSION_METRICS[name]
    y = rng.integers(n_classes, size=200)
    proba = rng.dirichlet(np.ones(n_classes), size=200).round(2) + 0.3 * np.eye(n_classes)[y]
    weight = rng.integers(1, 4, 200) if weighted else None

    def whole(confusion):
        return metric(confusion)

    own = tune_threshold(y, proba, whole, weight)
    np.testing.assert_allclose(tune_threshold(y, proba, metric, weight), own)


def test_weights_found_so_far_are_the_answer_when_no_time_is_left():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [400, 60, 40])
    proba = np.eye(3)[y] * 0.2 + rng.dirichlet([8, 1, 1], size=500)
    asked = iter([1.0, 1.0, 0.0])
    some = tune_threshold(y, proba, f1_macro, left=lambda: next(asked))
    full, none = tune_threshold(y, proba, f1_macro), np.ones(3)
    np.testing.assert_array_equal(tune_threshold(y, proba, f1_macro, left=lambda: 0.0), none)
    assert value(y, proba, none, f1_macro) < value(y, proba, some, f1_macro) < value(y, proba, full, f1_macro)


@settings(deadline=None, max_examples=30)
@given(drawn=rows(3), weighted=st.booleans())
def test_no_weight_of_the_first_class_alone_is_better(drawn, weighted):
    """Ties of coarse probabilities included: each threshold between two ratios that differ is looked at."""
    y, proba = unpack(drawn)
    assume(np.bincount(y, minlength=3)[0] >= MIN_POSITIVES)
    weight = np.random.default_rng(0).uniform(0.1, 2, len(y)) if weighted else None
    ratio = np.unique((proba[:, 1:].max(1) / proba[:, 0]).round(9))
    factors = (ratio[1:] + ratio[:-1]) / 2
    alone = [value(y, proba, np.array([factor, 1, 1]), f1_macro, weight) for factor in factors if 0.05 < factor < 20]
    assert value(y, proba, tune_threshold(y, proba, f1_macro, weight), f1_macro, weight) >= max(alone, default=0) - 1e-9


def test_a_class_that_some_rows_exclude_has_a_weight():
    """Zeros, as trees give them, and all but zeros, as naive Bayes does: a row that only one class claims stays."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    proba = np.where(rng.random((300, 3)) < 0.3, 1e-320, rng.random((300, 3))) * (rng.random((300, 3)) < 0.8)
    threshold = tune_threshold(y, proba, f1_macro)
    assert value(y, proba, threshold, f1_macro) > value(y, proba, np.ones(3), f1_macro)


def test_many_classes_are_weighed_in_the_time_of_some_sorts():
    """The metric is asked once a class and round, never with all rows labelled anew for each factor."""
    rng = np.random.default_rng(0)
    y = rng.integers(8, size=1000)
    proba = rng.dirichlet(np.ones(8), size=1000) + 0.2 * np.eye(8)[y]
    asked = []
    tune_threshold(y, proba, lambda confusion: asked.append(np.shape(confusion)) or f1_macro(confusion))
    sweeps = [shape for shape in asked if len(shape) == 3]
    assert len(sweeps) <= 3 * 8
    assert len(asked) - len(sweeps) <= 1 + len(sweeps)


def test_neighbouring_floats_are_told_apart():
    low, high = np.nextafter(0.5, 0), 0.5
    y = np.repeat([0, 1], 40)
    proba = np.where(y == 1, high, low)
    threshold = tune_threshold(y, np.column_stack([1 - proba, proba]), f1)
    np.testing.assert_array_equal(proba >= threshold, y == 1)


@pytest.mark.parametrize("positives", [0, 1, MIN_POSITIVES - 1])
def test_few_positives_leave_the_cut_in_the_middle(positives):
    y = (np.arange(500) < positives).astype(int)
    proba = np.where(y == 1, 0.3, 0.1)
    assert tune_threshold(y, np.column_stack([1 - proba, proba]), f1) == 0.5


def test_few_rows_leave_the_cut_in_the_middle():
    y = np.arange(MIN_ROWS - 1) % 2
    assert tune_threshold(y, np.column_stack([1 - y * 0.3, y * 0.3]), f1) == 0.5
    three = np.arange(MIN_ROWS - 1) % 3
    np.testing.assert_array_equal(tune_threshold(three, np.eye(3)[three], f1_macro), np.ones(3))


def test_the_weight_of_a_rare_class_is_not_moved():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [100, 100, MIN_POSITIVES - 1])
    threshold = tune_threshold(y, rng.dirichlet([3, 1, 1], size=len(y)), f1_macro)
    assert threshold[2] == pytest.approx(3 / threshold.sum() * threshold[2])
    others = tune_threshold(y[y < 2], rng.dirichlet([3, 1, 1], size=200), f1_macro)
    assert others[2] <= others.max()


def test_a_slow_metric_is_asked_for_few_cuts():
    class Slow:
        max_thresholds = 10
        seen = 0

        def __call__(self, confusion):
            self.seen = len(confusion)
            return f1(confusion)

    rng = np.random.default_rng(0)
    y, score = rng.integers(2, size=1000), rng.uniform(size=1000)
    slow = Slow()
    tune_threshold(y, np.column_stack([1 - score, score]), slow)
    assert slow.seen == 10


@settings(deadline=None, max_examples=30)
@given(drawn=rows(2, 80, 160), n_folds=st.integers(2, 5))
def test_labels_of_a_fold_do_not_depend_on_its_own_labels(drawn, n_folds):
    y, proba = unpack(drawn)
    fold = np.arange(len(y)) % n_folds
    before = cross_fitted_labels(y, proba, fold, f1)
    turned = np.where(fold == 0, 1 - y, y)
    np.testing.assert_array_equal(cross_fitted_labels(turned, proba, fold, f1)[fold == 0], before[fold == 0])


def test_one_fold_alone_is_cut_in_the_middle():
    y = np.arange(200) % 2
    proba = np.where(y == 1, 0.4, 0.1)
    labels = cross_fitted_labels(y, np.column_stack([1 - proba, proba]), np.zeros(200), f1)
    assert labels.sum() == 0


def test_repeated_rows_count_once_for_the_guard():
    y = np.repeat([0, 1], [60, 5])
    proba = np.column_stack([1 - y * 0.3, y * 0.3])
    thrice = np.tile(y, 3), np.tile(proba, (3, 1))
    assert tune_threshold(*thrice, CONFUSION_METRICS["f1"], repeats=3) == 0.5
    assert tune_threshold(*thrice, CONFUSION_METRICS["f1"]) < 0.3


def test_accuracy_may_label_nobody():
    y = np.array([0, 0, 1] * 40)
    proba = np.column_stack([np.full(120, 0.4), np.full(120, 0.6)])
    threshold = tune_threshold(y, proba, CONFUSION_METRICS["accuracy"])
    assert not labels_at(proba, threshold).any()
