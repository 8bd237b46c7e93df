"""The one way to write a file: it is there as a whole, or what was there before stays."""

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path

# What a folder answers that takes no new file, or where a file may not be replaced: one that is mounted alone is busy.
NOT_REPLACEABLE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise an OSError that names the path where a folder or a permission lacks: before the work, not after it.

    An existing file has to be writable, its folder need not; a new one needs a folder that takes it. A symbolic link
    is judged by what it points to.
    """
    folder = Path(os.path.realpath(path)).parent
    before = _stat(path)
    if before is not None and stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file to write", os.fspath(path))
    if before is None and not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"the folder {folder} does not exist", os.fspath(path))
    if not os.access(folder if before is None else path, os.W_OK):
        raise PermissionError(errno.EACCES, "cannot be written: no permission", os.fspath(path))
    if before is None:
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:  # a file system of the kernel's, or a read-only one, where root has every permission
            raise type(error)(
                error.errno, f"cannot be written in {folder}: {error.strerror}", os.fspath(path)
            ) from error


def write_whole(path: str | os.PathLike[str], *parts: bytes | bytearray | memoryview) -> Path:
    """Write a file that appears complete or not at all, and survives a loss of power.

    The bytes go to a new file in the same folder, which replaces the old one once it is on the disk. A
    symbolic link stays, what it points to is replaced. The mode of an existing file is kept, and its owner where that
    is allowed. What is no regular file, such as a pipe or a device, is written to directly, and so is a writable file
    that cannot be replaced, as in a folder without write permission: there alone, an interruption damages it.

    Parameters
    ----------
    path : str or path-like
    *parts : bytes-like
        What the file holds, one after the other.

    Returns
    -------
    path : pathlib.Path
        As it was given.

    Raises
    ------
    OSError
        That names `path`; nothing is left behind.
    """
    try:
        before = _stat(path)
        if before is not None and not stat.S_ISREG(before.st_mode):
            _write_to(path, parts)
        else:
            _replace_or_overwrite(Path(os.path.realpath(path)), parts, before)
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None  # not that of the temporary file
        raise
    return Path(path)


def _stat(path):
    """What is at a path, a link followed; None where nothing is."""
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path)


def _write_to(path, parts):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            os.fsync(file.fileno())


def _replace_or_overwrite(target, parts, before):
    try:
        _replace(target, parts, before)
    except OSError as error:
        if before is None or error.errno not in NOT_REPLACEABLE or not os.access(target, os.W_OK):
            raise
        _write_to(target, parts)


def _replace(target, parts, before):
    temporary = target.with_name(f".skauto-{secrets.token_hex(8)}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # The system applies the umask to a new file. One that replaces a private file is never seen with another mode.
    handle = os.open(temporary, flags, 0o666 if before is None else 0o600)
    try:
        with open(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            _keep_owner_and_mode(temporary, before)
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):  # it is there only if something went wrong
            os.unlink(temporary)
    _sync_folder(target.parent)


def _keep_owner_and_mode(path, before):
    with contextlib.suppress(OSError, AttributeError):  # only an administrator may give files away; not on Windows
        os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))


def _sync_folder(folder):
    """Put the new name on the disk too, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
