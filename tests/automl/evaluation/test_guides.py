"""What ensembles are selected by: several models at once have the values of each of them, and those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, log_loss

from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._ranking import average_precision, average_precisions, log_loss_of, mean_of_known
from skauto.automl.evaluation._scoring import Scoring


def models(seed, n_classes=2, n_rows=60, n_models=4, ties=False):
    """Labels of two repeats, and probabilities of some models."""
    rng = np.random.default_rng(seed)
    y = np.append(np.arange(n_classes), rng.integers(n_classes, size=n_rows - n_classes))
    stack = rng.dirichlet(np.ones(n_classes), size=(n_models, 2 * n_rows))
    return np.tile(y, 2), np.round(stack, 1) if ties else stack


def scoring_of(y, n_classes, name, positive=1, weight=None):
    judged_by, metric = resolve_metric(name, np.arange(n_classes))[1:]
    half = len(y) // 2
    fold = np.arange(len(y)) % half % 3 + 3 * (np.arange(len(y)) >= half)
    return Scoring(name, judged_by, metric, y, fold, np.repeat([0, 1], half), weight, positive)


def likelihood(scoring, proba, weight):
    """The mean over repeats of the mean log-likelihood of the true classes."""
    weights = np.ones(len(proba)) if weight is None else weight
    each = [log_loss_of(scoring.y[rows], proba[rows], weights[rows]) for rows in scoring.parts]
    return mean_of_known(each)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["f1", "average_precision", "accuracy", "roc_auc", "neg_log_loss", "balanced_accuracy"]),
    st.sampled_from([2, 3]),
    st.integers(0, 1),
    st.booleans(),
    st.booleans(),
)
def test_several_at_once_have_the_values_of_each(seed, name, n_classes, positive, ties, weighted):
    y, stack = models(seed, n_classes, ties=ties)
    weight = np.random.default_rng(seed).integers(0, 3, len(y)).astype(float) if weighted else None
    scoring = scoring_of(y, n_classes, name, positive if n_classes == 2 else 1, weight)
    np.testing.assert_allclose(scoring.select_all(stack), [scoring.select(proba) for proba in stack], equal_nan=True)
    expected = [likelihood(scoring, proba, weight) for proba in stack]
    np.testing.assert_allclose(scoring.likelihood_all(stack), expected, equal_nan=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_average_precisions_are_those_of_scikit_learn(seed, ties, weighted):
    rng = np.random.default_rng(seed)
    y = np.append([True, False], rng.uniform(size=30) < 0.3)
    scores = rng.uniform(size=(5, 32))
    scores = np.round(scores, 1) if ties else scores
    weight = rng.integers(1, 4, 32).astype(float) if weighted else None
    found = average_precisions(y, scores, weight)
    np.testing.assert_allclose(found, [average_precision_score(y, row, sample_weight=weight) for row in scores])
    np.testing.assert_allclose(found, [average_precision(y, row, weight) for row in scores])


def test_without_positives_nothing_is_known():
    assert np.isnan(average_precisions(np.zeros(3, dtype=bool), np.ones((2, 3)))).all()


def test_likelihood_is_minus_log_loss():
    y, stack = models(3, n_classes=3)
    expected = [-log_loss(y, proba) for proba in stack]
    np.testing.assert_allclose(scoring_of(y, 3, "f1").likelihood_all(stack), expected)


@pytest.mark.parametrize(("name", "count"), [("f1", 2), ("average_precision", 2), ("accuracy", 1), ("neg_log_loss", 1)])
def test_each_guide_is_there_once(name, count):
    y, _ = models(0)
    assert len(scoring_of(y, 2, name).guides) == count
