"""What runs inside a worker: load the context once, then one task after another until the channel closes."""

import faulthandler
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cloudpickle
import psutil
from threadpoolctl import threadpool_limits

from skauto.search import _deadline
from skauto.search._caller import ProcessState, enter, take_over
from skauto.search._channel import Channel
from skauto.search._folders import sweep
from skauto.search._lifeline import has_died
from skauto.search._memory import return_freed
from skauto.search._sandbox import Report, Sandbox, run
from skauto.search._shared import Layout, View
from skauto.search._trial import Status
from skauto.search._user_modules import adopt_classes_of_main

GRACE_SECONDS = 10  # how long after a task's limit a worker ends itself if nobody else has
PARTING_SECONDS = 1.0  # how long a worker whose channel has closed waits to see whether its caller has died
PARTING_LOOKS = 10  # how often it then looks for what the caller has left
WARM_UP = ("numpy", "pandas", "sklearn.pipeline", "sklearn.compose", "sklearn.model_selection")


@dataclass
class _State:
    """What a pool has set up here.

    Attributes
    ----------
    shared : int
        Descriptor of the file with the context.
    begun_with : int
        Resident bytes of this process before its first task.
    context : Report or None
        On the view of the context.
    filters : list of tuple or None
        Of warnings.
    """

    shared: int
    begun_with: int
    context: Report | Any = None
    filters: list[Any] | None = None


def main(descriptor: int, lifeline: int, shared: int, mark: str, temporary: str) -> None:
    """Serve tasks in a fresh interpreter, over an inherited socket.

    Parameters
    ----------
    descriptor : int
    lifeline : int
        Descriptor that tells of the caller's death.
    shared : int
        Descriptor of the file with the context.
    mark : str
        The channel's, in hexadecimal.
    temporary : str
        Where the caller keeps its temporary folders.
    """
    sys.argv[1:] = []
    for inherited in (descriptor, lifeline, shared):
        os.set_inheritable(inherited, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the caller
    began, used = time.monotonic(), time.process_time()
    _import(WARM_UP)
    slowness = (time.monotonic() - began) / max(time.process_time() - used, 0.01)
    serve(Channel(socket.socket(fileno=descriptor), bytes.fromhex(mark)), lifeline, shared, temporary, 0.0, slowness)


def serve(channel: Channel, lifeline: int, shared: int, temporary: str, began: float, slowness: float) -> None:
    """Serve tasks until the channel closes or the caller has died, then leave.

    Parameters
    ----------
    channel : Channel
    lifeline, shared : int
    temporary : str
    began : float
        When this process was forked, on the monotonic clock; 0 where it was not.
    slowness : float
        Seconds that passed in a CPU second of the imports.
    """
    threading.Thread(target=_end_with_caller, args=(lifeline, temporary), daemon=True).start()
    resident = psutil.Process().memory_info().rss
    try:
        _say(channel, 0, pickle.dumps((os.getpid(), began, slowness, resident)))  # hello
        _answer(channel, _State(shared, resident))
    except (EOFError, OSError):
        if has_died(lifeline, PARTING_SECONDS):  # else it is this worker alone that is lost, and others go on
            sweep_after(temporary)
    os._exit(0)  # at once, whatever threads a task has left


def _answer(channel: Channel, state: _State) -> None:
    """Answer questions; EOFError or OSError where the channel closes."""
    while True:
        for number, message in channel.take():
            kind, *parts = pickle.loads(message)
            _say(channel, number, ANSWERS[kind](state, *parts))
            return_freed()
        channel.wait()


def _say(channel: Channel, number: int, payload: bytes) -> None:
    channel.put(number, payload)
    while channel.unsent:
        channel.wait()
        channel.flush()


def _set_up(
    state: _State,
    layout: Layout,
    threads: int,
    modules: Iterable[str],
    caller: ProcessState,
    settings: bytes,
) -> bytes:
    """Take over what holds in the parent, and load the context."""
    enter(caller)
    _import(modules)
    _limit_threads(threads)
    read = run(pickle.loads, settings)
    state.context, state.filters = read, None
    if read.status == Status.COMPLETE:
        configuration, state.filters = read.value
        take_over(configuration)
        state.context = run(_load, state.shared, layout)
    return b""


def _load(shared: int, layout: Layout) -> View:
    view = View(shared, layout)
    os.close(shared)
    adopt_classes_of_main()
    return view


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        run(importlib.import_module, module)


def _limit_threads(threads: int) -> None:
    """Bound the thread pools that are loaded; those loaded later read the environment."""
    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _run_task(state: _State, task: bytes, time_limit: float | None, end: float) -> bytes:
    """Run a pickled task; gives the fields of the Report on it, plain types alone.

    The value and the warnings, which may need the user's modules, are pickled by themselves.
    """
    if time_limit is not None:  # a C thread, so it works while a task holds the interpreter lock
        faulthandler.dump_traceback_later(time_limit + GRACE_SECONDS, exit=True, file=sys.__stderr__)  # type: ignore[arg-type]
    _deadline.start(time_limit)
    _deadline.end_by(end)
    if state.context.status == Status.COMPLETE:
        state.context.value.restore()
        with Sandbox(state.filters) as box, _without_forks():
            function, args = pickle.loads(task)
            adopt_classes_of_main()
            box.value = function(state.context.value.content, *args)
        report = box.report
    else:
        report = replace(state.context, reason=f"the context cannot be loaded: {state.context.reason}")
    packed = run(cloudpickle.dumps, (report.value, report.warnings))
    if packed.status != Status.COMPLETE:
        reason = f"the result cannot be pickled: {packed.reason}"
        report = Report(Status.FAILED, None, reason, packed.output, report.warnings, report.seconds)
        packed = run(cloudpickle.dumps, (None, report.warnings))
    faulthandler.cancel_dump_traceback_later()
    fields: dict[str, Any] = {"status": str(report.status), "reason": report.reason, "output": report.output}
    resident = max(0, psutil.Process().memory_info().rss - state.begun_with)
    fields |= {"seconds": report.seconds, "packed": packed.value, "resident": resident}
    return pickle.dumps(fields)


# What a worker does for each kind of message, and sends back where it is asked for an answer.
ANSWERS: dict[str, Callable[..., bytes]] = {
    "setup": _set_up,
    "task": _run_task,
}


@contextmanager
def _without_forks() -> Iterator[None]:
    """A block at whose end a child that was forked in it leaves, however it ends: its parent gives the answer."""
    own = os.getpid()
    try:
        yield
    except SystemExit as left:
        _end_fork(own, left.code)
        raise
    finally:
        _end_fork(own)


def _end_fork(own: int, code: object = None) -> None:
    """End a child that a task has forked and let come back."""
    if os.getpid() != own:
        os._exit(code if isinstance(code, int) else int(code is not None))


def sweep_after(temporary: str) -> None:
    """Remove what a caller that has just died has left: it closes its life line before the locks on its folders."""
    for _ in range(PARTING_LOOKS):
        sweep(temporary)
        time.sleep(PARTING_SECONDS / PARTING_LOOKS)


def _end_with_caller(lifeline: int, temporary: str) -> None:
    """End the whole process group once the caller has died, and remove what it has left on the disk."""
    if has_died(lifeline, None):
        sweep_after(temporary)
        os.killpg(os.getpgrp(), signal.SIGKILL)
