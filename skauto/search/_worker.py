"""One worker process as its parent sees it: start, talk, measure, end."""

import contextlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psutil

from skauto.search._channel import MARK_BYTES, Channel, ChannelError
from skauto.search._pool import Task
from skauto.search._processes import UNKNOWN, ForkedProcess, FreshProcess
from skauto.search._sandbox import one_line
from skauto.search._servers import SERVERS, can_fork

Given = TypeVar("Given")

log = logging.getLogger(__name__)

LOG_BYTES = 1_000_000  # what a worker prints goes to a hidden file, emptied beyond this
TAIL_BYTES = 4_000
FAMILY_SECONDS = 0.5
END_SECONDS = 10


# A server may end just when it is asked for a worker: so often another one is asked before a fresh interpreter comes.
FORKS = 2


class Worker:
    """A process in a session of its own, so that ending it ends its children, at the other end of a channel.

    It is forked by a server that has only imported, or, where that cannot be, a fresh interpreter with the flags of
    this one; never forked from this process. It imports no ``__main__``: scripts without a guard work.

    Parameters
    ----------
    n_threads : int
        For its BLAS, OpenMP and torch.
    shared : int
        Descriptor of the file with its context.
    modules : tuple of str, default=()
        What the server must have imported, where it is forked; names of installed modules.
    deep : bool, default=False
        Whether to fork it from the server with PyTorch.

    Attributes
    ----------
    state : {"starting", "loading", "idle", "busy", "talking"}
        Starting until it says hello, loading its context, idle when ready for a task. Talking lasts while messages are
        taken in: a worker found in it later was left halfway by Ctrl-C.
    number : int
        Of the last question sent. An answer has the number of its question; others are not for anybody.
    task : object
        What the pool has given it to do, or None.
    began : float
        When it was started, on the monotonic clock; as it says itself, once it is there: its server may have had to
        import first.
    slowness : float
        Seconds over CPU seconds of the imports, its own or its server's.
    begun_with : int
        Resident bytes that it had before its first task.
    output : str
        The last that it printed, once ended.
    """

    task: Task | Any  # or None; a busy worker has one
    process: ForkedProcess | FreshProcess
    _family: list[psutil.Process]

    def __init__(self, n_threads: int, shared: int, modules: Sequence[str] = (), deep: bool = False) -> None:
        self.n_threads = n_threads
        self.shared = shared
        self.modules = modules
        self.deep = deep
        self.state = "starting"
        self.number = 0
        self.task = None
        self.began = time.monotonic()
        self.slowness = 1.0
        self.begun_with = 0
        self.output = ""
        self._family, self._family_seen = [], 0.0
        self._killed = False
        self._forks = FORKS if can_fork() else 0
        with contextlib.ExitStack() as stack:
            self._log = stack.enter_context(tempfile.TemporaryFile("ab+", buffering=0))
            self._start()
            stack.pop_all()

    def _start(self) -> None:
        """Start the process at a channel of its own."""
        mark = os.urandom(MARK_BYTES)
        with contextlib.ExitStack() as stack:
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            with theirs:
                self.process = self._started(mark, theirs.fileno())
            stack.pop_all()
        self.channel = Channel(ours, mark)

    def _started(self, mark: bytes, channel: int) -> ForkedProcess | FreshProcess:
        if self._forks == 0:
            return FreshProcess(self.n_threads, mark, channel, self.shared, self._log.fileno())
        self._forks -= 1
        server = SERVERS.server(self.deep)
        request = {
            "modules": list(self.modules),
            "n_threads": self.n_threads,
            "mark": mark.hex(),
            "temporary": os.path.abspath(tempfile.gettempdir()),
        }
        return ForkedProcess(server, server.fork(request, channel, self.shared, self._log.fileno()))

    def _is_started_again(self) -> bool:
        """Start the process another way if its server will not fork it; gives whether that was so."""
        if not isinstance(self.process, ForkedProcess) or (reason := self.process.refused()) is None:
            return False
        if not self.process.lost:
            self._forks = 0
        self.channel.close()
        self.process.close()
        how = "asks another one" if self._forks else "starts a fresh interpreter"
        log.warning("%s: a worker %s", reason, how)
        self._start()
        return True

    def send(self, *message: Any) -> None:
        """Send a message; that a worker is gone shows when it is next heard or checked."""
        self.number += 1
        with contextlib.suppress(OSError):
            self.channel.put(self.number, pickle.dumps(message))

    def receive(self) -> list[bytes] | None:
        """What it said in answer to the last message, a list of bytes; None if it ended, or cannot be understood."""
        try:
            self.channel.flush()
            return [payload for number, payload in self.channel.take() if number == self.number]
        except (EOFError, OSError):
            return [] if self._is_started_again() else None
        except ChannelError as error:
            self.output = f"its messages were mixed up with something else: {error}"
            return None

    def greeted(self, pid: int, began: float, slowness: float, resident: int) -> None:
        """Take in its hello."""
        self.process.greeted(pid)
        self.began, self.slowness, self.begun_with = max(began, self.began), slowness, resident

    def dead(self) -> bool:
        """Whether the process has ended; one that its server did not fork is started another way."""
        self._is_started_again()
        return self.process.poll() is not None

    def kill(self) -> None:
        """Kill the process and its group, without waiting for its end."""
        if self._killed:
            return
        self._killed = True
        for child in self.children():
            _quietly(child.kill)
        self.process.kill_group()

    def end(self) -> None:
        """Kill the process and all that it has started, and keep the last it printed in `output`."""
        if self._log.closed:
            return
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in the system itself is left to it
            self.process.wait(END_SECONDS)
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES))
        self.output = "\n".join(filter(None, [tail.decode(errors="replace").strip(), self.output]))
        self.drop()

    def drop(self) -> None:
        """Close this side of the channel, and the log; a worker that is not there yet leaves when it finds that."""
        self.channel.close()
        self.process.close()
        self._log.close()

    def children(self) -> list[psutil.Process]:
        """The processes that this one has started, and theirs."""
        if self.process.pid is None:
            return []
        found = _quietly(lambda: psutil.Process(self.process.pid).children(recursive=True)) or []
        return found if self.process.poll() is None else []  # its number may be another's by now

    def resident(self) -> int:
        """Resident bytes of the process, above those it began with, and its children's, looked up twice a second."""
        if time.monotonic() > self._family_seen + FAMILY_SECONDS:  # to look them up is slow
            self._family = self.children()
            self._family_seen = time.monotonic()
        own = None if self.process.pid is None else _quietly(psutil.Process, self.process.pid)
        family = [process for process in (own, *self._family) if process]
        return max(0, sum(_quietly(_resident, process) or 0 for process in family) - self.begun_with)

    def clear_log(self, beyond: int = 0) -> None:
        """Forget what the worker printed, if it exceeds the limit."""
        if os.fstat(self._log.fileno()).st_size > beyond:
            self._log.truncate(0)

    def obituary(self) -> str:
        """One line on how the process, now ended, died."""
        code = self.process.returncode
        how = {None: "it does not end", UNKNOWN: "its exit code is unknown"}.get(code, f"exit code {code}")
        if code is not None and code < 0:
            how = f"signal {_signal_name(-code)}"
        last = self.output.splitlines()[-1:]
        return one_line(": ".join([f"the worker process died ({how})", *last]))


def _signal_name(number: int) -> str:
    """Its name; those for real-time use have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _quietly(function: Callable[..., Given], *args: Any) -> Given | None:
    """Call something on a process that may have just ended."""
    try:
        return function(*args)
    except (psutil.Error, ProcessLookupError, PermissionError):
        return None


def _resident(process: psutil.Process) -> int:
    return process.memory_info().rss
