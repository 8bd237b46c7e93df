"""What a fitted model keeps to decide anew."""

import numpy as np
import pytest

from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._out_of_fold_rows import OutOfFoldRows
from skauto.automl.selection._select import mixed
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import tune_threshold


class Of:
    """A trial and a final model, as far as the rows look at them."""

    def __init__(self, proba, number=7):
        self.proba, self.number = proba, number

    def out_of_fold(self):
        return mixed(self.members)

    @classmethod
    def final(cls, probas, weights):
        final = cls(None)
        final.members = [
            (cls(proba, number), weight) for number, (proba, weight) in enumerate(zip(probas, weights, strict=True))
        ]
        final.best = final.members[0][0]
        return final


def rows_of(n_repeats=2, n_rows=90, n_classes=2, weight=None, learnt=None):
    """The rows of two members over three folds, repeated, with what they were made of."""
    rng = np.random.default_rng(0)
    n_learnt = n_rows if learnt is None else len(learnt)
    folds = [
        (np.empty(0, int), part) for _ in range(n_repeats) for part in np.array_split(rng.permutation(n_learnt), 3)
    ]
    valid = np.concatenate([part for _, part in folds])
    y = rng.integers(0, n_classes, n_learnt)[valid]
    probas = [rng.dirichlet(np.ones(n_classes) * 2, len(valid)) for _ in range(2)]
    fold = np.repeat(np.arange(len(folds)), [len(part) for _, part in folds])
    scoring = Scoring("f1", "labels", CONFUSION_METRICS["f1"], y=y, fold=fold, repeat=fold // 3, weight=weight)
    final = Of.final(probas, [3.0, 1.0])
    return OutOfFoldRows.of(folds, scoring, final, n_rows, learnt), valid, scoring, (3 * probas[0] + probas[1]) / 4


def test_each_row_has_the_mean_of_its_repeats():
    rows, valid, _, blended = rows_of()
    expected = np.array([blended[valid == row].mean(axis=0) for row in range(90)])
    np.testing.assert_allclose(rows.by_row(2), expected)


def test_rows_that_were_not_learnt_from_are_nan_at_their_place():
    learnt = np.arange(10, 100)
    rows, valid, _, blended = rows_of(n_repeats=1, n_rows=100, learnt=learnt)
    proba = rows.by_row(2)
    assert np.isnan(proba[:10]).all()
    np.testing.assert_allclose(proba[10 + valid], blended)


def test_the_scoring_of_the_rows_is_the_one_they_came_from():
    rows, _, scoring, blended = rows_of(weight=np.random.default_rng(1).random(180))
    again = rows.scoring("f1", "labels", scoring.metric)
    for name in ("y", "fold", "part", "repeat", "weight"):
        np.testing.assert_array_equal(getattr(again, name), getattr(scoring, name))
    expected = tune_threshold(scoring.y, blended, scoring.metric, scoring.weight, repeats=2)
    assert again.threshold(rows.proba) == pytest.approx(expected)
    assert again.report(rows.proba) == scoring.report(blended)


def test_many_classes_do_not_overflow():
    rows, _, scoring, _ = rows_of(n_classes=20)
    again = rows.scoring("f1_macro", "labels", CONFUSION_METRICS["f1_macro"])
    assert rows.y.dtype == np.uint8 and again.y.dtype == np.int64


def test_a_fallback_has_no_rows():
    final = Of(None)
    final.members, final.best = [], None
    _, _, scoring, _ = rows_of()
    rows = OutOfFoldRows.of([(np.arange(2), np.arange(2))], scoring, final, 4)
    assert np.isnan(rows.by_row(3)).all() and rows.by_row(3).shape == (4, 3)
