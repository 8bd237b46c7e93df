"""Which candidates a search tries on the data at hand, and what part of the time one of their trials may use."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from skauto._deps import MissingDependencyError, are_installed, require
from skauto.automl._candidate import Candidate
from skauto.automl._check_builtin import check_kind
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import Kind
from skauto.automl._time_budget import ALONE_FRACTION, TRIAL_FRACTION
from skauto.inputs._closest import did_you_mean
from skauto.resample._wrapped import takes_weights

# How much a name must be like another one to be taken for a slip: 'catboost' is none of 'rusboost'.
LIKE_ENOUGH = 0.75

# What stands for the candidates of the kind of data, and what before a name leaves one of them out.
AUTO, LEAVE_OUT = "auto", "-"


class Obstacle(Enum):
    """Why a candidate is not tried, from the data, the machine or the time."""

    DATA = "it cannot take these data"
    PACKAGE = "its package is missing"
    TIME = "there is no time for it"


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate is tried.

    Parameters
    ----------
    candidate : Candidate
    obstacle : Obstacle or None
        None where nothing is in the way.
    reason : str
        One line for the user.
    """

    candidate: Candidate
    obstacle: Obstacle | None = None
    reason: str = ""


@dataclass(frozen=True)
class Request:
    """What the parameter `candidates` asks for.

    Parameters
    ----------
    names : tuple of str
        Of built-in candidates, in the order given; "auto" stands for those of the kind.
    own : tuple of Candidate
        Given as objects; a built-in one that was changed takes the place of that of "auto".
    left_out : frozenset of str
    entries : tuple
        All of it, as given.
    """

    names: tuple[str, ...]
    own: tuple[Candidate, ...]
    left_out: frozenset[str]
    entries: tuple[Any, ...]

    @classmethod
    def of(cls, given: Any) -> "Request":
        """The request of a name or a list of names and candidates."""
        entries = (given,) if isinstance(given, str) else tuple(given)
        names: list[str] = []
        own: list[Candidate] = []
        left_out: set[str] = set()
        for entry in entries:
            if isinstance(entry, Candidate):
                own.append(entry)
            elif not isinstance(entry, str):
                continue  # refused by `_check_entries`
            elif entry.startswith(LEAVE_OUT):
                left_out.add(entry.removeprefix(LEAVE_OUT))
            else:
                names.append(entry)
        return cls(tuple(names), tuple(own), frozenset(left_out), entries)

    @property
    def is_auto(self) -> bool:
        """Whether nothing but "auto" is asked for."""
        return self.entries == (AUTO,)

    @property
    def built_in(self) -> list[str]:
        """Names of built-in candidates that are asked for one by one."""
        return [name for name in self.names if name != AUTO]


