"""A fitted model is made to decide otherwise, from its out-of-fold probabilities and without a refit."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import confusion_matrix, f1_score, make_scorer, precision_recall_curve, roc_curve
from sklearn.model_selection import KFold, ShuffleSplit

from skauto import AutoClassifier, load_model
from skauto.resample import CostCurveDisplay, ThresholdCurveDisplay
from tests.data.write_release import rows as rows_of_release
from tests.support.autos import X, Y, quick

LABELS = np.where(Y == 1, "good", "poor")


@pytest.fixture(scope="module")
def fitted():
    # Of one repeat, as thresholds are chosen among the probabilities of each.
    return quick(n_iter=4, cv=KFold(3), pos_label="good").fit(X, LABELS)


@pytest.fixture
def auto(fitted):
    """One of one's own, as a model file gives it back."""
    return pickle.loads(pickle.dumps(fitted))


def chance_of_good(auto):
    """Out-of-fold probabilities of the positive class, and whether it is true."""
    return auto.oof_proba_[:, auto.classes_.tolist().index("good")], LABELS == "good"


# ------------------------------------------------------------------------------------------------ oof_proba_
def test_it_has_a_row_for_each_row_of_X_in_their_order(fitted):
    proba = fitted.oof_proba_
    assert proba.shape == (len(X), 2) and list(fitted.classes_) == ["good", "poor"]
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    score, true = chance_of_good(fitted)
    assert score[true].mean() > score[~true].mean() + 0.1


def test_it_is_what_the_folds_predicted(fitted):
    """Of one trial, beside the folds done by hand."""
    auto = quick(n_iter=1, cv=KFold(3), candidates=["naive_bayes"], pos_label="good").fit(X, LABELS)
    expected = np.empty((len(X), 2))
    for train, test in KFold(3).split(X):
        expected[test] = clone(auto.best_estimator_).fit(X[train], LABELS[train]).predict_proba(X[test])
    np.testing.assert_allclose(auto.oof_proba_, expected)


def test_rows_that_are_never_validated_are_nan_and_repeats_are_averaged():
    split = ShuffleSplit(3, test_size=0.3, random_state=0)
    auto = quick(n_iter=1, cv=split, candidates=["naive_bayes"], pos_label="good").fit(X, LABELS)
    seen = np.zeros(len(X))
    total = np.zeros((len(X), 2))
    for train, test in split.split(X):
        seen[test] += 1
        total[test] += clone(auto.best_estimator_).fit(X[train], LABELS[train]).predict_proba(X[test])
    np.testing.assert_array_equal(np.isnan(auto.oof_proba_).any(axis=1), seen == 0)
    np.testing.assert_allclose(auto.oof_proba_[seen > 0], total[seen > 0] / seen[seen > 0, None])


def test_displays_take_it(fitted):
    score, true = chance_of_good(fitted)
    known = ~np.isnan(score)
    costs = CostCurveDisplay.from_predictions(true[known], score[known], [[0, 1], [5, 0]]).frame()
    curve = ThresholdCurveDisplay.from_predictions(true[known], score[known]).frame()
    assert len(costs) > 50 and len(curve) > 50


def test_before_a_fit_there_is_none():
    auto = quick()
    assert not hasattr(auto, "oof_proba_")
    with pytest.raises(ValueError, match="not fitted"):
        auto.set_decision(threshold=0.2)


# ------------------------------------------------------------------------------------------------ thresholds
def test_a_threshold_holds_for_what_predicts_and_for_the_best_model(auto):
    before = auto.predict_proba(X), auto.oof_proba_, auto.leaderboard_
    assert auto.set_decision(threshold=0.2) is auto
    assert auto.threshold_ == 0.2
    np.testing.assert_array_equal(auto.predict(X) == "good", auto.predict_proba(X)[:, 0] >= 0.2)
    best = auto.best_estimator_
    np.testing.assert_array_equal(best.predict(X) == "good", best.predict_proba(X)[:, 0] >= 0.2)
    assert auto.score(X, LABELS) == pytest.approx(f1_score(LABELS, auto.predict(X), pos_label="good"))
    board = auto.leaderboard(X, LABELS, details=True).set_index("trial")
    assert board.loc[-1, "F1"] == pytest.approx(auto.score(X, LABELS))
    number = board.index[board["chosen"] == "best"][0]
    assert board.loc[number, "F1"] == pytest.approx(f1_score(LABELS, best.predict(X), pos_label="good"))
    np.testing.assert_array_equal(auto.predict_proba(X), before[0])
    np.testing.assert_array_equal(auto.oof_proba_, before[1])
    pd.testing.assert_frame_equal(auto.leaderboard_, before[2])


def test_the_score_of_the_search_gives_the_decision_of_the_search(fitted, auto):
    auto.set_decision(threshold=0.9).set_decision(scoring="f1")
    assert auto.threshold_ == fitted.threshold_
    np.testing.assert_array_equal(auto.best_estimator_.predict(X), fitted.best_estimator_.predict(X))


