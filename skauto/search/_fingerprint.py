"""What a search is about, in a few lines of JSON: two searches with the same may share a journal."""

import platform
import re
from typing import Any

import sklearn
from sklearn.base import clone

from skauto._version import __version__
from skauto.search._content import Content, hashed, is_named
from skauto.search._dimensions import Dimension
from skauto.search._sandbox import attempt
from skauto.search._space import Space
from skauto.search._types import Estimator, Fold

# Characters of a part that are shown in an error.
SHOWN = 160

# Names of changed functions and values that are shown.
NAMES = 6

# Parameters of estimators that change no result.
IGNORED = ("memory", "n_jobs", "verbose")


def fingerprint(**parts: Any) -> dict[str, Any]:
    """The versions, and each part by its content.

    Parameters
    ----------
    **parts : objects
        Strings, numbers and what `part` gave stay as they are.
    """
    about = {name: value if _is_plain(value) else part(value) for name, value in parts.items()}
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}  # other versions compile to other code
    return versions | {"skauto": __version__, "scikit-learn": sklearn.__version__, **about}


def part(value: Any, shown: str | None = None, hint: str | None = None) -> dict[str, Any]:
    """The content of an object as JSON, with what is shown of it where it differs.

    Parameters
    ----------
    value : object
    shown : str, default=None
        What an error says of it; its `repr` by default, which does not count.
    hint : str, default=None
        What an error says where another value reads the same.
    """
    content = Content()
    made = attempt(content.of, value)
    digest = made.value if made.error is None else hashed(described(value))
    about = {"content": digest.hex(), "shown": readable(value) if shown is None else shown, "code": content.code}
    return about if hint is None else about | {"hint": hint}


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """A line on each part that differs between two fingerprints."""
    lines = []
    for name in {**ours, **theirs}:
        old, new = theirs.get(name), ours.get(name)
        if isinstance(old, dict) and isinstance(new, dict) and "content" in old.keys() & new.keys():
            lines += [] if old["content"] == new["content"] else [f"{name} was {_change(old, new)}"]
        elif old != new:
            lines.append(f"{name} was {_shown(old)} and is {_shown(new)}")
    return lines


def digest(value: Any) -> str:
    """A digest of content: equal for equal arrays, DataFrames, estimators, settings and code, in any process."""
    return part(value, "")["content"]


def described(value: Any) -> str:
    """A readable form without addresses in memory, for what cannot be read otherwise."""
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return f"{getattr(value, '__module__', type(value).__module__)}.{name}"


def readable(value: Any) -> str:
    """The `repr` in one short line, without addresses in memory."""
    text = attempt(repr, value).value
    text = described(value) if text is None else " ".join(re.sub(r" at 0x[0-9a-fA-F]+", "", text).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def described_seed(random_state: Any) -> int | str:
    """An integer as it is; of anything else only its kind, since its state moves on."""
    return int(random_state) if hasattr(random_state, "__index__") else described(random_state)


def folds_part(folds: list[Fold], cv: Any) -> dict[str, Any]:
    """The row numbers of folds, and where they come from."""
    shown = f"{len(folds)} folds of cv={readable(cv)}"
    return part(folds, shown, ": a splitter that shuffles needs a random_state to give the same folds again")


def estimator_part(estimator: Estimator) -> dict[str, Any]:
    """The content of an unfitted estimator, and that of each of its parameters, to say which has changed.

    Where steps are cached, on how many threads they run and what they tell changes no result: of the classes of
    installed packages that is left out.
    """
    made, shown = clone(estimator), readable(estimator)
    params = made.get_params()
    for name in params:
        owner = params.get(name.rpartition("__")[0], made)
        if name.rpartition("__")[2] in IGNORED and is_named(type(owner)):
            attempt(lambda name=name: made.set_params(**{name: None}))
    about = part(made, shown)
    return about | {"code": about["code"] | {f"parameter {name}": digest(value)[:8] for name, value in params.items()}}


def space_part(space: Space) -> dict[str, Any]:
    """The content of a space: its dimensions by name, and how often its branches are drawn."""
    branches = [{name: _content_of(dim) for name, dim in branch.items()} for branch in space.branches]
    return part((branches, space.branch_probabilities), describe_space(space))


def describe_space(space: Space) -> str:
    """The space as text that shows in an error: each branch with its dimensions."""
    branches = [", ".join(f"{name}: {_dimension(dim)}" for name, dim in branch.items()) for branch in space.branches]
    return " | ".join(branches)


def _content_of(dim: Any) -> tuple[Any, ...]:
    """What makes a dimension, without what it has worked out since."""
    if hasattr(dim, "values"):
        return type(dim), list(dim.values), dim.cumulative
    return type(dim), dim.low, dim.high, dim.log, getattr(dim, "distribution", None), getattr(dim, "discrete", None)


def _dimension(dim: Dimension) -> str:
    if hasattr(dim, "values"):
        return "[" + ", ".join(map(readable, dim.values)) + "]"
    frozen: Any = getattr(dim, "distribution", None)
    if hasattr(frozen, "dist"):
        return f"{frozen.dist.name}{frozen.args}{frozen.kwds or ''}"
    if frozen is not None:
        return readable(frozen)
    return f"{type(dim).__name__.lower()} {dim.low:g} to {dim.high:g}{' log' if dim.log else ''}"


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float)) or (isinstance(value, dict) and "content" in value)


def _change(old: dict[str, Any], new: dict[str, Any]) -> str:
    """How one part has changed; where both read the same, the names of the code and values that differ."""
    if old["shown"] != new["shown"]:
        return f"{old['shown']} and is {new['shown']}"
    names = [name for name in {**old["code"], **new["code"]} if old["code"].get(name) != new["code"].get(name)]
    what = f"the code or value of {', '.join(names[:NAMES])}" if names else "its content"
    return f"{old['shown']} and reads the same now, but {what} is another{new.get('hint', '')}"


def _shown(value: Any) -> str:
    return value["shown"] if isinstance(value, dict) and "shown" in value else repr(value)
