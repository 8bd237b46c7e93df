"""Labels shrunk to a sigmoid: beside scikit-learn's, where it does not fit, and the scores that they bring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skauto.resample._expected_labels import PRIOR_ROWS, expected_labels
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import tune_threshold


def sample(n, intercept=-2.5, slope=1.5, seed=0):
    """Labels and their true probabilities."""
    rng = np.random.default_rng(seed)
    proba = expit(slope * rng.normal(size=n) + intercept)
    return (rng.uniform(size=n) < proba).astype(int), proba


def of_sigmoid(y, expected):
    """The part of expected labels that is no label."""
    of_labels = y.sum() / (y.sum() + PRIOR_ROWS)
    return (expected - of_labels * y) / (1 - of_labels)


@pytest.mark.parametrize("n", [300, 20_000])
def test_the_sigmoid_is_a_logistic_regression_on_log_odds(n):
    """Of many rows the ridge of ten rows hardly counts, and cells are narrow."""
    y, proba = sample(n)
    reported = expit(0.6 * np.log(proba / (1 - proba)) + 1.0)  # too timid, and too high
    odds = np.log(reported / (1 - reported))[:, None]
    own = LogisticRegression(C=np.inf).fit(odds, y).predict_proba(odds)[:, 1]
    tolerance = 0.08 if n < 1_000 else 0.004
    np.testing.assert_allclose(of_sigmoid(y, expected_labels(y, reported)), own, atol=tolerance)


def test_where_no_sigmoid_fits_the_labels_are_as_they_were():
    """High scores of which half are wrong, as of naive Bayes on columns that repeat each other."""
    rng = np.random.default_rng(0)
    proba = rng.choice([1e-9, 0.3, 1 - 1e-9], 900, p=[0.6, 0.2, 0.2])
    y = (rng.uniform(size=900) < np.where(proba < 0.2, 0.02, 0.5)).astype(int)
    np.testing.assert_array_equal(expected_labels(y, proba), y)
    turned, proba = sample(900)
    np.testing.assert_array_equal(expected_labels(turned, 1 - proba), turned)
    np.testing.assert_array_equal(expected_labels(np.zeros(90, int), proba[:90]), np.zeros(90))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(60, 400))
def test_they_lie_between_labels_and_chances(seed, n):
    y, proba = sample(n, seed=seed)
    expected = expected_labels(y, proba)
    assert ((expected >= 0) & (expected <= 1)).all()
    for label in (0, 1):  # a row of more probability is never expected to be less
        of_label = expected[y == label][np.argsort(proba[y == label])]
        assert (np.diff(of_label) >= -1e-12).all()


def test_rows_that_are_repeated_tell_nothing_new():
    y, proba = sample(200)
    thrice = expected_labels(np.tile(y, 3), np.tile(proba, 3), repeats=3)
    np.testing.assert_allclose(thrice, np.tile(expected_labels(y, proba), 3))
    np.testing.assert_allclose(expected_labels(y, proba, np.full(200, 7.0)), expected_labels(y, proba))


def f1_above(y, proba, threshold):
    found = proba >= threshold
    return 2 * np.sum(found & (y == 1)) / (found.sum() + y.sum())


@pytest.mark.parametrize("seed", range(3))
def test_thresholds_of_few_rows_bring_better_f1_on_new_ones(seed):
    """The mean over eighty samples of some thirty positives, beside the threshold of the best F1 on the sample."""
    y_new, new = sample(20_000, seed=seed + 100)
    ours, best = [], []
    for number in range(80):
        y, proba = sample(320, seed=1_000 * seed + number)
        both = np.column_stack([1 - proba, proba])
        ours.append(f1_above(y_new, new, tune_threshold(y, both, CONFUSION_METRICS["f1"])))
        tried = np.sort(proba)[-150:]
        best.append(f1_above(y_new, new, tried[np.argmax([f1_above(y, proba, t) for t in tried])]))
    assert np.mean(ours) > np.mean(best) + 0.005


def test_many_rows_choose_for_themselves():
    y, proba = sample(200_000)
    both = np.column_stack([1 - proba, proba])
    best = max(f1_above(y, proba, threshold) for threshold in np.linspace(0.05, 0.6, 56))
    assert f1_above(y, proba, tune_threshold(y, both, CONFUSION_METRICS["f1"])) > best - 1e-3
