"""Spaces as users of scikit-optimize write them: a tuple with a prior is a range, one of two numbers is asked about."""

import warnings

import numpy as np
import pandas as pd
import pytest
from skopt.space import Integer, Real

from skauto.search import Space, maximize


def values(given, n_iter=60):
    """What a random search tries."""
    history = maximize(lambda params: 0.0, {"x": given}, strategy="random", n_iter=n_iter, random_state=0)
    return [history.space.decode(trial.params)["x"] for trial in history.trials]


@pytest.mark.parametrize("kind", [tuple, list])
@pytest.mark.parametrize(
    ("given", "same"),
    [
        ((1e-3, 1e3, "log-uniform"), Real(1e-3, 1e3, prior="log-uniform")),
        ((1e-3, 1e3, "uniform"), Real(1e-3, 1e3)),
        ((1, 500, "log-uniform"), Integer(1, 500, prior="log-uniform")),
        ((1, 500, "uniform"), Integer(1, 500)),
        ((1, 2.5, "uniform"), Real(1.0, 2.5)),
    ],
)
def test_a_range_with_a_prior(given, same, kind):
    """It was taken for three choices."""
    assert values(kind(given)) == values(same)


def test_half_of_a_log_range_lies_below_its_geometric_middle():
    tried = np.array(values((1e-3, 1e3, "log-uniform"), 400))
    assert 0.4 < np.mean(tried < 1) < 0.6


@pytest.mark.parametrize(
    "given",
    [
        (10, 1, "uniform"),
        (0, 1, "log-uniform"),
        (-1.0, 1.0, "log-uniform"),
        (1, 1, "uniform"),
        (0.0, np.inf, "uniform"),
    ],
)
def test_a_range_that_is_none(given):
    with pytest.raises(ValueError, match="parameter 'C': the range .* needs"):
        Space({"C": given})


@pytest.mark.parametrize("given", [(1e-3, 1e3), (1, 100), (0.0, 1.0)])
def test_two_numbers_in_a_tuple_are_asked_about(given):
    with pytest.warns(UserWarning, match="parameter 'C': .* is a choice of two values"):
        space = Space({"C": given})
    assert space.size == 2


@pytest.mark.parametrize(
    "given", [[1e-3, 1e3], (1, 2), (True, False), ("a", 1), (1, 2, 3), (1, 10, "sqrt"), ("l1", "l2")]
)
def test_other_tuples_and_lists_are_choices_without_a_word(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Space({"C": given}).size == len(given)


@pytest.mark.parametrize(
    "written",
    [("loguniform", 1e-3, 1.0), ["uniform", 1e-3, 1.0], (1e-3, 1.0, "log"), (1e-3, 1.0, "log-uniform", 10),
     {"low": 0.1, "high": 1.0}],
)  # fmt: skip
def test_ranges_as_other_libraries_write_them_are_refused_with_the_way_to_write_them(written):
    """They were taken for choices, and a trial ran with C="loguniform"."""
    with pytest.raises((ValueError, TypeError), match="looks like a range, which is written .*'log-uniform'"):
        Space({"C": written})


def test_choices_in_a_set_or_series_are_to_become_a_list():
    for choices in ({0.1, 1.0}, pd.Series([0.1, 1.0]), iter([0.1, 1.0])):
        with pytest.raises(
            TypeError, match=r"parameter 'C' must be a list of choices, got .*: write list\(...\) round it"
        ):
            Space({"C": choices})
