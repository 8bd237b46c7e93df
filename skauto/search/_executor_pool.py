"""ExecutorPool: the same contract over any concurrent.futures.Executor, Dask's among them."""

import contextlib
import os
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, CancelledError
from concurrent.futures import wait as wait_for

import cloudpickle
import joblib

from skauto.search._remote import LACKS, run_task
from skauto.search._sandbox import attempt
from skauto.search._trial import Status
from skauto.search._workers import Outcome, Pool

# Workers of an executor that does not say how many it has.
DEFAULT_WORKERS = 2


class ExecutorPool(Pool):
    """What `WorkerPool` is, on the workers of an executor.

    A task runs in a child process of the executor's worker, started there and kept for the next task, so that time and
    memory limits hold and a crash costs one task. What all tasks share travels as a digest and a path: a worker that
    can read the path reads it, one that cannot says so and is sent it once.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Not shut down by this class.
    n_workers : int, default=None
        Tasks at a time; None for as many as the executor says it has.
    threads : int, default=1
        Threads of each task.
    context : object, default=None
        Handed to every task first.
    memory_limit : int, default=None
        Resident bytes of one task's child.
    chances : int, default=1
        A task that kills its worker is run again until it has done so this often.

    Raises
    ------
    TypeError
        If the context cannot be pickled.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from skauto.search._executor_pool import ExecutorPool
    >>> with ThreadPoolExecutor(1) as executor, ExecutorPool(executor, 1, context=10) as pool:
    ...     pool.submit("a", lambda context, x: context + x, 5)
    ...     outcomes = pool.wait(60)
    >>> outcomes[0].value
    15
    """

    def __init__(self, executor, n_workers=None, threads=1, context=None, memory_limit=None, chances=1):
        self.executor = executor
        self.n_workers = workers_of(executor) if n_workers is None or n_workers < 1 else n_workers
        self._limits = (threads, memory_limit)
        self.chances = chances
        packed = attempt(cloudpickle.dumps, context)
        if packed.error is not None:
            raise TypeError(
                f"what the workers need cannot be pickled ({packed.reason}); look at scoring and estimators"
            )
        self._blob = packed.value
        self._digest = joblib.hash(self._blob)
        descriptor, self._path = tempfile.mkstemp(prefix="skauto-context-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._blob)
        self._futures = {}
        self._done = []

    @property
    def running(self):
        """Keys of the tasks submitted whose outcomes were not given out, a list."""
        return [*(key for key, *_ in self._futures.values()), *(outcome.key for outcome in self._done)]

    def submit(self, key, function, *args, time_limit=None):
        """Run ``function(context, *args)`` somewhere."""
        packed = attempt(cloudpickle.dumps, (function, args))
        if packed.error is not None:
            reason = f"the task cannot be pickled: {packed.reason}"
            self._done.append(Outcome(key, Status.FAILED, None, reason, output=packed.output))
            return
        self._send(key, packed.value, time_limit)

    def _send(self, key, task, time_limit, blob=None, crashes=0):
        began = time.monotonic()
        sent = attempt(self.executor.submit, run_task, self._digest, self._path, blob, task, time_limit, *self._limits)
        if sent.error is not None:
            raise RuntimeError(f"the executor takes no more work: {sent.reason}") from sent.error
        self._futures[sent.value] = (key, task, time_limit, began, crashes)

    def wait(self, timeout=None):
        """Outcomes of tasks that have ended, waiting for the first one at most `timeout` seconds."""
        end = None if timeout is None or timeout == float("inf") else time.monotonic() + timeout
        while self._futures and not self._done:
            left = None if end is None else max(0.0, end - time.monotonic())
            ended, _ = wait_for(list(self._futures), timeout=left, return_when=FIRST_COMPLETED)
            for future in ended:
                self._hear(future)
            if not ended:
                break
        done, self._done = self._done, []
        return done

    def _hear(self, future):
        key, task, time_limit, began, crashes = self._futures.pop(future)
        heard = attempt(_answer_of, future)
        if heard.value == LACKS:
            self._send(key, task, time_limit, self._blob, crashes)
            return
        if heard.error is not None:  # the executor lost its worker with the task, not the task's own child
            reason = f"the executor's worker was lost: {heard.reason}"
            outcome = Outcome(key, Status.CRASHED, None, reason, time.monotonic() - began, output=heard.output)
        else:
            status, fields = heard.value
            outcome = Outcome(key, Status(status), **fields)
        if outcome.status == Status.CRASHED and crashes + 1 < self.chances:
            self._send(key, task, time_limit, crashes=crashes + 1)
        else:
            self._done.append(outcome)

    def cancel(self, key):
        """Forget a task; one that has begun goes on to its limit or its end, unheard."""
        for future in [future for future, about in self._futures.items() if about[0] == key]:
            future.cancel()
            del self._futures[future]
        self._done = [outcome for outcome in self._done if outcome.key != key]

    def close(self):
        """Forget all tasks and remove the context; the executor stays."""
        for future in self._futures:
            future.cancel()
        self._futures = {}
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._path)


def _answer_of(future):
    try:
        return future.result()
    except CancelledError as error:
        raise RuntimeError("the task was cancelled by the executor") from error


def workers_of(executor):
    """How many tasks an executor runs at a time, as far as it says."""
    client = getattr(executor, "_client", None)
    if client is not None and hasattr(client, "nthreads"):  # Dask
        return max(1, sum(client.nthreads().values()))
    return getattr(executor, "_max_workers", DEFAULT_WORKERS)
