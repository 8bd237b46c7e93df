"""Ensembles: greedy selection never loses to its best member, and the average is the average."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skauto.estimators._ensemble import WeightedEnsembleClassifier, greedy_selection

X, Y = load_iris(return_X_y=True)
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]


def of_each(value):
    """The values of several mixtures, from a function of one."""
    return lambda mixtures: np.array([value(proba) for proba in mixtures])


def members():
    return [LogisticRegression(max_iter=500), GaussianNB()]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_selection_is_at_least_as_good_as_its_best_member(seed, n_models):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=30)
    models = [np.column_stack([1 - p, p]) for p in rng.uniform(size=(n_models, 30))]

    def value(proba):
        return -float(np.mean((proba[:, 1] - y) ** 2))

    weights = greedy_selection(models, of_each(value))
    assert weights.shape == (n_models,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    mix = sum(w * model for w, model in zip(weights, models, strict=True))
    assert value(mix) >= max(map(value, models)) - 1e-9


def test_models_that_err_apart_are_mixed():
    y = np.array([0, 0, 1, 1])
    one, two = np.array([0.1, 0.6, 0.9, 0.6]), np.array([0.6, 0.1, 0.6, 0.9])
    pairs = [np.column_stack([1 - p, p]) for p in (one, two)]
    weights = greedy_selection(pairs, of_each(lambda p: -np.sum((p[:, 1] - y) ** 2)))
    np.testing.assert_allclose(weights, [0.5, 0.5])


def test_a_copy_of_the_best_model_gains_nothing():
    proba = np.array([[0.8, 0.2], [0.3, 0.7]])
    np.testing.assert_array_equal(greedy_selection([proba, proba], of_each(lambda p: p[1, 1])), [1, 0])


def test_a_value_that_is_never_known_keeps_the_first():
    proba = np.full((3, 2), 0.5)
    np.testing.assert_array_equal(greedy_selection([proba, proba], of_each(lambda p: np.nan)), [1, 0])


@pytest.mark.parametrize(("seconds", "expected"), [(0, [1, 0]), (1, [0, 1]), (99, [0.5, 0.5])])
def test_when_the_time_is_up_the_picks_so_far_stand(seconds, expected):
    """Each pick takes a second; the second model is the better one, both together are the best."""
    spent = []

    def values(mixtures):
        spent.append(1)
        return -np.abs(mixtures[:, 0, 1] - 0.55)

    models = [np.array([[1 - p, p]]) for p in (0.3, 0.8)]
    left = lambda: seconds - len(spent)  # noqa: E731
    np.testing.assert_array_equal(greedy_selection(models, values, left=left), expected)
    assert len(spent) <= max(seconds, 0)


def test_the_average_is_weighted():
    ensemble = WeightedEnsembleClassifier(members(), weights=[3, 1]).fit(X, LABELS)
    first, second = (model.predict_proba(X) for model in ensemble.estimators_)
    np.testing.assert_allclose(ensemble.predict_proba(X), 0.75 * first + 0.25 * second)
    assert set(ensemble.predict(X)) == set(LABELS)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(ensemble)).predict_proba(X), ensemble.predict_proba(X))


def test_fitted_members_are_used_as_they_are():
    fitted = [model.fit(X, LABELS) for model in members()]
    ensemble = WeightedEnsembleClassifier.from_fitted(fitted, [0.5, 0.5])
    assert ensemble.estimators_ == fitted
    np.testing.assert_array_equal(clone(ensemble).fit(X, LABELS).predict(X), ensemble.predict(X))


def test_weights_of_rows_reach_the_members():
    weight = np.where(Y == 2, 0.0, 1.0)
    ensemble = WeightedEnsembleClassifier([LogisticRegression(max_iter=500)]).fit(X, Y, sample_weight=weight)
    assert (ensemble.predict(X) == 2).sum() < 50


@pytest.mark.parametrize("wrong", [[1], [1, -1], [0, 0]])
def test_weights_that_are_none(wrong):
    with pytest.raises(ValueError, match="must be 2 non-negative numbers"):
        WeightedEnsembleClassifier(members(), weights=wrong).fit(X, Y)


def test_models_that_do_not_fit_into_one_look_are_all_looked_at():
    """A mixture of a hundred thousand rows is judged alone; the best of three is found all the same."""
    models = [np.full((150_000, 2), p) for p in (0.1, 0.5, 0.9)]
    weights = greedy_selection(models, of_each(lambda p: -abs(p[0, 1] - 0.9)), n_steps=2)
    np.testing.assert_array_equal(weights, [0, 0, 1])


class CountingScaler(StandardScaler):
    """Counts its calls, in all copies together."""

    calls = 0

    def transform(self, X):
        type(self).calls += 1
        return super().transform(X)


def pipelines():
    """Three begin with the same scaler, two of them go on with the same polynomials; one stands apart."""
    steps = [
        [CountingScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=500)],
        [CountingScaler(), PolynomialFeatures(2), GaussianNB()],
        [CountingScaler(), GaussianNB()],
        [CountingScaler(with_mean=False), GaussianNB()],
        [GaussianNB()],
    ]
    return [pickle.loads(pickle.dumps(make_pipeline(*some).fit(X, Y))) for some in steps]


def test_equal_steps_are_done_once():
    apart = pipelines()
    expected = np.mean([member.predict_proba(X) for member in apart], axis=0)
    ensemble = WeightedEnsembleClassifier.from_fitted(pipelines(), np.ones(5))
    CountingScaler.calls = 0
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)
    assert CountingScaler.calls == 2
    first, second, third, fourth, _ = ensemble.estimators_
    assert first[0] is second[0] is third[0]
    assert first[1] is second[1]
    assert third[0] is not fourth[0]


def test_equal_steps_are_stored_once():
    ensemble = pickle.loads(pickle.dumps(WeightedEnsembleClassifier.from_fitted(pipelines(), np.ones(5))))
    CountingScaler.calls = 0
    ensemble.predict_proba(X)
    assert CountingScaler.calls == 2


def test_a_step_after_different_ones_is_not_shared():
    members = [
        make_pipeline(scaler, PolynomialFeatures(2), GaussianNB()).fit(X, Y)
        for scaler in (StandardScaler(), StandardScaler(with_mean=False))
    ]
    expected = np.mean([member.predict_proba(X) for member in members], axis=0)
    ensemble = WeightedEnsembleClassifier.from_fitted(members, [1, 1])
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)


def test_a_pipeline_with_a_sampler_is_asked_as_a_whole():
    pipeline = make_sampling_pipeline(StandardScaler(), RandomOverSampler(random_state=0), GaussianNB()).fit(X, Y)
    ensemble = WeightedEnsembleClassifier.from_fitted([pipeline, GaussianNB().fit(X, Y)], [1, 0])
    np.testing.assert_allclose(ensemble.predict_proba(X), pipeline.predict_proba(X))
