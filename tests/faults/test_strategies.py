"""What strategies make of branches, of failures and of long searches, against random search and formulas."""

import math

import numpy as np
import pytest
from scipy.stats import loguniform, uniform

from skauto.search import Reinforce, maximize

U = uniform(0, 1)


def kernels(params):
    """Three kernels with a C, gamma and degree of their own; the best value is 0."""
    if "rbf_C" in params:
        return -0.08 * math.log10(params["rbf_C"] / 40) ** 2 - 0.08 * math.log10(params["rbf_gamma"] / 0.005) ** 2
    if "poly_C" in params:
        slope = math.log10(params["poly_C"]) + math.log10(params["poly_gamma"])
        return -0.4 - 0.05 * (slope + 1) ** 2 - 0.05 * abs(params["degree"] - 3)
    return -0.6 - 0.04 * math.log10(params["sigmoid_C"]) ** 2 - 0.08 * math.log10(params["sigmoid_gamma"] / 0.01) ** 2


KERNELS = [
    {"rbf_C": loguniform(1e-3, 1e4), "rbf_gamma": loguniform(1e-5, 1e1)},
    {"poly_C": loguniform(1e-4, 1e2), "poly_gamma": loguniform(1e-4, 1e1), "degree": [2, 3, 4, 5, 6, 7]},
    {"sigmoid_C": loguniform(1e-3, 1e3), "sigmoid_gamma": loguniform(1e-6, 1)},
]


def hidden(params):
    """A branch that is fair everywhere, and one that is better in a twentieth of its space."""
    if "a" in params:
        return -0.5 - 0.1 * abs(params["a"] - 0.5)
    return -3.0 * sum((params[name] - best) ** 2 for name, best in (("e", 0.3), ("f", 0.6), ("g", 0.8)))


HIDDEN = [{"a": U, "b": U}, {"c": U, "d": U}, {"e": U, "f": U, "g": U}]


def hidden_of_three(params):
    return -0.6 - 0.1 * abs(params["c"] - 0.2) if "c" in params else hidden(params)


def regret(function, space, strategy, n_iter, seeds):
    """The mean regret of some seeds; the best value is 0."""
    found = [maximize(function, space, strategy=strategy, n_iter=n_iter, random_state=seed) for seed in range(seeds)]
    return -np.mean([history.best()[1].score for history in found])


@pytest.mark.parametrize(("function", "space"), [(kernels, KERNELS), (hidden_of_three, HIDDEN)])
def test_tpe_finds_its_way_through_branches(function, space):
    """On spaces of branches it was no better than random search: now it has a third of its regret."""
    ours, random = (regret(function, space, strategy, 60, seeds=8) for strategy in ("tpe", "random"))
    assert ours < random / 3


def test_names_that_branches_share_may_mean_something_else_in_each():
    """C and gamma of one name and range in three branches, with another best value in each."""
    best = {"rbf": (1e2, 1e-3), "poly": (1e-2, 1e-1), "sigmoid": (1.0, 1e-5)}

    def score(params):
        C, gamma = best[params["kernel"]]
        off = math.log10(params["C"] / C) ** 2 + math.log10(params["gamma"] / gamma) ** 2
        return -0.05 * off - 0.3 * (params["kernel"] != "rbf")

    numbers = {"C": loguniform(1e-4, 1e4), "gamma": loguniform(1e-6, 1e1)}
    space = [{"kernel": [kernel], **numbers} for kernel in best]
    ours, random = (regret(score, space, strategy, 60, seeds=6) for strategy in ("tpe", "random"))
    assert ours < random / 3


def table_of(seed):
    """Eight choices of eight values, each with its own part of the score, and the best score."""
    table = np.random.default_rng(seed).normal(size=(8, 8))
    space = {f"p{i}": list(range(8)) for i in range(8)}
    return lambda params: float(sum(table[i, params[f"p{i}"]] for i in range(8))), space, table.max(axis=1).sum()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_reinforce_does_not_fall_back(seed):
    """Its policy came to write one configuration only; the repeats were replaced by random ones of score 1."""
    score, space, best = table_of(seed)
    history = maximize(score, space, strategy="reinforce", n_iter=1000, random_state=seed)
    scores = np.array([history.result(trial.number).score for trial in history.trials])
    means = scores.reshape(10, 100).mean(axis=1)
    assert (means[1:] > 0.9 * np.maximum.accumulate(means)[:-1]).all()
    assert means[-1] > 0.7 * best
    assert scores.max() > 0.98 * best
    late = np.array([list(trial.params["values"].values()) for trial in history.trials[-200:]])
    assert min(len(set(column)) for column in late.T) > 1, "no choice is settled for ever"


def test_reinforce_ends_where_all_has_been_tried():
    history = maximize(lambda params: params["a"] + params["b"], {"a": [1, 2, 3], "b": [1, 2, 3]}, strategy=Reinforce(),
                       n_iter=50, random_state=0)  # fmt: skip
    assert len(history) == 9


def in_a_corner(params):
    if params["x"] < 0.5 and params["y"] < 0.5:
        raise ValueError("a quarter fails")
    return -abs(params["x"] - 0.8) - abs(params["y"] - 0.3)


def of_a_kind(params):
    if params["kind"] in "ab":
        raise MemoryError("half of the choices fail")
    return -abs(params["x"] - 0.3)


def of_a_branch(params):
    if "z" in params:
        return float("nan")
    return -abs(params["x"] - 0.3)


FAILING = [
    (in_a_corner, {"x": U, "y": U}, 0.25),
    (of_a_kind, {"kind": list("abcd"), "x": U}, 0.5),
    (of_a_branch, [{"x": U}, {"z": U}], 0.5),
]


@pytest.mark.parametrize(
    "strategy",
    ["tpe", "swarm", "genetic", "annealing", "ants", "reinforce", pytest.param("auto", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("place", range(3))
def test_regions_that_fail_are_avoided(place, strategy):
    """Particles and steps went on where trials fail: late asks must fail at most half as often as random ones."""
    function, space, share = FAILING[place]
    failed = []
    for seed in range(2):
        history = maximize(function, space, strategy=strategy, n_iter=70, random_state=seed)
        failed += [history.result(number).status != "complete" for number in range(30, 70)]
    assert np.mean(failed) <= share / 2


@pytest.mark.parametrize("strategy", ["tpe", "swarm", "genetic", "annealing"])
def test_one_bad_start_does_not_close_a_branch(strategy):
    """The best lies in a branch where half of the trials fail, the first ones among them."""

    def score(params):
        if "y" in params:
            if params["y"] < 0.5:
                raise ValueError("half of the better branch")
            return 1.0 - abs(params["y"] - 0.8)
        return -abs(params["x"] - 0.5)

    best = [
        maximize(score, [{"x": U}, {"y": U}], strategy=strategy, n_iter=80, random_state=seed).best()[1].score
        for seed in range(3)
    ]
    assert min(best) > 0.8
