"""Tasks that misbehave, for the tests of workers; imported by the workers themselves."""

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
import warnings


def add(context, number):
    return context + number


def pid(context):
    return os.getpid()


def fail(context):
    raise ValueError("no luck\nsecond line")


def leave(context):
    raise SystemExit(3)


def sleep(context, seconds):
    time.sleep(seconds)
    return "slept"


def spin(context):
    """A loop in C that never gives the interpreter lock back."""
    return 10 ** (10**9)


def die(context, code):
    sys.stdout.write("last words\n")
    sys.stdout.flush()
    os._exit(code)


def die_once(context, path):
    """End the process the first time only; the file remembers."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        os._exit(3)
    return "lived"


def segfault(context):
    ctypes.string_at(0)


def signal_self(context, number):
    os.kill(os.getpid(), number)
    time.sleep(60)


def eat(context):
    """Grow by 20 MB at a time."""
    hoard = []
    while True:
        hoard.append(bytearray(os.urandom(1)) * 20_000_000)
        time.sleep(0.01)


def eat_in_a_child(context):
    subprocess.run([sys.executable, "-c", "import time; x = bytearray(300_000_000); time.sleep(60)"], check=True)


def ask_too_much(context):
    return bytearray(2**60)


def lock(context):
    return threading.Lock()


def leak(context, path, seconds=0):
    """Start a process that outlives the task, and write down which."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(path, "w") as file:
        file.write(str(child.pid))
    child.returncode = 0  # no warning that it still runs
    time.sleep(seconds)


def warn(context):
    for _ in range(3):
        warnings.warn("take care", UserWarning, stacklevel=1)
    return "warned"


def shout(context):
    sys.stdout.write("noise\n")
    sys.stderr.write("noise\n")
    os.write(1, b"noise\n")
    os.write(2, b"noise\n")


def environment(context, name):
    return os.environ.get(name)


def blas_threads(context):
    from threadpoolctl import threadpool_info

    return {pool["num_threads"] for pool in threadpool_info()}


class BrokenContext:
    """Can be pickled, but not loaded."""

    def __reduce__(self):
        return _refuse, ()


class DeadlyContext:
    """Ends any process that loads it."""

    def __reduce__(self):
        return os._exit, (7,)


def _refuse():
    raise OSError("the file is gone")


class BadReturn:
    """A value that can be pickled, but not loaded."""

    def __reduce__(self):
        return _refuse, ()


def bad_return(context):
    return BadReturn()
