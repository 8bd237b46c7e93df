"""Members of an ensemble are held to what they are counted to cost."""

import pytest

from skauto import AutoClassifier
from skauto.automl.selection._lighten import MOST_BYTES, MOST_NS_PER_ROW, affordable, lightened
from skauto.automl.selection._shortlist import most_members
from skauto.estimators.footprints._counted import Counted
from tests.support.autos import X, Y, quick
from tests.support.trials import scored

HALF = MOST_NS_PER_ROW / 2


def members(*weights):
    return [(scored(number, 0.5, [0.5]), weight) for number, weight in enumerate(weights)]


def kept(weights, costs):
    given = dict(enumerate(costs))
    return [trial.number for trial, _ in affordable(members(*weights), given)]


@pytest.mark.parametrize(
    ("weights", "ns", "expected"),
    [
        ([0.6, 0.4], [HALF, HALF], [0, 1]),
        ([0.6, 0.4], [HALF, HALF + 1], [0]),
        ([0.9, 0.06, 0.04], [HALF, 1.0, 2 * HALF], [0, 1]),  # that of 4 % has two thirds of the cost
        ([0.5, 0.3, 0.2], [2 * HALF, 2 * HALF, 2 * HALF], [0]),
        ([0.1, 0.9], [1.0, 4 * HALF], [0]),
        ([1.0], [9 * HALF], [0]),
    ],
)
def test_most_cost_for_the_weight_goes_first(weights, ns, expected):
    assert kept(weights, [Counted(cost) for cost in ns]) == expected


def test_bytes_count_as_nanoseconds_do():
    costs = [Counted(0.0, MOST_BYTES * 0.7), Counted(0.0, MOST_BYTES * 0.7), Counted(1.0, 1.0)]
    assert kept([0.5, 0.3, 0.2], costs) == [0, 2]


class Said:
    """What a Finishing gives here: a line of progress."""

    def __init__(self):
        self.progress, self.lines = self, []

    def say(self, line):
        self.lines.append(line)


class Odd:
    """A class of the user that cannot be counted."""

    def fit(self):
        return self

    @property
    def steps(self):
        raise RuntimeError("not here")


def test_what_cannot_be_counted_is_kept():
    finishing, given = Said(), members(0.5, 0.5)
    assert lightened(finishing, given, [Odd(), Odd()]) == given
    assert finishing.lines == []


@pytest.mark.parametrize(
    ("ensemble", "n_rows", "expected"),
    [("auto", 20, 4), ("auto", 100, 4), ("auto", 2_500, 15), ("auto", 10**6, 40), (True, 500, 8)]
    + [("single", 10**6, 1), (False, 10**6, 1), (1, 500, 1), (6, 100, 6)],
)
def test_the_most_members(ensemble, n_rows, expected):
    assert most_members(ensemble, n_rows) == expected


@pytest.mark.parametrize(("ensemble", "most"), [("auto", 4), (True, 4), (2, 2), (1, 1), ("single", 1), (False, 1)])
def test_an_ensemble_has_no_more_members(ensemble, most):
    kinds = ["naive_bayes", "logistic", "extra_trees", "knn", "svm"]
    auto = quick(ensemble=ensemble, candidates=kinds, n_iter=6).fit(X[:100], Y[:100])
    assert len(auto.ensemble_.estimators_) <= most
    weights = [weight for _, _, weight in auto.leaderboard(details=True).query("trial == -1")["params"].iloc[0]]
    assert sum(weights) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("wrong", ["most", 0, -1, 2.5, None])
def test_an_ensemble_that_is_none(wrong):
    with pytest.raises(ValueError, match="'ensemble' parameter of AutoClassifier must be"):
        AutoClassifier(ensemble=wrong, verbose=0).fit(X, Y)
