"""CostSensitiveClassifier: decisions by hand, every method, several classes, costs by row."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.resample import CostSensitiveClassifier, make_cost_scorer, total_cost_score
from skauto.resample._cost_sensitive import METHODS, mistake_costs


class Given(ClassifierMixin, BaseEstimator):
    """Says the probabilities that stand in X."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[np.asarray(X).argmax(axis=1)]


@parametrize_with_checks(
    [
        CostSensitiveClassifier(LogisticRegression(), calibration=None),
        CostSensitiveClassifier(LogisticRegression(), method="reweight"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_decision_is_the_one_of_least_expected_cost():
    # Elkan's example: the threshold is 1 / (1 + 4) = 0.2
    X = np.array([[0.9, 0.1], [0.81, 0.19], [0.79, 0.21], [0.1, 0.9]])
    model = CostSensitiveClassifier(Given(), [[0, 1], [4, 0]], calibration=None).fit(X, [0, 0, 1, 1])
    assert model.predict(X).tolist() == [0, 0, 1, 1]
    assert model.predict(X, cost_matrix=[[0, 1], [1, 0]]).tolist() == [0, 0, 0, 1]


def test_three_classes_by_hand():
    costs = np.array([[0, 1, 2], [3, 0, 4], [50, 6, 0]], dtype=float)
    X = np.array([[0.6, 0.3, 0.1], [0.9, 0.09, 0.01]])
    model = CostSensitiveClassifier(Given(), costs, calibration=None).fit(np.eye(3), ["a", "b", "c"])
    # expected costs of the first row: 0.9 + 5, 0.6 + 0.6, 1.2 + 1.2; of the second: 0.27 + 0.5, 0.9 + 0.06, 1.8 + 0.36
    assert model.predict(X).tolist() == ["b", "a"]


def test_costs_by_row_decide_each_row():
    X = np.array([[0.9, 0.1]] * 2)
    costs = np.zeros((2, 2, 2))
    costs[:, 0, 1], costs[:, 1, 1], costs[:, 1, 0] = 5, 5, [10, 100]
    model = CostSensitiveClassifier(Given(), calibration=None).fit(X, [0, 1], cost_matrix=costs)
    assert model.predict(X, cost_matrix=costs).tolist() == [0, 1]
    np.testing.assert_allclose(model.cost_matrix_, costs.mean(axis=0))


def test_costs_by_row_are_metadata_of_a_pipeline_and_of_cross_validation():
    X, y = make_classification(n_samples=400, weights=[0.8], class_sep=0.6, random_state=0)
    costs = np.zeros((400, 2, 2))
    costs[:, :, 1], costs[:, 1, 0] = 1, np.random.default_rng(0).exponential(20, 400)
    with config_context(enable_metadata_routing=True):
        model = CostSensitiveClassifier(LogisticRegression())
        model.set_fit_request(cost_matrix=True).set_predict_request(cost_matrix=True)
        pipeline = make_pipeline(StandardScaler(), model)
        routed = pipeline.fit(X, y, cost_matrix=costs).predict(X, cost_matrix=costs)
        scorer = make_cost_scorer().set_score_request(cost_matrix=True)
        scores = cross_val_score(pipeline, X, y, scoring=scorer, params={"cost_matrix": costs}, cv=3)
    scaled = StandardScaler().fit_transform(X)
    direct = CostSensitiveClassifier(LogisticRegression()).fit(scaled, y, cost_matrix=costs)
    np.testing.assert_array_equal(routed, direct.predict(scaled, cost_matrix=costs))
    assert not np.array_equal(routed, direct.predict(scaled))
    assert ((scores < 0) & (scores > -costs[:, 1, 0].mean())).all()


def test_weights_of_mistakes_by_hand():
    costs = np.array([[1.0, 2.0], [7.0, 0.0]])
    np.testing.assert_allclose(mistake_costs(np.array([0, 1]), costs), np.array([1, 7]) / 4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_method_lowers_the_cost(method, n_classes):
    fractions = [0.7, 0.3] if n_classes == 2 else [0.6, 0.2, 0.2]
    X, y = make_classification(
        n_samples=1500, n_classes=n_classes, n_informative=5, class_sep=0.6, weights=fractions, random_state=0
    )
    labels = np.array(["a", "b", "c"])[y]
    costs = pd.DataFrame(1 - np.eye(n_classes), index=list("abc")[:n_classes], columns=list("abc")[:n_classes])
    costs.loc["b", "a"] = 20
    plain = LogisticRegression().fit(X, labels)
    model = CostSensitiveClassifier(LogisticRegression(), costs, method, n_estimators=5, random_state=0)
    answer = model.fit(X, labels).predict(X)
    assert total_cost_score(labels, answer, costs) < 0.7 * total_cost_score(labels, plain.predict(X), costs)
    assert model.predict_proba(X).shape == (1500, n_classes)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), answer)


def test_same_seed_same_model_and_frames_pass():
    X, y = make_classification(random_state=0)
    X = pd.DataFrame(X).add_prefix("x")
    for method in ("metacost", "rejection_sampling"):
        first, second = (
            CostSensitiveClassifier(LogisticRegression(), [[0, 1], [9, 0]], method, random_state=1).fit(X, y)
            for _ in range(2)
        )
        np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_metacost_may_find_one_label_cheapest_for_all():
    X, y = make_classification(n_samples=60, random_state=0)
    model = CostSensitiveClassifier(LogisticRegression(), [[0, 0.001], [1e6, 0]], "metacost", random_state=0).fit(X, y)
    assert (model.predict(X) == 1).all()
    assert model.predict_proba(X).shape == (60, 2)


def test_what_cannot_be_is_named():
    X, y = make_classification(random_state=0)
    with pytest.raises(ValueError, match="method='magic' must be one of"):
        CostSensitiveClassifier(LogisticRegression(), method="magic").fit(X, y)
    with pytest.raises(ValueError, match="calibration='magic'"):
        CostSensitiveClassifier(LogisticRegression(), calibration="magic").fit(X, y)
    with pytest.raises(ValueError, match="needs probabilities"):
        CostSensitiveClassifier(LinearSVC(), method="metacost").fit(X, y)
    with pytest.raises(ValueError, match="makes no mistake cost more"):
        CostSensitiveClassifier(LogisticRegression(), np.zeros((2, 2)), "reweight").fit(X, y)
    fitted = CostSensitiveClassifier(LogisticRegression(), method="reweight").fit(X, y)
    with pytest.raises(ValueError, match="has learned its costs in fit"):
        fitted.predict(X, cost_matrix=[[0, 1], [1, 0]])


def test_scores_without_probabilities_are_calibrated():
    X, y = make_classification(n_samples=300, random_state=0)
    model = CostSensitiveClassifier(LinearSVC(), [[0, 1], [9, 0]]).fit(X, y)
    assert model.predict(X).mean() > y.mean()


def test_a_temperature_undoes_class_weights():
    X, y = make_classification(3000, n_classes=3, n_informative=5, weights=[0.8, 0.15], class_sep=0.6, random_state=0)
    weight = np.where(y == 2, 3.0, 1.0)
    balanced = LogisticRegression(class_weight="balanced")
    for given in (None, weight):
        unresampled = np.bincount(y, given) / np.bincount(y, given).sum()
        for calibration in ("auto", "temperature"):
            model = CostSensitiveClassifier(balanced, calibration=calibration).fit(X, y, given)
            np.testing.assert_allclose(
                np.average(model.predict_proba(X), axis=0, weights=given), unresampled, atol=0.02, err_msg=calibration
            )
    with config_context(enable_metadata_routing=True):
        routed = CostSensitiveClassifier(clone(balanced).set_fit_request(sample_weight=True)).fit(X, y, weight)
    np.testing.assert_allclose(routed.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("weight", [None, np.ones(300)], ids=["no weights", "weights"])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("class_weight", ["balanced", {"a": 1, "b": 3, "c": 9}], ids=["balanced", "by label"])
def test_class_weights_are_undone_before_the_temperature(weight, scaled, class_weight):
    X, codes = make_classification(300, 6, n_informative=4, n_classes=3, weights=[0.7, 0.2, 0.1], random_state=0)
    model = LogisticRegression(class_weight=class_weight)
    model = make_pipeline(StandardScaler(), model) if scaled else model
    fitted = CostSensitiveClassifier(model, np.ones((3, 3)) - np.eye(3)).fit(
        X, np.array(["a", "b", "c"])[codes], weight
    )
    np.testing.assert_allclose(fitted.predict_proba(X).mean(axis=0), np.bincount(codes) / 300, atol=0.03)


def test_weights_that_a_last_step_cannot_take_are_told():
    X, y = make_classification(random_state=0)
    model = CostSensitiveClassifier(make_pipeline(StandardScaler(), KNeighborsClassifier()))
    with pytest.warns(UserWarning, match="sample_weight: KNeighborsClassifier takes none"):
        model.fit(X, y, sample_weight=np.ones(100))
