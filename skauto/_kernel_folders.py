"""Folders in which compiled kernels are kept: only those that nobody else may write to are used.

Environment: ``SKAUTO_CACHE`` names the cache folder, else it is ``skauto`` in ``XDG_CACHE_HOME`` or ``~/.cache``.
"""

import atexit
import contextlib
import functools
import os
import shutil
import stat
import tempfile
from pathlib import Path

# Where a process tells the workers that it starts which folder of its own they may use.
HANDED = "SKAUTO_HANDED_CACHE"


def cache_folder() -> Path:
    """The user's cache folder, made if it is not there.

    Raises
    ------
    OSError
        If it cannot be made, or somebody else may write to it.
    """
    folder = _chosen()
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with contextlib.suppress(FileExistsError):
            missing.mkdir(mode=0o700)
    check_place(folder)
    return folder


def handed_folder() -> Path:
    """The folder that the process which started this one shares with its workers.

    Raises
    ------
    OSError
        If there is none.
    """
    folder = os.environ.get(HANDED)
    if not folder:
        raise FileNotFoundError("no folder was handed on")
    check_place(Path(folder))
    return Path(folder)


@functools.cache
def private_folder() -> Path:
    """A folder of this process alone, gone at its exit."""
    folder = tempfile.mkdtemp(prefix="skauto-kernels-")
    atexit.register(_remove, folder, os.getpid())
    return Path(folder)


def _remove(folder, owner):
    """Remove a folder at the exit of the process that made it, not at that of a forked child."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def for_workers() -> dict[str, str]:
    """Variables for the environment of worker processes: a folder to share where the cache cannot be written to.

    Else each would compile for itself, and leave its folder behind, since workers are ended rather than left to exit.
    """
    if os.environ.get(HANDED) or os.environ.get("SKAUTO_NATIVE", "1") == "0":
        return {}
    try:
        folder = _chosen()
        if folder.exists():
            check_place(folder)
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
            return {}
    except OSError:
        pass
    try:
        return {HANDED: str(private_folder())}
    except OSError:
        return {}


def check_place(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder in which somebody else than this user and the administrator could put a file.

    Raises
    ------
    OSError
        That says why.
    """
    folder = Path(os.path.realpath(folder))
    check_owner(folder)
    for above in folder.parents:
        check_owner(above, shared=True)


def check_owner(path: str | os.PathLike[str], shared: bool = False) -> None:
    """Refuse a file or folder that belongs to somebody else, or that others may write to.

    Parameters
    ----------
    path : path
    shared : bool, default=False
        Whether others may write to it if they cannot replace what is not theirs there, and the group in any case.

    Raises
    ------
    OSError
    """
    if not hasattr(os, "geteuid"):  # Windows tells neither owner nor mode this way
        return
    state = os.stat(path)
    if state.st_uid not in (0, os.geteuid()):
        raise PermissionError(f"{path} belongs to user {state.st_uid}")
    writers = stat.S_IWOTH if shared else stat.S_IWOTH | stat.S_IWGRP
    if state.st_mode & writers and not (shared and state.st_mode & stat.S_ISVTX):
        raise PermissionError(f"others may write to {path}")


def _chosen():
    """The absolute path of the cache folder; an OSError where there is no home for it."""
    chosen = os.environ.get("SKAUTO_CACHE")
    if chosen:
        return Path(os.path.abspath(chosen))
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except (RuntimeError, KeyError) as error:  # a user without a home, as in many containers
        raise FileNotFoundError(f"no home folder: {error}") from error
    return Path(os.path.abspath(base)) / "skauto"
