"""Matrix forms of scores beside scikit-learn's functions on the rows."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skauto.resample import MulticlassThresholdClassifierCV
from skauto.resample._matrix_forms import matrix_form

MANY = [
    (metrics.cohen_kappa_score, {}),
    (metrics.cohen_kappa_score, {"weights": "linear"}),
    (metrics.cohen_kappa_score, {"weights": "quadratic"}),
    (metrics.accuracy_score, {}),
    (metrics.balanced_accuracy_score, {}),
    (metrics.matthews_corrcoef, {}),
    *((metrics.fbeta_score, {"beta": beta, "average": "macro"}) for beta in (0.5, 2)),
    *(
        (function, {"average": average})
        for function in (metrics.f1_score, metrics.precision_score, metrics.recall_score, metrics.jaccard_score)
        for average in ("macro", "weighted", "micro")
    ),
]
TWO = [(function, {}) for function in (metrics.f1_score, metrics.precision_score, metrics.recall_score)]
TWO += [(metrics.fbeta_score, {"beta": 2}), (metrics.jaccard_score, {}), (metrics.cohen_kappa_score, {})]


def name(value):
    """A function's name, which is the same in every process, or the text of another value."""
    return getattr(value, "__name__", str(value))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(("function", "kwargs"), [*MANY, *TWO], ids=name)
def test_forms_agree_with_scikit_learn(function, kwargs):
    labels = np.arange(2 if (function, kwargs) in TWO else 4)
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 9, (6, len(labels), len(labels))) + np.eye(len(labels), dtype=int)
    cells[0, :, -1] = 0  # never predicted
    cells[0, -1, 0] += 1
    form = matrix_form(function, kwargs, labels)
    truth, answer = (grid.ravel() for grid in np.indices(cells.shape[1:]))
    expected = [function(truth, answer, sample_weight=one.ravel(), **kwargs) for one in cells]
    np.testing.assert_allclose(form(cells), expected)
    assert form(cells[1]) == pytest.approx(expected[1])


def test_the_positive_class_may_be_the_first():
    cells = np.array([[8, 2], [1, 4]])
    form = matrix_form(metrics.f1_score, {}, np.array([1, 0]))
    assert form(cells) == pytest.approx(2 * 8 / (10 + 9))


@pytest.mark.parametrize(
    ("function", "kwargs"),
    [
        (metrics.f1_score, {"average": "macro", "labels": [0]}),
        (metrics.f1_score, {"zero_division": 1.0}),
        (metrics.f1_score, {}),  # binary, of three classes
        (metrics.balanced_accuracy_score, {"adjusted": True}),
        (metrics.hamming_loss, {}),
        (max, {}),
    ],
    ids=name,
)
def test_other_settings_have_no_form(function, kwargs):
    assert matrix_form(function, kwargs, np.arange(3)) is None


@dataclass
class Distance:
    """A metric that is an object: a dataclass has no hash."""

    scale: float = 1.0

    def __call__(self, y_true, y_pred):
        return -self.scale * np.abs(np.asarray(y_true) - np.asarray(y_pred)).mean()


def test_a_metric_without_a_hash_has_no_form():
    assert matrix_form(Distance(), {}, np.arange(3)) is None
    X, y = make_classification(200, n_classes=3, n_informative=4, random_state=0)
    scorer = metrics.make_scorer(Distance())
    model = MulticlassThresholdClassifierCV(LogisticRegression(), scoring=scorer, random_state=0).fit(X, y)
    assert set(model.predict(X)) <= {0, 1, 2}
