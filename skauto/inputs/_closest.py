"""The name that was most likely meant by one that is not known, and how a message says it."""

import difflib
from collections.abc import Iterable

# How much a name must be like another one to be taken for a slip, from 0 to 1: `difflib`'s own default.
ALIKE = 0.6


def closest(name: object, names: Iterable[object]) -> str | None:
    """The name most like another one, upper and lower case alike, or None where none is near.

    Examples
    --------
    >>> from skauto.inputs._closest import closest
    >>> closest("age", ["AGE", "agent", "town"])
    'AGE'
    """
    return next(iter(_near(name, names, 1, ALIKE)), None)


def did_you_mean(
    name: object, names: Iterable[object], *, most: int = 1, alike: float = ALIKE, before: str = "; "
) -> str:
    """The part of a message that asks whether another name was meant; nothing where none is near.

    Parameters
    ----------
    name : object
        What was given.
    names : iterable
        What is allowed.
    most : int
        How many names are shown at most, the nearest first.
    alike : float
        How much they must be like the one given, from 0 to 1.
    before : str
        What parts it from the text before; after a full stop a sentence begins.

    Returns
    -------
    part : str

    Examples
    --------
    >>> from skauto.inputs._closest import did_you_mean
    >>> "'f1_makro' is not known" + did_you_mean("f1_makro", ["accuracy", "f1_macro"])
    "'f1_makro' is not known; did you mean 'f1_macro'?"
    >>> did_you_mean("recall", ["accuracy", "f1_macro"])
    ''
    """
    near = _near(name, names, most, alike)
    first = "Did" if before.startswith(".") else "did"
    return f"{before}{first} you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(name: object, names: Iterable[object], most: int, alike: float) -> list[str]:
    """The names most like another one, as they are written; case does not count."""
    folded = {str(other).casefold(): str(other) for other in names}
    return [folded[key] for key in difflib.get_close_matches(str(name).casefold(), folded, most, alike)]
