"""The fault table of docs/guide/faults.md: twenty things that go wrong in a search, and what the user sees."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning

from skauto.search import SearchCV
from skauto.search._journal import LOG, JournalError
from tests.support.shaky import Homebound, Shaky, X, Y, broken_score, nan_score, outcome

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"threshold": [-0.2, 0.0, 0.2]}


def with_fault(fault, **fixed):
    """A grid of which one configuration has the fault."""
    return [GOOD, {"threshold": [0.0], "fault": [fault], **{name: [value] for name, value in fixed.items()}}]


def search(space, **settings):
    return SearchCV(Shaky(), space, strategy="grid", cv=2, **settings)


def lost(search, status, reason):
    """The faulty row, the last, is told as it is; the others are there."""
    *others, last = [search.history_.results[k] for k in range(4)]
    assert [result.status for result in others] == ["complete"] * 3
    assert last.status == status
    assert reason in last.reason
    assert np.isnan(search.cv_results_["mean_test_score"][3])
    assert search.cv_results_["rank_test_score"][3] == 4


def test_a_fit_that_raises():
    with pytest.warns((FitFailedWarning, UserWarning)):
        made = search(with_fault("raise")).fit(X, Y)
    lost(made, "failed", "ValueError: out of luck")


@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_a_score_that_is_not_a_number():
    made = search({"threshold": [-0.2, 0.0, 0.2, 0.9]}, scoring=nan_score).fit(X, Y)
    lost(made, "failed", "not a finite number")


@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_a_scorer_that_raises():
    with pytest.warns(UserWarning, match="Scoring failed"):
        made = search({"threshold": [-0.2, 0.0, 0.2, 0.9]}, scoring=broken_score).fit(X, Y)
    lost(made, "failed", "not a finite number")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize(
    ("fault", "status", "reason", "limits"),
    [
        ("hang", "timeout", "longer than its limit", {"trial_time_limit": 2}),
        ("spin", "timeout", "longer than its limit", {"trial_time_limit": 2}),
        ("segfault", "crashed", "SIGSEGV", {"n_jobs": 2}),
        ("leave", "crashed", "exit code 3", {"n_jobs": 2}),
        ("eat", "memory", "the limit is 1200 MB", {"memory_limit": 1_200_000_000}),
        ("ask_too_much", "failed", "MemoryError", {}),
    ],
)
def test_a_fit_that_hangs_crashes_or_eats(fault, status, reason, limits):
    lost(search(with_fault(fault), **limits).fit(X, Y), status, reason)


@pytest.mark.slow
def test_a_worker_killed_once_loses_nothing(tmp_path):
    note = str(tmp_path / "note")
    made = search(with_fault("leave_once", note=note), n_jobs=2).fit(X, Y)
    assert [result.status for result in made.history_.results.values()] == ["complete"] * 4


@pytest.mark.slow
def test_a_leaked_child_process_ends_with_the_search(tmp_path):
    note = tmp_path / "note"
    search(with_fault("leak", note=str(note)), trial_time_limit=60).fit(X, Y)
    child = int(note.read_text())
    end = time.monotonic() + 10
    while alive(child) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(child)


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except FileNotFoundError:
        return False


def test_every_fit_fails():
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        search({"fault": ["raise"]}).fit(X, Y)


def script(folder, n_jobs, rest=""):
    """A search with a journal, in a process of its own."""
    return textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from scipy.stats import uniform
        from skauto.search import SearchCV
        from tests.support.shaky import Shaky, X, Y, outcome
        {rest}
        search = SearchCV(
            Shaky(seconds=0.01), {{"threshold": uniform(-1, 2)}}, strategy="genetic", n_iter=40, cv=3, random_state=0,
            n_jobs={n_jobs}, journal={folder!r},
        )
        sys.stdout.buffer.write(outcome(search.fit(X, Y)))
    """)


