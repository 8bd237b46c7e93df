"""The process of a worker: a fresh interpreter, or one that a fork server has forked; each can be ended."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from skauto.search._caller import THREAD_VARIABLES, import_path, waiting
from skauto.search._lifeline import LIFELINE
from skauto.search._servers import ForkServer

BOOT = (
    "import sys; sys.path[:] = sys.argv[6:]; "
    "from skauto.search._worker_process import main; main(*map(int, sys.argv[1:4]), *sys.argv[4:6])"
)

# The exit code of a process of which nobody could tell.
UNKNOWN = 1 << 16

# How long a server may take to tell that a worker has begun, or how it ended, and seconds between looks for it.
TELL_SECONDS, LOOK = 2.0, 0.005

# Linux 6.9 and later send a signal to the whole group of a process's descriptor.
TO_GROUP = 1 << 2


class FreshProcess(subprocess.Popen[bytes]):
    """A fresh interpreter with the flags of this one, the leader of a session of its own.

    Parameters
    ----------
    n_threads : int
    mark : bytes
        Of the channel.
    channel, shared, log : int
        Descriptors.
    """

    def __init__(self, n_threads: int, mark: bytes, channel: int, shared: int, log: int) -> None:
        # The standard library's own way to hand an interpreter's flags on, used by multiprocessing.
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # private
        lifeline = LIFELINE.reading_end()
        about = [str(channel), str(lifeline), str(shared), mark.hex(), os.path.abspath(tempfile.gettempdir())]
        super().__init__(
            [sys.executable, *flags, "-c", BOOT, *about, *import_path()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[channel, lifeline, shared],
            start_new_session=True,
            env=os.environ | waiting() | dict.fromkeys(THREAD_VARIABLES, str(n_threads)),
        )

    def kill_group(self) -> None:
        """Kill it with its group, which outlives its leader while a child of the leader lives."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def greeted(self, pid: int) -> None:
        """It has said hello."""

    def close(self) -> None:
        """Nothing is held for it."""


class ForkedProcess:
    """A worker that a server forks, with the methods of `subprocess.Popen` that are used of one.

    It is waited for and killed through a descriptor of the process, never by its number, which may soon be another's.

    Parameters
    ----------
    server : ForkServer
    number : int
        Of the request.

    Attributes
    ----------
    returncode : int or None
        As of `subprocess.Popen`; `UNKNOWN` where the server was gone before it could tell.
    """

    def __init__(self, server: ForkServer, number: int) -> None:
        self.returncode: int | None = None
        self._server = server
        self._number = number

    @property
    def told(self) -> dict[str, Any]:
        """What the server has said of it so far."""
        return self._server.said(self._number)

    @property
    def pid(self) -> int | None:
        """Its number, None until it is forked."""
        return self.told.get("pid")

    @property
    def lost(self) -> bool:
        """Whether its server has ended."""
        return self._server.lost

    def greeted(self, pid: int) -> None:
        """It has said hello, with its number: should its server be killed before it tells, we look for ourselves."""
        self._wait_for("descriptor")
        if "descriptor" not in self.told:
            with suppress(OSError):
                self._server.found(self._number, {"pid": pid, "descriptor": os.pidfd_open(pid)})

    def refused(self) -> str | None:
        """Why the server will never fork it, or None."""
        told = self.told
        if "pid" in told:
            return None
        if "threads" in told:
            return f"the fork server has the threads {', '.join(told['threads'])}"
        if "reason" in told:
            return str(told["reason"])
        return f"the fork server has ended ({self._server.last_words or 'silently'})" if self._server.lost else None

    def poll(self) -> int | None:
        """The exit code, None while it lives or is not forked yet."""
        if self.returncode is None and self._has_ended(0):
            self._wait_for("code")
            code = self.told.get("code")
            self.returncode = UNKNOWN if code is None else code
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises
        ------
        subprocess.TimeoutExpired
        """
        if self.returncode is None and not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        code = self.poll()
        return UNKNOWN if code is None else code

    def kill(self) -> None:
        """Kill it alone; the server kills its group before it takes its end in."""
        self._send()

    def kill_group(self) -> None:
        """Kill it with its group."""
        self._send(TO_GROUP) or self._send()

    def close(self) -> None:
        """Give its descriptor back."""
        self._server.forget(self._number)

    def _wait_for(self, what: str) -> None:
        """Give the server time to tell something."""
        end = time.monotonic() + TELL_SECONDS
        while what not in self.told and not self._server.lost and time.monotonic() < end:
            time.sleep(LOOK)

    def _has_ended(self, timeout: float | None) -> bool:
        descriptor = self.told.get("descriptor")
        if descriptor is None:
            return False
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(None if timeout is None else 1000 * timeout))

    def _send(self, flags: int = 0) -> bool:
        """Kill; gives whether there was somebody to kill, and the system knows the flags."""
        descriptor = self.told.get("descriptor")
        if descriptor is None:
            return False
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL, None, flags)
        except OSError:
            return False
        return True
