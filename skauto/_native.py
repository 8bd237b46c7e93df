"""Builds and loads the few C kernels into a user cache; whoever asks has a pure fallback for None.

A library is keyed by its source, the compiler, the flags and the processor's features, built under a temporary name,
tried in a child process and only then renamed into place: a crash, a race or a home folder shared with another
machine costs the speed of one kernel, never the process.

Environment: ``SKAUTO_NATIVE=0`` switches kernels off, ``SKAUTO_CACHE`` names the cache folder, ``CC`` the compiler.
"""

import atexit
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = ("-std=c11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd")
LINK = ("-shared", "-fPIC", "-lm")
TRIAL = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).self_test())"
BUILD_SECONDS = 60

log = logging.getLogger(__name__)


class _CannotBuildError(Exception):
    """Why a kernel is not there; only ever logged."""


@functools.cache
def load(source):
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
    except (_CannotBuildError, OSError) as error:
        log.info("no compiled %s, using the slower fallback: %s", Path(source).name, error)
        return None


def _opened(source):
    """The library, built once more if the file that is kept cannot be opened: a disk may have been full."""
    target = _built(source)
    try:
        return ctypes.CDLL(str(target))
    except OSError as error:
        log.info("building %s again: %s", target.name, error)
        target.unlink(missing_ok=True)
        return ctypes.CDLL(str(_built(source)))


def _built(source):
    if os.environ.get("SKAUTO_NATIVE", "1") == "0":
        raise _CannotBuildError("SKAUTO_NATIVE=0")
    compiler = _compiler()
    name = f"{source.stem}-{_key(source, compiler)}.so"
    for folder in (_cache_folder(), None):
        try:
            target = (folder or _private_folder()) / name
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                _build(compiler, source, target)
            return target
        except OSError as error:
            log.info("cannot keep %s in %s: %s", name, folder, error)
    raise _CannotBuildError("no folder to write to")


def _compiler():
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise _CannotBuildError("no C compiler")


def _key(source, compiler):
    version = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    parts = (source.read_bytes(), compiler.encode(), version, " ".join(FLAGS + LINK).encode(), _processor().encode())
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


def _cache_folder():
    chosen = os.environ.get("SKAUTO_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skauto"


def _private_folder():
    """A folder of this process alone, for a read-only home; gone at exit."""
    folder = tempfile.mkdtemp(prefix="skauto-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _build(compiler, source, target):
    """Compile beside the target, try the result in a child, and rename it into place."""
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=target.parent)
    os.close(handle)
    try:
        _run([compiler, *FLAGS, str(source), "-o", temporary, *LINK])
        _run([sys.executable, "-I", "-c", TRIAL, temporary])
        os.chmod(temporary, 0o755)
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _run(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _CannotBuildError(f"{Path(command[0]).name} took over {BUILD_SECONDS} s") from error
    if done.returncode:
        raise _CannotBuildError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-400:].strip()}")
