"""Which candidates a search tries on the data at hand, and what part of the time one of their trials may use."""

import difflib
import importlib.util

from skauto._deps import MissingDependencyError, require
from skauto.automl._time_budget import ALONE_FRACTION, TRIAL_FRACTION

# How much a name must be like another one to be taken for a slip: 'catboost' is none of 'rusboost'.
LIKE_ENOUGH = 0.75


def select_candidates(names, profile, small=False):
    """The candidates that can run here, and a line on each that lacks a package or was named for data it cannot take.

    With `small`, "auto" has those too that are made to be small.

    Raises
    ------
    ValueError
        If a name is unknown or no candidate is left.
    """
    portfolio = profile.kind.when_bounded() if small else profile.kind.candidates()
    known = {candidate.name: candidate for candidate in (*portfolio, *profile.kind.on_request())}
    every = isinstance(names, str) and names == "auto"
    if isinstance(names, str):
        names = [candidate.name for candidate in portfolio] if every else [names]
    _check_names(names, known)
    chosen, missing, slow = [], [], []
    for candidate in (known[name] for name in names):
        unsuited = _unsuited(candidate, profile)
        line = unsuited or _lacks(candidate)
        if not line and candidate.time_budget_reason:
            line = candidate.time_budget_reason(candidate.defaults, profile)
            slow += [candidate] if line else []
        chosen += [] if line else [candidate]
        missing += [f"{candidate.name} left out: {line}"] if line and not (every and unsuited) else []
    if not chosen and slow:  # what was asked for and nothing else: it makes do with the time that there is
        chosen, missing = slow, []
    if not chosen:
        why = "; ".join([f"candidates={list(names)!r} leaves nothing to try on these data", *missing])
        raise ValueError(f"{why}; choose 'auto' or others of {sorted(known)}")
    return chosen, missing


def _check_names(names, known):
    """Refuse what is no name of a candidate."""
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(
                f"candidates takes names, but entry {number} is {type(name).__name__}; an estimator or pipeline of "
                "your own is tuned by skauto.search.SearchCV(estimator, space). Names are 'auto' or some of "
                f"{sorted(known)}"
            )
    unknown = [name for name in names if name not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0].lower(), known, n=1, cutoff=LIKE_ENOUGH)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"candidates={unknown} are not known; {hint}choose 'auto' or some of {sorted(known)}")


def _unsuited(candidate, profile):
    """Why a candidate cannot be used on these data, an empty string where it can."""
    if candidate.max_rows and profile.n_rows > candidate.max_rows:
        return f"it learns from at most {candidate.max_rows} rows, here are {profile.n_rows}"
    if profile.sparse and not candidate.sparse:
        return "it takes no sparse X"
    return "it takes no sample_weight" if profile.weighted and not candidate.weighted else ""


def _lacks(candidate):
    """Why a candidate's package cannot be used, an empty string where it can."""
    if candidate.package is None:
        return ""
    if candidate.extra is not None:  # loading an extra can take seconds: only look whether it is there
        found = all(importlib.util.find_spec(package) for package in candidate.package.split())
        return "" if found else f"`pip install 'skauto[{candidate.extra}]'` brings it"
    try:
        require(candidate.package)
    except MissingDependencyError as error:
        return str(error)
    return ""


def trial_fraction(names, kind):
    """The part of the time limit that a trial may use: more where nothing else, or nothing but networks, is tried."""
    names = {names} if isinstance(names, str) else {name for name in names if isinstance(name, str)}
    if names == {"auto"}:
        return TRIAL_FRACTION
    nets = {candidate.name for candidate in (*kind.candidates(), *kind.on_request()) if candidate.extra == "deep"}
    return ALONE_FRACTION if len(names) == 1 or names <= nets else TRIAL_FRACTION
