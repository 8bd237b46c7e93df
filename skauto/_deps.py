"""Optional packages and system libraries: one message for everything that can be missing."""

import importlib
import importlib.util
from typing import Any

# What a failed import most likely lacks, by a fragment of its message.
SYSTEM_LIBRARIES = {"libgomp": "libgomp1"}


class MissingDependencyError(ImportError):
    """A package, or a system library that it needs, cannot be loaded; the message says how to get it."""


def require(name: str, extra: str | None = None) -> Any:
    """Import a module, or say in one line what is missing and how to install it.

    Parameters
    ----------
    name : str
        Module to import, for example ``"torch"``.
    extra : str, default=None
        Extra of skauto that brings it, for example ``"deep"``.

    Returns
    -------
    module : module
        The imported module.

    Raises
    ------
    MissingDependencyError
        If the module or a system library it links to cannot be loaded.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise MissingDependencyError(_advice(name, extra, error)) from error


def are_installed(names: str) -> bool:
    """Whether modules are there, such as ``"torch skorch"``: to load them can take seconds, so they are looked for.

    Examples
    --------
    >>> are_installed("numpy scipy"), are_installed("numpy no_such_module")
    (True, False)
    """
    return all(map(importlib.util.find_spec, names.split()))


def _advice(name, extra, error):
    for fragment, package in SYSTEM_LIBRARIES.items():
        if fragment in str(error):
            return f"{name} needs the system library {package}, which is missing: `apt-get install {package}`"
    target = f"'skauto[{extra}]'" if extra else name
    return f"{name} is not available ({error}): `pip install {target}`"
