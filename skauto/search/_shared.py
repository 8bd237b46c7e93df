"""What all tasks of a pool share: written once to a file without a name, and mapped by each worker, not copied."""

import functools
import io
import mmap
import os
import pickle
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

import cloudpickle
from scipy.sparse import issparse

from skauto.search._folders import no_room
from skauto.search._sandbox import attempt
from skauto.search._trial import Status

# Where arrays begin: at a multiple that suits every type of number, and vectors of them.
ALIGNMENT = 64

# Where classes come from that are trained by PyTorch.
NETWORKS = ("torch.", "skorch.", "skauto.estimators.neural.")

# Linux drops what a process has written to its private view of a file, when it is told that this is not needed.
FORGETS = sys.platform == "linux" and hasattr(mmap, "MADV_DONTNEED")


@dataclass(frozen=True)
class Layout:
    """Where things lie in the file.

    Attributes
    ----------
    n_bytes : int
        Of the pickle, which comes first.
    buffers : tuple of (int, int, bool)
        Beginning, length, and whether it is only read, of the memory of each array.
    restorable : bool
        Whether the arrays may be set back to what they were: not those of sparse matrices, which note what was done to
        theirs, such as sorting.
    """

    n_bytes: int
    buffers: tuple[tuple[int, int, bool], ...]
    restorable: bool


class Shared:
    """An object in a file without a name; whoever is given the descriptor and the layout can load it.

    Parameters
    ----------
    content : object

    Attributes
    ----------
    layout : Layout
    has_network : bool
        Whether a class of a network, or an object of one, is in it.

    Raises
    ------
    OSError
        If there is no room for it where temporary files are put.
    TypeError
        If it cannot be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.search._shared import Shared, View
    >>> shared = Shared({"X": np.arange(3)})
    >>> View(shared.fileno(), shared.layout).content
    {'X': array([0, 1, 2])}
    >>> shared.close()
    """

    layout: Layout
    has_network: bool

    def __init__(self, content: Any) -> None:
        folder = os.path.abspath(tempfile.gettempdir())
        buffers: list[pickle.PickleBuffer] = []
        with ExitStack() as stack:
            try:
                raw = stack.enter_context(tempfile.TemporaryFile(buffering=0, dir=folder))
            except OSError as error:
                raise no_room(folder, error) from error
            file = _Noted(raw)
            written = attempt(_write, file, content, buffers)
            if file.error is not None:
                raise no_room(folder, file.error) from file.error
            if written.status != Status.COMPLETE:
                what = f"what the workers need cannot be pickled ({written.reason})"
                raise TypeError(f"{what}; look at scoring and estimators")
            self.layout, self.has_network = written.value
            self._file = raw
            stack.pop_all()

    def fileno(self) -> int:
        """The descriptor."""
        return self._file.fileno()

    def close(self) -> None:
        """Close this process's side; the room is given back when the last worker has."""
        self._file.close()


class View:
    """An object that another process has shared. Its arrays are this process's own as soon as they are written to.

    Parameters
    ----------
    descriptor : int
    layout : Layout

    Attributes
    ----------
    content : object
    """

    def __init__(self, descriptor: int, layout: Layout) -> None:
        self._restorable = layout.restorable
        self._map = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
        memory = memoryview(self._map)
        buffers = []
        for begin, length, is_read_only in layout.buffers:
            part = memory[begin : begin + length]
            buffers.append(part.toreadonly() if is_read_only else part)
        self.content = pickle.loads(memory[: layout.n_bytes], buffers=buffers)

    def restore(self) -> None:
        """Undo what was written to the arrays, where the system can: a task finds them as they were shared."""
        if FORGETS and self._restorable:
            self._map.madvise(mmap.MADV_DONTNEED)


class _Noted:
    """A file whose own errors are told apart from those of what is pickled into it."""

    def __init__(self, file: BinaryIO | io.FileIO) -> None:
        self.file = file
        self.length = 0
        self.error: OSError | None = None

    def write(self, data: Any) -> None:
        """Write all of it, and keep an OSError."""
        left = memoryview(data).cast("B")
        self.length += len(left)
        try:
            while left:
                left = left[self.file.write(left) :]
        except OSError as error:
            self.error = error
            raise


class _Pickler(cloudpickle.Pickler):
    """Notes whether it has met a sparse matrix, and an object that PyTorch trains."""

    met_sparse = met_network = False

    def reducer_override(self, obj: Any) -> Any:
        self.met_sparse = self.met_sparse or issparse(obj)
        self.met_network = self.met_network or _is_network(obj if isinstance(obj, type) else type(obj))
        return super().reducer_override(obj)


@functools.cache
def _is_network(kind: type) -> bool:
    return any(f"{base.__module__}.".startswith(NETWORKS) for base in kind.__mro__)


def _write(file: _Noted, content: Any, buffers: list[pickle.PickleBuffer]) -> tuple[Layout, bool]:
    """Write the pickle, then the memory of the arrays in it; gives also whether there is a network."""
    pickler = _Pickler(file, protocol=5, buffer_callback=buffers.append)
    pickler.dump(content)
    n_bytes, places = file.length, []
    for buffer in buffers:
        with buffer.raw() as memory:
            file.write(bytes(-file.length % ALIGNMENT))
            places.append((file.length, memory.nbytes, memory.readonly))
            file.write(memory)
    return Layout(n_bytes, tuple(places), not pickler.met_sparse), pickler.met_network


def write_file(path: str, content: bytes) -> None:
    """Write bytes that tasks need; an OSError says where there is no room."""
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise no_room(os.path.dirname(os.path.dirname(path)), error) from error
