"""Temporary folders that hold data: removed by their owner, or, where it was killed, by whoever comes next."""

import fcntl
import os
import platform
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

PREFIX = "skauto-"

# The file that the owner of a folder holds a lock on: the system gives it up however the owner ends.
OWNER = "owner"

BOOT = Path("/proc/sys/kernel/random/boot_id")


class _Locks:
    """The descriptors on which this process holds locks; a forked child closes its copies, it owns no folder."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self._watched = False

    def add(self, descriptor: int) -> None:
        """Keep a descriptor out of the hands of forked children."""
        self.held.add(descriptor)
        if not self._watched:
            os.register_at_fork(after_in_child=self.forget)
            self._watched = True

    def forget(self) -> None:
        """Close all."""
        while self.held:
            with suppress(OSError):
                os.close(self.held.pop())

    def drop(self, descriptor: int) -> None:
        """Close one."""
        if descriptor in self.held:
            self.held.remove(descriptor)
            os.close(descriptor)


LOCKS = _Locks()


class TemporaryFolder:
    """A folder of this process, where `tempfile` puts such things, removed on `close`.

    Before it is made, the folders of this user's dead processes are removed.

    Attributes
    ----------
    path : str
        Absolute.

    Raises
    ------
    OSError
        If it cannot be made; nothing is left of it.

    Examples
    --------
    >>> import os
    >>> from skauto.search._folders import TemporaryFolder
    >>> with TemporaryFolder() as folder:
    ...     there = os.path.isdir(folder.path)
    >>> there, os.path.exists(folder.path)
    (True, False)
    """

    def __init__(self) -> None:
        parent = os.path.abspath(tempfile.gettempdir())
        sweep(parent)
        self._pid = os.getpid()
        try:
            self._make(parent)
        except OSError as error:
            raise no_room(parent, error) from error

    def _make(self, parent: str) -> None:
        with ExitStack() as stack:
            self.path = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
            stack.callback(shutil.rmtree, self.path, ignore_errors=True)
            self._lock = _lock(self.path)
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder with all that is in it, and those of workers that were killed with pools of their own.

        A forked child leaves it to its parent.
        """
        if os.getpid() != self._pid:
            return
        _remove(self.path)
        LOCKS.drop(self._lock)
        sweep(os.path.dirname(self.path))


def no_room(parent: str, error: OSError) -> OSError:
    """The OSError for a file that could not be written in the folder for temporary files."""
    return OSError(
        error.errno,
        f"the data cannot be written for the workers ({error.strerror}): make room in {parent}, or name another folder "
        f"in the environment variable TMPDIR",
    )


def sweep(parent: str) -> None:
    """Remove the folders of dead processes of this user and this machine."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False) and _is_mine(entry):
                _remove_if_orphaned(entry.path)


def _is_mine(entry: os.DirEntry[str]) -> bool:
    return entry.stat(follow_symlinks=False).st_uid == os.geteuid()


def _remove_if_orphaned(path: str) -> None:
    with suppress(OSError), ExitStack() as stack:
        descriptor = os.open(os.path.join(path, OWNER), os.O_RDWR | os.O_NOFOLLOW)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError where the owner lives
        if _is_of_this_machine(os.read(descriptor, 1000).decode(errors="replace")):
            _remove(path)


def _remove(path: str) -> None:
    """Remove a folder, the file of its owner last: halfway, the rest still has a sign of whose it was."""
    for name in _names(path):
        inside = os.path.join(path, name)
        if os.path.isdir(inside) and not os.path.islink(inside):
            shutil.rmtree(inside, ignore_errors=True)
        elif name != OWNER:
            with suppress(OSError):
                os.remove(inside)
    with suppress(OSError):
        os.remove(os.path.join(path, OWNER))
    with suppress(OSError):
        os.rmdir(path)


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _lock(path: str) -> int:
    """Lock the owner's file, which appears locked; gives the descriptor."""
    part = os.path.join(path, OWNER + ".part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    LOCKS.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a disk that knows no locks: only its owner will remove this folder
        return descriptor
    with ExitStack() as stack:
        stack.callback(LOCKS.drop, descriptor)
        os.write(descriptor, _machine().encode())
        os.rename(part, os.path.join(path, OWNER))
        stack.pop_all()
    return descriptor


def _machine() -> str:
    """This boot of this machine, and its name."""
    try:
        boot = BOOT.read_text().strip()
    except OSError:
        boot = ""
    return f"{boot}\n{platform.node()}"


def _is_of_this_machine(noted: str) -> bool:
    """Whether a folder is of this machine: others may share the disk, and not everywhere their locks."""
    here = _machine().split("\n")
    return any(part and part == mine for part, mine in zip(noted.split("\n"), here, strict=False))
