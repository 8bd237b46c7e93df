"""The portfolio is data that fits together: every first configuration lies in its space and gives a pipeline."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skauto._pipelines import SAMPLERS, Traits, build
from skauto._plan import table_space
from skauto._portfolio import TABLES
from skauto.search._space import Space

TRAITS = Traits(n_rows=200, n_columns=6, n_classes=2, sparse=False, threads=1, stops=False)
NAMES = {"lightgbm", "logistic", "extra_trees", "svm", "random_forest", "hist_boosting", "mlp", "knn", "naive_bayes"}


def test_every_candidate_of_the_docs_is_there():
    assert {candidate.name for candidate in TABLES} == NAMES


@pytest.mark.parametrize("candidate", TABLES, ids=lambda candidate: candidate.name)
def test_usual_values_are_one_for_each_parameter(candidate):
    assert set(candidate.usual) == set(candidate.space)
    assert candidate.first
    for _, changed in candidate.first:
        assert set(changed) <= set(candidate.space)


@pytest.mark.parametrize("candidate", TABLES, ids=lambda candidate: candidate.name)
def test_first_configurations_lie_in_the_space(candidate):
    space, first = table_space([candidate])
    assert len(first) == len(candidate.first)
    for params in first:
        values = space.decode(params)
        assert values["candidate"] == candidate.name
        assert values["imbalance"] == "none"


@pytest.mark.lightgbm
@pytest.mark.parametrize("candidate", TABLES, ids=lambda candidate: candidate.name)
def test_random_configurations_give_pipelines(candidate):
    if candidate.extra:
        for package in candidate.package.split():
            pytest.importorskip(package)
    space, _ = table_space([candidate])
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = space.decode(space.sample(rng))
        values.pop("candidate")
        pipeline = build(candidate, values, TRAITS, seed=3)
        assert isinstance(pipeline, Pipeline)
        assert pipeline.steps[-1][0] == "classify"
        clone(pipeline)


def test_ways_to_treat_classes_are_known():
    for candidate in TABLES:
        for way in candidate.imbalance:
            assert set(way["imbalance"]) <= {"class_weight", *SAMPLERS}


def test_leaving_the_classes_alone_always_competes():
    space, _ = table_space(list(TABLES))
    rng = np.random.default_rng(0)
    drawn = [space.decode(space.sample(rng)) for _ in range(2000)]
    natural = {values["candidate"] for values in drawn if values["imbalance"] == "none"}
    assert natural == NAMES
    assert 0.5 < np.mean([values["imbalance"] == "none" for values in drawn]) < 0.7
    assert isinstance(space, Space)
