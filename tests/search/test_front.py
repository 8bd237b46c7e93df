"""Choosing a row of cv_results_."""

import numpy as np
import pytest

from skauto.search._front import best, candidates, knee, metric_names, one_standard_error, pareto_front

NAN = np.nan
RESULTS = {
    "mean_test_quality": np.array([0.9, 0.8, 0.5, 0.7, NAN, 0.95]),
    "mean_test_thrift": np.array([-9.0, -2.0, -1.0, -5.0, -1.0, NAN]),
}


def test_names_in_order():
    assert metric_names(RESULTS) == ["quality", "thrift"]


def test_rows_without_all_scores_cannot_win():
    assert candidates(RESULTS).tolist() == [0, 1, 2, 3]


def test_only_the_highest_fidelity_can_win():
    results = RESULTS | {"fidelity": np.array([0.1, 0.3, 0.3, 0.1, 1.0, 1.0])}
    assert candidates(results).tolist() == [1, 2]


def test_front_and_knee():
    assert pareto_front(RESULTS).tolist() == [0, 1, 2]
    assert knee(RESULTS) == 1


def test_equal_rows_are_both_on_the_front():
    results = {"mean_test_score": np.array([0.5, 0.7, 0.7])}
    assert pareto_front(results).tolist() == [1, 2]
    assert best(results, "score", candidates(results)) == 1


def test_constraints():
    assert candidates(RESULTS, {"thrift": -2}).tolist() == [1, 2]
    with pytest.raises(ValueError, match="no trial reaches thrift >= 0, the best has -1"):
        candidates(RESULTS, {"thrift": 0})


def test_one_standard_error():
    results = {
        "mean_test_score": np.array([0.80, 0.79, 0.70]),
        "std_test_score": np.array([0.04, 0.0, 0.0]),
        "mean_fit_time": np.array([9.0, 1.0, 0.1]),
        "mean_score_time": np.zeros(3),
    }
    assert one_standard_error(results, "score", np.arange(3), n_splits=4) == 1
