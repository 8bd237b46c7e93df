"""The search space: nothing first, only what can be done, and every point of it can be fitted."""

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skauto.resample import ResamplingClassifier, ResamplingWarning, RUSBoostClassifier, imbalance_search_space


@pytest.mark.parametrize("counts", [[50, 50], [95, 5], [60, 3, 1], [200, 40, 20], [900, 300, 100]])
def test_every_point_can_be_fitted(counts):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(counts)), counts)
    X = rng.normal(size=(len(y), 3)) + y[:, None]
    space = imbalance_search_space(y, LogisticRegression())
    assert space[0] == {"sampler": [None]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResamplingWarning)
        for point in ParameterGrid(space):
            model = ResamplingClassifier(LogisticRegression()).set_params(**point).fit(X, y)
            np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_a_search_over_the_space_takes_labels_of_any_kind():
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [170, 30])
    X = rng.normal(size=(200, 3)) + (y == "yes")[:, None]
    space = imbalance_search_space(y, LogisticRegression())
    search = GridSearchCV(ResamplingClassifier(LogisticRegression()), space, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_balanced_classes_leave_nothing_to_try():
    assert imbalance_search_space([0, 1] * 50, LogisticRegression()) == [{"sampler": [None]}]


def test_weights_only_where_the_estimator_has_them_and_few_enough_rows():
    y = [0] * 200_000 + [1] * 2_000
    names = [list(entry) for entry in imbalance_search_space(y, GaussianNB())]
    assert ["sampler", "estimator__class_weight"] not in names
    over = [entry for entry in imbalance_search_space(y, GaussianNB()) if "sampler__k_neighbors" in entry]
    assert max(over[0]["sampler__sampling_strategy"]) == 0.25


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "estimator__class_weight"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "estimator__logisticregression__class_weight"),
        (CalibratedClassifierCV(LinearSVC()), "estimator__estimator__class_weight"),
    ],
)
def test_weights_are_found_where_they_are(estimator, name):
    y = np.repeat([0, 1], [90, 30])
    X = np.random.default_rng(0).normal(size=(120, 2)) + y[:, None]
    entry = next(entry for entry in imbalance_search_space(y, estimator) if "class_weight" in str(list(entry)))
    assert list(entry) == ["sampler", name]
    for weight in entry[name]:
        ResamplingClassifier(estimator).set_params(**{"sampler": None, name: weight}).fit(X, y)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"], [3, 5, 7]], ids=str)
@pytest.mark.parametrize(
    "estimator",
    [
        BaggingClassifier(LogisticRegression(), 4, random_state=0),
        CalibratedClassifierCV(OneVsRestClassifier(LogisticRegression()), cv=2),
        OneVsRestClassifier(LinearSVC()),
        CalibratedClassifierCV(AdaBoostClassifier(LogisticRegression(), n_estimators=2), cv=2),
    ],
    ids=["bagging", "one against the rest", "without probabilities", "boosting"],
)
def test_where_labels_do_not_reach_weights_are_only_balanced(estimator, labels):
    codes = np.repeat([0, 1, 2], [300, 80, 40])
    X, y = np.random.default_rng(0).normal(size=(420, 2)) + codes[:, None], np.array(labels)[codes]
    offered = [entry for entry in imbalance_search_space(y, estimator) if "class_weight" in str(list(entry))]
    assert [list(entry.values()) for entry in offered] == [[[None], ["balanced"]]]
    model = ResamplingClassifier(estimator).set_params(**next(iter(ParameterGrid(offered)))).fit(X, y)
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), np.bincount(codes) / 420, atol=0.05)


@pytest.mark.parametrize(
    "estimator",
    [
        OneVsRestClassifier(LogisticRegression()),
        AdaBoostClassifier(LogisticRegression()),
        RUSBoostClassifier(LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_weights_whose_effect_cannot_be_undone_are_not_offered(estimator):
    assert "class_weight" not in str(imbalance_search_space(np.repeat([0, 1], [900, 90]), estimator))


def test_over_sampling_goes_half_the_way_where_there_is_one():
    def most(counts):
        space = imbalance_search_space(np.repeat([0, 1], counts), GaussianNB())
        return {max(e["sampler__sampling_strategy"]) for e in space[1:] if "Over" in repr(e) or "SMOTE" in repr(e)}

    assert most([900, 90]) == {0.5}
    assert most([900, 500]) == {1.0}


def test_a_prefix_and_a_search():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [180, 30])
    X = rng.normal(size=(210, 2)) + y[:, None]
    space = imbalance_search_space(y, LogisticRegression(), prefix="model__")
    assert all(name.startswith("model__") for entry in space for name in entry)
    search = GridSearchCV(
        ResamplingClassifier(LogisticRegression()), imbalance_search_space(y, LogisticRegression()), cv=2
    )
    assert "sampler" in search.fit(X, y).best_params_
