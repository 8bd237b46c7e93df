"""Scores of pooled folds: each agrees with scikit-learn's, and no threshold is chosen on the rows that it labels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.metrics import fbeta_score, get_scorer, make_scorer

from skauto.automl.evaluation._metrics import own_pos_label, resolve_metric
from skauto.automl.evaluation._ranking import area_under_curve, average_precision
from skauto.automl.evaluation._scoring import Scoring
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import confusion_of, labels_at

BINARY = np.array([0, 1])
THREE = np.array([0, 1, 2])


def sample(n_classes, n=120, seed=0):
    """Codes and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.5 * np.eye(n_classes)[y]
    return y, proba / proba.sum(1, keepdims=True)


class Fixed:
    """What scikit-learn's scorers need of a classifier that answers these probabilities."""

    _estimator_type = "classifier"

    def __init__(self, classes, proba, labels):
        self.classes_, self.proba, self.labels = classes, proba, labels

    def __sklearn_tags__(self):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().__sklearn_tags__()

    def predict(self, X):
        return self.classes_[self.labels]

    def predict_proba(self, X):
        return self.proba


def ours(scoring, classes, y, proba, weight=None):
    """The score as AutoClassifier would compute it, at the default threshold."""
    _, kind, metric = resolve_metric(scoring, classes)
    if kind == "proba":
        return metric(y, proba, weight)
    labels = labels_at(proba, 0.5 if len(classes) == 2 else np.ones(len(classes)))
    return float(metric(confusion_of(y, labels, len(classes), weight)))


def theirs(scorer, classes, y, proba, weight=None):
    model = Fixed(classes, proba, proba.argmax(1))
    rows = {} if weight is None else {"sample_weight": weight}
    return scorer(model, np.zeros((len(y), 1)), classes[y], **rows)


NAMES = [
    "accuracy", "balanced_accuracy", "f1", "precision", "recall", "jaccard", "matthews_corrcoef", "f1_macro",
    "f1_weighted", "f1_micro", "precision_macro", "recall_weighted", "jaccard_macro", "roc_auc", "average_precision",
    "neg_log_loss", "neg_brier_score", "d2_log_loss_score",
]  # fmt: skip
MANY = [name for name in NAMES if name not in {"f1", "precision", "recall", "jaccard", "roc_auc"}] + ["roc_auc_ovo"]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_two_classes_as_scikit_learn(name, weighted):
    y, proba = sample(2)
    weight = np.random.default_rng(1).uniform(0.1, 3, len(y)) if weighted else None
    expected = theirs(get_scorer(name), BINARY, y, proba, weight)
    assert ours(name, BINARY, y, proba, weight) == pytest.approx(expected)


@pytest.mark.parametrize("name", MANY)
def test_three_classes_as_scikit_learn(name):
    y, proba = sample(3)
    assert ours(name, THREE, y, proba) == pytest.approx(theirs(get_scorer(name), THREE, y, proba))


def test_auc_of_many_classes_is_one_vs_rest():
    y, proba = sample(3)
    assert ours("roc_auc", THREE, y, proba) == pytest.approx(metrics.roc_auc_score(y, proba, multi_class="ovr"))
    assert resolve_metric("f1", THREE)[0] == "f1_macro"
    assert resolve_metric("f1", BINARY)[0] == "f1"


@pytest.mark.parametrize("name", ["roc_auc_ovo", "neg_log_loss", "f1", "average_precision", "top_k_accuracy"])
def test_a_class_that_is_never_validated(name):
    y, proba = sample(4)
    y[y == 3] = 0
    assert np.isfinite(ours(name, np.arange(4), y, proba))


def test_a_scorer_with_a_setting():
    y, proba = sample(2)
    expected = fbeta_score(y, proba.argmax(1), beta=2)
    assert ours(make_scorer(fbeta_score, beta=2), BINARY, y, proba) == pytest.approx(expected)


def test_a_scorer_of_named_labels():
    y, proba = sample(2)
    classes = np.array(["no", "yes"])
    scorer = make_scorer(fbeta_score, beta=2, pos_label="no")
    assert own_pos_label(scorer) == "no"
    # codes as AutoClassifier orients them: the positive class last
    given = ours(scorer, classes[::-1], 1 - y, proba[:, ::-1])
    expected = fbeta_score(classes[y], classes[proba.argmax(1)], beta=2, pos_label="no")
    assert given == pytest.approx(expected)


