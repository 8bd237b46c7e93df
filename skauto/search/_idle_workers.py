"""Idle workers: kept warm between two pools of one process, so that repeated fits start at once."""

import atexit
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from skauto.search._worker import Worker


class IdleWorkers:
    """Workers without a pool, by their number of threads.

    They leave by themselves after a minute and are ended at exit. A forked child never uses its parent's.
    """

    def __init__(self) -> None:
        self._workers: dict[int, deque[Worker]] = {}
        self._owner: int | None = None

    def warm(self, threads: int, count: int, modules: Sequence[str] = ()) -> None:
        """Have at least `count` workers, starting what is missing; they import while the caller goes on.

        Those that are started import some modules too, where they exist.
        """
        self._forget_after_fork()
        waiting = self._workers.get(threads, deque())
        for worker in [worker for worker in list(waiting) if worker.dead() or worker.outdated()]:
            with suppress(ValueError):  # another thread has just taken it, and sees for itself
                waiting.remove(worker)
                worker.end()
        for _ in range(count - len(waiting)):
            worker = Worker(threads)
            worker.tell("import", modules)
            self.put(worker)

    def put(self, worker: Worker) -> None:
        """Keep a healthy worker that has dropped its context."""
        self._forget_after_fork()
        if self._owner is None:
            self._owner = os.getpid()
            atexit.register(self.end)
        worker.was_idle = True
        self._workers.setdefault(worker.threads, deque()).append(worker)

    def take(self, threads: int) -> Worker | None:
        """A living worker with `threads` threads that knows the user's modules as they are now, or None."""
        self._forget_after_fork()
        workers = self._workers.get(threads)
        with suppress(IndexError):  # another thread has just taken the last one
            while workers:
                worker = workers.pop()
                if not worker.dead() and not worker.outdated():
                    return worker
                worker.end()
        return None

    def end(self) -> None:
        """End all idle workers."""
        self._forget_after_fork()
        for workers in self._workers.values():
            while workers:
                workers.pop().end()

    def _forget_after_fork(self) -> None:
        if self._owner in (None, os.getpid()):
            return
        for worker in [worker for workers in self._workers.values() for worker in workers]:
            worker.process.returncode = 0  # the parent's to wait for
            worker.drop()
        self._workers = {}
        self._owner = None


IDLE_WORKERS = IdleWorkers()
