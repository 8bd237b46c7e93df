"""Distillation: a small model that learned the ensemble's probabilities and no labels."""

import io

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import f1_score, roc_auc_score

from skauto.automl._distill import LEAST_WEIGHT, _with_weights, distilled, refuse_undistillable
from skauto.automl._students import drawn, students_of
from skauto.resample._decision_rule import DecisionRule
from tests.support.autos import X, Y, mixed_table, quick

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(400, 4))
CLASSES = np.array(["a", "b", "c"])


def two(rows):
    """A teacher of two classes that goes by the first two columns."""
    p = 1 / (1 + np.exp(-2 * np.asarray(rows)[:, 0] - np.asarray(rows)[:, 1]))
    return np.column_stack([1 - p, p])


def three(rows):
    """One of three, of which the last is rare."""
    rows = np.asarray(rows)
    scores = np.exp(np.column_stack([rows[:, 0], rows[:, 1], rows[:, 2] - 3]))
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.slow
def test_a_student_learns_the_probabilities_without_labels():
    rule = DecisionRule(np.array([0, 1]), 1, 0.3)
    student = distilled(two, ROWS, None, rule, {}, 1_000_000, 0)
    new = np.random.default_rng(1).normal(size=(2_000, 4))
    wanted = two(new)
    assert np.abs(student.predict_proba(new) - wanted).mean() < 0.03
    labels = rule.labels(wanted)
    assert (student.predict(new) == labels).mean() > 0.95
    assert student.distillation_.agreement == pytest.approx((student.predict(new) == labels).mean(), abs=0.03)
    assert student.distillation_.scores is None


@pytest.mark.slow
def test_many_classes_and_their_factors():
    rule = DecisionRule(CLASSES, None, np.array([1.0, 1.0, 4.0]))
    student = distilled(three, ROWS, None, rule, {}, 1_000_000, 0)
    new = np.random.default_rng(1).normal(size=(2_000, 4))
    assert student.classes_.tolist() == CLASSES.tolist()
    assert np.abs(student.predict_proba(new) - three(new)).mean() < 0.04
    assert (student.predict(new) == rule.labels(three(new))).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("most", [1_000_000, 150_000])
def test_its_file_is_as_small_as_asked(most):
    student = distilled(three, ROWS, None, DecisionRule(CLASSES, None, np.ones(3)), {}, most, 0)
    file = io.BytesIO()
    joblib.dump(student, file)
    assert student.distillation_.bytes <= most
    assert file.tell() == pytest.approx(student.distillation_.bytes, abs=2_000)


def test_too_few_bytes_are_refused():
    with pytest.raises(ValueError, match="max_bytes=2000 is too little for any student"):
        distilled(two, ROWS, None, DecisionRule(np.array([0, 1]), 1, 0.5), {}, 2_000, 0)


@pytest.mark.slow
def test_the_loss_is_that_of_cross_validation():
    rng = np.random.default_rng(2)
    y = (rng.random(400) < two(ROWS)[:, 1]).astype(int)
    known = {"F1": 0.9, "AUC": 0.95, "AP": 0.95}
    student = distilled(two, ROWS, y, DecisionRule(np.array([0, 1]), 1, 0.5), known, 1_000_000, 0)
    scores = student.distillation_.scores
    assert scores.index.tolist() == ["ensemble", "distilled", "loss"]
    assert scores.loc["distilled", "AUC"] == pytest.approx(roc_auc_score(y, two(ROWS)[:, 1]), abs=0.02)
    np.testing.assert_allclose(scores.loc["loss"], scores.loc["ensemble"] - scores.loc["distilled"])


def test_drawn_rows_have_the_cells_of_others():
    table = pd.DataFrame(
        {"n": np.arange(50.0), "word": pd.Categorical(list("ab") * 25), "when": pd.date_range("2024", periods=50)}
    )
    rows = drawn(table, 2_000, RNG)
    assert rows.dtypes.tolist() == table.dtypes.tolist()
    assert all(set(rows[name]) <= set(table[name]) for name in table)
    kept = (rows["word"] == table["word"].to_numpy()[rows["n"].astype(int)]).mean()
    assert 0.5 < kept < 1
    array = drawn(table[["n"]].to_numpy(), 10, RNG)
    assert array.shape == (10, 1)
    assert array.dtype == np.float64


def test_weights_are_the_probabilities():
    proba = np.array([[0.9995, 0.0005, 0.0], [0.25, 0.75, 0.0]])
    positions, labels, weights = _with_weights(proba)
    assert list(zip(positions.tolist(), labels.tolist(), strict=True)) == [(0, 0), (0, 2), (1, 0), (1, 1)]
    np.testing.assert_allclose(weights, [0.9995, LEAST_WEIGHT, 0.25, 0.75])


def test_trees_are_fewer_where_classes_are_many():
    few, many = (students_of(ROWS, n, 1_000_000, 0)["trees of 31 leaves"][-1].n_estimators for n in (2, 20))
    assert few > 5 * many


@pytest.mark.slow
def test_a_model_gives_its_student(capsys):
    table, labels = mixed_table(120)
    auto = quick(n_iter=3, candidates=["naive_bayes", "extra_trees", "lightgbm"], pos_label="yes", verbose=1)
    auto.fit(table, labels)
    capsys.readouterr()
    student = auto.distill(table, labels, random_state=0)
    assert (student.predict(table) == auto.predict(table)).mean() > 0.85
    assert (
        student.distillation_.scores.loc["ensemble", "AUC"]
        == auto.leaderboard_.query("chosen == 'predicts'")["AUC"].iloc[0]
    )
    assert "skauto distilled into" in capsys.readouterr().err
    again = auto.distill(table, labels, random_state=0)
    np.testing.assert_array_equal(student.predict_proba(table), again.predict_proba(table))
    assert clone(student).fit(table, labels).predict(table).shape == (120,)


@pytest.mark.slow
def test_the_ensemble_and_its_student_are_scored_by_the_decision_that_is_made():
    table, labels = mixed_table(160)
    auto = quick(n_iter=2, candidates=["naive_bayes", "extra_trees"], pos_label="yes").fit(table, labels)
    auto.set_decision(threshold=0.9)
    scores = auto.distill(table, labels, random_state=0).distillation_.scores
    predicted = np.where(auto.oof_proba_[:, list(auto.classes_).index("yes")] >= 0.9, "yes", "no")
    # Of few rows there are several repeats, whose mean oof_proba_ is.
    assert scores.loc["ensemble", "F1"] == pytest.approx(f1_score(labels, predicted, pos_label="yes"), abs=0.1)
    assert scores.loc["ensemble", "F1"] < auto.leaderboard_.query("chosen == 'predicts'")["F1"].iloc[0] - 0.2


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (sp.csr_matrix(X), {}, "distill is for tables of columns, not for a sparse table"),
        (X[:5], {}, "X has 5 rows, and distill draws from at least 20"),
        (X, {"max_bytes": 0}, "max_bytes=0 must be a number of bytes"),
    ],
)
def test_what_cannot_be_distilled(rows, settings, message):
    with pytest.raises(ValueError, match="not for sequences or images"):
        refuse_undistillable(np.zeros((30, 8, 3)), 1_000_000)
    auto = quick(n_iter=1).fit(sp.csr_matrix(X) if sp.issparse(rows) else X, Y)
    with pytest.raises(ValueError, match=message):
        auto.distill(rows, **settings)


@pytest.mark.slow
def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="X has 160 rows, but y has 9"):
        quick(n_iter=1).fit(X, Y).distill(X, Y[:9])
