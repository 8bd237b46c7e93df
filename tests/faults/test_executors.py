"""Searches on executors: threads, forked processes and a real Dask cluster, with limits, saved and cloned."""

import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skauto import AutoClassifier, load_model, save_model
from skauto.search import SearchCV

X, Y = make_classification(160, 6, random_state=0)
LIMITS = [{"time_limit": 90, "n_iter": None}, {"time_limit": None, "n_iter": 3}, {"time_limit": 90, "n_iter": 3}]
ONE = {"cv": 2, "candidates": ["logistic"], "random_state": 0, "verbose": 0, "pos_label": 1}


def series():
    made = np.random.default_rng(0).normal(size=(80, 15, 2))
    made[:40] += 1
    return made, np.repeat([0, 1], 40), "rocket"


def images():
    made = np.random.default_rng(0).integers(0, 255, size=(80, 8, 8), dtype=np.uint8)
    made[:40] //= 2
    return made, np.repeat([0, 1], 40), "logistic"


def table():
    return X, Y, "logistic"


@pytest.fixture(scope="module")
def dask():
    """An executor of two Dask workers, processes of their own, over loopback."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dask warns of is its own
        made = distributed.LocalCluster(**settings, host="127.0.0.1", silence_logs=logging.CRITICAL)
        with made, distributed.Client(made) as client:
            yield client.get_executor()


@pytest.mark.slow
@pytest.mark.parametrize("limits", LIMITS, ids=["time", "count", "both"])
@pytest.mark.parametrize("data", [table, series, images], ids=lambda made: made.__name__)
def test_an_autoclassifier_on_dask_with_every_limit(dask, data, limits, tmp_path):
    """The first complete trial used to end the fit: the executor's pool lacked what the time limit reads."""
    X, y, candidate = data()
    auto = AutoClassifier(**ONE | {"candidates": [candidate]} | limits, executor=dask).fit(X, y)
    assert (auto.leaderboard_["status"] == "complete").sum() >= 2
    loaded = load_model(save_model(auto, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), auto.predict_proba(X))
    assert loaded.executor is None


@pytest.mark.slow
def test_dask_gives_what_this_machine_gives(dask):
    counted = ONE | {"time_limit": None, "n_iter": 4}
    there, here = (AutoClassifier(**counted, executor=executor).fit(X, Y) for executor in (dask, None))
    np.testing.assert_array_equal(there.predict_proba(X), here.predict_proba(X))


@pytest.mark.parametrize("kind", ["auto", "search"])
def test_a_model_fitted_on_an_executor_is_saved_and_cloned(kind, tmp_path):
    """The executor was pickled with the model, which no executor can be: the whole search was lost."""
    with ThreadPoolExecutor(2) as executor:
        if kind == "auto":
            model = AutoClassifier(**ONE, time_limit=None, n_iter=2, executor=executor)
        else:
            model = SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, executor=executor)
        model.fit(X, Y)
        assert clone(model).executor is executor
        joblib.dump(model, tmp_path / "joblib")
        save_model(model, tmp_path / "skauto")
        copies = [pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "joblib"), load_model(tmp_path / "skauto")]
        assert model.executor is executor
    for copy in copies:
        assert copy.executor is None
        np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


FORKED = """
    import multiprocessing, time
    from concurrent.futures import ProcessPoolExecutor
    from lightgbm import LGBMClassifier
    from sklearn.datasets import make_classification
    from sklearn.model_selection import ShuffleSplit
    from skauto import AutoClassifier
    from skauto.search import SearchCV

    X, y = make_classification(300, 6, random_state=0)
    LGBMClassifier(n_estimators=5, n_jobs=2, verbose=-1).fit(X, y).predict(X)  # OpenMP has run here
    for fit in range(3):
        began = time.monotonic()
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
            search = SearchCV(
                LGBMClassifier(n_estimators=5, verbose=-1), {"num_leaves": [3, 5, 7, 9]}, time_limit=60,
                cv=ShuffleSplit(1, random_state=0), scoring=["f1", "roc_auc"], refit="f1", executor=executor,
            ).fit(X, y)
        statuses = [str(result.status) for result in search.history_.results.values()]
        print("search", statuses.count("complete") > 0, time.monotonic() - began < 90)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        auto = AutoClassifier(candidates=["lightgbm"], time_limit=None, n_iter=3, cv=2, executor=executor, verbose=0,
                              pos_label=1).fit(X, y)
    print("auto", (auto.leaderboard_["status"] == "complete").all())
"""


@pytest.mark.slow
@pytest.mark.lightgbm
def test_forked_processes_do_not_hang_after_openmp_has_run(tmp_path):
    """Their process used to unpickle the booster that its child sent back, and libgomp waited for ever."""
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", textwrap.dedent(FORKED)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400, check=False)
    assert done.stdout.split("\n") == ["search True True"] * 3 + ["auto True", ""], done.stdout + done.stderr


class Never(Executor):
    """Takes all and begins nothing, as a cluster whose workers wait in a queue."""

    def submit(self, function, *args, **kwargs):
        return Future()


