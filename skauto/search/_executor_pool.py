"""ExecutorPool: the same contract over any concurrent.futures.Executor, Dask's among them."""

import itertools
import math
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Self, cast

import cloudpickle

from skauto._telling import warn
from skauto._version import __version__
from skauto.search._caller import settings
from skauto.search._cores import cores
from skauto.search._folders import TemporaryFolder
from skauto.search._pool import Outcome, Pool, WorkersLostError
from skauto.search._remote import CANCELLED, CHILDREN, CONTEXT, LACKS, UNWANTED, Loaded, digest_of, unpacked
from skauto.search._sandbox import attempt
from skauto.search._shared import write_file
from skauto.search._trial import Status
from skauto.search._workers import WorkerPool

# Workers of an executor that does not say how many it has.
DEFAULT_WORKERS = 2

# Seconds between looks at whether the executor is still there, and without any news until that is told.
LOOK, SILENCE = 1.0, 60.0

# Seconds that a scheduler has to say how many workers it has, and between two such questions while nothing ends.
ANSWER, QUESTION = 3.0, 15.0

# What a worker runs for a task. It travels as text, so that one without skauto, or with another version, can say so.
TASK = """
import platform, sys
try:
    import skauto
    if skauto.__version__ != version or sys.version_info[:2] != python:
        problem = "has skauto " + skauto.__version__ + " on Python " + platform.python_version()
    else:
        from skauto.search._remote import run_task
        problem = ""
except Exception as error:
    problem = "cannot import skauto (" + type(error).__name__ + ": " + str(error) + ")"
if problem:
    answer = {"machine": platform.node(), "interpreter": sys.executable, "problem": problem}
else:
    answer = run_task(*arguments)
"""
RUN = "(exec(code), answer)[1]"


@dataclass
class _Sent:
    """A task on its way."""

    key: Any
    number: int
    task: bytes
    time_limit: float | None
    began: float
    crashes: int = 0


