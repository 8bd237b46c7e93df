"""Bounds on what AutoClassifier may choose: read, measured, held, and part of the search of images."""

import io
import re

import joblib
import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from skauto.automl.evaluation._constraints import Constraints
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.evaluation._measurements import shortest
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.estimators import CNNClassifier, CompressedClassifier, Prune, Quantize
from skauto.search._trial import InfeasibleError, Trial
from tests.support.autos import all_complete, quick
from tests.support.clock import Clock
from tests.support.trials import make_plan, read_images, scored


def few_weights(estimator, X, y):
    """A measure of one's own: minus the numbers of a logistic regression; anything else has far too many."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return -last.coef_.size if hasattr(last, "coef_") else -1e9


def table():
    return make_classification(200, n_features=6, n_informative=4, random_state=0)


def stored(estimator):
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.tell()


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ({}, "bounds nothing"),
        ({"size": 3}, r"constraints\['size'\]=3 cannot be used; bytes and latency_ms take a number"),
        ({"bytes": 0}, r"constraints\['bytes'\]=0 must be above 0"),
        ({"bytes": "1 kB"}, "cannot be used"),
        ({"latency_ms": np.nan}, "cannot be used"),
        ({"bytes": (few_weights, 3)}, "cannot be used"),
        ({"weights": (few_weights, None)}, "cannot be used"),
    ],
)
def test_bounds_that_are_none_are_named(constraints, said):
    with pytest.raises(ValueError, match=said):
        quick(constraints=constraints).fit(*table())


def test_measures_are_those_of_the_fitted_model():
    X, y = table()
    model = LogisticRegression().fit(X, y)
    bounds = read_constraints({"bytes": 1e6, "latency_ms": 1e4, "weights": (few_weights, -6)})
    values = bounds.measure(model, X[:1], (X, y))
    assert values["bytes"] == stored(model)
    assert values["weights"] == -6
    assert 0 < values["latency_ms"] < 1e4
    assert bounds.hold(values)
    assert not bounds.hold({**values, "bytes": 1e6 + 1})
    assert not bounds.hold({**values, "weights": -7})
    assert str(bounds) == "bytes <= 1000000, latency_ms <= 10000, weights >= -6"


@pytest.mark.slow
@pytest.mark.parametrize("candidate", ["extra_trees", "lightgbm"])
def test_what_is_too_large_does_not_win(candidate):
    X, y = table()
    free = quick(candidates=["logistic", candidate], n_iter=12).fit(X, y)
    assert free.pareto_front_ is None
    auto = quick(candidates=["logistic", candidate], n_iter=12, constraints={"bytes": 10_000}).fit(X, y)
    board = auto.leaderboard(details=True)
    assert all_complete(auto)
    assert (board.loc[board["candidate"] == candidate, "bytes"] > 10_000).any()
    assert stored(auto.ensemble_) <= 10_000
    assert stored(auto.best_estimator_) <= 10_000
    assert board.loc[board["candidate"] == "ensemble", "bytes"].item() == stored(auto.ensemble_)
    front = auto.pareto_front_
    assert front["score"].is_monotonic_decreasing
    assert front["bytes"].is_monotonic_decreasing
    assert board["score"].max() == front["score"].iloc[0]


def test_a_measure_of_ones_own_is_held_to_too():
    auto = quick(candidates=["logistic", "naive_bayes"], n_iter=3, constraints={"weights": (few_weights, -40)})
    auto.fit(*table())
    assert auto.best_params_["candidate"] == "logistic"
    assert auto.leaderboard(details=True)["weights"].min() == -1e9


def test_bounds_that_nothing_meets_are_an_error_with_the_nearest():
    with pytest.raises(ValueError, match="none of 2 trials is within bytes <= 100; the nearest, .* has bytes [0-9]"):
        quick(constraints={"bytes": 100}).fit(*table())


def digits():
    X, y = load_digits(n_class=4, return_X_y=True)
    return X[:240].reshape(-1, 8, 8), y[:240]


def test_trials_that_were_not_measured_may_be_within_the_bounds():
    """A search that ends with trials on a part of the rows alone: they are measured once they are refitted."""
    partial = scored(0, 0.6, [0.6])
    assert partial.footprint is None
    assert read_constraints({"bytes": 1_000}).allowed([partial], []) == [partial]


def test_networks_that_cannot_be_within_bounds_are_not_trained():
    with pytest.raises(
        ValueError, match="none of 2 trials is near enough to bytes <= 1000, the first: InfeasibleError"
    ):
        quick(candidates=["cnn"], kind="image", constraints={"bytes": 1_000}).fit(*digits())
    with pytest.raises(ValueError, match="none of 1 trials is near enough to latency_ms <= 0.001"):
        quick(candidates=["cnn"], kind="image", n_iter=1, constraints={"latency_ms": 1e-3}).fit(*digits())


def test_others_go_on_where_networks_are_too_large():
    auto = quick(candidates=["logistic", "cnn"], kind="image", n_iter=3, constraints={"bytes": 15_000}).fit(*digits())
    board = auto.leaderboard(details=True).set_index("trial")
    assert board.loc[[0, 1, 2], "status"].tolist() == ["complete", "infeasible", "infeasible"]
    assert re.search(
        "bytes [0-9]+ when fitted on a few rows, where it must be within bytes <= 15750", board.loc[1, "reason"]
    )
    assert auto.best_params_["candidate"] == "logistic"


def test_forests_that_few_rows_make_too_large_are_not_grown():
    auto = quick(candidates=["logistic", "extra_trees"], kind="image", constraints={"bytes": 15_000}).fit(*digits())
    assert auto.leaderboard(details=True).set_index("trial").loc[[0, 1], "status"].tolist() == [
        "complete",
        "infeasible",
    ]


def plan_of_images(constraints):
    X, y = digits()
    data = read_images(X, y)
    given = {"scoring": "f1", "cv": 2, "candidates": ["compressed_cnn"], "pos_label": None, "seed": 0, "threads": 1}
    return make_plan(data, **given, constraints=read_constraints(constraints))


@pytest.mark.parametrize(
    ("candidate", "measured", "told"),
    [
        ("compressed_cnn", {"bytes": 104.0, "latency_ms": 0.8}, True),
        ("compressed_cnn", {"bytes": 106.0, "latency_ms": 0.8}, None),
        ("compressed_cnn", {"bytes": 90.0, "latency_ms": 0.95}, None),
        ("logistic", {"bytes": 100.0, "latency_ms": 1.4}, False),
        ("logistic", {"bytes": 101.0, "latency_ms": 0.8}, None),
        ("logistic", {"bytes": 90.0, "latency_ms": 1.6}, None),
    ],
)
def test_how_near_to_the_bounds_a_model_of_few_rows_may_be(monkeypatch, candidate, measured, told):
    """`told` is whether the trial hears of what was measured; None where it is not worth any effort."""
    context = plan_of_images({"bytes": 1e7}).context
    bounds = read_constraints({"bytes": 100, "latency_ms": 1.0})
    monkeypatch.setattr(Constraints, "_measured_on_few_rows", lambda self, *args: measured)
    if told is None:
        with pytest.raises(InfeasibleError):
            bounds.check_feasible(context, {"candidate": candidate}, 0)
    else:
        assert bounds.check_feasible(context, {"candidate": candidate}, 0) == (measured if told else None)


def test_what_is_checked_on_few_rows_is_as_large_as_the_network_will_be(monkeypatch):
    measured, real = [], Constraints._measured_on_few_rows

    def spied(self, *args):
        measured.append(real(self, *args))
        return measured[-1]

    monkeypatch.setattr(Constraints, "_measured_on_few_rows", spied)
    for part in ("_epoch_planning", "_learners"):
        monkeypatch.setattr(f"skauto.automl.images.{part}.EPOCHS", 6)
    plan = plan_of_images({"bytes": 1e7})
    for number, params in enumerate(plan.initial[-3:]):
        made = evaluate(plan.context, Trial(number, params))
        assert measured[-1]["bytes"] == pytest.approx(made.footprint["bytes"], rel=0.15)


def test_milliseconds_that_are_just_too_many_are_measured_again(monkeypatch):
    bounds, row, clock, given = read_constraints({"latency_ms": 1.0}), np.zeros((1, 2)), Clock(), []

    def latency_ms(model, row):
        clock.now += 0.5
        return given.pop(0)

    monkeypatch.setattr("skauto.automl.evaluation._constraints.latency_ms", latency_ms)
    monkeypatch.setattr("skauto.automl.evaluation._constraints.time.monotonic", clock)

    def measured(*times, seconds, bounds=bounds):
        given[:] = times
        return bounds.measure(None, row, left=None if seconds is None else lambda: seconds)["latency_ms"]

    assert measured(1.5, 1.2, 0.9, 0.1, seconds=100.0) == 0.9
    assert measured(1.5, *[1.2] * 8, 0.1, seconds=100.0) == 1.2  # after four seconds
    assert measured(2.1, 0.1, seconds=100.0) == 2.1  # hopeless
    assert measured(1.5, 1.4, 0.1, seconds=5.0) == 1.4  # half a second of the five is soon over
    assert measured(1.5, 0.1, seconds=None) == 1.5
    large = read_constraints({"latency_ms": 1.0, "bytes": 1.0})
    assert measured(1.5, 0.1, seconds=100.0, bounds=large) == 1.5  # what is too large need not be quick


def test_the_least_milliseconds_of_a_trial_and_its_rehearsal_count(monkeypatch):
    for part in ("_epoch_planning", "_learners"):
        monkeypatch.setattr(f"skauto.automl.images.{part}.EPOCHS", 6)
    given, rows = [0.8, 1.3], []

    def latency_ms(model, row):
        rows.append(row)
        return given.pop(0)

    monkeypatch.setattr("skauto.automl.evaluation._constraints.latency_ms", latency_ms)
    plan = plan_of_images({"latency_ms": 1.0})
    assert evaluate(plan.context, Trial(0, plan.initial[-1])).footprint == {"latency_ms": 0.8}
    for row in rows:  # the same, as series differ in length
        np.testing.assert_array_equal(row, plan.context.X[:1])


def test_every_number_of_epochs_and_rounds_is_one_in_a_rehearsal():
    model = CompressedClassifier(CNNClassifier(max_epochs=9), [("a", Prune(epochs=4)), ("b", Quantize("int8"))])
    short = shortest(Pipeline([("classify", model)])).steps[0][1]
    assert (short.estimator.max_epochs, short.steps[0][1].epochs, short.steps[1][1].epochs) == (1, 1, 1)
    assert shortest(Pipeline([("classify", LGBMClassifier(n_estimators=50))])).steps[0][1].n_estimators == 1


@pytest.mark.slow
def test_images_are_compressed_where_bytes_are_bounded():
    X, y = digits()
    named = {"candidates": ["compressed_cnn", "extra_trees"], "n_iter": 3}
    auto = quick(**named, kind="image", constraints={"bytes": 60_000}).fit(X, y)
    assert auto.leaderboard(details=True).set_index("trial").loc[[0, 1, 2], "status"].tolist() == ["infeasible"] + 2 * [
        "complete"
    ]
    network = auto.best_estimator_.steps[-1][1].estimator_
    assert isinstance(network, CompressedClassifier)
    assert stored(auto.ensemble_) <= 60_000
    assert auto.score(X, y) > 0.9
