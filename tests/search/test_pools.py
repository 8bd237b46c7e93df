"""Every pool passes one contract: processes, this process, executors of threads, of processes and of Dask."""

import logging
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pytest

from skauto.automl.selection._rescue import RescuePool
from skauto.search._executor_pool import ExecutorPool
from skauto.search._sequential import SequentialPool
from skauto.search._workers import WorkerPool
from tests.contracts.pool import PoolContract


@pytest.mark.usefixtures("way")
class TestWorkerPool(PoolContract):
    def pool(self, context):
        return WorkerPool(2, context=context)


@pytest.mark.usefixtures("way")
class TestRescuePool(PoolContract):
    def pool(self, context):
        return RescuePool(WorkerPool(2, context=context), None, None)


class TestSequentialPool(PoolContract):
    limits = False

    def pool(self, context):
        return SequentialPool(context)


@pytest.mark.usefixtures("way")
class TestThreads(PoolContract):
    @contextmanager
    def pool(self, context):
        with ThreadPoolExecutor(2) as executor, ExecutorPool(executor, context=context) as pool:
            yield pool


@pytest.mark.usefixtures("way")
class TestRescuePoolOnThreads(PoolContract):
    @contextmanager
    def pool(self, context):
        with ThreadPoolExecutor(2) as executor, RescuePool(ExecutorPool(executor, 2, 1, context), None, None) as pool:
            yield pool


@pytest.mark.slow
@pytest.mark.usefixtures("way")
class TestForkedProcesses(PoolContract):
    @contextmanager
    def pool(self, context):
        processes = ProcessPoolExecutor(2, mp_context=get_context("fork"))
        with processes as executor, ExecutorPool(executor, context=context) as pool:
            yield pool


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Dask warns of is its own
class TestDask(PoolContract):
    @pytest.fixture(scope="class", autouse=True)
    def client(self, request):
        distributed = pytest.importorskip("distributed")
        settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": ":0"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = distributed.LocalCluster(**settings, silence_logs=logging.CRITICAL)
            with made, distributed.Client(made) as client:
                request.cls.executor = client.get_executor()
                yield

    def pool(self, context):
        return ExecutorPool(self.executor, context=context)
