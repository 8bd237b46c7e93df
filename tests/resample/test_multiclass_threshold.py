"""MulticlassThresholdClassifierCV: weights that raise the metric, for names and functions."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score

from skauto.resample import MulticlassThresholdClassifierCV
from skauto.resample._multiclass_threshold import confusion_metric


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(
        n_samples=4000, n_classes=3, n_informative=5, weights=[0.85, 0.1], class_sep=0.6, random_state=0
    )
    return X[:2000], y[:2000], X[2000:], y[2000:]


@pytest.mark.parametrize(
    "scoring, metric",
    [
        ("f1_macro", lambda y, p: f1_score(y, p, average="macro")),
        ("balanced_accuracy", balanced_accuracy_score),
        (cohen_kappa_score, cohen_kappa_score),
    ],
)
def test_the_metric_rises_on_new_rows(data, scoring, metric):
    X, y, X_test, y_test = data
    plain = LogisticRegression().fit(X, y)
    model = MulticlassThresholdClassifierCV(LogisticRegression(), scoring, random_state=0).fit(X, y)
    assert metric(y_test, model.predict(X_test)) > metric(y_test, plain.predict(X_test)) + 0.02
    np.testing.assert_allclose(model.predict_proba(X_test), plain.predict_proba(X_test))


def test_two_classes_are_a_threshold():
    X, y = make_classification(n_samples=2000, weights=[0.9], class_sep=0.6, random_state=0)
    labels = np.where(y == 1, "rare", "often")
    model = MulticlassThresholdClassifierCV(LogisticRegression(), random_state=0).fit(X, labels)
    threshold = model.class_weights_[0] / 2
    assert model.classes_.tolist() == ["often", "rare"]
    np.testing.assert_array_equal(model.predict(X) == "rare", model.predict_proba(X)[:, 1] >= threshold)
    assert threshold < 0.3


def test_a_function_and_its_name_are_the_same_metric():
    confusion = np.array([[[5, 1, 0], [2, 7, 1], [0, 0, 3]], [[1, 0, 0], [0, 1, 0], [1, 1, 0]]])
    named = confusion_metric("balanced_accuracy", [0, 1, 2])(confusion)
    np.testing.assert_allclose(confusion_metric(balanced_accuracy_score, [0, 1, 2])(confusion), named)
    weighted = confusion_metric("recall_weighted", ["a", "b", "c"])(confusion)
    np.testing.assert_allclose(weighted, confusion_metric("accuracy", [0, 1, 2])(confusion))


def test_too_few_rows_leave_the_weights_alone_and_scores_are_refused():
    X, y = make_classification(n_samples=40, n_classes=3, n_informative=4, random_state=0)
    assert (MulticlassThresholdClassifierCV(LogisticRegression()).fit(X, y).class_weights_ == 1).all()
    with pytest.raises(ValueError, match="'roc_auc_ovr' is not a metric of predicted labels"):
        MulticlassThresholdClassifierCV(LogisticRegression(), "roc_auc_ovr").fit(X, y)
