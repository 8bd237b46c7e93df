"""Fork servers as their caller sees them: started when first wanted, asked for workers, and ended."""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from typing import Any

from skauto.search._caller import THREAD_VARIABLES, import_path, waiting
from skauto.search._lifeline import LIFELINE
from skauto.search._user_modules import installed_folders

# Workers are forked unless this is 0.
SWITCH = "SKAUTO_FORKSERVER"

BOOT = (
    "import sys, time; began = time.monotonic(); sys.path[:] = sys.argv[5:]; "
    "from skauto.search._fork_server import main; main(*map(int, sys.argv[1:4]), sys.argv[4], began)"
)

# What libraries read while they are loaded: a server with other values, flags or import path is another one. Threads
# are no part of it, see `_environment`.
READ_AT_IMPORT = ("PYTHON", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "LD_", "MALLOC_", "TORCH_", "CUDA_", "SCIPY_")

# No library may start a thread in a server: BLAS on several threads does, and so does pyarrow's memory allocator.
NO_THREADS = {**dict.fromkeys(THREAD_VARIABLES, "1"), "JE_ARROW_MALLOC_CONF": "background_thread:false"}

# Packages that may have been loaded from a folder that is none of installed packages.
PACKAGES = "skauto numpy scipy sklearn pandas cloudpickle threadpoolctl psutil lightgbm torch"

MOST_BYTES = 1 << 16

# Of what a server prints.
TAIL_BYTES = 4_000

# How long a server without workers waits for the next request, and its caller for its end.
IDLE_SECONDS, END_SECONDS = 60, 5


class ForkServer:
    """A fork server, a process without a thread, and what it has said of its workers.

    Parameters
    ----------
    key : tuple
        Flags of the interpreter, import path and variables, from `key_of_a_server`.
    idle_seconds : int, default=60
        How long it waits for the next request once it has no workers.

    Attributes
    ----------
    lost : bool
        Whether it has ended.
    last_words : str
        The last line that it printed, once lost.
    """

    def __init__(self, key: tuple[Any, ...], idle_seconds: int = IDLE_SECONDS) -> None:
        self.key = key
        self.idle_seconds = idle_seconds
        self.lost = False
        self.last_words = ""
        self._lock = threading.Lock()
        self._count = 0
        self._said: dict[int, dict[str, Any]] = {}
        self._forgotten: set[int] = set()
        with contextlib.ExitStack() as stack:
            self._log = stack.enter_context(tempfile.TemporaryFile("ab+", buffering=0))
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(ours.close)
            with theirs:
                self.process = self._start(theirs.fileno())
            stack.pop_all()
        ours.setblocking(False)
        self._control = ours

    def _start(self, control: int) -> subprocess.Popen[bytes]:
        flags, path, _ = self.key
        lifeline = LIFELINE.reading_end()
        about = [str(control), str(lifeline), str(self.idle_seconds), os.path.abspath(tempfile.gettempdir())]
        return subprocess.Popen(
            [sys.executable, *flags, "-c", BOOT, *about, *path],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[control, lifeline],
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )

    def load(self, modules: Iterable[str]) -> None:
        """Have it import more, names of installed modules."""
        self._ask({"wish": "import", "modules": list(modules)})

    def fork(self, request: dict[str, Any], channel: int, shared: int, log: int) -> int:
        """Ask for a worker; gives the number by which `said` and `forget` know it.

        Parameters
        ----------
        request : dict
            "modules", "n_threads", "mark" and "temporary", see `_fork_server`.
        channel, shared, log : int
            Descriptors of the worker's end of its channel, of the file with its context, and of that for what it
            prints.
        """
        with self._lock:
            self._count += 1
            number = self._count
        self._ask({"wish": "fork", "number": number, **request}, [channel, shared, log])
        return number

    def retire(self) -> None:
        """Let it end once its workers have."""
        self._ask({"wish": "retire"})

    def has_ended(self) -> bool:
        """Whether its process is gone; what it has said before is kept."""
        self.said(0)
        return self.process.poll() is not None

    def end(self) -> None:
        """End its workers and itself."""
        self._ask({"wish": "end"})
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def drop(self) -> None:
        """Forget it in a forked child: it is the parent's."""
        self.process.returncode = 0
        self._close()

    def _close(self) -> None:
        """Close this side, and keep the last that it printed."""
        self.lost = True
        self._control.close()
        if not self._log.closed:
            size = os.fstat(self._log.fileno()).st_size
            tail = os.pread(self._log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES)).decode(errors="replace")
            self.last_words = next(iter(tail.splitlines()[-1:]), "")
            self._log.close()

    def said(self, number: int) -> dict[str, Any]:
        """What it has said of a worker, without waiting: "pid" and "descriptor", then "code", the exit code.

        "threads", names, or "reason", where it could not fork.
        """
        with self._lock:
            while not self.lost and self._take():
                pass
            return self._said.get(number, {})

    def found(self, number: int, about: dict[str, Any]) -> None:
        """Note of a worker what the server did not tell before it was gone."""
        with self._lock:
            self._said.setdefault(number, {}).update(about)

    def forget(self, number: int) -> None:
        """Nobody will ask for a worker any more."""
        with self._lock:
            told = self._said.pop(number, {})
            if "code" not in told and not told.keys() & {"threads", "reason"}:
                self._forgotten.add(number)
            if "descriptor" in told:
                os.close(told["descriptor"])

    def _ask(self, request: dict[str, Any], descriptors: Iterable[int] = ()) -> None:
        """Send a request; that the server is gone shows when it is next heard."""
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [json.dumps(request).encode()], list(descriptors))

    def _take(self) -> bool:
        """Take in one message; gives whether there was one."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._control, MOST_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self._close()
            return False
        told = json.loads(packet)
        number = told.pop("number")
        if descriptors:
            told["descriptor"] = descriptors[0]
        if number not in self._forgotten:
            self._said.setdefault(number, {}).update(told)
        elif descriptors:
            os.close(descriptors[0])
        if "code" in told:
            self._forgotten.discard(number)
        return True


class _Servers:
    """At most two that are in use: one without PyTorch, one with it. A forked child has none of its parent's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[bool, ForkServer] = {}
        self._leaving: list[ForkServer] = []  # kept until they have ended, so that somebody waits for them
        self._watched = False

    def warm(self, modules: Iterable[str], deep: bool = False) -> None:
        """Have a server, without PyTorch or with it, import ahead of the first worker, where workers are forked."""
        if can_fork():
            self.server(deep).load(modules)

    def server(self, deep: bool) -> ForkServer:
        """The server of a kind, started where there is none, or where it would import otherwise now."""
        with self._lock:
            self._watch()
            self._leaving = [server for server in self._leaving if not server.has_ended()]
            server, key = self._servers.get(deep), key_of_a_server()
            if server is not None and (server.has_ended() or server.lost or server.key != key):
                server.retire()
                self._leaving.append(server)
                server = None
            if server is None:
                server = self._servers[deep] = ForkServer(key)
            return server

    def end(self) -> None:
        """End all servers and their workers."""
        with self._lock:
            for server in [*self._servers.values(), *self._leaving]:
                server.end()
            self._servers, self._leaving = {}, []

    def _watch(self) -> None:
        if not self._watched:
            self._watched = True
            os.register_at_fork(after_in_child=self._forget)
            atexit.register(self.end)

    def _forget(self) -> None:
        """In a forked child, where the lock may be held for ever."""
        self._lock = threading.Lock()
        for server in [*self._servers.values(), *self._leaving]:
            server.drop()
        self._servers, self._leaving = {}, []


