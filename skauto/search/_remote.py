"""What runs on an executor's worker: a child for each of its threads, which keeps the context and takes the tasks."""

import atexit
import hashlib
import os
import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from skauto.search._sandbox import attempt
from skauto.search._workers import WorkerPool

# Answers instead of an Outcome: this worker lacks the context; the search is over, or wants the task no more.
LACKS, UNWANTED = "lacks the context", "unwanted"

# Names of files in the folder of a search: what all tasks share, and a sign for each task that is wanted no more.
CONTEXT, CANCELLED = "context", "cancelled-{}"

# Searches whose children a worker keeps at a time, and seconds after which an idle one ends that nobody told to.
MAX_CONTEXTS = 2
IDLE_SECONDS = 600

# Seconds between looks at whether a task is still wanted, and between rounds that end the children of old searches.
LOOK, ROUND = 0.25, 3.0

# The digest and the folder of a search's context.
Search: TypeAlias = tuple[str, str]


@dataclass
class _Child:
    """The pool of one thread for a search, and the search's folder where this machine can read it."""

    pool: WorkerPool
    folder: str | None
    busy: bool = True
    since: float = field(default_factory=time.monotonic)

    def over(self) -> bool:
        """Whether no task will come any more."""
        if self.busy:
            return False
        ended = self.folder is not None and not os.path.isdir(self.folder)
        return ended or time.monotonic() > self.since + IDLE_SECONDS


class _Children:
    """The children of this process, by search (digest and folder of its context) and thread."""

    _searches: OrderedDict[Search, dict[int, _Child]]
    _owner: int | None

    def __init__(self) -> None:
        self._watched = False
        self._forget()

    def _forget(self) -> None:
        """Begin anew, as in a forked child: the parent's children are not ours, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._searches = OrderedDict()
        self._owner = None

    def take(self, search: Search, make: Callable[[], _Child | None]) -> _Child | None:
        """The child of the calling thread for a search, now busy, made where there is none; None where `make` is."""
        key = threading.get_ident()
        with self._lock:
            self._own()
            child = self._searches.get(search, {}).get(key)
            if child is not None:
                child.busy = True
                return child
        child = make()
        if child is not None:
            with self._lock:
                self._searches.setdefault(search, {})[key] = child
                self._end(self._beyond())
        return child

    def give_back(self, child: _Child) -> None:
        """The task of a child is done."""
        with self._lock:
            child.busy, child.since = False, time.monotonic()

    def drop(self, search: Search) -> None:
        """End the idle children of a search; the busy ones end once they see that it is over."""
        with self._lock:
            if self._owner == os.getpid():
                self._end([(search, key) for key, child in self._searches.get(search, {}).items() if not child.busy])

    def close(self) -> None:
        """End all children of this process."""
        if self._owner == os.getpid():
            self._end(self._keys())

    def _own(self) -> None:
        """Begin to look after children, once in a process."""
        if not self._watched:
            os.register_at_fork(after_in_child=self._forget)
            self._watched = True
        if self._owner is None:
            self._owner = os.getpid()
            atexit.register(self.close)
            threading.Thread(target=self._watch, args=(self._owner,), daemon=True).start()

    def _watch(self, owner: int) -> None:
        while self._owner == owner:
            time.sleep(ROUND)
            with self._lock:
                self._end([(search, key) for search, key in self._keys() if self._searches[search][key].over()])

    def _keys(self) -> list[tuple[Search, int]]:
        return [(search, key) for search, children in self._searches.items() for key in children]

    def _beyond(self) -> list[tuple[Search, int]]:
        """Idle children of the searches beyond those that are kept."""
        old = list(self._searches)[:-MAX_CONTEXTS]
        return [(search, key) for search, key in self._keys() if search in old and not self._searches[search][key].busy]

    def _end(self, keys: Iterable[tuple[Search, int]]) -> None:
        for search, key in keys:
            self._searches[search].pop(key).pool.close()
            if not self._searches[search]:
                del self._searches[search]


CHILDREN = _Children()


def run_task(
    about: dict[str, Any], number: int, blob: bytes | None, task: bytes, time_limit: float | None
) -> str | tuple[str, dict[str, Any], float]:
    """Run a pickled task in this thread's child; nothing of it is unpickled in this process.

    Parameters
    ----------
    about : dict
        Of the search: "digest" and "folder" of its context, "threads", "memory_limit" and the "caller"'s settings.
    number : int
        Of the task.
    blob : bytes or None
        The pickled context, for a worker that lacks it.
    task : bytes
    time_limit : float or None

    Returns
    -------
    answer : str or tuple
        `LACKS` or `UNWANTED`; or the status and the other fields of its Outcome, value and warnings pickled, and the
        seconds that the child took to start.
    """
    if _unwanted(about["folder"], number):
        return UNWANTED

    def make() -> _Child | None:
        path = os.path.join(about["folder"], CONTEXT)
        content = _content(about["digest"], path) if blob is None else blob
        if content is None:
            return None
        limits = about["threads"], Loaded(content), about["memory_limit"]
        folder = about["folder"] if blob is None else None
        return _Child(WorkerPool(1, *limits, caller=about["caller"], packed=True), folder)

    # By folder too: another search of the same content may come after its modules were edited.
    child = CHILDREN.take((about["digest"], about["folder"]), make)
    if child is None:
        return LACKS
    try:
        return _outcome(child, number, task, time_limit)
    finally:
        CHILDREN.give_back(child)


def _outcome(
    child: _Child, number: int, task: bytes, time_limit: float | None
) -> str | tuple[str, dict[str, Any], float]:
    try:
        child.pool.submit(number, unpacked, task, time_limit=time_limit)
        while not (own := [outcome for outcome in child.pool.wait(LOOK) if outcome.key == number]):
            if child.folder is not None and (not os.path.isdir(child.folder) or _unwanted(child.folder, number)):
                return UNWANTED
    finally:  # whatever was raised, the next task must not find this one in the child
        child.pool.cancel(number)
    fields = {name: value for name, value in vars(own[0]).items() if name not in ("key", "status")}
    return str(own[0].status), fields, child.pool.start_seconds


def _unwanted(folder: str, number: int) -> bool:
    return os.path.exists(os.path.join(folder, CANCELLED.format(number)))


class Loaded:
    """A context that travels as the bytes it came in and is unpickled once, in the child."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.content,)


def digest_of(content: bytes) -> str:
    """What tells the context of one search from that of another."""
    return hashlib.sha256(content).hexdigest()


def _content(digest: str, path: str) -> bytes | None:
    """The context's bytes where this machine can read the right ones at the path."""
    read = attempt(_read, path)
    return read.value if read.error is None and digest_of(read.value) == digest else None


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def unpacked(context: Any, task: bytes) -> Any:
    """Run a pickled task, in a child."""
    function, args = pickle.loads(task)
    return function(context, *args)