def test_a_score_decides_as_one_that_the_search_maximised(auto):
    score, true = chance_of_good(auto)
    auto.set_decision(scoring="balanced_accuracy")
    at = [np.mean([(score >= t)[true].mean(), (score < t)[~true].mean()]) for t in np.unique(score)]
    chosen = score >= auto.threshold_
    assert np.mean([chosen[true].mean(), (~chosen)[~true].mean()]) == pytest.approx(max(at))
    assert auto.score(X, LABELS) == pytest.approx(
        np.mean([(auto.predict(X) == LABELS)[name == LABELS].mean() for name in ("good", "poor")])
    )


def test_a_score_of_probabilities_gives_each_row_its_likeliest_label(auto):
    assert auto.set_decision(scoring="roc_auc").threshold_ == 0.5


def test_own_scorers_of_labels_are_known_too(auto):
    auto.set_decision(scoring=make_scorer(f1_score, pos_label="good", average="binary"))
    assert 0 < auto.threshold_ < 1


# ------------------------------------------------------------------------------------------------ recall, precision
@pytest.mark.parametrize("wanted", [0.5, 0.8, 1.0])
def test_the_greatest_precision_with_a_recall(auto, wanted):
    score, true = chance_of_good(auto)
    precision, recall, _ = precision_recall_curve(true, score)
    auto.set_decision({"recall": wanted})
    chosen = score >= auto.threshold_
    assert chosen[true].mean() >= wanted
    assert true[chosen].mean() == pytest.approx(precision[recall >= wanted].max())


@pytest.mark.parametrize("wanted", [0.6, 0.7, 0.8])
def test_the_greatest_recall_with_a_precision(auto, wanted):
    score, true = chance_of_good(auto)
    precision, recall, _ = precision_recall_curve(true, score)
    auto.set_decision({"precision": wanted})
    chosen = score >= auto.threshold_
    assert true[chosen].mean() >= wanted
    assert chosen[true].mean() == pytest.approx(recall[precision >= wanted].max())


def test_the_greatest_recall_with_few_false_alarms(auto):
    score, true = chance_of_good(auto)
    alarms, recall, _ = roc_curve(true, score, drop_intermediate=False)
    auto.set_decision(scoring="recall_at_fpr<=0.05")
    chosen = score >= auto.threshold_
    assert chosen[~true].mean() <= 0.05
    assert chosen[true].mean() == pytest.approx(recall[alarms <= 0.05].max())


def test_what_is_out_of_reach_is_refused_with_what_is_closest():
    noise = np.random.default_rng(0).normal(size=X.shape)
    auto = quick(n_iter=1, cv=KFold(3), pos_label="good").fit(noise, LABELS)
    score, true = chance_of_good(auto)
    best = max(true[score >= threshold].mean() for threshold in np.unique(score))
    before = auto.threshold_
    with pytest.raises(ValueError, match=rf"no threshold .*precision 0.99, the closest is {best:.4g}"):
        auto.set_decision({"precision": 0.99})
    assert auto.threshold_ == before and auto.goal_ is None


# ------------------------------------------------------------------------------------------------ costs
def test_costs_decide_by_least_expected_cost_and_go_again(auto):
    costs = np.array([[0, 8.0], [1, 0]])
    auto.set_decision(cost_matrix=costs)
    proba = auto.predict_proba(X)
    np.testing.assert_array_equal(auto.predict(X), auto.classes_[(proba @ costs).argmin(axis=1)])
    best = auto.best_estimator_
    np.testing.assert_array_equal(best.predict(X), best.classes_[(best.predict_proba(X) @ costs).argmin(axis=1)])
    counts = confusion_matrix(LABELS, auto.predict(X), labels=["good", "poor"])
    assert auto.score(X, LABELS) == pytest.approx(-(counts * costs).sum() / len(X))
    assert auto.threshold_ is None and auto.cost_matrix_[0, 1] == 8
    auto.set_decision({"recall": 0.5})
    assert auto.cost_matrix_ is None and auto.threshold_ is not None


def test_a_dict_of_costs_is_read_as_the_constructor_reads_it(auto):
    auto.set_decision(cost_matrix={"false_negative": 8, "false_positive": 1})
    np.testing.assert_array_equal(auto.cost_matrix_, [[0, 8], [1, 0]])


def test_a_model_that_was_searched_by_costs_can_go_by_a_threshold():
    auto = quick(cost_matrix=[[0, 1], [5, 0]], pos_label="good").fit(X, LABELS)
    auto.set_decision(threshold=0.3)
    np.testing.assert_array_equal(auto.predict(X) == "good", auto.predict_proba(X)[:, 0] >= 0.3)
    assert auto.score(X, LABELS) == pytest.approx(f1_score(LABELS, auto.predict(X), pos_label="good"))
    assert clone(auto).get_params()["cost_matrix"] == [[0, 1], [5, 0]]


# ------------------------------------------------------------------------------------------------ many classes
@pytest.fixture(scope="module")
def of_three():
    return quick(cv=3).fit(X, np.where(X[:, 0] > 1, 2, Y))