def fraction_of_yes(y_true, y_pred):
    """A user's own function: it wants the labels, and knows no weights."""
    return float(np.mean(y_pred[y_true == "yes"] == "yes"))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["yes positive", "no positive"])
def test_own_functions_are_given_the_labels(order):
    y, proba = sample(2)
    classes = np.array(["no", "yes"])
    expected = fraction_of_yes(classes[y], classes[proba.argmax(1)])
    codes = y if order == [0, 1] else 1 - y
    assert ours(make_scorer(fraction_of_yes), classes[order], codes, proba[:, order]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        ours(make_scorer(fraction_of_yes), classes, y, proba, np.linspace(0.1, 1, len(y)))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["as sorted", "turned"])
def test_probability_functions_see_columns_as_scikit_learn_has_them(order):
    y, proba = sample(2)
    classes = np.array(["no", "yes"])
    scorer = make_scorer(metrics.log_loss, response_method="predict_proba", greater_is_better=False)
    codes = y if order == [0, 1] else 1 - y
    given = ours(scorer, classes[order], codes, proba[:, order])
    assert given == pytest.approx(-metrics.log_loss(y, proba))


@pytest.mark.parametrize(
    ("given", "hint"),
    [("F1", "'f1'"), ("f1_makro", "f1_macro"), ("rocauc", "roc_auc"), ("acuracy", "accuracy"), ("zzz", "for example")],
)
def test_an_unknown_name_is_told_what_was_meant(given, hint):
    with pytest.raises(ValueError, match=f"scoring='{given}' is not a known score.*{hint}"):
        resolve_metric(given, BINARY)


def test_a_bare_function_is_no_scorer():
    with pytest.raises(ValueError, match="make_scorer"):
        resolve_metric(fbeta_score, BINARY)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 4)), min_size=2, max_size=30))
def test_areas_with_ties_and_weights(rows):
    y, score, weight = (np.array(part) for part in zip(*rows, strict=True))
    if not y.any():
        assert np.isnan(average_precision(y, score / 5, weight))
        return
    expected = metrics.average_precision_score(y, score / 5, sample_weight=weight)
    assert average_precision(y, score / 5, weight) == pytest.approx(expected)
    area = area_under_curve(y, score / 5, weight)
    if y.all():
        assert np.isnan(area)
    else:
        assert area == pytest.approx(metrics.roc_auc_score(y, score / 5, sample_weight=weight), abs=1e-12)


# Pooled folds


def scoring_of(y, n_classes, metric="f1", positive=1, n_folds=4, weight=None):
    classes = np.arange(n_classes)
    name, kind, function = resolve_metric(metric, classes)
    fold = np.arange(len(y)) % n_folds
    return Scoring(name, kind, function, y, fold, np.zeros(len(y), dtype=int), weight, positive)


def test_the_report_of_two_classes():
    y, proba = sample(2, n=300)
    report = scoring_of(y, 2).report(proba)
    assert report["AUC"] == pytest.approx(metrics.roc_auc_score(y, proba[:, 1]))
    assert report["AP"] == pytest.approx(metrics.average_precision_score(y, proba[:, 1]))
    assert report["score"] == report["F1"]
    assert len(report["fold_scores"]) == 4


