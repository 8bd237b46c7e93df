"""What runs on an executor's worker: a child for each of its threads, which keeps the context and takes the tasks."""

import atexit
import os
import pickle
import threading
from collections import OrderedDict

import joblib

from skauto.search._sandbox import attempt
from skauto.search._spares import SPARES
from skauto.search._workers import WorkerPool

LACKS = "lacks the context"

# Searches whose context a worker keeps at a time.
MAX_CONTEXTS = 2


class _Children:
    """The pools of this process, by search and thread; each has one child, and a search's go together."""

    def __init__(self):
        self._lock = threading.Lock()
        self._pools = OrderedDict()
        self._owner = None

    def get(self, digest, make):
        """The pool of the calling thread for a search, made where there is none; None where `make` gives None."""
        with self._lock:
            if self._owner != os.getpid():  # also after a fork: the parent's children are not ours
                self._pools, self._owner = OrderedDict(), os.getpid()
                atexit.register(self.close)
            mine = self._pools.get(digest, {}).get(threading.get_ident())
        if mine is not None:
            return mine
        pool = make()
        if pool is not None:
            with self._lock:
                self._pools.setdefault(digest, {})[threading.get_ident()] = pool
                while len(self._pools) > MAX_CONTEXTS:
                    self._end(self._pools.popitem(last=False)[1])
        return pool

    def close(self):
        """End all children of this process."""
        if self._owner == os.getpid():
            while self._pools:
                self._end(self._pools.popitem()[1])
            SPARES.end()  # an ended pool leaves its worker there, perhaps after the spares' own end at exit

    def _end(self, pools):
        for pool in pools.values():
            pool.close()


CHILDREN = _Children()


def run_task(digest, path, blob, task, time_limit, threads, memory_limit):
    """Run a pickled task in this thread's child.

    Returns
    -------
    answer : str or tuple
        `LACKS`, or the status and the other fields of its Outcome.
    """

    def make():
        content = _content(digest, path) if blob is None else blob
        return None if content is None else WorkerPool(1, threads, _Loaded(content), memory_limit)

    pool = CHILDREN.get(digest, make)
    if pool is None:
        return LACKS
    pool.submit("task", _unpacked, task, time_limit=time_limit)
    outcomes = []
    while not outcomes:
        outcomes = pool.wait(1.0)
    fields = {name: value for name, value in vars(outcomes[0]).items() if name not in ("key", "status")}
    return str(outcomes[0].status), fields


class _Loaded:
    """A context that travels as the bytes it came in and is unpickled once, in the child."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        return pickle.loads, (self.content,)


def _content(digest, path):
    """The context's bytes where this machine can read the right ones at the path."""
    read = attempt(_read, path)
    return read.value if read.error is None and joblib.hash(read.value) == digest else None


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _unpacked(context, task):
    function, args = pickle.loads(task)
    return function(context, *args)
