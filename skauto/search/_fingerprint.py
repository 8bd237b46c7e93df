"""What a search is about, in a few lines of JSON: two searches with the same may share a journal."""

import inspect

import joblib
import sklearn

from skauto._version import __version__
from skauto.search._sandbox import attempt


def fingerprint(**parts):
    """The versions and a digest of each part.

    Parameters
    ----------
    **parts : objects
        Strings and numbers stay readable; anything else becomes a digest of its content.
    """
    about = {name: _short(value) for name, value in parts.items()}
    return {"skauto": __version__, "scikit-learn": sklearn.__version__, **about}


def _short(value):
    if value is None or isinstance(value, (str, int, float)):
        return value
    return digest(value)


def digest(value):
    """A digest of content: equal for equal arrays, DataFrames, estimators and settings, in any process."""
    made = attempt(joblib.hash, value)
    return made.value if made.error is None else described(value)


def described(value):
    """A readable form without addresses in memory, for what cannot be pickled."""
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return f"{getattr(value, '__module__', type(value).__module__)}.{name}"


def described_seed(random_state):
    """An integer as it is; of anything else only its kind, since its state moves on."""
    return int(random_state) if hasattr(random_state, "__index__") else described(random_state)


def source_of(code):
    """A digest of the source of a class or function; where it cannot be read, of what it is pickled to."""
    source = attempt(inspect.getsource, code).value
    return digest(code if source is None else source)


def describe_space(space):
    """The space as text that shows in an error: each branch with its dimensions."""
    branches = [", ".join(f"{name}: {_dimension(dim)}" for name, dim in branch.items()) for branch in space.branches]
    return " | ".join(branches)


def _dimension(dim):
    if hasattr(dim, "values"):
        return "[" + ", ".join(_choice(value) for value in dim.values) + "]"
    if hasattr(dim, "distribution"):
        frozen = dim.distribution
        return f"{frozen.dist.name}{frozen.args}{frozen.kwds or ''}"
    return f"{type(dim).__name__.lower()} {dim.low:g} to {dim.high:g}{' log' if dim.log else ''}"


def _choice(value):
    if value is None or isinstance(value, (str, int, float, bool)):
        return repr(value)
    if hasattr(value, "get_params"):
        return repr(value)
    return digest(value)[:8]
