"""Spaces."""

import copy
import itertools
import json
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, norm, randint, uniform
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from skopt.space import Categorical, Integer, Real

from skauto.search._space import Space

OBJECTS = [None, "passthrough", (1, 2), {"deep": [1]}, LogisticRegression(), np.arange(3)]


@st.composite
def dimensions(draw):
    """One way of writing a dimension."""
    kind = draw(st.sampled_from(["list", "objects", "uniform", "loguniform", "randint", "real", "integer", "norm"]))
    low, width = draw(st.integers(1, 100)), draw(st.integers(1, 1000))
    return {
        "list": list(range(low)),
        "objects": OBJECTS[: 1 + low % len(OBJECTS)],
        "uniform": uniform(low, width),
        "loguniform": loguniform(low, low + width),
        "randint": randint(low, low + width),
        "real": Real(low, low + width, prior="log-uniform"),
        "integer": Integer(low, low + width),
        "norm": norm(low, width),
    }[kind]


BRANCHES = st.lists(st.dictionaries(st.sampled_from("abcd"), dimensions(), max_size=4), min_size=1, max_size=3)


@given(BRANCHES, st.integers(0, 2**32 - 1))
def test_samples_go_everywhere_and_come_back(branches, seed):
    space = Space(branches)
    params = space.sample(np.random.default_rng(seed))
    assert space.contains(params)
    through_json = json.loads(json.dumps(params))
    assert through_json == params
    assert space.key(through_json) == space.key(params)

    decoded = space.decode(params)
    assert list(decoded) == sorted(branches[params["branch"]])
    assert space.encode(decoded, branch=params["branch"]) == params

    vector, active = space.to_unit(params)
    assert vector.shape == active.shape == (space.n_dims,)
    assert active.sum() == len(decoded)
    assert ((vector >= 0) & (vector <= 1)).all()
    assert (vector[~active] == 0.5).all()
    again = space.from_unit(vector, params["branch"])
    assert again["values"] == pytest.approx(params["values"], rel=1e-6)


@given(BRANCHES, st.lists(st.floats(-1, 2), min_size=12, max_size=12))
def test_every_point_of_the_cube_is_a_configuration(branches, numbers):
    space = Space(branches)
    for branch in range(len(branches)):
        assert space.contains(space.from_unit(np.array(numbers[: space.n_dims]), branch))


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(), min_size=1, max_size=4), max_size=4),
        min_size=1,
        max_size=3,
    )
)
def test_grid_is_parameter_grid(branches):
    space, grid = Space(branches), list(ParameterGrid(branches))
    assert [space.decode(params) for params in space.grid()] == grid
    assert space.size == len(grid)
    keys = {space.key(params) for params in space.grid()}
    assert len(keys) == len(grid)


def test_objects_come_back_themselves_and_unchanged():
    before = copy.deepcopy(OBJECTS)
    space = Space({"step": OBJECTS})
    for params, choice in zip(space.grid(), OBJECTS, strict=True):
        assert space.decode(params)["step"] is choice
        assert space.encode({"step": choice}) == params
    assert str(before) == str(OBJECTS)


def test_a_dict_is_a_branch_and_an_empty_one_a_configuration():
    space = Space([{}, {"a": [1, 2]}])
    assert space.size == 3
    assert space.decode(next(space.grid())) == {}
    assert Space({}).size == 1


def test_size():
    assert Space({"a": [1, 2], "b": randint(0, 5), "c": Integer(1, 3)}).size == 30
    assert Space([{"a": [1, 2]}, {"b": uniform(0, 1)}]).size == math.inf


def test_forms_of_choices():
    space = Space({"a": (1, 2), "b": range(3), "c": np.array([0.5, 1.5]), "d": Categorical(["x", "y"])})
    assert list(itertools.islice((space.decode(params) for params in space.grid()), 1)) == [
        {"a": 1, "b": 0, "c": 0.5, "d": "x"}
    ]


def test_scikit_optimize_priors():
    space = Space({"lr": Real(1e-4, 1.0, prior="log-uniform"), "kind": Categorical(["x", "y"], prior=[0.9, 0.1])})
    drawn = [space.sample(np.random.default_rng(seed))["values"] for seed in range(500)]
    assert abs(np.mean([values["lr"] < 1e-2 for values in drawn]) - 0.5) < 0.1
    assert abs(np.mean([values["kind"] == 0 for values in drawn]) - 0.9) < 0.05