class ExecutorPool(Pool):
    """What `WorkerPool` is, on the workers of an executor.

    A task runs in a child process of the executor's worker, started there and kept for the next task, so that time and
    memory limits hold and a crash costs one task. What all tasks share travels as a digest and a path: a worker that
    can read the path reads it, one that cannot says so and is sent it once. Results pass through the executor's worker
    as bytes: no code of an estimator runs outside of the child.

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
    max_attempts : int, default=1
        A task that kills its worker is run again until it has done so this often.
    heed_filters : bool, default=True
        Whether this process's filters of warnings are in force in tasks.

    Raises
    ------
    TypeError
        If the context cannot be pickled.
    OSError
        If there is no room for it on the disk.
    WorkersLostError
        From `submit` and `wait`, once, if the executor is shut or lost. Tasks submitted later, such as the refits after
        a search, run in workers of this machine.
    RuntimeError
        If a worker has no skauto of this version, as long as no other has run a task.

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

    n_workers: int
    start_seconds: float
    _here: WorkerPool | None  # where tasks run once the executor is lost

    def __init__(
        self,
        executor: Executor,
        n_workers: int | None = None,
        threads: int = 1,
        context: Any = None,
        memory_limit: int | None = None,
        max_attempts: int = 1,
        heed_filters: bool = True,
    ) -> None:
        self.executor = executor
        self._counts = n_workers is None or n_workers < 1
        self._counted = time.monotonic()
        self.n_workers = workers_of(executor) if self._counts else cast(int, n_workers)
        self.max_attempts = max_attempts
        self.start_seconds = 0.0
        packed = attempt(cloudpickle.dumps, context)
        if packed.error is not None:
            raise TypeError(
                f"what the workers need cannot be pickled ({packed.reason}); look at scoring and estimators"
            )
        self._blob = packed.value
        with ExitStack() as stack:
            self._folder = stack.enter_context(TemporaryFolder()).path
            write_file(os.path.join(self._folder, CONTEXT), self._blob)
            self._closing = stack.pop_all()
        limits = {"threads": threads, "memory_limit": memory_limit, "caller": settings(heed_filters)}
        self._about: dict[str, Any] = {"digest": digest_of(self._blob), "folder": self._folder, **limits}
        self._numbers = itertools.count()
        self._futures: dict[Future[Any], _Sent] = {}
        self._done: list[Outcome] = []
        self._heard = self._silent = False
        self._refused: set[str] = set()
        self._gone, self._here = False, None
        self._news = self._looked = time.monotonic()

    @property
    def running(self) -> list[Any]:
        """Keys of the tasks submitted whose outcomes were not given out, a list."""
        here = [] if self._here is None else self._here.running
        return [*here, *(sent.key for sent in self._futures.values()), *(outcome.key for outcome in self._done)]

    def submit(self, key: Any, function: Callable[..., Any], *args: Any, time_limit: float | None = None) -> None:
        """Run ``function(context, *args)`` somewhere."""
        packed = attempt(cloudpickle.dumps, (function, args))
        if packed.error is not None:
            reason = f"the task cannot be pickled: {packed.reason}"
            self._done.append(Outcome(key, Status.FAILED, None, reason, output=packed.output))
            return
        if self._gone:
            self._workers_here().submit(key, unpacked, packed.value, time_limit=time_limit)
            return
        self._send(_Sent(key, 0, packed.value, time_limit, time.monotonic()))

    def _send(self, sent: _Sent, blob: bytes | None = None) -> None:
        # The number also keeps Dask from taking a second try for the first, whose outcome it knows.
        sent.number, sent.began = next(self._numbers), time.monotonic()
        arguments = (self._about, sent.number, blob, sent.task, sent.time_limit)
        names = {"code": TASK, "arguments": arguments, "version": __version__, "python": sys.version_info[:2]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask advises against sending much; a worker that lacks it needs it
            made = attempt(self.executor.submit, eval, RUN, names)
        if made.error is not None:
            raise self._lost(f"the executor takes no more work: {made.reason}") from made.error
        self._futures[made.value] = sent

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that have ended, waiting for the first one at most `timeout` seconds."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while self._futures and not self._done:
            left = max(0.0, end - time.monotonic())
            ended, _ = wait_for(list(self._futures), timeout=min(left, LOOK), return_when=FIRST_COMPLETED)
            for future in ended:
                self._hear(future)
            if ended:
                self._news, self._silent = time.monotonic(), False
                continue
            if time.monotonic() >= self._looked + LOOK:  # by the clock: a caller may only ever wait for less
                self._looked = time.monotonic()
                self._look(left)
            if left <= LOOK:
                break
        done, self._done = self._done, []
        return done if done or self._here is None else self._here.wait(timeout)

    def _lost(self, problem: str) -> WorkersLostError:
        """The error that says so; what is submitted after it runs here."""
        self._futures, self._gone = {}, True
        self.n_workers = min(self.n_workers, cores())
        return WorkersLostError(problem)

    def _workers_here(self) -> WorkerPool:
        if self._here is None:
            limits = self._about["threads"], Loaded(self._blob), self._about["memory_limit"]
            caller = self._about["caller"]
            self._here = WorkerPool(self.n_workers, *limits, max_attempts=self.max_attempts, caller=caller)
        return self._here

    def _hear(self, future: Future[Any]) -> None:
        sent = self._futures.pop(future)
        heard = attempt(_answer_of, future)
        if isinstance(heard.value, dict):
            self._refuse(sent, **heard.value)
        elif heard.value == LACKS:
            self._send(sent, self._blob)
        elif heard.value == UNWANTED:
            self._end(sent, Outcome(sent.key, Status.CANCELLED, reason="the search is over"))
        elif heard.error is not None:  # the executor lost its worker with the task, not the task's own child
            reason = f"the executor's worker was lost: {heard.reason}"
            seconds = time.monotonic() - sent.began
            self._end(sent, Outcome(sent.key, Status.CRASHED, None, reason, seconds, output=heard.output))
        else:
            self._heard = True
            self._end(sent, self._outcome(sent.key, *heard.value))

    def _outcome(self, key: Any, status: str, fields: dict[str, Any], start_seconds: float) -> Outcome:
        """The Outcome of a task, its value and warnings unpickled here and nowhere before."""
        self.start_seconds = max(self.start_seconds, start_seconds)
        packed = fields.pop("value")
        if packed is None:
            return Outcome(key, Status(status), **fields)
        loaded = attempt(pickle.loads, packed)
        if loaded.error is not None:
            fields |= {"reason": f"the result cannot be unpickled: {loaded.reason}", "output": loaded.output}
            return Outcome(key, Status.FAILED, **fields)
        fields["value"], fields["warnings"] = loaded.value
        return Outcome(key, Status(status), **fields)

    def _end(self, sent: _Sent, outcome: Outcome) -> None:
        """Give the outcome out, or try the task again."""
        sent.crashes += outcome.status == Status.CRASHED
        if outcome.status == Status.CRASHED and sent.crashes < self.max_attempts:
            self._send(sent)
        else:
            self._done.append(outcome)

    def _refuse(self, sent: _Sent, machine: str, interpreter: str, problem: str) -> None:
        """A worker that cannot run tasks: an error at once, or one lost task once others have run some."""
        reason = (
            f"a worker of the executor on {machine} ({interpreter}) {problem}; it needs skauto {__version__} on Python "
            f"{'.'.join(map(str, sys.version_info[:2]))}, as here: install it there, or leave that worker out"
        )
        if not self._heard:
            raise RuntimeError(reason)
        if reason not in self._refused:
            self._refused.add(reason)
            warn(f"{reason}; tasks that it takes are lost")
        self._end(sent, Outcome(sent.key, Status.CRASHED, None, reason))

    def _look(self, left: float) -> None:
        """Whether the executor is still there, while nothing is heard of it and with these seconds left to wait."""
        problem = problem_of(self.executor)
        if problem:
            raise self._lost(f"the executor is lost with {len(self._futures)} tasks: {problem}")
        asks = self._counts and left > ANSWER and time.monotonic() > self._counted + QUESTION
        if asks:  # a cluster may have grown since
            self.n_workers = max(self.n_workers, workers_of(self.executor))
            self._counted = time.monotonic()
        if not self._silent and not self._heard and time.monotonic() > self._news + SILENCE:
            self._silent = True
            warn(
                f"no task has ended on the executor for {SILENCE:.0f} s; it says that it has "
                f"{self.n_workers} workers: see whether they have started, and are not busy with something else",
            )

    def cancel(self, key: Any) -> None:
        """Forget a task; one that has begun ends soon where its worker shares this disk, else at its limit."""
        for future in [future for future, sent in self._futures.items() if sent.key == key]:
            sent = self._futures.pop(future)
            future.cancel()  # what it answers says nothing of whether the task runs: Dask's always says that it did
            with suppress(OSError):
                open(os.path.join(self._folder, CANCELLED.format(sent.number)), "wb").close()
        self._done = [outcome for outcome in self._done if outcome.key != key]
        if self._here is not None:
            self._here.cancel(key)

    def close(self) -> None:
        """Forget all tasks and remove the context; the executor stays."""
        for future in self._futures:
            future.cancel()
        self._futures = {}
        if self._here is not None:
            self._here.close()
        self._closing.close()
        CHILDREN.drop((self._about["digest"], self._folder))  # where the workers are threads of this process


class UsesExecutor:
    """An estimator with a parameter `executor`, which belongs to the process and is left out of what is pickled.

    A copy that was pickled has ``executor=None``; a clone in this process keeps it, though it cannot be copied.
    """

    executor: Executor | None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "executor": None}  # type: ignore[dict-item]  # a dict for estimators

    def __sklearn_clone__(self) -> Self:
        bare = type(self).__new__(type(self))
        vars(bare).update(vars(self), executor=None)
        cloned = super(UsesExecutor, bare).__sklearn_clone__()  # type: ignore[misc]  # of BaseEstimator, beside this class
        cloned.executor = self.executor
        return cloned


def _answer_of(future: Future[Any]) -> Any:
    try:
        return future.result()
    except CancelledError as error:
        raise RuntimeError("the task was cancelled by the executor") from error


def workers_of(executor: Any) -> int:
    """How many tasks an executor runs at a time, as far as it says."""
    client = getattr(executor, "_client", None)
    if client is not None and hasattr(client, "nthreads"):  # Dask, whose scheduler may be lost and never answer
        threads = attempt(lambda: client.nthreads(callback_timeout=ANSWER)) if problem_of(executor) is None else None
        return max(1, sum(threads.value.values())) if threads and threads.value else 1
    return getattr(executor, "_max_workers", DEFAULT_WORKERS)


def problem_of(executor: Any) -> str | None:
    """What keeps an executor from ever running another task, as far as it says; None if nothing does."""
    status = getattr(getattr(executor, "_client", None), "status", "running")
    if status not in ("running", "connecting"):
        return f"Dask's client is {status}"
    if getattr(executor, "_broken", False):
        return str(executor._broken)
    return None
