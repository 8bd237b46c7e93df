"""MulticlassThresholdClassifierCV: weights that raise the metric, for names and functions."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score, fbeta_score, make_scorer

from skauto.resample import MulticlassThresholdClassifierCV, make_cost_scorer, total_cost_score
from skauto.resample._multiclass_threshold import confusion_metric

UNEQUAL = [[0, 1, 1], [5, 0, 1], [9, 1, 0]]


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
        (
            make_scorer(fbeta_score, beta=2, average="macro"),
            lambda y, p: fbeta_score(y, p, beta=2, average="macro"),
        ),
        (make_cost_scorer(UNEQUAL), lambda y, p: -total_cost_score(y, p, UNEQUAL) / len(y)),
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


def test_a_function_of_two_classes_is_asked_at_few_cuts_and_finds_nearly_the_best():
    X, y = make_classification(n_samples=1500, weights=[0.9], class_sep=0.6, random_state=0)
    labels = np.where(y == 1, "b", "a")
    asked = []

    def counted(y_true, y_pred, pos_label=1, sample_weight=None):
        asked.append(1)
        return f1_score(y_true, y_pred, pos_label=pos_label, sample_weight=sample_weight)

    named = MulticlassThresholdClassifierCV(LogisticRegression(), "f1", random_state=0).fit(X, labels)
    model = MulticlassThresholdClassifierCV(LogisticRegression(), counted, random_state=0).fit(X, labels)
    assert len(asked) < 150
    best, near = (f1_score(labels, fitted.predict(X), pos_label="b") for fitted in (named, model))
    assert near > best - 0.02


def test_the_positive_label_of_a_scorer_is_meant():
    X, y = make_classification(n_samples=1000, weights=[0.2], class_sep=0.4, random_state=0)
    labels = np.where(y == 1, "often", "few")
    weights = [
        MulticlassThresholdClassifierCV(LogisticRegression(), scoring, random_state=0).fit(X, labels).class_weights_
        for scoring in (make_scorer(f1_score, pos_label="few"), make_scorer(f1_score, pos_label="often"))
    ]
    assert weights[0][0] > 1.2 > weights[1][0]


def test_a_weight_is_a_repeated_row_when_the_threshold_is_tuned():
    X, y = make_classification(n_samples=400, weights=[0.8], class_sep=0.5, random_state=0)
    weight = np.random.default_rng(0).integers(1, 4, 400)
    rows, fold = np.repeat(np.arange(400), weight), np.arange(400) % 3

    def folds(of_row):
        return [(np.flatnonzero(of_row != k), np.flatnonzero(of_row == k)) for k in range(3)]

    inner = LogisticRegression(tol=1e-10, max_iter=1000)
    weighted = MulticlassThresholdClassifierCV(inner, cv=folds(fold)).fit(X, y, weight)
    repeated = MulticlassThresholdClassifierCV(inner, cv=folds(fold[rows])).fit(X[rows], y[rows])
    without = MulticlassThresholdClassifierCV(inner, cv=folds(fold)).fit(X, y)
    np.testing.assert_allclose(weighted.class_weights_, repeated.class_weights_, atol=1e-4)
    assert abs(without.class_weights_ - weighted.class_weights_).max() > 1e-2
    assert abs(weighted.class_weights_ - 1).max() > 0.1  # tuned it is