def select_candidates(
    given: Any, profile: DataProfile, small: bool = False
) -> tuple[list[Candidate], list[str]]:
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
        If an entry is neither a name nor a Candidate or is one of another kind of data, if a name is unknown, taken
        twice, or named and left out, or no candidate is left.
    """
    kind, request = profile.kind, Request.of(given)
    portfolio = _by_name((*kind.candidates(), *(kind.made_small() if small else ())))
    known = portfolio | _by_name(kind.on_request())
    _check_entries(request, known)
    _check_left_out(request, portfolio)
    _check_names(request, portfolio)
    for candidate in request.own:
        check_kind(candidate, known, kind.name)
    wanted = _wanted(request, portfolio, known)
    verdicts = [_verdict(candidate, profile) for candidate in wanted]
    chosen = [verdict.candidate for verdict in verdicts if verdict.obstacle is None]
    if chosen:
        return chosen, _lines(verdicts, request)
    # What was asked for and nothing else makes do with the time that there is.
    slow = [v.candidate for v in verdicts if v.obstacle == Obstacle.TIME]
    if slow:
        return slow, []
    names = [candidate.name for candidate in wanted]
    nothing = f"candidates={names!r} leaves nothing to try on these data"
    why = "; ".join([nothing, *_lines(verdicts, request)])
    raise ValueError(f"{why}; choose 'auto' or others of {sorted(known)}")


def _by_name(candidates: Iterable[Candidate]) -> dict[str, Candidate]:
    return {candidate.name: candidate for candidate in candidates}


def _lines(verdicts: list[Verdict], request: Request) -> list[str]:
    """A line on each candidate that is left out; what "auto" would not have tried on such data needs none."""
    told = set(Obstacle) - ({Obstacle.DATA} if request.is_auto else set())
    return [
        f"{verdict.candidate.name} left out: {verdict.reason}"
        for verdict in verdicts
        if verdict.obstacle in told
    ]


def _wanted(
    request: Request, portfolio: dict[str, Candidate], known: dict[str, Candidate]
) -> list[Candidate]:
    """The candidates that are asked for, in their order."""
    without = {*request.left_out, *_by_name(request.own)}
    of_kind = [c for name, c in portfolio.items() if name not in without]
    wanted: list[Candidate] = []
    for entry in request.entries:
        if isinstance(entry, Candidate):
            wanted.append(entry)
        elif entry == AUTO:
            wanted += of_kind
        elif entry in known:
            wanted.append(known[entry])
    taken = Counter(candidate.name for candidate in wanted)
    twice = [name for name, count in taken.items() if count > 1]
    if twice:
        raise ValueError(
            f"candidates: the name {twice[0]!r} is taken twice; give each candidate a "
            "name of its own"
        )
    return wanted


def _check_left_out(request: Request, portfolio: dict[str, Candidate]) -> None:
    """Raise where a name is left out that is not there."""
    strange = request.left_out - set(portfolio)
    if request.left_out and AUTO not in request.names:
        raise ValueError(
            f"candidates={list(request.entries)!r}: '-{min(request.left_out)}' leaves a "
            "candidate of 'auto' out, so it needs 'auto' too"
        )
    if strange:
        name = LEAVE_OUT + min(strange)
        hint = did_you_mean(name, [LEAVE_OUT + other for other in portfolio])
        raise ValueError(
            f"candidates: {name!r} is none of those of 'auto' here, which are "
            f"{sorted(portfolio)}{hint}"
        )
    both = request.left_out & set(request.names)
    if both:
        raise ValueError(
            f"candidates: {min(both)!r} is named and left out; take one of them away"
        )


def _check_names(request: Request, portfolio: dict[str, Candidate]) -> None:
    """Raise where a candidate of the user has the name of a built-in one beside which it competes."""
    own = {given.name for given in request.own if given.is_own}
    taken = own & set(portfolio) - request.left_out
    if taken and AUTO in request.names:
        raise ValueError(
            f"candidates: Candidate({min(taken)!r}) has the name of a built-in one of "
            f"'auto'; rename it, or leave that one out by '-{min(taken)}'"
        )


def _check_entries(request: Request, known: dict[str, Candidate]) -> None:
    """Raise where an entry is no name of a candidate and no Candidate."""
    for number, entry in enumerate(request.entries):
        if not isinstance(entry, str | Candidate):
            own = type(entry).__name__
            raise ValueError(
                f"candidates takes names, but entry {number} is {own}: let a classifier "
                f"or pipeline of your own compete as Candidate('mine', {own}(...), space), "
                "or tune it alone by SearchCV(estimator, space). Names are 'auto' or "
                f"some of {sorted(known)}"
            )
    unknown = [name for name in request.built_in if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known, alike=LIKE_ENOUGH)
        raise ValueError(
            f"candidates={unknown} are not known; choose 'auto' or some of "
            f"{sorted(known)}{hint}"
        )


def _verdict(candidate: Candidate, profile: DataProfile) -> Verdict:
    """Whether a candidate is tried; the first obstacle counts."""
    # From the cheapest to the dearest: what the data forbid needs no import to be told.
    checks = {
        Obstacle.DATA: _unsuited,
        Obstacle.PACKAGE: _lacks,
        Obstacle.TIME: _too_slow,
    }
    for obstacle, check in checks.items():
        reason = check(candidate, profile)
        if reason:
            return Verdict(candidate, obstacle, reason)
    return Verdict(candidate)


def _unsuited(candidate: Candidate, profile: DataProfile) -> str:
    """Why a candidate cannot be used on these data, an empty string where it can."""
    if candidate.max_rows and profile.n_rows > candidate.max_rows:
        return (
            f"it learns from at most {candidate.max_rows} rows, here are "
            f"{profile.n_rows}"
        )
    if profile.sparse and not candidate.sparse:
        return "it takes no sparse X"
    if profile.weighted and not _takes_weights(candidate):
        return "it takes no sample_weight"
    return ""


def _takes_weights(candidate: Candidate) -> bool:
    if candidate.is_own:
        return takes_weights(candidate.estimator)
    return candidate.weighted


def _lacks(candidate: Candidate, profile: DataProfile) -> str:
    """Why a candidate's package cannot be used, an empty string where it can."""
    if candidate.package is None:
        return ""
    if candidate.extra is not None:
        if are_installed(candidate.package):
            return ""
        return f"`pip install 'skauto[{candidate.extra}]'` brings it"
    try:
        require(candidate.package)
    except MissingDependencyError as error:
        return str(error)
    return ""


def _too_slow(candidate: Candidate, profile: DataProfile) -> str:
    """Why there is no time for a candidate, an empty string where there is."""
    if candidate.time_budget_reason is None:
        return ""
    return candidate.time_budget_reason(candidate.defaults, profile)


def trial_fraction(given: Any, kind: Kind) -> float:
    """The part of the time limit that a trial may use: more where nothing else, or nothing but networks, is tried."""
    request = Request.of(given)
    if AUTO in request.names:
        return TRIAL_FRACTION
    networks = {c.name for c in kind.built_in if c.extra == "deep"}
    names = {*request.names, *_by_name(request.own)}
    alone = len(names) == 1 or names <= networks
    return ALONE_FRACTION if alone else TRIAL_FRACTION
