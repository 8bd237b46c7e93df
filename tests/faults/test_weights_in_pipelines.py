"""Weights and costs through Pipelines: they reach the last step, or an error names the step that takes none."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import (
    BalancedBaggingClassifier,
    CostSensitiveClassifier,
    MulticlassThresholdClassifierCV,
    PriorCorrectedClassifier,
    RandomOverSampler,
    ResamplingClassifier,
    RUSBoostClassifier,
)

COSTS = [[0, 1], [8, 0]]
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
WRAPPERS = {
    "reweight": lambda inner: CostSensitiveClassifier(inner, COSTS, method="reweight"),
    "metacost": lambda inner: CostSensitiveClassifier(inner, COSTS, method="metacost", n_estimators=2, random_state=0),
    "expected cost": lambda inner: CostSensitiveClassifier(inner, COSTS),
    "uncalibrated": lambda inner: CostSensitiveClassifier(inner, COSTS, calibration=None),
    "resampling": lambda inner: ResamplingClassifier(inner, RandomOverSampler(random_state=0)),
    "priors": PriorCorrectedClassifier,
    "thresholds": lambda inner: MulticlassThresholdClassifierCV(inner, random_state=0),
    "bags": lambda inner: BalancedBaggingClassifier(inner, 2, random_state=0),
    "boosting": lambda inner: RUSBoostClassifier(inner, 3, random_state=0),
}
PIPELINES = {
    "pipeline": lambda inner: make_pipeline("passthrough", inner),
    "pipeline in a pipeline": lambda inner: make_pipeline("passthrough", make_pipeline("passthrough", inner)),
    "search of a pipeline": lambda inner: GridSearchCV(make_pipeline("passthrough", inner), {}, cv=2),
}


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(400, weights=[0.8], class_sep=0.5, random_state=0)
    return X, y, np.random.default_rng(0).uniform(0.2, 5, len(y))


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("name", WRAPPERS)
def test_weights_reach_the_last_step(data, name, pipeline):
    X, y, weight = data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = WRAPPERS[name](clone(TREE)).fit(X, y, sample_weight=weight)
        piped = WRAPPERS[name](PIPELINES[pipeline](clone(TREE))).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(piped.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(piped.predict(X), alone.predict(X))


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("name", sorted(set(WRAPPERS) - {"expected cost", "thresholds"}))
def test_a_last_step_that_takes_no_weights_is_named(data, name, pipeline):
    X, y, weight = data
    model = WRAPPERS[name](PIPELINES[pipeline](KNeighborsClassifier()))
    with pytest.raises(ValueError, match="sample_weight: KNeighborsClassifier.* takes none in fit"):
        model.fit(X, y, sample_weight=weight)


def test_a_threshold_takes_weights_with_routing_only(data):
    X, y, weight = data
    inner = FixedThresholdClassifier(make_pipeline("passthrough", TREE))
    with pytest.raises(ValueError, match="FixedThresholdClassifier takes none in fit.*enable_metadata_routing"):
        PriorCorrectedClassifier(inner).fit(X, y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        asking = make_pipeline("passthrough", clone(TREE).set_fit_request(sample_weight=True))
        model = PriorCorrectedClassifier(FixedThresholdClassifier(asking)).fit(X, y, sample_weight=weight)
    alone = PriorCorrectedClassifier(clone(TREE)).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X))


def test_reweighting_a_pipeline_is_weighting_its_rows_by_their_costs(data):
    X, y, _ = data
    ours = CostSensitiveClassifier(PIPELINES["pipeline"](LogisticRegression()), COSTS, method="reweight").fit(X, y)
    weight = np.where(y == 1, 8.0, 1.0)
    theirs = LogisticRegression().fit(X, y, sample_weight=weight / weight.mean())
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    with pytest.raises(ValueError, match="KNeighborsClassifier, which Pipeline hands its weights to, takes none"):
        CostSensitiveClassifier(PIPELINES["pipeline"](KNeighborsClassifier()), COSTS, method="reweight").fit(X, y)