def leave_room(n_bytes):
    """No file of this process may grow beyond so many bytes."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))


def start(code):
    return subprocess.Popen([sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_driver_is_killed_again_and_again(tmp_path, n_jobs):
    log = tmp_path / "journal" / LOG
    for lines in (3, 20, 47):  # kill it once the journal has so many lines
        process = start(script(str(tmp_path / "journal"), n_jobs))
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") >= lines):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    resumed, errors = start(script(str(tmp_path / "journal"), n_jobs)).communicate()
    whole, _ = start(script(str(tmp_path / "other"), None)).communicate()
    assert resumed == whole, errors.decode()
    assert log.read_bytes().count(b"\n") == 81


def test_a_torn_last_line_is_repaired(tmp_path):
    whole = search(GOOD, journal=tmp_path).fit(X, Y)
    content = (tmp_path / LOG).read_bytes()
    for n_bytes in (1, 40, 200):
        (tmp_path / LOG).write_bytes(content[:-n_bytes])
        assert outcome(search(GOOD, journal=tmp_path).fit(X, Y)) == outcome(whole)


def test_a_damaged_line_is_refused(tmp_path):
    search(GOOD, journal=tmp_path).fit(X, Y)
    lines = (tmp_path / LOG).read_bytes().splitlines(keepends=True)
    lines[2] = b"\0\0\0\n"
    (tmp_path / LOG).write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match="damaged in line 3"):
        search(GOOD, journal=tmp_path).fit(X, Y)


@pytest.mark.slow
def test_the_disk_is_full_under_the_journal(tmp_path):
    folder = str(tmp_path / "journal")
    limit = "from tests.search.test_faults import leave_room; leave_room(6000)"
    _, errors = start(script(folder, None, limit)).communicate()
    assert b"JournalError" in errors
    assert b"make room and start the search again" in errors
    log = (tmp_path / "journal" / LOG).read_bytes()
    assert 3000 < len(log) <= 6000
    assert log.endswith(b"\n")
    resumed, errors = start(script(folder, None)).communicate()
    whole, _ = start(script(str(tmp_path / "other"), None)).communicate()
    assert resumed == whole, errors.decode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: search({"threshold": [-0.2, 0.0, 0.3]}), "space was"),
        (lambda: search(GOOD, scoring="f1"), "scoring was None and is 'f1'"),
        (lambda: search(GOOD, random_state=1), "random_state was"),
        (lambda: SearchCV(Shaky(), GOOD, strategy="grid", cv=3), "folds was"),
        (lambda: SearchCV(Shaky(seconds=0.001), GOOD, strategy="grid", cv=2), "estimator was"),
    ],
)
def test_the_journal_of_another_search_is_refused(tmp_path, change, named):
    search(GOOD, journal=tmp_path).fit(X, Y)
    with pytest.raises(JournalError, match=named):
        change().set_params(journal=tmp_path).fit(X, Y)


def test_the_journal_of_other_data_is_refused(tmp_path):
    search(GOOD, journal=tmp_path).fit(X, Y)
    with pytest.raises(JournalError, match="another search: data was"):
        search(GOOD, journal=tmp_path).fit(X + 1e-9, Y)


def test_the_journal_of_another_version_is_refused(tmp_path, monkeypatch):
    search(GOOD, journal=tmp_path).fit(X, Y)
    monkeypatch.setattr("skauto.search._fingerprint.__version__", "9.9")
    with pytest.raises(JournalError, match="skauto was '.*' and is '9.9'"):
        search(GOOD, journal=tmp_path).fit(X, Y)


def test_a_second_writer_is_refused(tmp_path):
    made = []

    def meddle(estimator, X, y):
        with pytest.raises(JournalError, match="being written by another process"):
            search(GOOD, journal=tmp_path, scoring=meddle).fit(X, y)
        made.append(1)
        return 0.0

    search({"threshold": [0.0]}, journal=tmp_path, scoring=meddle).fit(X, Y)
    assert made


def test_the_clock_is_set_back(monkeypatch):
    """Limits are kept on a clock that only goes forward."""
    now = iter(np.linspace(2e9, 0, 10_000))
    monkeypatch.setattr(time, "time", lambda: next(now))
    made = SearchCV(Shaky(), GOOD, strategy="grid", cv=2, time_limit=60, racing=False).fit(X, Y)
    assert made.stop_reason_ == "finished"
    assert np.isfinite(made.cv_results_["mean_test_score"]).all()


def test_an_estimator_that_cannot_be_pickled():
    settings = {"strategy": "grid", "cv": 2}
    with pytest.raises(TypeError, match="cannot be pickled .*stays at home"):
        SearchCV(Homebound(), GOOD, n_jobs=2, **settings).fit(X, Y)
    assert SearchCV(Homebound(), GOOD, **settings).fit(X, Y).best_score_ > 0


def test_an_exception_that_cannot_be_pickled():
    with pytest.raises(RuntimeError, match="OddError") as caught:
        search(with_fault("odd_error"), error_score="raise").fit(X, Y)
    assert "in _odd_error" in str(caught.value)


def test_ctrl_c_keeps_what_is_done():
    def interrupting(estimator, X, y):
        if estimator.threshold == 0.2:
            raise KeyboardInterrupt
        return float(np.mean(estimator.predict(X) == y))

    made = search(GOOD, scoring=interrupting).fit(X, Y)
    assert made.stop_reason_ == "interrupted"
    assert len(made.cv_results_["params"]) == 2
    assert made.best_estimator_.threshold in (-0.2, 0.0)


def test_the_limits_of_files_are_as_they_were():
    """What a test above sets is set in its own process."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert os.getpid() > 0
