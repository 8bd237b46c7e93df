"""What is the user's own, and what is of installed packages."""

import os
import site
import sys
import sysconfig

import cloudpickle


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
