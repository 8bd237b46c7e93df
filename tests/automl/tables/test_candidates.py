"""The portfolio is data that fits together: every first configuration lies in its space and gives a pipeline."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skauto import Candidate
from skauto.automl._builder import build_pipeline as build
from skauto.automl._data_profile import DataProfile
from skauto.automl._imbalance import NAMES, NONE, imbalance_strategies
from skauto.automl._kind import KINDS, kind_named
from skauto.automl._search_space import space_of
from skauto.automl.tables._candidates import TABLES
from skauto.resample._wrapped import takes_weights
from skauto.search._space import Space

STRATEGIES = imbalance_strategies(np.repeat([0, 1], [900, 200]))
PROFILE = DataProfile(n_rows=200, n_columns=6, n_classes=2, sparse=False, threads=1, early_stopping=False)
FORMS = {"sequence": {"shape": (50, 6), "length": 40.0}, "image": {"shape": (3, 20, 16)}}
PORTFOLIOS = {kind: kind_named(kind).built_in for kind in KINDS}
EVERY = [(kind, candidate) for kind, candidates in PORTFOLIOS.items() for candidate in candidates]


def skip_without_packages(candidate):
    """Skip the test of a candidate whose extra is not installed."""
    if candidate.extra:
        for package in candidate.package.split():
            pytest.importorskip(package)


every_candidate = pytest.mark.parametrize(("kind", "candidate"), EVERY, ids=lambda part: getattr(part, "name", part))


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_told_those_of_auto_first(kind):
    names = Candidate.names(kind)
    assert names == [candidate.name for candidate in PORTFOLIOS[kind]]
    assert len(set(names)) == len(names)


def test_names_of_an_unknown_kind():
    with pytest.raises(ValueError, match="kind='picture' .* must be one of"):
        Candidate.names("picture")


@pytest.mark.lightgbm
@every_candidate
def test_who_takes_weights_says_so(kind, candidate):
    """With weights of rows, one that says so wrongly would fail in every trial, or be left out for nothing."""
    skip_without_packages(candidate)
    profile = replace(PROFILE, kind=kind_named(kind), seconds=500.0, **FORMS.get(kind, {}))
    values = {**candidate.defaults, "imbalance": "none"}
    assert takes_weights(build(candidate, values, profile, seed=3)[-1]) == candidate.weighted


def test_every_imbalance_strategy_is_tried_with_some_candidate_of_tables():
    tried = {name for candidate in TABLES for group in candidate.imbalance for name in group}
    assert tried == set(NAMES) - {NONE}


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
    skip_without_packages(candidate)
    space, _ = space_of([candidate], STRATEGIES)
    profile = replace(PROFILE, kind=kind_named(kind), seconds=500.0, **FORMS.get(kind, {}))
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
    assert unresampled == {candidate.name for candidate in TABLES}
    assert 0.5 < np.mean([values["imbalance"] == "none" for values in drawn]) < 0.7
    assert isinstance(space, Space)
