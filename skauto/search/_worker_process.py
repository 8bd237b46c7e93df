"""What runs inside a worker: load the context once, then one task after another until the pipe closes."""

import contextlib
import faulthandler
import gc
import importlib
import os
import pickle
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection

import cloudpickle
import psutil
from threadpoolctl import threadpool_limits

from skauto.search import _deadline
from skauto.search._sandbox import Report, run
from skauto.search._trial import Status

SPARE_SECONDS = 60  # how long a worker without a pool waits for the next one
GRACE_SECONDS = 10  # how long after a task's limit a worker ends itself if nobody else has
SELF = psutil.Process()
WARM_UP = ("numpy", "pandas", "sklearn.pipeline", "sklearn.compose", "sklearn.model_selection")


def main(descriptor, parent):
    """Serve tasks over an inherited pipe until it closes or the parent is gone."""
    sys.argv[1:] = []
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the parent
    folders = []  # of the context at hand, removed here only where the parent no longer can
    threading.Thread(target=_end_with_parent, args=(parent, folders), daemon=True).start()
    began, used = time.monotonic(), time.process_time()
    _import(WARM_UP)
    slowness = (time.monotonic() - began) / max(time.process_time() - used, 0.01)
    with contextlib.suppress(EOFError, OSError):
        _serve(Connection(descriptor), folders, slowness)
    _remove(folders)
    os._exit(0)  # at once, whatever threads a task has left behind


def _serve(connection, folders, slowness):
    connection.send(slowness)  # hello
    context = None
    while connection.poll(SPARE_SECONDS if context is None else None):
        kind, *message = pickle.loads(connection.recv_bytes())
        if kind == "release":
            context = None
            folders.clear()
            gc.collect()
        elif kind == "import":
            _import(*message)
        elif kind == "setup":
            folders[:] = [os.path.dirname(message[0])]
            context = _set_up(*message)
            connection.send("ready")
        else:
            connection.send_bytes(_answer(context, *message))


def _set_up(context_path, threads, modules, path, folder):
    """Take over the parent's import path and folder, and load the context; gives a Report on it."""
    sys.path[:] = path
    run(os.chdir, folder)
    _import(modules)
    _limit_threads(threads)
    return run(_load, context_path)


def _load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def _import(modules):
    for module in modules:
        run(importlib.import_module, module)


def _limit_threads(threads):
    """Bound the thread pools that are loaded; those loaded later read the environment."""
    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _answer(context, task, time_limit):
    """The pickled report on a task, with the resident bytes at its end."""
    if time_limit is not None:  # a C thread, so it works while a task holds the interpreter lock
        faulthandler.dump_traceback_later(time_limit + GRACE_SECONDS, exit=True, file=sys.__stderr__)
    _deadline.start(time_limit)
    if context.status == Status.COMPLETE:
        report = run(_call, context.value, task)
    else:
        report = replace(context, reason=f"the context cannot be loaded: {context.reason}")
    packed = run(cloudpickle.dumps, (report, _resident()))
    if packed.status != Status.COMPLETE:
        reason = f"the result cannot be pickled: {packed.reason}"
        report = Report(Status.FAILED, None, reason, packed.output, report.warnings, report.seconds)
        packed = run(pickle.dumps, (report, _resident()))
    faulthandler.cancel_dump_traceback_later()
    return packed.value


def _call(context, task):
    function, args = pickle.loads(task)
    return function(context, *args)


def _resident():
    return SELF.memory_info().rss


def _remove(folders):
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent(parent, folders):
    """End the whole process group once the parent has died."""
    while os.getppid() == parent:
        time.sleep(1.0)
    _remove(folders)
    os.killpg(os.getpgrp(), signal.SIGKILL)