@pytest.mark.slow
def test_futures_that_never_start_do_not_outlast_the_time_limit():
    began = time.monotonic()
    with pytest.raises(ValueError, match="no trial ended in time"):
        SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, executor=Never(), time_limit=2).fit(X, Y)
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_an_autoclassifier_whose_executor_never_starts_has_a_model_in_time():
    began = time.monotonic()
    with pytest.warns(UserWarning):
        auto = AutoClassifier(**ONE, time_limit=5, executor=Never()).fit(X, Y)
    assert set(auto.predict(X)) <= {0, 1}
    assert time.monotonic() - began < 60


def hide():
    """As on a machine where skauto is not installed."""
    sys.modules["skauto"] = None


def age():
    """As on a machine with another version."""
    sys.modules["skauto"].__version__ = "0.0.1"


@pytest.mark.parametrize(("start", "said"), [(hide, "cannot import skauto"), (age, "has skauto 0.0.1")])
@pytest.mark.parametrize("limits", [{}, {"time_limit": 60}], ids=["count", "time"])
def test_a_worker_without_this_skauto_is_an_error_that_names_it(start, said, limits):
    """The fit used to wait for ever, without a word."""
    words = rf"a worker of the executor on .* {said}.*install it there"
    processes = ProcessPoolExecutor(1, mp_context=get_context("fork"), initializer=start)
    with processes as executor, pytest.raises(RuntimeError, match=words):
        SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, executor=executor, **limits).fit(X, Y)


def test_an_executor_whose_processes_die_is_an_error():
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as executor:
        with pytest.raises(Exception, match="abruptly"):
            executor.submit(os._exit, 3).result()
        with pytest.raises(RuntimeError, match="takes no more work"):
            SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, executor=executor).fit(X, Y)


BARE = """
    import sys
    sys.modules["skauto"] = None  # as where it is not installed
    from distributed.cli.dask_worker import main
    main([sys.argv[1], "--no-nanny", "--nthreads", "1", "--no-dashboard"])
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Dask warns of is its own
@pytest.mark.parametrize("limits", [{"n_iter": 3, "time_limit": None}, {"time_limit": 120}], ids=["count", "time"])
def test_a_dask_worker_without_skauto_is_an_error_that_names_it(limits):
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 0, "processes": True, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(**settings, host="127.0.0.1") as cluster, distributed.Client(cluster) as client:
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(BARE), cluster.scheduler_address]
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client.wait_for_workers(1, timeout=120)
            with pytest.raises(RuntimeError, match="a worker of the executor on .* cannot import skauto"):
                AutoClassifier(**ONE | limits, executor=client.get_executor()).fit(X, Y)
        finally:
            worker.kill()
            worker.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Dask warns of when it is lost is its own
def test_a_scheduler_that_is_lost_ends_the_wait():
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(**settings, host="127.0.0.1", silence_logs=logging.CRITICAL)
    client = distributed.Client(cluster)
    closing = threading.Timer(5, cluster.close)
    closing.start()
    try:
        with pytest.raises(RuntimeError, match="executor"):
            SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring=patient, executor=client.get_executor()).fit(X, Y)
    finally:
        closing.join()
        client.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Dask warns of when it is lost is its own
@pytest.mark.parametrize("kind", ["search", "auto"])
def test_what_is_done_is_kept_when_the_executor_is_lost_in_mid_search(kind, tmp_path):
    """Hours of trials used to go with a lost scheduler."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(**settings, host="127.0.0.1", silence_logs=logging.CRITICAL)
    client = distributed.Client(cluster)
    counted = {"n_iter": 100_000, "executor": client.get_executor(), "journal": tmp_path}
    log = tmp_path / "log.jsonl"

    def close_after_some_trials():
        while not (log.exists() and log.read_bytes().count(b"complete") >= 3):
            time.sleep(0.1)
        cluster.close()

    closing = threading.Thread(target=close_after_some_trials)
    closing.start()
    with pytest.warns(UserWarning, match="the search ends with the trials that are done"):
        if kind == "search":
            made = SearchCV(LogisticRegression(), {"C": uniform(0.1, 1)}, strategy="random", cv=2, **counted).fit(X, Y)
            assert made.stop_reason_ == "workers lost"
        else:
            made = AutoClassifier(**ONE | counted, time_limit=None).fit(X, Y)
            assert (made.leaderboard_["status"] == "complete").sum() >= 2
    assert set(made.predict(X)) <= {0, 1}
    closing.join()
    client.close()


@pytest.mark.slow
def test_what_is_done_is_kept_when_processes_die():
    processes = ProcessPoolExecutor(1, mp_context=get_context("fork"))
    with processes as executor, pytest.warns(UserWarning, match="the search ends with the trials that are done"):
        made = SearchCV(
            LogisticRegression(),
            {"C": [0.1, 1.0, 2.0, 3.0]},
            strategy="grid",
            cv=2,
            # A trial runs in a process that a server has forked: its parent is not the executor's.
            scoring=Killer(executor.submit(os.getpid).result()),
            executor=executor,
        ).fit(X, Y)
    assert made.stop_reason_ == "workers lost"
    assert made.best_params_["C"] in (0.1, 1.0)


class Killer:
    """A score that ends the executor's process once C is 2."""

    def __init__(self, process):
        self.process = process

    def __call__(self, estimator, X, y):
        if estimator.C == 2.0:
            os.kill(self.process, signal.SIGKILL)
            time.sleep(600)
        return estimator.C


def patient(estimator, X, y):
    """A score that takes its time."""
    time.sleep(600)
    return 1.0
