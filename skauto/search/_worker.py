"""One worker process as its parent sees it: start, talk, measure, end."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Pipe

import psutil

from skauto.search._sandbox import one_line

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
BOOT = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from skauto.search._worker_process import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
LOG_BYTES = 1_000_000  # what a worker prints goes to a hidden file, emptied beyond this
TAIL_BYTES = 4_000
FAMILY_SECONDS = 0.5


class Worker:
    """A process in a session of its own, so that ending it ends its children, at the other end of a pipe.

    It is started as a fresh interpreter, never forked, and imports no ``__main__``: scripts without a guard work.

    Attributes
    ----------
    state : {"importing", "released", "loading", "idle", "busy", "hearing"}
        Importing until it says hello, loading its context, idle when ready for a task; released: without a pool.
        Hearing lasts while a message is taken in: a worker found in it later was left halfway by Ctrl-C.
    task : object
        What the pool has given it to do, or None.
    began : float
        When its pool started it or took it over, on the monotonic clock.
    slowness : float
        Seconds that it took to import over its CPU seconds, as it said in its hello.
    output : str
        The last that it printed, once ended.
    """

    def __init__(self, threads):
        self.threads = threads
        self.state = "importing"
        self.task = None
        self.connection, theirs = Pipe()
        self.began = 0.0
        self.slowness = 1.0
        self.output = ""
        self._log = tempfile.TemporaryFile("ab+", buffering=0)  # noqa: SIM115 - as long as the process
        self._family, self._family_seen = [], 0.0
        command = [sys.executable, "-c", BOOT, str(theirs.fileno()), str(os.getpid()), *import_path()]
        with theirs:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
            )

    def send(self, *message):
        """Send a message; that a worker is gone shows when it is next heard or checked."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(message))

    def receive(self):
        """The bytes that the worker sent, None if it ended instead."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError):
            return None

    def dead(self):
        """Whether the process has ended."""
        return self.process.poll() is not None

    def end(self):
        """Kill the process and all that it has started, and keep the last it printed in `output`."""
        if self._log.closed:
            return
        for child in self.children():
            _quietly(child.kill)
        # The group outlives its leader while a child of the leader lives.
        _quietly(os.killpg, self.process.pid, signal.SIGKILL)
        self.process.wait()
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES))
        self.output = tail.decode(errors="replace").strip()
        self.drop()

    def drop(self):
        """Close this side of the pipe and the log."""
        self.connection.close()
        self._log.close()

    def children(self):
        """The processes that this one has started, and theirs."""
        return _quietly(lambda: psutil.Process(self.process.pid).children(recursive=True)) or []

    def resident(self):
        """Resident bytes of the process and its children; children are looked up twice a second, for it is slow."""
        if time.monotonic() > self._family_seen + FAMILY_SECONDS:
            self._family = self.children()
            self._family_seen = time.monotonic()
        family = [_quietly(psutil.Process, self.process.pid), *self._family]
        return sum(_quietly(_resident, process) or 0 for process in family if process)

    def clear_log(self, beyond=0):
        """Forget what the worker printed, if it is more than so many bytes."""
        if os.fstat(self._log.fileno()).st_size > beyond:
            self._log.truncate(0)

    def obituary(self):
        """One line on how the process, now ended, died."""
        code = self.process.returncode
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        last = self.output.splitlines()[-1:]
        return one_line(": ".join([f"the worker process died ({how})", *last]))


def import_path():
    """sys.path as a worker in another folder needs it."""
    return [path if path else os.getcwd() for path in sys.path if isinstance(path, str)]


def _quietly(function, *args):
    """Call something on a process that may have just ended."""
    try:
        return function(*args)
    except (psutil.Error, ProcessLookupError, PermissionError):
        return None


def _resident(process):
    return process.memory_info().rss
