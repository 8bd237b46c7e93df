"""WorkerPool: processes that run tasks one at a time each, any of which can be killed without harm to the others."""

import math
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeAlias

import cloudpickle

from skauto._time_left import endless
from skauto.search._caller import process_state, settings
from skauto.search._channel import Channel, ready
from skauto.search._pool import Outcome, Pool, Task, WorkersLostError
from skauto.search._sandbox import Report, attempt
from skauto.search._servers import can_fork
from skauto.search._shared import Shared
from skauto.search._trial import Status
from skauto.search._worker import LOG_BYTES, Worker

# What all networks need.
NETWORKS = ("torch", "skorch")

# Of a function and its arguments.
IsDeep: TypeAlias = Callable[[Callable[..., Any], tuple[Any, ...]], bool]

MOST_SLOWNESS = 4.0  # how slow a machine may be taken for: workers that start wait for disks too
TICK = 0.05  # seconds between looks at deadlines and memory
MAX_ATTEMPTS = 2  # what searches give a task: a shared machine may have been short of memory
MAX_STARTS = 3  # workers in a row that may die before they are ready


class WorkerPool(Pool):
    """Worker processes around one context.

    Parameters
    ----------
    n_workers : int
        How many tasks run at once.
    threads : int, default=1
        Threads that each worker's BLAS, OpenMP and torch may use.
    context : object, default=None
        Handed to every task first. It is pickled once and loaded once by each worker, which maps the memory of arrays
        and copies only what is written to; so it may be large.
    memory_limit : int, default=None
        Resident bytes that a worker with its children may use above those it began with; a task that exceeds them is
        killed.
    preload : tuple of str, default=()
        Installed modules that workers have imported ahead of the first task, where they exist.
    max_attempts : int, default=1
        A task that kills its worker is run again until it has done so this often.
    caller : bytes, default=None
        What `settings` gave in the process whose configuration is to hold in the workers; None for this one.
    packed : bool, default=False
        Whether values and warnings stay as the pickled bytes that workers sent, so that nothing of them is loaded here.
    deep_preload : tuple of str, default=("torch", "skorch")
        What has been imported beside it for tasks that train networks; where workers are forked, these run in workers
        that the server with PyTorch forks, and no others do.
    is_deep : callable, default=None
        Whether a task trains a network, given its function and a tuple of its arguments; None: each does where the
        context has one in it.

    Attributes
    ----------
    start_seconds : float
        The longest that a worker took from its start until it was ready.
    slowness : float
        The greatest ratio of seconds to CPU seconds of the last starts of workers, between one and four.
    remaining : callable
        Gives the seconds within which tasks submitted now must have ended, so that those which wait for a worker have
        less of their limit left; infinity unless set.

    Raises
    ------
    TypeError
        If the context cannot be pickled.
    OSError
        If there is no room for it on the disk.
    WorkersLostError
        From `wait`, if workers keep dying before they are ready. The tasks stay, and a later `wait` tries again.

    Notes
    -----
    Functions, estimators and classes of a notebook or script travel by value (cloudpickle). Workers are started as
    tasks need them, and end with the pool.

    Examples
    --------
    >>> from skauto.search._workers import WorkerPool
    >>> with WorkerPool(1, context=10) as pool:
    ...     pool.submit("a", lambda context, x: context + x, 5)
    ...     outcomes = pool.wait(60)
    >>> outcomes[0].value
    15
    """

    n_workers: int
    start_seconds: float

    def __init__(
        self,
        n_workers: int,
        threads: int = 1,
        context: Any = None,
        memory_limit: int | None = None,
        preload: Sequence[str] = (),
        max_attempts: int = 1,
        caller: bytes | None = None,
        packed: bool = False,
        deep_preload: Sequence[str] = NETWORKS,
        is_deep: IsDeep | None = None,
    ) -> None:
        self.n_workers = n_workers
        self.threads = threads
        self.memory_limit = memory_limit
        self.max_attempts = max_attempts
        self.packed = packed
        self._modules = {False: preload, True: (*preload, *deep_preload)}
        self.start_seconds = 0.0
        self.remaining = endless
        self._slowness = deque([1.0], maxlen=n_workers)
        self._queue: deque[Task] = deque()
        self._done: list[Outcome] = []
        self._failed_starts = 0
        self._checked = 0.0
        self._owner = os.getpid()
        self._workers: list[Worker] = []
        self._shared = Shared(context)
        self._forks = can_fork()
        self._is_deep = is_deep or (lambda function, args: self._shared.has_network)
        with ExitStack() as stack:
            stack.callback(self.close)
            self._setup = ("setup", self._shared.layout, threads, preload, process_state(), caller or settings())
            if not self._forks:  # fresh interpreters take seconds, so begin before the first task
                self._start(False, n_workers)
            stack.pop_all()

    @property
    def slowness(self) -> float:
        """Seconds that pass in a CPU second of a worker, by the last starts."""
        return max(self._slowness)

    @property
    def running(self) -> list[Any]:
        """Keys of the tasks submitted whose outcomes were not given out, a list."""
        busy = [worker.task.key for worker in self._workers if worker.task]
        return busy + [task.key for task in self._queue] + [outcome.key for outcome in self._done]

    def submit(self, key: Any, function: Callable[..., Any], *args: Any, time_limit: float | None = None) -> None:
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
        deep = self._forks and self._is_deep(function, args)
        task = Task(key, packed.value, time_limit, time.monotonic() + self.remaining(), deep)
        if packed.status == Status.COMPLETE:
            self._queue.append(task)
            self._fill()
            for worker in self._assigned():
                worker.send("task", *worker.task.message())
        else:
            reason = f"the task cannot be pickled: {packed.reason}"
            self._done.append(task.outcome(Report(Status.FAILED, None, reason, packed.output), 0.0))

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that have ended, waiting for the first one at most `timeout` seconds.

        Empty when none has ended in time, or nothing runs.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        self._fill()
        while self.running:
            patience = min(TICK, max(0.0, end - time.monotonic()))
            for channel in ready([worker.channel for worker in self._workers], patience):
                self._hear(channel)
            if time.monotonic() >= self._checked + TICK:  # not after each short task: to measure memory is slow
                for worker in list(self._workers):
                    self._check(worker)
                self._checked = time.monotonic()
            self._fill()
            for worker in self._assigned():
                worker.send("task", *worker.task.message())
            if self._done or time.monotonic() >= end:
                break
        done, self._done = self._done, []
        return done

    def cancel(self, key: Any) -> None:
        """Kill a task, running or queued; its outcome is never given out. Unknown keys are ignored."""
        self._queue = deque(task for task in self._queue if task.key != key)
        self._done = [outcome for outcome in self._done if outcome.key != key]
        for worker in list(self._workers):
            if worker.task and worker.task.key == key:  # replaced at the next wait, should there be one
                self._workers.remove(worker)
                worker.end()

    def close(self) -> None:
        """End all workers, whatever they run, and give up the context."""
        if os.getpid() != self._owner:  # a forked child: all of this is its parent's
            return
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.end()
        self._workers = []
        self._queue.clear()
        self._shared.close()

    def _fill(self) -> None:
        """Have as many workers of each kind as the next tasks need; new ones start while the others go on."""
        tasks = [worker.task for worker in self._workers if worker.task] + list(self._queue)
        for deep in (False, True):
            self._start(deep, sum(task.deep == deep for task in tasks[: self.n_workers]))

    def _start(self, deep: bool, count: int) -> None:
        """Have so many workers of a kind; where there are enough in all, one of the other kind makes room once idle."""
        for _ in range(count - sum(worker.deep == deep for worker in self._workers)):
            if len(self._workers) >= self.n_workers:
                idle = next((w for w in self._workers if w.state == "idle" and w.deep != deep), None)
                if idle is None:
                    return
                self._workers.remove(idle)
                idle.end()
            self._workers.append(Worker(self.threads, self._shared.fileno(), self._modules[deep], deep))

    def _greet(self, worker: Worker) -> None:
        worker.send(*self._setup)
        worker.state = "loading"

    def _assigned(self) -> Iterator[Worker]:
        """Idle workers, each with the first of the next tasks that it is there for; no other may overtake these."""
        for worker in self._workers:
            free = self.n_workers - sum(worker.task is not None for worker in self._workers)
            due = (task for task in list(self._queue)[:free] if task.deep == worker.deep)
            if worker.state != "idle" or (task := next(due, None)) is None:
                continue
            self._queue.remove(task)
            worker.task, worker.state = task, "busy"
            worker.clear_log()
            task.started = time.monotonic()
            yield worker

    def _hear(self, channel: Channel) -> None:
        """Take what a worker says: hello at its start, then that the context is there, then the report on a task."""
        worker = next((worker for worker in self._workers if worker.channel is channel), None)
        if worker is None:  # ended meanwhile
            return
        state, worker.state = worker.state, "talking"
        messages = worker.receive()
        if messages is None:
            self._bury(worker)
        elif not messages:
            worker.state = state
        elif state == "starting":
            worker.greeted(*pickle.loads(messages[0]))
            self._slowness.append(min(max(worker.slowness, 1.0), MOST_SLOWNESS))
            self._greet(worker)
        elif state == "loading":
            worker.state = "idle"
            self._failed_starts = 0
            self.start_seconds = max(self.start_seconds, time.monotonic() - worker.began)
        else:
            self._finish(worker, pickle.loads(messages[0]))

    def _finish(self, worker: Worker, answer: dict[str, Any]) -> None:
        task, worker.task, worker.state = worker.task, None, "idle"
        for other in self._assigned():  # first: what follows here need not keep a worker waiting
            other.send("task", *other.task.message())
        task.peak = max(task.peak, answer["resident"])
        self._done.append(task.outcome(self._report(answer), answer["seconds"]))

    def _report(self, answer: dict[str, Any]) -> Report:
        status, reason, output, packed = (answer[name] for name in ("status", "reason", "output", "packed"))
        if self.packed:
            return Report(Status(status), packed, reason, output)
        unpacked = attempt(pickle.loads, packed)
        if unpacked.status != Status.COMPLETE:
            reason = f"the result cannot be unpickled: {unpacked.reason}"
            return Report(Status.FAILED, None, reason, unpacked.output)
        value, warnings = unpacked.value
        return Report(Status(status), value, reason, output, warnings)

    def _bury(self, worker: Worker) -> None:
        """A worker has died: its task crashed; without one it died at the start."""
        self._workers.remove(worker)
        worker.end()
        if worker.task:
            self._crashed(worker.task, worker)
        else:
            self._failed_starts += 1
            if self._failed_starts >= MAX_STARTS:
                self._failed_starts = 0  # what is submitted later gets as many tries
                raise WorkersLostError(f"workers cannot start: {worker.obituary()}\n{worker.output}")
        self._fill()

    def _crashed(self, task: Task, worker: Worker) -> None:
        task.crashes += 1
        if task.crashes < self.max_attempts:
            self._queue.appendleft(task)
        else:
            report = Report(Status.CRASHED, None, worker.obituary(), worker.output)
            self._done.append(task.outcome(report))

    def _check(self, worker: Worker) -> None:
        """End a task that is over its limits, or a worker that has died or was left halfway by Ctrl-C."""
        if worker.state == "talking" or (worker.dead() and not ready([worker.channel], 0)):
            self._bury(worker)
            return
        task = worker.task
        if not task:
            return
        worker.clear_log(beyond=LOG_BYTES)
        task.peak = max(task.peak, worker.resident())
        late = task.time_limit is not None and task.seconds() > task.time_limit
        # An answer that waits to be heard came in time: this process was busy, with the import of PyTorch say.
        if late and not ready([worker.channel], 0):
            self._kill(worker, Status.TIMEOUT, f"took longer than its limit of {task.time_limit:.3g} s")
        elif self.memory_limit is not None and task.peak > self.memory_limit:
            reason = f"used {task.peak / 1e6:.0f} MB of memory, the limit is {self.memory_limit / 1e6:.0f} MB"
            self._kill(worker, Status.MEMORY, reason)

    def _kill(self, worker: Worker, status: Status, reason: str) -> None:
        task = worker.task
        self._workers.remove(worker)
        worker.end()
        self._fill()
        self._done.append(task.outcome(Report(status, None, reason, worker.output)))