def test_many_classes_take_factors(of_three):
    of_three.set_decision(threshold={0: 1, 1: 2, 2: 4})
    expected = (of_three.predict_proba(X) * [1, 2, 4]).argmax(axis=1)
    np.testing.assert_array_equal(of_three.predict(X), expected)
    of_three.set_decision(threshold=[1, 1, 1])
    np.testing.assert_array_equal(of_three.predict(X), of_three.predict_proba(X).argmax(axis=1))
    assert of_three.set_decision(scoring="balanced_accuracy").threshold_.shape == (3,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"at_least": {"recall": 0.8}}, "is for two classes, the model has 3"),
        ({"scoring": "recall_at_precision>=0.9"}, "is for two classes, y has 3"),
        ({"scoring": "recall"}, "use 'recall_macro'"),
        ({"threshold": 0.3}, "a positive factor for each of the classes"),
        ({"threshold": {0: 1, 1: 2}}, "a positive factor for each of the classes"),
        ({"threshold": [1, 0, 1]}, "a positive factor for each of the classes"),
    ],
)
def test_what_makes_no_sense_for_many_classes(of_three, given, message):
    with pytest.raises(ValueError, match=message):
        of_three.set_decision(**given)


# ------------------------------------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "takes one of .*given nothing"),
        ({"scoring": "f1", "threshold": 0.5}, "given scoring and threshold"),
        ({"scoring": "f2"}, "scoring='f2' is not a known score"),
        ({"scoring": "recall_at_precison>=0.9"}, "did you mean 'recall_at_precision'"),
        ({"scoring": lambda estimator, X, y: 1.0}, "a fitted model keeps no rows of X"),
        ({"scoring": {"a": "f1", "b": "recall"}}, "one score decides"),
        ({"threshold": 1.5}, r"threshold=1.5 must be a probability from 0 to 1"),
        ({"threshold": "half"}, "must be a probability from 0 to 1"),
        ({"threshold": [0.2, 0.3]}, "must be a probability from 0 to 1"),
        ({"at_least": {"recall": 1.2}}, "must be above 0 and at most 1"),
        ({"at_least": {"specificity": 0.9}}, "a dict of one entry"),
        ({"at_least": {"recall": 0.8, "precision": 0.9}}, "a dict of one entry"),
        ({"at_least": {"recall": "high"}}, "is no number"),
        ({"at_least": 0.8}, "a dict of one entry"),
        ({"cost_matrix": [[0, 1]]}, "cost_matrix has shape"),
        ({"cost_matrix": np.zeros((160, 2, 2))}, "the same for all rows"),
        ({"cost_matrix": {"false_negative": "amount", "false_positive": 1}}, "the same for all rows"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(auto, given, message):
    before = auto.predict(X)
    with pytest.raises(ValueError, match=message):
        auto.set_decision(**given)
    np.testing.assert_array_equal(auto.predict(X), before)


def test_a_model_without_out_of_fold_rows_takes_thresholds_and_costs():
    model = load_model(Path(__file__).parents[1] / "data" / "0.2.0" / "model.skauto")
    rows, _ = rows_of_release()
    assert not hasattr(model, "oof_proba_") and model.get_params()["holdout"] is None and clone(model)
    model.set_decision(threshold=0.7)
    np.testing.assert_array_equal(model.predict(rows), (model.predict_proba(rows)[:, 1] >= 0.7).astype(int))
    model.set_decision(cost_matrix=[[0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"saved by skauto 0\.2, which kept none: fit again"):
        model.set_decision({"recall": 0.8})


def test_weights_count_where_a_threshold_is_chosen():
    weight = np.random.default_rng(0).integers(1, 4, len(X)).astype(float)
    auto = quick(n_iter=2, cv=KFold(4), pos_label="good").fit(X, LABELS, sample_weight=weight)
    score, true = chance_of_good(auto)
    precision, recall, _ = precision_recall_curve(true, score, sample_weight=weight)
    auto.set_decision({"recall": 0.7})
    chosen = score >= auto.threshold_
    assert weight[chosen & true].sum() / weight[true].sum() >= 0.7
    assert np.average(true[chosen], weights=weight[chosen]) == pytest.approx(precision[recall >= 0.7].max())


def test_a_fit_anew_forgets_the_decision(auto):
    auto.set_decision(cost_matrix=[[0, 8], [1, 0]])
    again = auto.fit(X, LABELS)
    assert again.cost_matrix_ is None and again.threshold_ is not None
    assert again.score(X, LABELS) == pytest.approx(f1_score(LABELS, again.predict(X), pos_label="good"))


def test_a_fallback_has_none(monkeypatch):
    with pytest.warns(UserWarning, match="no trial was evaluated"):
        auto = AutoClassifier(time_limit=0.05, n_jobs=1, verbose=0, pos_label="good").fit(X, LABELS)
    assert np.isnan(auto.oof_proba_).all() and auto.oof_proba_.shape == (len(X), 2)
    with pytest.raises(ValueError, match="is of the kind 'quick_model'"):
        auto.set_decision(scoring="f1")
    assert auto.set_decision(threshold=0.4).threshold_ == 0.4
