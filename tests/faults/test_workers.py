"""What a trial does to its own worker harms no other trial and never holds the search up."""

import contextlib
import os
import signal
import stat
import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification

from skauto.search import SearchCV

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning"),
    pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning"),
    pytest.mark.usefixtures("way"),
]

X, Y = make_classification(90, 4, flip_y=0.2, random_state=0)
GOOD = [-0.3, -0.1, 0.0, 0.1, 0.3]


class Meddler(ClassifierMixin, BaseEstimator):
    """Cuts the first column, so that each cut has its own scores; on the way does what `fault` says."""

    def __init__(self, cut=0.0, fault=None):
        self.cut = cut
        self.fault = fault

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.fault is not None:
            globals()[self.fault]()
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.cut).astype(int)]


def fork_and_both_return():
    os.fork()


def fork_and_leave_by_exception():
    """The usual idiom: the child works and leaves."""
    child = os.fork()
    if child == 0:
        raise SystemExit(0)
    os.waitpid(child, 0)


def close_every_descriptor():
    os.closerange(0, 256)


def write_to_every_socket():
    """What a library does that kept a number of a descriptor for too long."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                os.write(int(name), b"\x00\x00\x10\x00 not a message")
        except OSError:
            continue


def freeze():
    os.kill(os.getpid(), signal.SIGSTOP)


def kill_the_server():
    """Kill the fork server that this process comes from, if it is there still."""
    parent = os.getppid()
    with open(f"/proc/{parent}/cmdline") as file:
        if "_fork_server" in file.read():
            os.kill(parent, signal.SIGKILL)


def kill_this_worker_once():
    """Once in a search: the file remembers."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(os.environ["SKAUTO_TEST_NOTE"], os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)


def search(faults, **settings):
    """Scores and statuses of a grid of good configurations with faulty ones in front, each on three folds."""
    space = [{"cut": [0.0], "fault": [fault]} for fault in faults] + [{"cut": GOOD}]
    settings = {"strategy": "grid", "cv": 3, "n_jobs": 2, "racing": False, "refit": False, **settings}
    made = SearchCV(Meddler(), space, **settings).fit(X, Y)
    scores = np.array([made.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    return scores, [str(result.status) for _, result in sorted(made.history_.results.items())]


@pytest.fixture(scope="module")
def alone():
    """The good configurations in this process: what every other search must say of them."""
    return search([], n_jobs=None)[0]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["fork_and_both_return", "fork_and_leave_by_exception"])
def test_a_fit_that_forks_gives_no_other_trial_its_scores(alone, fault):
    """The child of the fork used to answer on its parent's pipe, and other trials were given the wrong scores."""
    scores, statuses = search([fault, fault])
    np.testing.assert_array_equal(scores[2:], alone)
    np.testing.assert_array_equal(scores[0], alone[GOOD.index(0.0)])
    assert statuses == ["complete"] * 7


@pytest.mark.slow
def test_a_fit_that_closes_its_descriptors_costs_itself_alone(alone):
    """The worker that had lost its pipe used to remove the data of all the others."""
    scores, statuses = search(["close_every_descriptor"])
    np.testing.assert_array_equal(scores[1:], alone)
    assert statuses == ["crashed"] + ["complete"] * 5


@pytest.mark.parametrize(
    "faults", [["kill_the_server"] * 2, ["kill_this_worker_once"], ["kill_the_server", "kill_this_worker_once"]]
)
def test_nothing_is_lost_with_a_killed_server_or_worker(alone, faults, tmp_path, monkeypatch):
    monkeypatch.setenv("SKAUTO_TEST_NOTE", str(tmp_path / "killed"))
    scores, statuses = search(faults)
    np.testing.assert_array_equal(scores[len(faults) :], alone)
    assert statuses == ["complete"] * (len(faults) + len(GOOD))


def test_bytes_written_to_the_pipe_do_not_hold_the_search_up(alone):
    """The search used to wait for the rest of a message that nobody had sent, past every limit."""
    began = time.monotonic()
    scores, statuses = search(["write_to_every_socket"], trial_time_limit=30)
    np.testing.assert_array_equal(scores[1:], alone)
    assert statuses[1:] == ["complete"] * 5
    assert time.monotonic() - began < 60


@pytest.mark.slow
def test_a_worker_that_is_frozen_is_ended_at_its_limit(alone):
    scores, statuses = search(["freeze"], trial_time_limit=3)
    np.testing.assert_array_equal(scores[1:], alone)
    assert statuses == ["timeout"] + ["complete"] * 5
