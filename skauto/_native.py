"""Builds and loads the few C kernels into a user cache; whoever asks has a pure fallback for None.

A library is keyed by its source, the compiler, the flags and the processor's features, built under a temporary name,
tried in a child process and only then renamed into place. Its name ends with a digest of its content, which is checked
before it is loaded, and so are the owner and mode of it and its folder: a crash, a race, a loss of power, another user
or a home folder shared with another machine costs the speed of one kernel, never the process.

Environment: ``SKAUTO_NATIVE=0`` switches kernels off, ``CC`` names the compiler; for folders see `_kernel_folders`.
"""

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from skauto._kernel_folders import cache_folder, check_owner, handed_folder, private_folder

FLAGS = ("-std=c11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd")
LINK = ("-shared", "-fPIC", "-lm")
TRIAL = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).self_test())"
BUILD_SECONDS, VERSION_SECONDS = 60, 5

log = logging.getLogger(__name__)


class _CannotBuildError(Exception):
    """Why a kernel is not there; only ever logged."""


class _TooSlowError(_CannotBuildError):
    """A command that had to be ended."""


# Compilers that did not end: the next kernel does not wait for them again.
HANGING: set[str] = set()


# Whatever goes wrong on the way to a kernel: there is a fallback.
FAULTS = (_CannotBuildError, ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError, OSError,
          RuntimeError, TypeError, ValueError, subprocess.SubprocessError)  # fmt: skip


@functools.cache
def load(source: Path) -> ctypes.CDLL | None:
    """The compiled library of a C file, or None where it cannot be had.

    Parameters
    ----------
    source : Path
        A C file that exports ``int self_test(void)``, which returns 0 when its kernels work.

    Returns
    -------
    library : ctypes.CDLL or None
        None without a compiler, without a folder to write to, if the trial fails, or with ``SKAUTO_NATIVE=0``. The
        reason is logged at level INFO under ``skauto._native``.
    """
    try:
        return _opened(Path(source))
    except FAULTS as error:
        log.info("no compiled %s, using the slower fallback: %s", Path(source).name, error)
        return None


def _opened(source):
    """The library from the first folder where it is or can be built."""
    if os.environ.get("SKAUTO_NATIVE", "1") == "0":
        raise _CannotBuildError("SKAUTO_NATIVE=0")
    compiler = _compiler()
    try:
        return _found_or_built(source, compiler)
    except _TooSlowError:
        HANGING.add(compiler)
        raise


def _found_or_built(source, compiler):
    prefix = f"{source.stem}-{_key(source, compiler)}-"
    for find in (cache_folder, handed_folder, private_folder):
        try:
            folder = find()
            return ctypes.CDLL(str(_kept(folder, prefix) or _build(compiler, source, folder, prefix)))
        except OSError as error:
            log.info("no %s in the %s: %s", source.name, find.__name__.replace("_", " "), error)
    raise _CannotBuildError("no folder to write to")


def _kept(folder, prefix):
    """The library in a folder; a damaged one, or one that others may have written, is removed."""
    for path in sorted(folder.glob(f"{prefix}*.so")):
        try:
            check_owner(path)
            if _digest(path) == path.stem.removeprefix(prefix):
                return path
            log.info("%s is damaged", path)
        except OSError as error:
            log.info("cannot use %s: %s", path, error)
        path.unlink(missing_ok=True)
    return None


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def _compiler():
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found in HANGING:
            raise _CannotBuildError(f"{found} did not end")
        if found:
            return found
    raise _CannotBuildError("no C compiler")


def _key(source, compiler):
    version = _run([compiler, "--version"], VERSION_SECONDS)
    parts = (
        source.read_bytes(),
        compiler.encode(),
        version.encode(),
        " ".join(FLAGS + LINK).encode(),
        _processor().encode(),
    )
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _processor():
    """What -march=native depends on, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    wanted = ("flags", "features", "model name")
    told = {line for line in lines if line.lower().startswith(wanted)}
    return "\n".join([platform.machine(), platform.processor(), *platform.libc_ver(), *sorted(told)])


def _build(compiler, source, folder, prefix):
    """Compile in the folder, try the result in a child, and rename it into place once it is on the disk."""
    if not sys.executable:
        raise _CannotBuildError("no interpreter to try a kernel in")
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=folder)
    try:
        os.close(handle)
        _run([compiler, *FLAGS, str(source), "-o", temporary, *LINK], BUILD_SECONDS)
        _run([sys.executable, "-I", "-c", TRIAL, temporary], BUILD_SECONDS)
        os.chmod(temporary, 0o755)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        target = folder / f"{prefix}{_digest(Path(temporary))}.so"
        os.replace(temporary, target)
        return target
    finally:
        Path(temporary).unlink(missing_ok=True)


def _run(command, seconds):
    """What a command prints; it ends in time, with all that it has started, or is ended."""
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as output:  # a pipe would be held open by what the command leaves behind
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise _TooSlowError(f"{name} took over {seconds} s") from error
        finally:
            _end(process)
        output.seek(0)
        told = output.read().decode(errors="replace")
    if code:
        raise _CannotBuildError(f"{name} ended with {code}: {told[-400:].strip()}")
    return told


def _end(process):
    """Kill what still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
