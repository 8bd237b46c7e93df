"""What runs inside a worker: load the context once, then one task after another until the channel closes."""

import faulthandler
import gc
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
from dataclasses import dataclass, field, replace
from typing import Any

import cloudpickle
import psutil
from threadpoolctl import threadpool_limits

from skauto.search import _deadline
from skauto.search._caller import enter, take_over
from skauto.search._channel import Channel
from skauto.search._folders import sweep
from skauto.search._sandbox import Report, Sandbox, run
from skauto.search._trial import Status
from skauto.search._user_modules import Loaded, adopt_classes_of_main

IDLE_SECONDS = 60  # how long a worker without a pool waits for the next one
GRACE_SECONDS = 10  # how long after a task's limit a worker ends itself if nobody else has
PARTING_SECONDS = 2.0  # how long a worker whose channel has closed waits to see whether its parent has died
SELF = psutil.Process()
WARM_UP = ("numpy", "pandas", "sklearn.pipeline", "sklearn.compose", "sklearn.model_selection")


@dataclass
class _State:
    """What a pool has set up here.

    Attributes
    ----------
    folders : set of str
        Where the parents keep temporary folders.
    context : Report or None
        On the context; None without a pool.
    filters : list of tuple or None
        Of warnings.
    """

    folders: set[str]
    context: Report | Any = None
    filters: list[Any] | None = None
    loaded: Loaded = field(default_factory=Loaded)


def main(descriptor: int, parent: int, mark: str, temporary: str) -> None:
    """Serve tasks over an inherited socket until it closes or the parent is gone.

    Parameters
    ----------
    descriptor : int
    parent : int
        Its process id.
    mark : str
        The channel's, in hexadecimal.
    temporary : str
        Where the parent keeps its temporary folders.
    """
    sys.argv[1:] = []
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the parent
    folders = {temporary}
    threading.Thread(target=_end_with_parent, args=(parent, folders), daemon=True).start()
    began, used = time.monotonic(), time.process_time()
    _import(WARM_UP)
    slowness = (time.monotonic() - began) / max(time.process_time() - used, 0.01)
    try:
        _serve(Channel(socket.socket(fileno=descriptor), bytes.fromhex(mark)), _State(folders), slowness)
    except (EOFError, OSError):
        if _died(parent, within=PARTING_SECONDS):  # else it is this worker alone that is lost, and others go on
            _sweep(folders)
    os._exit(0)  # at once: a parent that takes this for an idle worker waits in vain; whatever threads a task has left


def _serve(channel: Channel, state: _State, slowness: float) -> None:
    """Answer until nobody has had a pool for this worker for long; EOFError or OSError where the channel closes."""
    _say(channel, 0, pickle.dumps(slowness))  # hello
    while True:
        messages = channel.take()
        for number, message in messages:
            kind, *parts = pickle.loads(message)
            answer = ANSWERS[kind](state, *parts)
            if number > 0:
                _say(channel, number, answer)
        if not messages and not channel.wait(IDLE_SECONDS if state.context is None else None):
            return


def _say(channel: Channel, number: int, payload: bytes) -> None:
    channel.put(number, payload)
    while channel.unsent:
        channel.wait()
        channel.flush()


def _preload(state: _State, modules: Iterable[str]) -> bytes:
    _import(modules)
    return b""


def _release(state: _State) -> bytes:
    """Forget the context: the pool is closed, and another one may take this worker."""
    state.context = None
    gc.collect()
    return b""


def _set_up(
    state: _State,
    context_path: str,
    threads: int,
    modules: Iterable[str],
    process_state: tuple[Any, ...],
    settings: bytes,
) -> bytes:
    """Take over what holds in the parent, and load the context."""
    state.folders.add(os.path.dirname(os.path.dirname(context_path)))
    enter(*process_state)
    _import(modules)
    _limit_threads(threads)
    read = run(pickle.loads, settings)
    state.context, state.filters = read, None
    if read.status == Status.COMPLETE:
        configuration, state.filters = read.value
        take_over(configuration)
        state.context = run(_load, context_path)
    return pickle.dumps(state.loaded.news())


def _load(path: str) -> Any:
    with open(path, "rb") as file:
        context = pickle.load(file)
    adopt_classes_of_main()
    return context


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
        with Sandbox(state.filters) as box, _without_forks():
            function, args = pickle.loads(task)
            adopt_classes_of_main()
            box.value = function(state.context.value, *args)
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
    fields |= {"seconds": report.seconds, "packed": packed.value, "resident": SELF.memory_info().rss}
    return pickle.dumps(fields | {"modules": state.loaded.news()})


# What a worker does for each kind of message, and sends back where it is asked for an answer.
ANSWERS: dict[str, Callable[..., bytes]] = {
    "import": _preload,
    "release": _release,
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


def _sweep(folders: set[str]) -> None:
    for folder in tuple(folders):  # the other thread may be adding to them
        sweep(folder)


def _died(parent: int, within: float) -> bool:
    """Whether the parent dies within so many seconds: one that is killed closes its sockets before it is gone."""
    end = time.monotonic() + within
    while os.getppid() == parent:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _end_with_parent(parent: int, folders: set[str]) -> None:
    """End the whole process group once the parent has died, and remove what it has left on the disk."""
    while os.getppid() == parent:
        time.sleep(1.0)
    _sweep(folders)
    os.killpg(os.getpgrp(), signal.SIGKILL)