def test_each_fold_is_cut_by_the_others():
    """Probabilities of one fold alone are shifted: its own best threshold would label it perfectly."""
    y = np.tile([0, 1], 200)
    proba = np.where(y == 1, 0.9, 0.1)
    fold = np.repeat(np.arange(4), 100)
    shifted = np.where(fold == 0, proba / 10, proba)
    scoring = Scoring("f1", "labels", CONFUSION_METRICS["f1"], y, fold, np.zeros(400, dtype=int))
    scores = scoring.report(np.column_stack([1 - shifted, shifted]))["fold_scores"]
    assert scores[0] == 0.0
    assert scores[1:] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_many_classes_are_cut_only_where_that_pays_on_other_folds(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(10, size=2000)
    proba = rng.dirichlet(np.full(10, 0.5), size=2000) + 0.8 * np.eye(10)[y]
    proba /= proba.sum(1, keepdims=True)
    scoring = scoring_of(y, 10, "f1_macro")
    plain = metrics.f1_score(y, proba.argmax(1), average="macro")
    assert scoring.report(proba)["score"] >= plain
    if scoring.report(proba)["score"] == pytest.approx(plain):
        np.testing.assert_array_equal(scoring.threshold(proba), np.ones(10))
    skewed = proba * np.linspace(1, 6, 10)
    skewed /= skewed.sum(1, keepdims=True)
    lost = metrics.f1_score(y, skewed.argmax(1), average="macro")
    assert scoring.report(skewed)["score"] > lost + 0.01
    assert np.ptp(scoring.threshold(skewed)) > 0.5


def test_the_first_class_can_be_the_positive_one():
    y, proba = sample(2, n=300)
    forth, back = scoring_of(y, 2), scoring_of(1 - y, 2, positive=0)
    assert back.report(proba[:, ::-1]) == forth.report(proba)
    assert back.low_fidelity_score(proba[:, ::-1]) == forth.low_fidelity_score(proba)
    assert back.threshold(proba[:, ::-1]) == forth.threshold(proba)


def test_repeats_are_scored_apart_and_averaged():
    y, proba = sample(2, n=400)
    repeat = np.repeat([0, 1], 200)
    fold = np.arange(400) % 4 + 4 * repeat
    both = Scoring("roc_auc", "proba", resolve_metric("roc_auc", BINARY)[2], y, fold, repeat).report(proba)["score"]
    halves = [metrics.roc_auc_score(y[repeat == r], proba[repeat == r, 1]) for r in (0, 1)]
    assert both == pytest.approx(np.mean(halves))


def test_weights_count():
    y, proba = sample(2, n=300)
    whole = np.random.default_rng(0).integers(1, 4, 300)
    weighted = scoring_of(y, 2, "roc_auc", weight=whole.astype(float)).report(proba)["score"]
    assert weighted == pytest.approx(metrics.roc_auc_score(y, proba[:, 1], sample_weight=whole))


def test_what_the_ensemble_goes_by():
    for n_classes in (2, 3):
        y, proba = sample(n_classes, n=300)
        loss = -metrics.log_loss(y, proba)
        assert scoring_of(y, n_classes, "accuracy").select(proba) == pytest.approx(loss)
        assert scoring_of(y, n_classes, "neg_log_loss").select(proba) == pytest.approx(loss)
        f1 = scoring_of(y, n_classes, "f1")
        assert f1.select(proba) == f1.low_fidelity_score(proba)
        assert [len(scoring_of(y, n_classes, name).guides) for name in ("f1", "accuracy", "neg_log_loss")] == [2, 1, 1]


@pytest.mark.parametrize("metric", ["accuracy", metrics.make_scorer(metrics.accuracy_score)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_accuracy_takes_the_likeliest_labels(metric, n_classes):
    y, proba = sample(n_classes, n=300)
    scoring = scoring_of(y, n_classes, metric)
    np.testing.assert_array_equal(scoring.threshold(proba), 0.5 if n_classes == 2 else np.ones(n_classes))
    assert scoring.report(proba)["score"] == pytest.approx(metrics.accuracy_score(y, proba.argmax(1)))


def test_ranking_scores_leave_the_cut_alone():
    y, proba = sample(2)
    assert scoring_of(y, 2, "roc_auc").threshold(proba) == 0.5
    y, proba = sample(3)
    np.testing.assert_array_equal(scoring_of(y, 3, "neg_log_loss").threshold(proba), np.ones(3))


def test_a_positive_class_that_is_never_validated_gives_nan_in_silence():
    proba = np.column_stack([np.linspace(1, 0, 80), np.linspace(0, 1, 80)])
    report = scoring_of(np.zeros(80, dtype=int), 2).report(proba)
    assert report["score"] == 0.0
    assert np.isnan(report["AUC"])
    assert np.isnan(report["AP"])


@pytest.mark.parametrize("name", ["precision", "recall", "jaccard"])
def test_names_of_two_classes_are_refused_for_more(name):
    with pytest.raises(ValueError, match=f"use '{name}_macro'"):
        resolve_metric(name, np.arange(3))


def test_scores_of_regression_are_refused():
    with pytest.raises(ValueError, match="is for regression"):
        resolve_metric("r2", np.arange(2))


def test_rows_of_no_weight_are_no_thresholds():
    """Ranked first they made average precision 0 / 0, and the trial's score 0.000."""
    rng = np.random.default_rng(0)
    y, score, weight = rng.random(200) < 0.4, rng.random(200), rng.choice([0.0, 1.0, 2.5], 200)
    weight[np.argmax(score)] = 0.0
    kept = weight > 0
    for ours_of, theirs_of in (
        (average_precision, metrics.average_precision_score),
        (area_under_curve, metrics.roc_auc_score),
    ):
        assert ours_of(y, score, weight) == pytest.approx(theirs_of(y[kept], score[kept], sample_weight=weight[kept]))
        assert np.isnan(ours_of(y, score, np.zeros(200)))


@pytest.mark.parametrize("name", ["neg_log_loss", "neg_brier_score", "average_precision", "f1"])
def test_a_fold_in_which_no_row_counts_has_no_score(name):
    """np.average raised a ZeroDivisionError, with which every trial failed."""
    y, proba = sample(2)
    scoring = scoring_of(y, 2, name, weight=np.where(np.arange(len(y)) % 4, 1.0, 0.0))
    without = np.arange(len(y)) % 4 > 0
    made = scoring.report(proba)
    assert np.isfinite(made["score"])
    expected = replace(
        scoring, y=y[without], fold=scoring.fold[without], part=None, repeat=scoring.repeat[without], weight=None
    )
    assert made["score"] == pytest.approx(expected.report(proba[without])["score"])


def test_costs_of_a_fold_in_which_no_row_counts():
    y, proba = sample(2)
    _, kind, metric = resolve_metric("f1", np.array([0, 1]), [[0, 1], [5, 0]])
    assert np.isnan(metric(y, proba, np.zeros(len(y))))
    assert kind == "proba"


def test_a_repeat_that_ended_after_one_fold_counts_by_its_rows():
    """With nothing to choose a threshold on the threshold was one half, and it counted as much as a whole repeat."""
    rng = np.random.default_rng(0)
    y = (rng.random(1000) < 0.08).astype(int)
    again = rng.permutation(1000)
    positive = 1 / (1 + np.exp(4 - rng.normal(size=1000) - 2 * y))
    positive = np.concatenate([positive, positive[again]])
    fold, repeat = np.arange(2000) // 200, np.repeat([0, 1], 1000)
    _, kind, metric = resolve_metric("f1", np.array([0, 1]))
    scoring = Scoring("f1", kind, metric, np.concatenate([y, y[again]]), fold, repeat)
    proba = np.column_stack([1 - positive, positive])
    reports = {n: scoring.report(proba[: 200 * n]) for n in (5, 6, 10)}
    assert len(reports[6]["fold_scores"]) == 6
    assert reports[6]["fold_scores"][:5] == reports[5]["fold_scores"]
    assert reports[6]["score"] == pytest.approx((5 * reports[5]["score"] + reports[6]["fold_scores"][5]) / 6)
    assert reports[6]["score"] > reports[5]["score"] - 0.06  # it was half as high
    assert reports[10]["score"] == pytest.approx(
        np.mean(
            [
                reports[5]["score"],
                replace(scoring, y=scoring.y[1000:], fold=fold[1000:], part=None, repeat=repeat[1000:]).report(
                    proba[1000:]
                )["score"],
            ]
        )
    )


def test_the_score_comes_before_f1_where_time_runs_out(monkeypatch):
    """F1, which is only shown, took the time in which thresholds for the score were to be found."""
    from skauto.automl.evaluation import _scoring

    asked, real = [], _scoring.cross_fitted_labels
    monkeypatch.setattr(_scoring, "cross_fitted_labels", lambda *args: asked.append(args[3]) or real(*args))
    y, proba = sample(2)
    scoring_of(y, 2, "balanced_accuracy").report(proba)
    assert asked == [CONFUSION_METRICS["balanced_accuracy"], CONFUSION_METRICS["f1"]]
