"""Configurations as rows of numbers."""

import numpy as np
from scipy.stats import loguniform, uniform

from skauto.search._space import Space
from skauto.search.strategies._columns import Columns

C = loguniform(1e-2, 1e2)


def row(space, values, branch=None):
    params = space.encode(values, branch)
    return Columns(space).rows(params["branch"], np.array([space.to_unit_branch(params)]))[0]


def test_numbers_lie_on_the_unit_scale_and_choices_have_a_column_each():
    space = Space({"C": C, "kind": ["a", "b", "c"]})
    np.testing.assert_allclose(row(space, {"C": 1.0, "kind": "b"}), [0.5, 0, 1, 0])
    assert Columns(space).length_of.tolist() == [0, 1, 1, 1]
    assert Columns(space).n_lengths == 2


def test_a_dimension_of_two_branches_has_one_column():
    space = Space([{"C": C, "gamma": uniform(0, 1)}, {"C": C, "kind": ["a", "b"]}])
    first, second = row(space, {"C": 100.0, "gamma": 0.25}), row(space, {"C": 100.0, "kind": "a"})
    np.testing.assert_allclose(first[:2], [1, 0])
    np.testing.assert_allclose(second[:2], [0, 1])
    shared = np.flatnonzero((first == 1) & (second == 1))
    assert len(shared) == 1


def test_what_a_branch_lacks_stands_in_the_middle():
    space = Space([{"x": uniform(0, 1)}, {"kind": ["a", "b", "c", "d"]}])
    np.testing.assert_allclose(row(space, {"x": 0.1}), [1, 0, 0.1, 0.25, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(row(space, {"kind": "d"}), [0, 1, 0.5, 0, 0, 0, 1])


def test_a_branch_without_dimensions():
    space = Space([{"x": uniform(0, 1)}, {}])
    np.testing.assert_allclose(Columns(space).rows(1, np.empty((2, 0))), [[0, 1, 0.5]] * 2)
