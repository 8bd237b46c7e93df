"""One bad trial never ends a search: it is a row with its reason, and the fit ends fitted."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.utils.validation import check_is_fitted

from skauto.automl._kind import KINDS
from tests.support.autos import mixed_table, quick
from tests.support.faulty import with_faults

# Half of the targets here have 0 as the rarer class, which is said; one test is about that.
pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")


@pytest.fixture
def portfolio(monkeypatch):
    """Adds faulty candidates; workers import them from where they are defined."""
    return lambda *faults: monkeypatch.setitem(KINDS, "table", with_faults(*faults))


def rows(auto, name):
    return auto.leaderboard(details=True).query("candidate == @name")


@pytest.mark.slow
def test_candidates_that_raise_die_or_answer_nothing(portfolio):
    portfolio("raise", "kill", "leave", "nan")
    X, y = mixed_table()
    auto = quick(n_iter=6, candidates=["naive_bayes", "logistic", "raise", "kill", "leave", "nan"]).fit(X, y)
    found = auto.leaderboard(details=True).query("trial >= 0 and candidate in ['raise', 'kill', 'leave', 'nan']")
    found = found.drop_duplicates("candidate").set_index("candidate")
    assert found["status"].to_dict() == {"raise": "failed", "kill": "crashed", "leave": "crashed", "nan": "failed"}
    assert found.loc["raise", "reason"] == "ValueError: out of luck"
    assert "SIGKILL" in found.loc["kill", "reason"]
    assert "exit code 3" in found.loc["leave", "reason"]
    assert "NaN" in found.loc["nan", "reason"]
    assert auto.best_params_["candidate"] in {"naive_bayes", "logistic"}
    assert set(auto.predict(X)) <= {"yes", "no"}


@pytest.mark.slow
def test_a_candidate_that_kills_its_worker_once_has_a_second_chance(portfolio, tmp_path, monkeypatch):
    monkeypatch.setenv("SKAUTO_TEST_NOTE", str(tmp_path / "left"))
    portfolio("leave_once")
    X, y = mixed_table()
    auto = quick(n_iter=3, candidates=["logistic", "leave_once"]).fit(X, y)
    assert rows(auto, "leave_once").iloc[0]["status"] == "complete"
    assert (tmp_path / "left").exists()


@pytest.mark.slow
def test_a_candidate_that_hangs(portfolio):
    portfolio("hang")
    X, y = mixed_table()
    auto = quick(n_iter=4, time_limit=60, candidates=["naive_bayes", "logistic", "hang"], n_jobs=2).fit(X, y)
    hung = rows(auto, "hang").iloc[0]
    assert hung["status"] == "timed out"
    assert "limit" in hung["reason"]
    assert auto.budget_.loc["total", "used"] < 75
    check_is_fitted(auto.best_estimator_)


@pytest.mark.slow
def test_a_candidate_that_eats_memory(portfolio):
    portfolio("eat")
    X, y = mixed_table()
    auto = quick(n_iter=3, candidates=["naive_bayes", "logistic", "eat"], memory_limit="1GB").fit(X, y)
    eater = rows(auto, "eat").iloc[0]
    assert eater["status"] == "memory"
    assert "MB" in eater["reason"]
    assert auto.best_params_["candidate"] in {"naive_bayes", "logistic"}


@pytest.mark.slow
def test_a_candidate_that_cannot_be_refitted(portfolio):
    portfolio("refit")
    X, y = mixed_table()
    auto = quick(n_iter=3, candidates=["logistic", "refit"], scoring="accuracy").fit(X, y)
    assert rows(auto, "refit").iloc[0]["status"] == "complete"
    assert auto.best_params_["candidate"] == "logistic"


@pytest.mark.slow
def test_where_nothing_works_a_quick_model_does(portfolio):
    portfolio("raise")
    X, y = mixed_table()
    with pytest.warns(UserWarning, match="no trial was evaluated"):
        auto = quick(candidates=["raise"], n_iter=1).fit(X, y)
    assert auto.best_params_ == {}
    assert rows(auto, "raise")["reason"].tolist() == ["ValueError: out of luck"]
    assert set(auto.predict(X)) <= {"yes", "no"}
    assert np.isnan(auto.best_score_)


SCRIPT = """
    import os, signal, sys
    import numpy as np
    from skauto import AutoClassifier
    from skauto.automl._progress import Progress
    from skauto.search._workers import WorkerPool

    # Ctrl-C while the fit waits for its workers, once in each phase named; shells may start us deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    due = set(sys.argv[1:])
    where = {"phase": "", "done": 0}
    show, wait = Progress.show, WorkerPool.wait

    def note(self, phase, end=False):
        where.update(phase=phase, done=self.done)
        show(self, phase, end)

    def interrupted(self, timeout=None):
        if where["phase"] in due and where["done"] >= 2:
            due.remove(where["phase"])
            os.kill(os.getpid(), signal.SIGINT)
        return wait(self, timeout)

    Progress.show, WorkerPool.wait = note, interrupted
    X = np.random.default_rng(0).normal(size=(400, 5))
    auto = AutoClassifier(n_iter=8, time_limit=None, cv=3, n_jobs=2, candidates=["logistic", "naive_bayes"], verbose=0)
    auto.fit(X, X[:, 0] > 0)
    print("fitted", len(auto.predict(X)), (auto.leaderboard_["status"] == "cancelled").sum() > 0, due)
"""


def interrupt(project, *phases):
    """What a script says that gets SIGINT in these phases of its fit."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), *phases]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("phase", "cancelled"), [("searching", True), ("refit", False)])
def test_ctrl_c_keeps_the_best_so_far(project, phase, cancelled):
    ended = interrupt(project, phase)
    assert f"fitted 400 {cancelled} set()" in ended.stdout, ended.stderr
    assert ended.returncode == 0


@pytest.mark.slow
def test_a_second_ctrl_c_stops(project):
    ended = interrupt(project, "searching", "refit")
    assert "fitted" not in ended.stdout
    assert "KeyboardInterrupt" in ended.stderr
    assert ended.returncode != 0
