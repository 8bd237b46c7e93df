"""What runs in a fork server: a process that has only imported, never run anything, and forks workers on demand.

A worker that is forked from it need not import what has been imported here, and shares its pages. The server never
unpickles, holds no data, and imports installed packages only. It alone waits for its workers: each one's process group
is killed before its number is free to be used again.
"""

import atexit
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from skauto.search import _worker_process
from skauto.search._caller import THREAD_VARIABLES
from skauto.search._channel import Channel
from skauto.search._lifeline import has_died
from skauto.search._sandbox import attempt, run
from skauto.search._trial import Status

# How long it waits to see whether its caller has died, once the caller's end of the socket is closed.
PARTING_SECONDS = 2.0

# A request is short: numbers and names of modules.
MOST_BYTES = 1 << 16

# Exit code of a worker that could not begin.
LOST = 70


@dataclass(frozen=True)
class _Forked:
    """A worker that has not ended: the number of its request, and its process id."""

    number: int
    pid: int


def main(control: int, lifeline: int, idle_seconds: int, temporary: str, began: float) -> None:
    """Serve requests until the caller closes its end, or for long nobody wants anything.

    Parameters
    ----------
    control : int
        Descriptor of a socket of whole packets.
    lifeline : int
        Descriptor that tells of the caller's death.
    idle_seconds : int
        How long a server without workers waits for the next request.
    temporary : str
        Where the caller keeps its temporary folders.
    began : float
        When it began to import, on the monotonic clock.
    """
    sys.argv[1:] = []
    for descriptor in (control, lifeline):
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the caller
    gc.disable()  # what it moved would be copied for each worker
    _Server(socket.socket(fileno=control), lifeline, idle_seconds, temporary, time.monotonic() - began).serve()
    os._exit(0)


class _Server:
    def __init__(
        self, control: socket.socket, lifeline: int, idle_seconds: int, temporary: str, imported: float
    ) -> None:
        self._control = control
        self._idle_seconds = idle_seconds
        self._lifeline = lifeline
        self._temporary = temporary
        self._workers: dict[int, _Forked] = {}  # by the descriptor of the process
        self._retired = False
        self._tried: set[str] = set()  # what is not there, or fails, need not be tried for each worker
        self._wall, self._cpu = imported, time.process_time()

    def serve(self) -> None:
        """Answer and reap, in one thread: there must not be another at a fork."""
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Wait for a request or the end of a worker; gives whether to go on."""
        if self._retired and not self._workers:
            return False
        poller = select.poll()
        for descriptor in (self._control.fileno(), *self._workers):
            poller.register(descriptor, select.POLLIN)
        found = poller.poll(None if self._workers else 1000 * self._idle_seconds)
        for descriptor, _ in found:
            if descriptor in self._workers:
                self._reap(descriptor)
            elif not self._hear():
                self._end_workers()
                if has_died(self._lifeline, PARTING_SECONDS):
                    _worker_process.sweep_after(self._temporary)
                return False
        return bool(found)

    def _hear(self) -> bool:
        """One request; gives False where the caller has closed its end."""
        heard = attempt(socket.recv_fds, self._control, MOST_BYTES, 3, socket.MSG_CMSG_CLOEXEC)
        if heard.error is not None or not heard.value[0]:
            return False
        request, descriptors = json.loads(heard.value[0]), heard.value[1]
        self._import(request.get("modules", ()))
        wish = request["wish"]
        if wish == "fork":
            self._fork(request, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        elif wish == "retire":
            self._retired = True
        elif wish == "end":
            self._end_workers()
            self._retired = True
        return True

    def _import(self, modules: Iterable[str]) -> None:
        missing = [module for module in modules if module not in self._tried]
        self._tried.update(missing)
        began, used = time.monotonic(), time.process_time()
        for module in missing:
            run(importlib.import_module, module)
        if missing:
            self._wall += time.monotonic() - began
            self._cpu += time.process_time() - used

    def _fork(self, request: dict[str, Any], channel: int, shared: int, log: int) -> None:
        if _hung_up(channel):  # it was asked for by a pool that is closed
            return
        threads = _threads()
        if len(threads) > 1:  # one that holds a lock would not be there in the child to give it back
            self._tell({"number": request["number"], "threads": threads})
            return
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        gc.freeze()
        forked = attempt(os.fork)
        if forked.error is not None:
            self._tell({"number": request["number"], "reason": forked.reason})
        elif forked.value == 0:
            self._become_worker(request, channel, shared, log)
        else:
            descriptor = os.pidfd_open(forked.value)
            self._workers[descriptor] = _Forked(request["number"], forked.value)
            self._tell({"number": request["number"], "pid": forked.value}, [descriptor])

    def _become_worker(self, request: dict[str, Any], channel: int, shared: int, log: int) -> NoReturn:
        """In the child: leave all that is the server's behind, and serve tasks."""
        slowness = self._wall / max(self._cpu, 0.01)
        self._control.close()
        done = run(_serve_tasks, request, channel, shared, log, self._lifeline, slowness)
        if done.status != Status.COMPLETE:
            sys.stderr.write(done.output)
            sys.stderr.flush()
        os._exit(0 if done.status == Status.COMPLETE else LOST)

    def _reap(self, descriptor: int) -> None:
        """Take in how a worker ended, its group killed while its number is still taken."""
        worker = self._workers.pop(descriptor)
        attempt(os.killpg, worker.pid, signal.SIGKILL)
        status = attempt(os.waitpid, worker.pid, 0)
        os.close(descriptor)
        code = None if status.error is not None else os.waitstatus_to_exitcode(status.value[1])
        self._tell({"number": worker.number, "code": code})

    def _tell(self, message: dict[str, Any], descriptors: Iterable[int] = ()) -> None:
        """Answer; that the caller is gone shows at the next turn."""
        attempt(socket.send_fds, self._control, [json.dumps(message).encode()], list(descriptors))

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            attempt(os.kill, worker.pid, signal.SIGKILL)
        for descriptor in list(self._workers):
            self._reap(descriptor)


def _serve_tasks(request: dict[str, Any], channel: int, shared: int, log: int, lifeline: int, slowness: float) -> None:
    began = time.monotonic()
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    _close_others({0, 1, 2, channel, shared, lifeline})
    atexit._clear()
    gc.enable()
    random.seed()
    np.random.seed()
    tempfile.tempdir = None  # that of the caller's environment, found anew
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(request["n_threads"])))
    mark = bytes.fromhex(request["mark"])
    stream = Channel(socket.socket(fileno=channel), mark)
    _worker_process.serve(stream, lifeline, shared, request["temporary"], began, slowness)


def _close_others(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            attempt(os.close, int(name))


def _hung_up(channel: int) -> bool:
    """Whether the other end of a socket is closed."""
    poller = select.poll()
    poller.register(channel, 0)
    return any(event & select.POLLHUP for _, event in poller.poll(0))


def _threads() -> list[str]:
    """Names of the threads of this process."""
    tasks = Path("/proc/self/task")
    names = [attempt((tasks / thread / "comm").read_text).value for thread in os.listdir(tasks)]
    return [name.strip() for name in names if name is not None]  # None: it has just ended
