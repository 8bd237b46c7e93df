"""One worker process as its parent sees it: start, talk, measure, end."""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil

from skauto.search._caller import THREAD_VARIABLES, import_path, waiting
from skauto.search._channel import MARK_BYTES, Channel, ChannelError
from skauto.search._pool import Task
from skauto.search._sandbox import one_line
from skauto.search._user_modules import Modules, edited

Given = TypeVar("Given")

BOOT = (
    "import sys; sys.path[:] = sys.argv[5:]; "
    "from skauto.search._worker_process import main; main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5])"
)
LOG_BYTES = 1_000_000  # what a worker prints goes to a hidden file, emptied beyond this
TAIL_BYTES = 4_000
FAMILY_SECONDS = 0.5
END_SECONDS = 10


class Worker:
    """A process in a session of its own, so that ending it ends its children, at the other end of a channel.

    It is started as a fresh interpreter with the flags of this one, never forked, and imports no ``__main__``: scripts
    without a guard work.

    Attributes
    ----------
    state : {"importing", "released", "loading", "idle", "busy", "talking"}
        Importing until it says hello, loading its context, idle when ready for a task; released: without a pool.
        Talking lasts while messages are taken in: a worker found in it later was left halfway by Ctrl-C.
    number : int
        Of the last question sent. An answer has the number of its question; others are not for anybody.
    task : object
        What the pool has given it to do, or None.
    modules : dict
        The user's modules that it has loaded, see `Loaded.news`.
    began : float
        When its pool started it or took it over, on the monotonic clock.
    was_idle : bool
        Whether it was kept for the next pool: it may leave just when that takes it over.
    slowness : float
        Seconds that it took to import over its CPU seconds, as it said in its hello.
    output : str
        The last that it printed, once ended.
    """

    task: Task | Any  # or None; a busy worker has one
    _family: list[psutil.Process]

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.state = "importing"
        self.number = 0
        self.task = None
        self.modules: Modules = {}
        self.began = 0.0
        self.was_idle = False
        self.slowness = 1.0
        self.output = ""
        self._family, self._family_seen = [], 0.0
        mark = os.urandom(MARK_BYTES)
        with contextlib.ExitStack() as stack:
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            with theirs:
                self._log = stack.enter_context(tempfile.TemporaryFile("ab+", buffering=0))
                self.process = self._start(theirs.fileno(), mark)
            stack.pop_all()
        self.channel = Channel(ours, mark)

    def _start(self, descriptor: int, mark: bytes) -> subprocess.Popen[bytes]:
        # The standard library's own way to hand an interpreter's flags on, used by multiprocessing.
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # private
        about = [str(descriptor), str(os.getpid()), mark.hex(), os.path.abspath(tempfile.gettempdir())]
        return subprocess.Popen(
            [sys.executable, *flags, "-c", BOOT, *about, *import_path()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[descriptor],
            start_new_session=True,
            env=os.environ | waiting() | dict.fromkeys(THREAD_VARIABLES, str(self.threads)),
        )

    def send(self, *message: Any) -> None:
        """Send a message; that a worker is gone shows when it is next heard or checked."""
        self.number += 1
        with contextlib.suppress(OSError):
            self.channel.put(self.number, pickle.dumps(message))

    def tell(self, *message: Any) -> None:
        """Send a message that asks for no answer."""
        with contextlib.suppress(OSError):
            self.channel.put(0, pickle.dumps(message))

    def receive(self) -> list[bytes] | None:
        """What it said in answer to the last message, a list of bytes; None if it ended, or cannot be understood."""
        try:
            self.channel.flush()
            return [payload for number, payload in self.channel.take() if number == self.number]
        except (EOFError, OSError):
            return None
        except ChannelError as error:
            self.output = f"its messages were mixed up with something else: {error}"
            return None

    def dead(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def outdated(self) -> bool:
        """Whether it has loaded a module of the user that was edited since."""
        return edited(self.modules)

    def end(self) -> None:
        """Kill the process and all that it has started, and keep the last it printed in `output`."""
        if self._log.closed:
            return
        for child in self.children():
            _quietly(child.kill)
        # The group outlives its leader while a child of the leader lives.
        _quietly(os.killpg, self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in the system itself is left to it
            self.process.wait(END_SECONDS)
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES))
        self.output = "\n".join(filter(None, [tail.decode(errors="replace").strip(), self.output]))
        self.drop()

    def drop(self) -> None:
        """Close this side of the channel and the log."""
        self.channel.close()
        self._log.close()

    def children(self) -> list[psutil.Process]:
        """The processes that this one has started, and theirs."""
        return _quietly(lambda: psutil.Process(self.process.pid).children(recursive=True)) or []

    def resident(self) -> int:
        """Resident bytes of the process and its children; children are looked up twice a second, for it is slow."""
        if time.monotonic() > self._family_seen + FAMILY_SECONDS:
            self._family = self.children()
            self._family_seen = time.monotonic()
        family = [_quietly(psutil.Process, self.process.pid), *self._family]
        return sum(_quietly(_resident, process) or 0 for process in family if process)

    def clear_log(self, beyond: int = 0) -> None:
        """Forget what the worker printed, if it exceeds the limit."""
        if os.fstat(self._log.fileno()).st_size > beyond:
            self._log.truncate(0)

    def obituary(self) -> str:
        """One line on how the process, now ended, died."""
        code = self.process.returncode
        how = "it does not end" if code is None else f"exit code {code}"
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
