"""Scorers of (estimator, X, y): what they may ask for, and that they score as the same metric of labels does."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score, get_scorer
from sklearn.utils.validation import check_is_fitted

from skauto import AutoClassifier
from skauto.automl.evaluation._estimator_scoring import EstimatorScoring
from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._out_of_fold import EstimatorMetric, OutOfFoldClassifier, takes_estimator, with_index
from skauto.automl.evaluation._scoring import Scoring

FRAME = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": ["x", "y", "z"]}, index=[7, 8, 9])
PROBA = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
LABELS = np.array(["no", "yes", "yes"])


def answers(X):
    return OutOfFoldClassifier(X, PROBA, LABELS, np.array(["no", "yes"]))


def test_rows_of_a_frame_are_found():
    model = answers(FRAME)
    assert model.predict(FRAME).tolist() == ["no", "yes", "yes"]
    assert model.predict(FRAME[FRAME["b"] > "x"]).tolist() == ["yes", "yes"]
    assert model.predict_proba(FRAME.loc[[9, 7], ["a"]])[:, 1].tolist() == [0.6, 0.1]
    assert model._asked_for_labels
    array = FRAME[["a"]].to_numpy()
    assert answers(array).predict_proba(array.copy()).tolist() == PROBA.tolist()
    assert not answers(array)._asked_for_labels


def test_rows_are_found_where_the_index_repeats():
    frame = FRAME.set_axis([7, 7, 8])
    model = answers(frame)
    assert model.predict_proba(frame[frame["b"] > "x"])[:, 1].tolist() == [0.8, 0.6]
    assert model.predict_proba(frame.iloc[[2, 1, 1]][["b"]])[:, 1].tolist() == [0.6, 0.8, 0.8]
    for asked in (frame.assign(a=0.0), frame.set_axis([7, 8, 8]), FRAME):
        with pytest.raises(ValueError, match="of other or changed rows"):
            model.predict(asked)


def test_rows_that_are_alike_are_taken_in_order_or_refused():
    frame = FRAME.iloc[[0, 0, 2]]
    model = answers(frame)
    assert model.predict_proba(frame)[:, 1].tolist() == [0.1, 0.8, 0.6]
    assert model.predict_proba(frame[frame["b"] == "x"])[:, 1].tolist() == [0.1, 0.8]
    with pytest.raises(ValueError, match="the index of X repeats.*cannot be told apart.*reset_index"):
        model.predict(frame.iloc[1:])
    sure = OutOfFoldClassifier(frame, PROBA[[1, 1, 2]], LABELS[[1, 1, 2]], np.array(["no", "yes"]))
    assert sure.predict_proba(frame.iloc[1:])[:, 1].tolist() == [0.8, 0.6]


def test_rows_of_folds_have_the_index_of_the_caller():
    seen = []

    def own(estimator, X, y):
        seen.append((X.index.tolist(), y.index.tolist()))
        return 0.5

    about = {"y": np.array([0, 1, 0]), "fold": np.array([0, 1, 1]), "repeat": np.zeros(3)}
    metric = EstimatorMetric(own, np.array(["no", "yes"]))
    X, index = FRAME.reset_index(drop=True), pd.Index(["u", "v", "v"])
    EstimatorScoring("own", "estimator", metric, X=X, rows=np.array([2, 0, 1]), index=index, **about).report(PROBA)
    assert (["v", "u", "v"],) * 2 in seen
    assert (["v"],) * 2 in seen
    assert with_index(X, None) is X
    assert X.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("X", "asked"),
    [
        (FRAME, FRAME.assign(a=0.0)),
        (FRAME, FRAME.reset_index(drop=True)),
        (FRAME, FRAME.assign(c=1)),
        (FRAME[["a"]].to_numpy(), FRAME[["a"]].to_numpy()[:2]),
        (FRAME[["a"]].to_numpy(), np.zeros((3, 1))),
    ],
)
def test_other_rows_are_refused(X, asked):
    with pytest.raises(ValueError, match="may ask for predictions of the X it is given"):
        answers(X).predict(asked)


@pytest.mark.parametrize("name", ["coef_", "decision_function", "X", "proba", "labels", "feature_names_in_"])
def test_what_the_estimator_has_not_is_named_with_what_it_has(name):
    model = answers(FRAME)
    with pytest.raises(AttributeError, match=f"^scoring: .*no '{name}', only predict, predict_proba and classes_"):
        getattr(model, name)
    assert not hasattr(model, name)
    assert getattr(model, name, None) is None


def test_helpers_of_scikit_learn_take_the_estimator_of_a_scorer():
    model = answers(FRAME)
    assert is_classifier(model) and not is_regressor(model)
    check_is_fitted(model)
    assert clone(model).predict(FRAME).tolist() == clone(model, safe=False).predict(FRAME).tolist() == LABELS.tolist()
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.predict_proba(FRAME).tolist() == PROBA.tolist()
    assert model.get_params() == {} and model.set_params() is model
    with pytest.raises(ValueError, match="scoring: .* cannot set C of the estimator"):
        model.set_params(C=1)
    for name in ("f1_macro", "roc_auc", "neg_log_loss"):  # of labels, of a decision function or probabilities
        assert get_scorer(name)(model, FRAME, LABELS) == pytest.approx(-0.28 if "log" in name else 1, abs=0.01)
    assert model.score(FRAME, LABELS) == 1


def test_a_search_says_which_attribute_a_scorer_asked_for():
    def by_coefficients(estimator, X, y):
        return float(np.abs(estimator.coef_).sum())

    X, y = make_classification(200, 5, weights=[0.7], random_state=0)
    auto = AutoClassifier(by_coefficients, candidates="logistic", time_limit=None, n_iter=2, random_state=0)
    with pytest.raises(ValueError, match="scoring='by_coefficients' failed .* no 'coef_', only predict.* constraints"):
        auto.fit(X, y)


def test_what_is_taken_for_a_scorer_of_an_estimator():
    assert takes_estimator(lambda estimator, X, y: 0)
    assert takes_estimator(lambda estimator, X, y, sample_weight=None: 0)
    assert not takes_estimator(lambda y, proba: 0)
    assert not takes_estimator(get_scorer("f1"))
    assert not takes_estimator("f1")


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "f1_macro"])
def test_scores_are_those_of_the_same_metric_of_labels(name, positive):
    rng = np.random.default_rng(0)
    y, fold = rng.integers(2, size=200), np.repeat([0, 1], 100)
    proba = 0.5 * rng.dirichlet([1, 1], 200) + 0.5 * np.eye(2)[(y + (rng.random(200) < 0.3)) % 2]
    classes = np.array(["no", "yes"])
    shown = classes if positive else classes[::-1]
    own = EstimatorMetric(get_scorer(name).__call__, shown)
    about = {"y": y, "fold": fold, "repeat": np.zeros(200), "positive": positive}
    X = np.arange(200.0).reshape(-1, 1)
    mine = EstimatorScoring("own", "estimator", own, X=X, rows=np.arange(200), **about)
    _, kind, metric = resolve_metric(name, shown)
    theirs = Scoring(name, kind, metric, **about)
    made, expected = mine.report(proba), theirs.report(proba)
    assert made["score"] == pytest.approx(expected["score"], abs=1e-9 if name == "roc_auc" else 0.03)
    assert [made[key] for key in ("F1", "AUC", "AP")] == [expected[key] for key in ("F1", "AUC", "AP")]
    assert mine.threshold(proba) == 0.5 if name == "roc_auc" else 0 < mine.threshold(proba) < 1


def rare(n, fraction, lift):
    """Labels with rare positives, their probabilities, and the scoring of these rows by a scorer called "f1"."""
    rng = np.random.default_rng(1)
    y = (rng.random(n) < fraction).astype(int)
    positive = np.clip(0.02 + lift * y + rng.normal(0, 0.05, n), 0, 1)
    own = EstimatorMetric(get_scorer("f1").__call__, np.array([0, 1]))
    about = {"y": y, "fold": np.arange(n) % 5, "repeat": np.zeros(n)}
    mine = EstimatorScoring("own", "estimator", own, X=np.arange(float(n)).reshape(-1, 1), rows=np.arange(n), **about)
    return y, np.column_stack([1 - positive, positive]), mine, about


def test_thresholds_lie_close_where_positives_are_rare():
    """Of two in a hundred rows: the scorer's threshold is nearly as good as the best of all for the same metric."""
    y, proba, mine, about = rare(3000, 0.02, 0.15)
    _, kind, metric = resolve_metric("f1", np.array([0, 1]))
    theirs = Scoring("f1", kind, metric, **about)
    made = f1_score(y, proba[:, 1] >= mine.threshold(proba))
    assert made >= 0.9 * f1_score(y, proba[:, 1] >= theirs.threshold(proba)) > 0.3
    assert mine.report(proba)["score"] > 0.85 * theirs.report(proba)["score"]


def test_without_time_left_thresholds_that_are_not_compared_do_not_count():
    y, proba, mine, _ = rare(1000, 0.1, 0.25)
    assert mine.threshold(proba, left=lambda: 0.0) == 0.5
    assert mine.report(proba, left=lambda: 0.0)["score"] == f1_score(y, proba[:, 1] >= 0.5)
    assert mine.threshold(proba) < 0.5 and mine.report(proba)["score"] > 0.5
