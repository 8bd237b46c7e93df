"""Nothing of the data is left on the disk, however a search ends, and a full disk or a lost folder is said clearly."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

pytestmark = pytest.mark.usefixtures("way")

START = """
    import sys
    sys.path.insert(0, {project!r})
    import time
    import numpy as np
    from scipy.stats import uniform
    from sklearn.base import BaseEstimator
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from skauto import AutoClassifier
    from skauto.search import SearchCV

    X, y = make_classification(300, 6, random_state=0)
    quick = dict(candidates=["logistic"], time_limit=None, n_iter=2, cv=2, verbose=0, pos_label=1)
"""
SEARCHES = {
    "auto": "AutoClassifier(candidates=['logistic'], time_limit=60, verbose=0, pos_label=1).fit(X, y)",
    "workers": "SearchCV(LogisticRegression(), {'C': uniform(0.1, 1)}, n_jobs=2, n_iter=9999, cv=3).fit(X, y)",
    "epochs": "SearchCV(SGDClassifier(max_iter=9), {'alpha': uniform(0.1, 1)}, strategy='halving', n_iter=9999, "
    "fidelity=('max_iter', 3, 27), time_limit=60, refit=False, cv=3).fit(X, y)",
}


def start(project, place, code, **settings):
    """A process that runs some code, with its temporary files in a place of its own."""
    code = textwrap.dedent(START.format(project=str(project))) + textwrap.dedent(code)
    environment = os.environ | {"TMPDIR": str(place)} | settings.pop("environment", {})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], env=environment, **pipes, **settings)


def ended(process):
    """What a process printed, once it has ended."""
    output, errors = process.communicate(timeout=300)
    return output.strip() or errors


def left(place):
    """The files below a folder."""
    return [os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names]


def wait_for_workers(process):
    """Wait until a process has started others."""
    end = time.monotonic() + 120
    while not psutil.Process(process.pid).children() and time.monotonic() < end:
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "later"), [("auto", 0.0), ("epochs", 0.5), ("workers", 4.0)])
def test_a_killed_search_leaves_no_data(tmp_path, project, kind, later):
    """A copy of the data used to stay where the driver was killed before a worker knew the folder."""
    process = start(project, tmp_path, SEARCHES[kind])
    wait_for_workers(process)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert ended(start(project, tmp_path, "AutoClassifier(**quick).fit(X, y); print('fitted')")) == "fitted"
    end = time.monotonic() + 60
    while left(tmp_path) and time.monotonic() < end:  # workers of the dead see to theirs within a second
        time.sleep(0.1)
    assert left(tmp_path) == []


@pytest.mark.slow
def test_workers_of_a_killed_search_remove_the_data_by_themselves(tmp_path, project):
    process = start(project, tmp_path, SEARCHES["epochs"])
    wait_for_workers(process)
    end = time.monotonic() + 60
    while not left(tmp_path) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    end = time.monotonic() + 60
    while left(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert left(tmp_path) == []


@pytest.mark.slow
def test_a_killed_worker_with_workers_of_its_own_leaves_no_data(tmp_path, project):
    code = """
        class Nested(LogisticRegression):
            def fit(self, X, y):
                SearchCV(LogisticRegression(), {"C": uniform(0.1, 1)}, n_jobs=2, n_iter=9999, cv=3).fit(X, y)
        try:
            SearchCV(Nested(), {"C": [1.0]}, trial_time_limit=12, cv=2, refit=False, racing=False).fit(X, y)
        except ValueError as error:
            print("longer than its limit" in str(error))
    """
    assert ended(start(project, tmp_path, code)) == "True"
    assert left(tmp_path) == []


@pytest.mark.slow
def test_a_running_search_keeps_its_data_while_others_come_and_go(tmp_path, project):
    code = "AutoClassifier(**quick | {'n_iter': 40}).fit(X, y); print('fitted')"
    long = start(project, tmp_path, code)
    for _ in range(2):
        assert ended(start(project, tmp_path, "AutoClassifier(**quick).fit(X, y); print('fitted')")) == "fitted"
    assert ended(long) == "fitted"
    assert left(tmp_path) == []


def test_a_fit_that_cannot_begin_leaves_no_data(tmp_path, project):
    code = """
        class Homebound(LogisticRegression):
            def __reduce__(self):
                raise TypeError("this one stays at home")
        try:
            SearchCV(Homebound(), {"C": [1.0]}, n_jobs=2).fit(X, y)
        except TypeError as error:
            print(error)
    """
    assert "cannot be pickled" in ended(start(project, tmp_path, code))
    assert left(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["n_jobs=2", "executor=ThreadPoolExecutor(1)"])
def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, project, place):
    """It used to be a TypeError which said that the data cannot be pickled."""
    code = f"""
        import resource
        from concurrent.futures import ThreadPoolExecutor
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
        sys.dont_write_bytecode = True
        try:
            SearchCV(LogisticRegression(), {{"C": [1.0]}}, {place}).fit(X, y)
        except OSError as error:
            print(type(error).__name__, error)
    """
    said = ended(start(project, tmp_path, code))
    assert said.startswith("OSError") and str(tmp_path) in said and "TMPDIR" in said, said
    assert "pickled" not in said
    assert left(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SearchCV(LogisticRegression(), {'C': [1.0]}, n_jobs=2)", "AutoClassifier(**quick)"])
def test_a_working_directory_that_is_gone(tmp_path, project, how):
    code = f"""
        import os, tempfile
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        {how}.fit(X, y)
        print("fitted")
    """
    assert ended(start(project, tmp_path, code)) == "fitted"
    assert left(tmp_path) == []


@pytest.mark.slow
def test_a_change_of_directory_in_mid_search(tmp_path, project):
    code = """
        import os, threading
        threading.Timer(1.0, os.chdir, ("/",)).start()
        class Slow(LogisticRegression):
            def fit(self, X, y):
                time.sleep(0.2)
                return super().fit(X, y)
        SearchCV(Slow(), {"C": [1.0, 2.0, 3.0, 4.0]}, n_jobs=2, journal="journal", cv=3).fit(X, y)
        print("fitted")
    """
    (tmp_path / "temporary").mkdir()
    assert ended(start(project, tmp_path / "temporary", code, cwd=str(tmp_path))) == "fitted"
    assert left(tmp_path / "temporary") == []
    assert (tmp_path / "journal" / "log.jsonl").exists()
