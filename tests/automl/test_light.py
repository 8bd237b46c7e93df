"""A fitted model is cheap to use: what a new process loads to predict, and what one row costs there."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.naive_bayes import GaussianNB

from skauto import AutoClassifier, Candidate, save_model
from skauto.automl._search_step import said_of_the_end

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)

USE = """
    import sys, numpy as np
    from skauto import load_model
    model = load_model(sys.argv[1])
    proba = model.predict_proba(np.load(sys.argv[2], allow_pickle=False))
    np.save(sys.argv[3], proba)
    print(sorted(name for name in ("torch", "skorch", "skopt", "matplotlib") if name in sys.modules))
"""


@pytest.mark.slow
def test_what_has_no_network_loads_no_torch(tmp_path):
    candidates = ["lightgbm", "logistic", "extra_trees", "svm", "hist_boosting", "random_forest"]
    auto = AutoClassifier(
        n_iter=6, time_limit=None, cv=3, candidates=candidates, pos_label=0, random_state=0, verbose=0, n_jobs=1
    )
    rows = X.to_numpy()
    auto.fit(rows, Y)
    assert len(auto.ensemble_.estimators_) > 1
    files = [str(tmp_path / name) for name in ("model", "rows.npy", "proba.npy")]
    save_model(auto, files[0])
    np.save(files[1], rows)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(USE), *files], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(files[2]), auto.predict_proba(rows), atol=1e-6)


@pytest.mark.parametrize(
    ("reason", "left", "expected"),
    [
        (
            "n_iter",
            30.0,
            "the search ends 30 s early, after 9 trials: on 80 rows more of them would only choose by luck",
        ),
        ("finished", 30.0, "the search ends 30 s early, after 9 trials: there is nothing else to try"),
        ("n_iter", 0.5, ""),
        ("time limit", 0.0, ""),
        ("interrupted", 30.0, ""),
    ],
)
def test_a_search_that_ends_early_says_why(reason, left, expected):
    assert said_of_the_end(reason, 9, 80, left) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "candidate", "why"),
    [
        ("auto", "naive_bayes", "on 80 rows more of them would only choose by luck"),
        ("grid", Candidate("mine", GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}), "nothing else to try"),
    ],
)
def test_a_small_table_ends_before_its_time(strategy, candidate, why, capsys):
    auto = AutoClassifier(
        strategy=strategy, candidates=[candidate], time_limit=60, n_jobs=1, pos_label=0, random_state=0
    )
    auto.fit(X[:80], Y[:80])
    lines = [line for line in capsys.readouterr().err.splitlines() if "early" in line]
    assert len(lines) == 1
    assert lines[0].endswith(why)


@pytest.mark.slow
def test_a_number_of_trials_that_was_asked_for_needs_no_word(capsys):
    AutoClassifier(n_iter=2, candidates=["naive_bayes"], time_limit=60, n_jobs=1, pos_label=0).fit(X[:80], Y[:80])
    assert "early" not in capsys.readouterr().err
