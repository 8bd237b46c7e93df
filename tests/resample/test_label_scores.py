"""Metrics of confusion matrices beside scikit-learn's and imbalanced-learn's."""

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from sklearn import metrics

from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import confusion_of

SKLEARN = {
    "f1": metrics.f1_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "jaccard": metrics.jaccard_score,
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "geometric_mean": geometric_mean_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "f1_macro": lambda *a, **k: metrics.f1_score(*a, average="macro", **k),
    "f1_weighted": lambda *a, **k: metrics.f1_score(*a, average="weighted", **k),
}


def test_every_metric_is_compared():
    assert set(SKLEARN) == set(CONFUSION_METRICS)


@pytest.mark.parametrize("name", SKLEARN)
def test_metrics_of_confusions_are_those_of_scikit_learn(name):
    rng = np.random.default_rng(0)
    n_classes = 2 if name in {"f1", "precision", "recall", "jaccard"} else 4
    for _ in range(20):
        y, labels = rng.integers(n_classes, size=(2, 50))
        weight = rng.uniform(0.1, 2, 50)
        given = CONFUSION_METRICS[name](confusion_of(y, labels, n_classes, weight))
        assert given == pytest.approx(SKLEARN[name](y, labels, sample_weight=weight))


@pytest.mark.parametrize("name", CONFUSION_METRICS)
def test_empty_classes_are_no_error(name):
    assert np.isfinite(CONFUSION_METRICS[name](np.array([[5, 0], [0, 0]])))
