"""Modules outside of installed packages, which their author may edit while the process lives that has loaded them."""

import os
import site
import sys
import sysconfig
from contextlib import suppress
from typing import TypeAlias

import cloudpickle

# By name: the file, the time of its last change, and its size.
Modules: TypeAlias = dict[str, tuple[str, int, int]]


class Loaded:
    """The modules of this process that are not of an installed package, noted as they come.

    Examples
    --------
    >>> from skauto.search._user_modules import Loaded
    >>> loaded = Loaded()
    >>> _ = loaded.news()
    >>> loaded.news()
    {}
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._installed = installed_folders()

    def news(self) -> Modules:
        """What was loaded since the last call, a dict of names to (file, time of its last change, size)."""
        found = {}
        for name in sys.modules.keys() - self._known:
            self._known.add(name)
            file = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(file, str) and not os.path.abspath(file).startswith(self._installed):
                found[name] = (file, *state_of(file))
        return found


def adopt_classes_of_main() -> None:
    """Put classes of the caller's script or notebook, which came here by value, into the `__main__` of this process.

    What pickles by reference inside of its own state looks for them there, as skorch does through `torch.save`.
    """
    main = sys.modules["__main__"]
    came_by_value = getattr(cloudpickle.cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {})
    for known in list(came_by_value):  # a later one replaces an earlier one of the same name
        if known.__module__ != "__main__" or known.__qualname__ != known.__name__:
            continue
        own = getattr(main, known.__name__, None)
        if own is None or own in came_by_value:
            setattr(main, known.__name__, known)


def installed_folders() -> tuple[str, ...]:
    """Folders of the standard library and of installed packages, each with a separator at its end."""
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    return tuple(os.path.join(folder, "") for folder in folders)


def state_of(file: str) -> tuple[int, int]:
    """Time of its last change and size of a file, (0, 0) where there is none."""
    with suppress(OSError):
        status = os.stat(file)
        return status.st_mtime_ns, status.st_size
    return 0, 0


def edited(modules: Modules) -> bool:
    """Whether a file of these modules has changed, or a name means another file here.

    Parameters
    ----------
    modules : dict
        What `Loaded.news` gave, in another process.
    """
    return any(state_of(file) != tuple(state) or _elsewhere(name, file) for name, (file, *state) in modules.items())


def _elsewhere(name: str, file: str) -> bool:
    own = getattr(sys.modules.get(name), "__file__", None)
    return own is not None and own != file
