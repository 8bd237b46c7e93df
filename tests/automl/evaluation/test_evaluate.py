"""One trial to out-of-fold probabilities: every row judged by a model that never saw it."""

import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.automl.evaluation._context import Bounds, Evaluation
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.evaluation._fold_models import pack, unpack
from skauto.estimators._forests import CompactExtraTreesClassifier
from skauto.search import _deadline
from skauto.search._folds import nested_rows, take
from skauto.search._space import Space
from skauto.search._trial import Trial

X, Y = make_classification(120, 5, random_state=0)
SPACE = Space({"C": [0.01, 1.0]})
FOLDS = list(KFold(4).split(X))


def build(values, seed):
    return make_pipeline(StandardScaler(), LogisticRegression(C=values["C"]))


def context(**changes):
    given = {
        "X": X, "y": Y, "weight": None, "folds": FOLDS, "n_classes": 2, "space": SPACE, "build": build,
        "report": lambda proba: {"score": 0.5, "fold_scores": [0.5] * 4}, "seed": 0,
        "low_fidelity_score": lambda proba: 0.25,
    }  # fmt: skip
    return Evaluation(**{**given, **changes})


def trial(C=1.0, number=0, fidelity=1.0):
    return Trial(number, SPACE.encode({"C": C}), fidelity)


class Counter(TransformerMixin, BaseEstimator):
    """Counts how often it is fitted."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        return self

    def transform(self, X):
        return X


class Staged(ClassifierMixin, BaseEstimator):
    """Remembers nothing; what matters is the stopping point it is asked for."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def test_probabilities_are_those_of_cross_val_predict():
    outcome = evaluate(context(), trial())
    expected = cross_val_predict(build({"C": 1.0}, 0), X, Y, cv=KFold(4), method="predict_proba")
    np.testing.assert_allclose(outcome.proba, expected)
    assert outcome.score == 0.5
    assert outcome.best_iteration is None
    assert outcome.fit_seconds > 0


def test_forests_that_are_packed_meanwhile_answer_as_scikit_learns():
    def forest(values, seed):
        return CompactExtraTreesClassifier(20, random_state=0)

    outcome = evaluate(context(build=forest, bag=pack), trial())
    theirs = ExtraTreesClassifier(20, random_state=0)
    expected = cross_val_predict(theirs, X, Y, cv=KFold(4), method="predict_proba")
    np.testing.assert_allclose(outcome.proba, expected)
    bag = unpack(outcome.bag.content, np.array([0, 1]))
    folds = [clone(theirs).fit(X[train], Y[train]) for train, _ in KFold(4).split(X)]
    mean = np.mean([fold.predict_proba(X) for fold in folds], axis=0)
    np.testing.assert_allclose(bag.predict_proba(X), mean, atol=1e-6)


def test_it_is_known_how_long_the_report_took():
    def report(proba):
        time.sleep(0.05)
        return {"score": 0.5}

    assert evaluate(context(report=report), trial()).score_seconds >= 0.05


@pytest.mark.parametrize("kind", [pd.DataFrame, sp.csr_matrix, sp.csr_array])
def test_any_kind_of_table(kind):
    def without_scaling(values, seed):
        return LogisticRegression(C=values["C"])

    given = evaluate(context(X=kind(X), build=without_scaling), trial()).proba
    np.testing.assert_allclose(given, evaluate(context(build=without_scaling), trial()).proba, atol=1e-4)


def test_classes_that_a_fold_did_not_see_have_probability_zero():
    y = np.where(np.arange(120) < 10, 2, Y)  # all of class 2 is in the first fold
    outcome = evaluate(context(y=y, n_classes=4), trial())
    assert outcome.proba.shape == (120, 4)
    assert (outcome.proba[:30, 2] == 0).all()
    assert (outcome.proba[30:, 2] > 0).all()
    assert (outcome.proba[:, 3] == 0).all()


def test_weights_are_used():
    weight = np.where(Y == 1, 5.0, 1.0)
    heavy, light = (evaluate(context(weight=w), trial()).proba[:, 1].mean() for w in (weight, None))
    assert heavy > light + 0.05


def test_first_steps_are_fitted_once_for_a_fold():
    Counter.fits = 0
    shared = context(build=lambda values, seed: make_pipeline(Counter(), LogisticRegression(C=values["C"])))
    evaluate(shared, trial(1.0, 0))
    evaluate(shared, trial(0.01, 1))
    assert Counter.fits == 4
    evaluate(shared, trial(0.01, 2, fidelity=0.5))
    assert Counter.fits == 8


