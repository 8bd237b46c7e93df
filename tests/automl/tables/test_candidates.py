"""The portfolio is data that fits together: every first configuration lies in its space and gives a pipeline."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skauto import AutoClassifier
from skauto.automl._builder import build_pipeline as build
from skauto.automl._data_profile import DataProfile
from skauto.automl._imbalance import imbalance_strategies
from skauto.automl._kind import KINDS, kind_named
from skauto.automl._search_space import space_of
from skauto.automl.tables._candidates import ON_REQUEST, TABLES
from skauto.search._space import Space

STRATEGIES = imbalance_strategies(np.repeat([0, 1], [900, 200]))
PROFILE = DataProfile(n_rows=200, n_columns=6, n_classes=2, sparse=False, threads=1, early_stopping=False)
FORMS = {"table": {}, "sequence": {"shape": (50, 6), "length": 40.0}, "image": {"shape": (3, 20, 16)}}
NAMES = {"lightgbm", "logistic", "extra_trees", "svm", "random_forest", "hist_boosting", "mlp", "knn", "naive_bayes"}
PORTFOLIOS = {kind: kind_named(kind).candidates() for kind in KINDS}
EVERY = [(kind, candidate) for kind, candidates in PORTFOLIOS.items() for candidate in candidates]
EVERY += [("table", candidate) for candidate in ON_REQUEST]
every_candidate = pytest.mark.parametrize(("kind", "candidate"), EVERY, ids=lambda part: getattr(part, "name", part))


def test_every_candidate_of_the_docs_is_there():
    assert {candidate.name for candidate in TABLES} == NAMES
    for kind, candidates in PORTFOLIOS.items():
        for candidate in candidates:
            assert f'"{candidate.name}"' in AutoClassifier.__doc__, kind


@every_candidate
def test_defaults_are_one_for_each_parameter(kind, candidate):
    assert set(candidate.defaults) == set(candidate.space)
    assert len(candidate.initial) == len(candidate.ranks) > 0
    for changed in candidate.initial:
        assert set(changed) <= set(candidate.space)


@every_candidate
def test_first_configurations_lie_in_the_space(kind, candidate):
    space, first = space_of([candidate], STRATEGIES)
    assert len(first) == len(candidate.initial)
    for params in first:
        values = space.decode(params)
        assert values["candidate"] == candidate.name
        assert values["imbalance"] == "none"


@pytest.mark.lightgbm
@every_candidate
def test_random_configurations_give_pipelines(kind, candidate):
    if candidate.extra:
        for package in candidate.package.split():
            pytest.importorskip(package)
    space, _ = space_of([candidate], STRATEGIES)
    profile = replace(PROFILE, kind=kind_named(kind), seconds=500.0, **FORMS[kind])
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = space.decode(space.sample(rng))
        values.pop("candidate")
        pipeline = build(candidate, values, profile, seed=3)
        assert isinstance(pipeline, Pipeline)
        assert pipeline.steps[-1][0] == "classify"
        clone(pipeline)


def test_imbalance_strategies_are_known():
    for _, candidate in EVERY:
        for group in candidate.imbalance:
            assert set(group) <= set(STRATEGIES)


def test_leaving_the_classes_alone_always_competes():
    space, _ = space_of(list(TABLES), STRATEGIES)
    rng = np.random.default_rng(0)
    drawn = [space.decode(space.sample(rng)) for _ in range(2000)]
    unresampled = {values["candidate"] for values in drawn if values["imbalance"] == "none"}
    assert unresampled == NAMES
    assert 0.5 < np.mean([values["imbalance"] == "none" for values in drawn]) < 0.7
    assert isinstance(space, Space)
