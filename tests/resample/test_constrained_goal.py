"""Constrained goals beside brute force over all thresholds, scikit-learn's curves, and exact tables of scipy."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, precision_recall_curve, roc_curve
from sklearn.model_selection import cross_val_score

from skauto.resample._constrained_goal import at_least, constrained_score, goal_of
from skauto.resample._threshold import labels_at, tune_threshold
from skauto.search import SearchCV


def rows(n=400, seed=0, gap=1.2):
    """Labels, one in five positive, and probabilities with ties."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(int)
    score = np.round(1 / (1 + np.exp(-(rng.normal(0, 1, n) + gap * y))), 2)
    return y, np.stack([1 - score, score], axis=1)


def tuned(name, y, proba, weight=None):
    """Which rows are positive at the threshold that a goal chooses."""
    return labels_at(proba, tune_threshold(y, proba, goal_of(name), weight)) == 1


def brute_force(y, score, objective, keeps, weight=None):
    """The best objective among all thresholds that keep a bound, None where none does."""
    weight = np.ones(len(y)) if weight is None else weight
    values = []
    for threshold in np.append(np.unique(score), np.inf):
        chosen = score >= threshold
        hits = weight[chosen & (y == 1)].sum()
        measures = {
            "recall": hits / weight[y == 1].sum(),
            "precision": hits / weight[chosen].sum() if chosen.any() else 0.0,
            "fpr": weight[chosen & (y == 0)].sum() / weight[y == 0].sum(),
        }
        if keeps(measures):
            values.append(measures[objective])
    return max(values, default=None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "objective", "keeps"),
    [
        ("recall_at_precision>=0.6", "recall", lambda m: m["precision"] >= 0.6 - 1e-12),
        ("precision_at_recall>=0.8", "precision", lambda m: m["recall"] >= 0.8 - 1e-12),
        ("recall_at_fpr<=0.05", "recall", lambda m: m["fpr"] <= 0.05 + 1e-12),
    ],
)
def test_thresholds_are_the_best_that_keep_the_bound(name, objective, keeps, weighted, seed):
    y, proba = rows(seed=seed)
    weight = np.random.default_rng(seed).random(len(y)) if weighted else None
    chosen = tuned(name, y, proba, weight)
    expected = brute_force(y, proba[:, 1], objective, keeps, weight)
    w = np.ones(len(y)) if weight is None else weight
    found = {"recall": w[chosen & (y == 1)].sum() / w[y == 1].sum()}
    found["precision"] = w[chosen & (y == 1)].sum() / w[chosen].sum()
    found["fpr"] = w[chosen & (y == 0)].sum() / w[y == 0].sum()
    assert keeps(found) and found[objective] == pytest.approx(expected)


def test_the_curves_of_scikit_learn_agree():
    y, proba = rows(seed=5)
    precision, recall, _ = precision_recall_curve(y, proba[:, 1])
    chosen = tuned("recall_at_precision>=0.5", y, proba)
    assert chosen[y == 1].mean() == pytest.approx(recall[precision >= 0.5].max())
    chosen = tuned("precision_at_recall>=0.7", y, proba)
    assert y[chosen].mean() == pytest.approx(precision[recall >= 0.7].max())
    alarms, hits, _ = roc_curve(y, proba[:, 1], drop_intermediate=False)
    chosen = tuned("recall_at_fpr<=0.1", y, proba)
    assert chosen[y == 1].mean() == pytest.approx(hits[alarms <= 0.1].max())


def test_where_no_threshold_keeps_it_the_closest_one_is_chosen():
    y, proba = rows(gap=0)
    best = max(y[proba[:, 1] >= t].mean() for t in np.unique(proba[:, 1]))
    assert best < 0.95
    assert y[tuned("recall_at_precision>=0.95", y, proba)].mean() == pytest.approx(best)


def test_few_positives_are_tuned_too_and_none_is_not():
    y, proba = rows(n=40, seed=1, gap=4)
    assert y.sum() < 10
    assert tuned("precision_at_recall>=1", y, proba)[y == 1].all()
    assert tune_threshold(np.zeros(40, int), proba, goal_of("recall_at_fpr<=0.1")) == 0.5


def test_the_value_of_held_back_labels_allows_for_chance():
    goal = goal_of("recall_at_precision>=0.9")
    kept, by_chance, clearly_not = [[50, 1], [5, 10]], [[50, 2], [5, 10]], [[50, 10], [5, 10]]
    assert goal(np.array(kept)) == goal(np.array(by_chance)) == pytest.approx(2 / 3)
    assert goal(np.array(clearly_not)) == pytest.approx(0.5 - 0.9)
    assert goal.strict(np.array(by_chance)) == pytest.approx(10 / 12 - 0.9)
    none_positive = np.array([[60, 0], [15, 0]])
    assert goal(none_positive) == pytest.approx(-0.9)
    assert goal_of("recall_at_fpr<=0.01")(none_positive) == 0
    np.testing.assert_allclose(goal(np.array([kept, clearly_not])), [2 / 3, -0.4])