def test_encode_takes_the_branch_that_fits():
    space = Space([{"kind": ["a"], "C": [1, 2]}, {"kind": ["b"], "C": [1, 2]}, {"kind": ["c"]}])
    assert space.encode({"kind": "b", "C": 2}) == {"branch": 1, "values": {"C": 1, "kind": 0}}
    assert space.encode({"kind": "c"})["branch"] == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"C": 1, "kernel": "poly"}, "parameter 'kernel': 'poly' is not among"),
        ({"C": 1000, "kernel": "rbf"}, "parameter 'C': 1000 is not a number from 0.1 to 10"),
        ({"C": 1, "kernell": "rbf"}, "parameter 'kernell' is not in the space; did you mean 'kernel'?"),
        ({"C": 1, "zzz": "rbf"}, r"parameter 'zzz' is not in the space; known are \['C', 'kernel'\]"),
        (
            {"C": 1},
            r"no branch of the space has exactly the parameters \['C'\]: the branches have \[\['C', 'kernel'\]\]",
        ),
    ],
)
def test_encode_says_what_does_not_fit(values, message):
    space = Space({"C": loguniform(0.1, 10), "kernel": ["rbf", "linear"]})
    with pytest.raises(ValueError, match=message):
        space.encode(values)


@pytest.mark.parametrize(
    ("space", "error", "message"),
    [
        ([], ValueError, "space is an empty list"),
        ("C", TypeError, "space must be a dict or a list of dicts, got 'C'"),
        ([{"C": [1]}, 3], TypeError, "space must be a dict or a list of dicts"),
        ({3: [1]}, TypeError, "names in space must be strings, got 3"),
        ({"C": []}, ValueError, "parameter 'C' has an empty list of choices"),
        ({"C": "abc"}, TypeError, r"parameter 'C' must be a list of choices.*got 'abc'.*write \['abc'\]"),
        ({"C": 1.0}, TypeError, r"parameter 'C' must be a list of choices.*write \[1.0\]"),
        ({"C": np.ones((2, 2))}, ValueError, r"parameter 'C' must be a one-dimensional array.*got shape \(2, 2\)"),
    ],
)
def test_bad_spaces(space, error, message):
    with pytest.raises(error, match=message):
        Space(space)


def test_a_grid_needs_finite_lists():
    with pytest.raises(ValueError, match="parameter 'C' has infinitely many values"):
        Space({"C": uniform(0, 1), "a": [1]}).grid()


def test_nth_ends_with_the_grid():
    with pytest.raises(IndexError):
        Space({"a": [1, 2]}).nth(2)


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, math.inf]])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="weights"):
        Space([{"a": [1]}, {"b": [1]}], weights=weights)


@pytest.mark.parametrize(
    "params",
    [
        {"branch": 1, "values": {"a": 0}},
        {"branch": 0, "values": {}},
        {"branch": 0, "values": {"a": 2}},
        {"branch": 0, "values": {"a": 0.5}},
    ],
)
def test_what_is_not_in_the_space(params):
    assert not Space({"a": [1, 2]}).contains(params)


def test_a_distribution_without_parameters_is_in_its_standard_form():
    space = Space({"a": scipy.stats.norm})
    assert space.contains(space.encode({"a": 0.3}))


def test_groups_are_dimensions_of_the_same_branches():
    shared = {"C": loguniform(0.1, 10), "kind": [None, "a"]}
    space = Space([{**shared, "x": uniform(0, 1)}, {**shared, "y": uniform(0, 1)}, {"C": loguniform(0.1, 99)}])
    assert space.groups == [{0: [0, 1], 1: [0, 1]}, {2: [0]}, {0: [2]}, {1: [2]}]


def test_objects_that_only_draw():
    class Dice:
        def rvs(self, random_state):
            return random_state.randint(1, 7)

    space = Space({"n": Dice()})
    params = space.sample(np.random.default_rng(0))
    assert 1 <= space.decode(params)["n"] <= 6
    assert space.contains(params)
