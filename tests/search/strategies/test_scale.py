"""Scores of several fidelities on one scale."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._scale import on_one_scale


def scaled(*steps):
    """{number: value on one scale} of (x, fidelity, score) told in this order."""
    history = History(Space({"x": uniform(0, 1)}), seed=0)
    for number, (x, fidelity, score) in enumerate(steps):
        history.asked(Trial(number, {"branch": 0, "values": {"x": x}}, fidelity))
        history.told(Result(number, Status.COMPLETE, score))
    return {trial.number: value for trial, value in on_one_scale(history)}


def test_one_fidelity_stays_as_it_is():
    assert scaled((0.1, 1.0, 3.0), (0.2, 1.0, 2.0)) == {0: 3.0, 1: 2.0}
    assert scaled((0.1, 0.5, 3.0)) == {0: 3.0}
    assert scaled() == {}


def test_a_lower_fidelity_is_moved_by_the_median_gain():
    found = scaled((0.1, 0.5, 3.0), (0.2, 0.5, 2.0), (0.3, 0.5, 2.9), (0.1, 1.0, 4.0), (0.3, 1.0, 4.1), (0.9, 1.0, 1.0))
    assert found == {1: pytest.approx(2.0 + 1.1), 3: 4.0, 4: 4.1, 5: 1.0}


def test_gains_add_up_over_the_rungs():
    found = scaled((0.1, 0.1, 1.0), (0.2, 0.1, 0.5), (0.1, 0.3, 2.0), (0.4, 0.3, 1.5), (0.1, 1.0, 5.0))
    assert found == {1: 0.5 + 1 + 3, 3: 1.5 + 3, 4: 5.0}


def test_where_none_went_on_the_lower_ranks_below():
    found = scaled((0.1, 0.5, 9.0), (0.2, 0.5, 8.0), (0.3, 1.0, 2.0), (0.4, 1.0, 3.0))
    assert found == {0: 2.0, 1: 1.0, 2: 2.0, 3: 3.0}