def test_how_sure_a_bound_is_are_the_intervals_of_clopper_and_pearson():
    confusion = np.array([[90, 10], [20, 80]])
    known = goal_of("recall_at_precision>=0.8").measured(confusion)
    interval = binomtest(80, 90).proportion_ci(0.9, method="exact")  # one-sided at 95 %
    assert known["worst_95"] == pytest.approx(interval.low) and known["value"] == pytest.approx(80 / 90)
    assert known["probability"] == pytest.approx(beta(80.5, 10.5).sf(0.8)) and known["recall"] == pytest.approx(0.8)
    known = goal_of("recall_at_fpr<=0.15").measured(confusion)
    assert known["worst_95"] == pytest.approx(binomtest(10, 100).proportion_ci(0.9, method="exact").high)
    assert known["probability"] == pytest.approx(beta(10.5, 90.5).cdf(0.15))
    nothing = goal_of("recall_at_precision>=0.8").measured(np.array([[10, 0], [5, 0]]))
    assert nothing["worst_95"] == 0 and nothing["value"] == 0 and 0 < nothing["probability"] < 1
    every = goal_of("recall_at_fpr<=0.5").measured(np.array([[0, 10], [0, 5]]))
    assert every["worst_95"] == 1


def test_what_is_closest_lies_as_far_as_it_lacks():
    goal = goal_of("recall_at_fpr<=0.1")
    assert goal.lacking(np.array([[50, 50], [0, 9]])) == pytest.approx(0.4)
    assert goal.values(np.array([[50, 50], [1, 9]])) == {"recall": 0.9, "fpr": 0.5}


def test_names_may_have_spaces():
    goal = goal_of(" recall_at_precision >= .9 ")
    assert (goal.objective, goal.measure, goal.bound) == ("recall", "precision", 0.9)
    assert goal_of("f1") is goal_of(None) is goal_of("f1_macro") is None


def test_the_score_is_that_of_the_curve_and_serves_a_search():
    y, proba = rows()
    precision, recall, _ = precision_recall_curve(y, proba[:, 1])
    goal = "recall_at_precision>=0.5"
    assert constrained_score(y, proba[:, 1], goal) == pytest.approx(recall[precision >= 0.5].max())
    labels = np.where(y == 1, "a", "b")
    assert constrained_score(labels, proba[:, 1], goal, pos_label="a") == constrained_score(y, proba[:, 1], goal)
    scorer = make_scorer(constrained_score, response_method="predict_proba", goal=goal)
    X = np.log(proba[:, [1]] / proba[:, [0]])
    search = SearchCV(LogisticRegression(), {"C": [1e-6, 1.0]}, scoring=scorer, cv=3, n_jobs=1).fit(X, y)
    assert search.best_score_ == pytest.approx(
        cross_val_score(search.best_estimator_, X, y, scoring=scorer, cv=3).mean()
    )
    with pytest.raises(ValueError, match="is no scorer .*constrained_score"):
        SearchCV(LogisticRegression(), {"C": [1.0]}, scoring=goal, n_jobs=1).fit(X, y)
    with pytest.raises(ValueError, match="must be a goal with its bound"):
        constrained_score(y, proba[:, 1], "recall")
    with pytest.raises(ValueError, match="is for two classes, y_true holds 3"):
        constrained_score(np.arange(len(y)) % 3, proba[:, 1], goal)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recall_at_precison>=0.9", "did you mean 'recall_at_precision'"),
        ("f1_at_recall>=0.9", "is no goal"),
        ("recall_at_precision", "needs '>=' and a bound"),
        ("recall_at_precision>0.9", "needs '>=' and a bound"),
        ("recall_at_precision<=0.9", "for example 'recall_at_precision>=0.9'"),
        ("recall_at_fpr>=0.01", "for example 'recall_at_fpr<=0.01'"),
        ("recall_at_precision>=high", "'high' is no number"),
        ("recall_at_precision>=", "'' is no number"),
        ("recall_at_precision>=90", "the bound 90 must be above 0 and at most 1"),
        ("recall_at_precision>=0", "the bound 0 must be above 0 and at most 1"),
        ("recall_at_precision>=nan", "the bound nan must be"),
    ],
)
def test_names_that_mean_nothing(name, message):
    with pytest.raises(ValueError, match=message):
        goal_of(name)


@pytest.mark.parametrize("wanted", [{}, {"fpr": 0.1}, {"recall": 0.8, "precision": 0.9}, 0.8, {"recall": None}])
def test_dicts_that_mean_nothing(wanted):
    with pytest.raises(ValueError, match="dict of one entry|is no number"):
        at_least(wanted)