def test_a_cached_step_changes_no_answer():
    shared = context()
    evaluate(shared, trial(1.0))
    np.testing.assert_array_equal(evaluate(shared, trial(0.01, 1)).proba, evaluate(context(), trial(0.01, 1)).proba)


def test_a_fold_is_read_at_the_stopping_point_of_the_others():
    own, asked = iter([10, 20, 30, 400]), []

    def fit(estimator, *rows):
        return estimator.fit(*rows[:2]), next(own)

    def predict(fitted, X, best_iteration):
        asked.append(best_iteration)
        return fitted.predict_proba(X)

    outcome = evaluate(context(build=lambda values, seed: Staged(), fit=fit, predict=predict), trial())
    assert asked == [30, 30, 20, 20]
    assert outcome.best_iteration == 25


def test_probabilities_that_are_none():
    class Broken(Staged):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(ValueError, match="NaN or infinite"):
        evaluate(context(build=lambda values, seed: Broken()), trial())


def test_lower_fidelities_are_ranked_only():
    outcome = evaluate(context(), trial(fidelity=0.5))
    assert outcome.score == 0.25
    assert outcome.fold_scores == () and outcome.n_folds is None


def test_nested_rows():
    y = np.repeat([0, 1], [300, 12])
    rows = {fraction: nested_rows(y, fraction, 5, seed=1) for fraction in (0.1, 0.3, 1.0)}
    assert set(rows[0.1]) < set(rows[0.3]) < set(rows[1.0])
    assert np.bincount(y[rows[0.1]]).tolist() == [30, 5]
    np.testing.assert_array_equal(rows[1.0], np.arange(312))


def test_take_keeps_the_kind():
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=[5, 6, 7])
    assert take(frame, [2, 0])["a"].tolist() == [3, 1]
    assert take(sp.eye_array(3, format="csr"), [1]).shape == (1, 3)


def test_a_trial_ends_with_the_folds_that_it_had_time_for(monkeypatch):
    """Two folds of four: the scores are of their rows, and nothing is lost to the limit."""
    said = iter([True, True, False])
    monkeypatch.setattr(_deadline, "allows", lambda seconds: next(said))
    judged = []

    def report(proba):
        judged.append(len(proba))
        return {"score": 0.5, "fold_scores": [0.5] * 2}

    outcome = evaluate(context(report=report), trial())
    assert judged == [len(outcome.proba)] == [60]
    monkeypatch.undo()
    np.testing.assert_allclose(outcome.proba, evaluate(context(), trial()).proba[:60])


def test_folds_of_a_trial_can_be_bounded():
    assert len(evaluate(context(most_folds=1), trial()).proba) == 30
    assert len(evaluate(context(most_folds=9), trial()).proba) == 120


def test_fold_models_that_are_too_large_to_send_do_not_stop_those_of_a_later_trial():
    """The best trial's are too large: those of a slightly worse one are still worth having."""
    scores, bags = iter([0.9, 0.8]), iter([None, b"small"])
    shared = context(report=lambda proba: {"score": next(scores)}, bag=lambda *_: next(bags))
    found = [evaluate(shared, trial(number=number)) for number in (0, 1)]
    assert found[0].bag is None
    assert found[1].bag == ((1.0, 4, 0.8), b"small")


class Measured(Bounds):
    """At most five bytes, measured by a function."""

    def __init__(self, of_trial):
        self.of_trial = of_trial

    def check_feasible(self, context, values, seed):
        return None

    def may_hold(self, values):
        return values["bytes"] <= 5


def test_a_trial_whose_measurement_raises_is_not_the_best_of_its_worker():
    calls = []

    def measure(*_):
        calls.append(None)
        if len(calls) == 1:
            raise ValueError("cannot be measured")
        return {"bytes": 1.0}

    scores, bounds = iter([0.9, 0.8]), Measured(measure)
    shared = context(report=lambda proba: {"score": next(scores)}, constraints=bounds, bag=lambda *_: b"bag")
    with pytest.raises(ValueError, match="cannot be measured"):
        evaluate(shared, trial())
    assert evaluate(shared, trial(number=1)).bag.content == b"bag"


def test_fold_models_that_are_out_of_bounds_do_not_hide_those_that_are_within():
    scores, sizes = iter([0.9, 0.8]), iter([9.0, 1.0])
    bounds = Measured(lambda *_: {"bytes": next(sizes)})
    shared = context(report=lambda proba: {"score": next(scores)}, constraints=bounds, bag=lambda *_: b"bag")
    assert [evaluate(shared, trial(number=number)).bag is not None for number in (0, 1)] == [False, True]
