"""Which candidates a search tries on the data at hand, and what part of the time one of their trials may use."""

import difflib
import importlib.util
from collections import Counter

from skauto._deps import MissingDependencyError, require
from skauto.automl._candidate import Candidate
from skauto.automl._time_budget import ALONE_FRACTION, TRIAL_FRACTION
from skauto.resample._wrapped import takes_weights

# How much a name must be like another one to be taken for a slip: 'catboost' is none of 'rusboost'.
LIKE_ENOUGH = 0.75


def select_candidates(given, profile, small=False):
    """The candidates that can run here, and a line on each that lacks a package or was named for data it cannot take.

    Parameters
    ----------
    given : str or list of str and Candidate
        "auto" stands for those of the kind of data, a name with "-" before it leaves one of them out.
    profile : DataProfile
    small : bool, default=False
        Whether "auto" has those too that are made to be small.

    Raises
    ------
    ValueError
        If a name is unknown or taken twice, or no candidate is left.
    TypeError
        If an entry is neither a name nor a Candidate.
    """
    portfolio = profile.kind.when_bounded() if small else profile.kind.candidates()
    known = {
        candidate.name: candidate
        for candidate in (*portfolio, *profile.kind.on_request())
    }
    every = isinstance(given, str) and given == "auto"
    wanted = _wanted(
        [given] if isinstance(given, str) else list(given), portfolio, known
    )
    chosen, missing, slow = [], [], []
    for candidate in wanted:
        unsuited = _unsuited(candidate, profile)
        line = unsuited or _lacks(candidate)
        if not line and candidate.time_budget_reason:
            line = candidate.time_budget_reason(candidate.defaults, profile)
            slow += [candidate] if line else []
        chosen += [] if line else [candidate]
        missing += (
            [f"{candidate.name} left out: {line}"]
            if line and not (every and unsuited)
            else []
        )
    if (
        not chosen and slow
    ):  # what was asked for and nothing else: it makes do with the time that there is
        chosen, missing = slow, []
    if not chosen:
        names = [candidate.name for candidate in wanted]
        why = "; ".join(
            [f"candidates={names!r} leaves nothing to try on these data", *missing]
        )
        raise ValueError(f"{why}; choose 'auto' or others of {sorted(known)}")
    return chosen, missing


def _wanted(given, portfolio, known):
    """The candidates that are asked for, in their order."""
    _check_entries(given, known)
    out = {name[1:] for name in given if isinstance(name, str) and name.startswith("-")}
    own = [candidate for candidate in given if isinstance(candidate, Candidate)]
    replaced = {candidate.name for candidate in own}
    wanted = []
    for entry in given:
        if entry == "auto":
            wanted += [
                candidate
                for candidate in portfolio
                if candidate.name not in out | replaced
            ]
        elif isinstance(entry, Candidate):
            wanted.append(entry)
        elif not entry.startswith("-"):
            wanted.append(known[entry])
    taken = Counter(candidate.name for candidate in wanted)
    twice = [name for name, count in taken.items() if count > 1]
    if twice:
        raise ValueError(
            f"candidates: the name {twice[0]!r} is taken twice; give each candidate a name of its own"
        )
    _check_left_out(out, given, portfolio)
    return wanted


def _check_left_out(out, given, portfolio):
    """Raise where a name is left out that is not there."""
    strange = out - {candidate.name for candidate in portfolio}
    if out and "auto" not in given:
        raise ValueError(
            f"candidates={given!r}: '-{min(out)}' leaves a candidate of 'auto' out, so it needs 'auto' too"
        )
    if strange:
        names = sorted(candidate.name for candidate in portfolio)
        raise ValueError(
            f"candidates: '-{min(strange)}' is none of those of 'auto' here, which are {names}"
        )


def _check_entries(given, known):
    """Raise where an entry is no name of a candidate and no Candidate."""
    for number, entry in enumerate(given):
        if not isinstance(entry, str | Candidate):
            raise TypeError(
                f"candidates takes names and Candidate objects, but entry {number} is {type(entry).__name__}; a "
                f"classifier or pipeline of your own is Candidate('mine', {type(entry).__name__}(...), space). Names "
                f"are 'auto' or some of {sorted(known)}"
            )
    names = [
        entry
        for entry in given
        if isinstance(entry, str) and entry != "auto" and not entry.startswith("-")
    ]
    unknown = [name for name in names if name not in known]
    if unknown:
        close = difflib.get_close_matches(
            unknown[0].lower(), known, n=1, cutoff=LIKE_ENOUGH
        )
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"candidates={unknown} are not known; {hint}choose 'auto' or some of {sorted(known)}"
        )


def _unsuited(candidate, profile):
    """Why a candidate cannot be used on these data, an empty string where it can."""
    if candidate.max_rows and profile.n_rows > candidate.max_rows:
        return f"it learns from at most {candidate.max_rows} rows, here are {profile.n_rows}"
    if profile.sparse and not candidate.sparse:
        return "it takes no sparse X"
    if profile.weighted and not (
        takes_weights(candidate.estimator) if candidate.is_own else candidate.weighted
    ):
        return "it takes no sample_weight"
    return ""


def _lacks(candidate):
    """Why a candidate's package cannot be used, an empty string where it can."""
    if candidate.package is None:
        return ""
    if (
        candidate.extra is not None
    ):  # loading an extra can take seconds: only look whether it is there
        found = all(
            importlib.util.find_spec(package) for package in candidate.package.split()
        )
        return "" if found else f"`pip install 'skauto[{candidate.extra}]'` brings it"
    try:
        require(candidate.package)
    except MissingDependencyError as error:
        return str(error)
    return ""


def trial_fraction(given, kind):
    """The part of the time limit that a trial may use: more where nothing else, or nothing but networks, is tried."""
    given = [given] if isinstance(given, str) else list(given)
    if "auto" in given:
        return TRIAL_FRACTION
    networks = {
        candidate.name
        for candidate in (*kind.candidates(), *kind.on_request())
        if candidate.extra == "deep"
    }
    names = {entry.name if isinstance(entry, Candidate) else entry for entry in given}
    return ALONE_FRACTION if len(names) == 1 or names <= networks else TRIAL_FRACTION