SERVERS = _Servers()


def can_fork() -> bool:
    """Whether workers are forked: on Linux, and unless ``SKAUTO_FORKSERVER=0``."""
    return os.environ.get(SWITCH) != "0" and _has_descriptors_of_processes()


def _has_descriptors_of_processes() -> bool:
    """Whether the system gives out descriptors of processes: it may be too old, or forbid it."""
    if not hasattr(os, "pidfd_open") or not os.path.isdir("/proc/self/task"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def key_of_a_server() -> tuple[Any, ...]:
    """Flags of the interpreter, import path, and the variables that libraries read at their import."""
    # The standard library's own way to hand an interpreter's flags on, used by multiprocessing.
    flags = tuple(subprocess._args_from_interpreter_flags())  # type: ignore[attr-defined]  # private
    variables = {name: value for name, value in _environment().items() if name.startswith(READ_AT_IMPORT)}
    return flags, tuple(_installed_path()), tuple(sorted(variables.items()))


def _environment() -> dict[str, str]:
    return os.environ | waiting() | NO_THREADS


def _installed_path() -> list[str]:
    """The part of the import path with installed packages, so that no module of the user is taken for one of theirs."""
    # A relative folder is none of an installation, and cannot be followed where the working directory is gone.
    folders = [folder for folder in import_path() if os.path.isabs(folder)]
    return [folder for folder in folders if _is_installed(os.path.join(os.path.normpath(folder), ""))]


def _is_installed(folder: str) -> bool:
    if folder.startswith(installed_folders()) or {"site-packages", "dist-packages"} & set(folder.split(os.sep)):
        return True
    return folder in _roots()


def _roots() -> set[str]:
    """Folders that skauto and the packages it needs were loaded from, wherever they lie."""
    files = (getattr(sys.modules.get(name), "__file__", None) for name in PACKAGES.split())
    return {os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(file))), "") for file in files if file}
