"""WorkerPool: processes that run tasks one at a time each, any of which can be killed without harm to the others."""

import contextlib
import math
import os
import pickle
import shutil
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from numbers import Real

import cloudpickle

from skauto.search._sandbox import Report, attempt
from skauto.search._spares import SPARES
from skauto.search._trial import Result, Status
from skauto.search._worker import LOG_BYTES, Worker, import_path

MOST_SLOWNESS = 4.0  # how slow a machine may be taken for: workers that start wait for disks too
TICK = 0.05  # seconds between looks at deadlines and memory
CHANCES = 2  # what searches give a task: a shared machine may have been short of memory
MAX_STARTS = 3  # workers in a row that may die before they are ready


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes
    ----------
    key : object
        As given to `WorkerPool.submit`.
    status : Status
    value : object
        What the function returned, None unless complete.
    reason : str
        One line on what went wrong.
    seconds : float
        Wall time of the task.
    peak_memory : int
        Highest resident bytes seen, of the worker with all it had loaded and its children.
    warnings : tuple of str
    output : str
        The traceback, or the last that a dead worker printed.
    """

    key: object
    status: Status
    value: object = None
    reason: str = ""
    seconds: float = 0.0
    peak_memory: int = 0
    warnings: tuple = ()
    output: str = ""

    def as_result(self):
        """The Result of the trial with this key, for functions that return a dict with ``"score"``."""
        about = {"peak_memory": self.peak_memory, "warnings": self.warnings, "output": self.output}
        if self.status != Status.COMPLETE:
            return Result(self.key, self.status, math.nan, self.seconds, self.reason, about)
        score = self.value.get("score") if isinstance(self.value, dict) else None
        if not isinstance(score, Real) or not math.isfinite(score):
            reason = f"the score is not a finite number: {score!r}"
            return Result(self.key, Status.FAILED, math.nan, self.seconds, reason, about)
        rest = {name: value for name, value in self.value.items() if name != "score"}
        return Result(self.key, Status.COMPLETE, float(score), self.seconds, details=about | rest)


@dataclass
class _Task:
    key: object
    payload: bytes
    time_limit: float | None
    started: float = 0.0
    peak: int = 0
    crashes: int = 0

    def seconds(self):
        return time.monotonic() - self.started

    def outcome(self, report, seconds=None):
        seconds = self.seconds() if seconds is None else seconds
        fields = (report.status, report.value, report.reason, seconds, self.peak, report.warnings, report.output)
        return Outcome(self.key, *fields)


class Pool:
    """What all pools share; a subclass has `n_workers`, `running`, `submit`, `wait`, `cancel` and `close`.

    Attributes
    ----------
    start_seconds : float
        The longest that a worker took until it was ready, as far as is known.
    slowness : float
        Seconds that pass for a worker in one of its CPU seconds, as far as is known: above one on a busy machine.
    """

    start_seconds, slowness = 0.0, 1.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def free(self):
        """How many more tasks can run at once."""
        return max(0, self.n_workers - len(self.running))


class WorkerPool(Pool):
    """Worker processes around one context.

    Parameters
    ----------
    n_workers : int
        How many tasks run at once.
    threads : int, default=1
        Threads that each worker's BLAS, OpenMP and torch may use.
    context : object, default=None
        Handed to every task first. It is pickled once and loaded once by each worker, so it may be large.
    memory_limit : int, default=None
        Resident bytes that a worker with its children may use; a task that exceeds them is killed.
    preload : tuple of str, default=()
        Modules that workers import ahead of the first task, where they exist.
    chances : int, default=1
        A task that kills its worker is run again until it has done so this often.
    n_idle : int, default=0
        Workers kept ready beside these, to step in at once for one that was killed.

    Attributes
    ----------
    start_seconds : float
        The longest that a worker took from its start until it was ready.
    slowness : float
        The greatest ratio of seconds to CPU seconds of the last starts of workers, between one and four.

    Raises
    ------
    RuntimeError
        From `wait`, if workers keep dying before they are ready.

    Notes
    -----
    Functions, estimators and classes of a notebook or script travel by value (cloudpickle). On close, idle workers are
    kept for the next pool with the same number of threads and leave after a minute.

    Examples
    --------
    >>> from skauto.search._workers import WorkerPool
    >>> with WorkerPool(1, context=10) as pool:
    ...     pool.submit("a", lambda context, x: context + x, 5)
    ...     outcomes = pool.wait(60)
    >>> outcomes[0].value
    15
    """

    def __init__(self, n_workers, threads=1, context=None, memory_limit=None, preload=(), chances=1, n_idle=0):
        self.n_workers = n_workers
        self.threads = threads
        self.memory_limit = memory_limit
        self.chances = chances
        self.preload = preload
        self.n_idle = n_idle
        self.start_seconds = 0.0
        self._slowness = deque([1.0], maxlen=n_workers)
        self._queue = deque()
        self._done = []
        self._failed_starts = 0
        self._checked = 0.0
        self._folder = tempfile.mkdtemp(prefix="skauto-")
        self._context_path = os.path.join(self._folder, "context")
        self._write(context)
        self._setup = ("setup", self._context_path, threads, preload, import_path(), os.getcwd())
        self._workers = []
        self._fill()

    def _write(self, context):
        with open(self._context_path, "wb") as file:
            written = attempt(cloudpickle.dump, context, file, 5)
        if written.status != Status.COMPLETE:
            shutil.rmtree(self._folder)
            raise TypeError(
                f"what the workers need cannot be pickled ({written.reason}); look at scoring and estimators"
            )

    @property
    def slowness(self):
        """Seconds that pass in a CPU second of a worker, by the last starts."""
        return max(self._slowness)

    @property
    def running(self):
        """Keys of the tasks submitted whose outcomes were not given out, a list."""
        busy = [worker.task.key for worker in self._workers if worker.task]
        return busy + [task.key for task in self._queue] + [outcome.key for outcome in self._done]

    def submit(self, key, function, *args, time_limit=None):
        """Run ``function(context, *args)`` in the next free worker.

        Parameters
        ----------
        key : object
            Names the task in its Outcome.
        function : callable
        *args : objects
        time_limit : float, default=None
            Seconds from its start after which the task is killed.
        """
        packed = attempt(cloudpickle.dumps, (function, args))
        task = _Task(key, packed.value, time_limit)
        if packed.status == Status.COMPLETE:
            self._queue.append(task)
            self._fill()
            self._dispatch()
        else:
            reason = f"the task cannot be pickled: {packed.reason}"
            self._done.append(task.outcome(Report(Status.FAILED, None, reason, packed.output), 0.0))

    def wait(self, timeout=None):
        """Outcomes of tasks that have ended, waiting for the first one at most `timeout` seconds.

        Empty when none has ended in time, or nothing runs.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        self._fill()
        while self.running:
            patience = min(TICK, max(0.0, end - time.monotonic()))
            for connection in wait_for([worker.connection for worker in self._workers], patience):
                self._hear(connection)
            if time.monotonic() >= self._checked + TICK:  # not after each short task: to measure memory is slow
                for worker in list(self._workers):
                    self._check(worker)
                self._checked = time.monotonic()
            self._dispatch()
            if self._done or time.monotonic() >= end:
                break
        done, self._done = self._done, []
        return done

    def cancel(self, key):
        """Kill a task, running or queued; its outcome is never given out. Unknown keys are ignored."""
        self._queue = deque(task for task in self._queue if task.key != key)
        self._done = [outcome for outcome in self._done if outcome.key != key]
        for worker in list(self._workers):
            if worker.task and worker.task.key == key:  # replaced at the next wait, should there be one
                self._workers.remove(worker)
                worker.end()

    def close(self):
        """Kill what runs, keep idle workers for the next pool, remove the context."""
        for worker in self._workers:
            if worker.state in ("importing", "idle") and not worker.dead() and not worker.children():
                if worker.state == "idle":
                    worker.send("release")
                    worker.state = "released"
                SPARES.put(worker)
            else:
                worker.end()
        self._workers = []
        self._queue.clear()
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._context_path)
            os.rmdir(self._folder)

    def _fill(self):
        """Have as many workers as asked for; new ones import while the others go on."""
        while len(self._workers) < self.n_workers:
            worker = SPARES.take(self.threads) or Worker(self.threads)
            worker.began = time.monotonic()
            self._workers.append(worker)
            if worker.state == "released":
                self._greet(worker)
            SPARES.warm(self.threads, self.n_idle, self.preload)

    def _greet(self, worker):
        worker.send(*self._setup)
        worker.state = "loading"

    def _dispatch(self):
        for worker in self._workers:
            if self._queue and worker.state == "idle":
                worker.task = task = self._queue.popleft()
                worker.state = "busy"
                worker.clear_log()
                task.started = time.monotonic()
                worker.send("task", task.payload, task.time_limit)

    def _hear(self, connection):
        """Take a message: hello after the imports, ready with the context, else the report on a task."""
        worker = next(worker for worker in self._workers if worker.connection is connection)
        state, worker.state = worker.state, "hearing"
        message = worker.receive()
        if message is None:
            self._bury(worker)
        elif state == "importing":
            worker.slowness = attempt(pickle.loads, message).value or 1.0
            self._greet(worker)
        elif state == "loading":
            worker.state = "idle"
            self._failed_starts = 0
            self.start_seconds = max(self.start_seconds, time.monotonic() - worker.began)
            self._slowness.append(min(max(worker.slowness, 1.0), MOST_SLOWNESS))
        else:
            self._finish(worker, message)

    def _finish(self, worker, message):
        task, worker.task, worker.state = worker.task, None, "idle"
        self._dispatch()  # the next task first: what follows here need not keep the worker waiting
        unpacked = attempt(pickle.loads, message)
        if unpacked.status != Status.COMPLETE:
            reason = f"the result cannot be unpickled: {unpacked.reason}"
            self._done.append(task.outcome(Report(Status.FAILED, None, reason, unpacked.output)))
            return
        report, resident = unpacked.value
        task.peak = max(task.peak, resident)
        self._done.append(task.outcome(report, report.seconds))

    def _bury(self, worker):
        """A worker has died: its task crashed; without one it died at the start."""
        self._workers.remove(worker)
        worker.end()
        if worker.task:
            self._crashed(worker.task, worker)
        else:
            self._failed_starts += 1
            if self._failed_starts >= MAX_STARTS:
                raise RuntimeError(f"workers cannot start: {worker.obituary()}\n{worker.output}")
        self._fill()

    def _crashed(self, task, worker):
        task.crashes += 1
        if task.crashes < self.chances:
            self._queue.appendleft(task)
        else:
            report = Report(Status.CRASHED, None, worker.obituary(), worker.output)
            self._done.append(task.outcome(report))

    def _check(self, worker):
        """End a task that is over its limits, or a worker that has died or was left halfway by Ctrl-C."""
        if worker.state == "hearing" or (worker.dead() and not worker.connection.poll()):
            self._bury(worker)
            return
        task = worker.task
        if not task:
            return
        worker.clear_log(beyond=LOG_BYTES)
        task.peak = max(task.peak, worker.resident())
        if task.time_limit is not None and task.seconds() > task.time_limit:
            self._kill(worker, Status.TIMEOUT, f"took longer than its limit of {task.time_limit:.3g} s")
        elif self.memory_limit is not None and task.peak > self.memory_limit:
            reason = f"used {task.peak / 1e6:.0f} MB of memory, the limit is {self.memory_limit / 1e6:.0f} MB"
            self._kill(worker, Status.MEMORY, reason)

    def _kill(self, worker, status, reason):
        task = worker.task
        self._workers.remove(worker)
        worker.end()
        self._fill()
        self._done.append(task.outcome(Report(status, None, reason, worker.output)))
