"""Trial and Result: what is tried and what came of it, as plain frozen records."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Status(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    FAILED = "failed"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    INFEASIBLE = "infeasible"  # out of bounds before any effort was spent on it


class InfeasibleError(Exception):
    """Raised where a trial is too far from the constraints for effort to be spent on it."""


@dataclass(frozen=True)
class Trial:
    """A configuration at a fidelity.

    Parameters
    ----------
    number : int
        Index in the order asked, from 0.
    params : dict
        ``{"branch": int, "values": {name: number}}``: plain JSON, see `Space`.
    fidelity : float, default=1.0
        Fraction of the full effort, in (0, 1].
    tags : dict, default={}
        Small JSON notes in which a strategy stores its state.

    Examples
    --------
    >>> from skauto.search import Trial
    >>> trial = Trial(0, {"branch": 0, "values": {"C": 0.1}})
    >>> Trial.from_json(trial.to_json()) == trial
    True
    """

    number: int
    params: dict[str, Any]
    fidelity: float = 1.0
    tags: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The trial as a dict of plain JSON values."""
        return {"number": self.number, "params": self.params, "fidelity": self.fidelity, "tags": self.tags}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The trial that `to_json` wrote."""
        return cls(**record)


@dataclass(frozen=True)
class Result:
    """The outcome of a trial; a greater score is better.

    Parameters
    ----------
    number : int
        Number of the trial.
    status : str
        How it ended: ``"complete"``, which alone carries a score, ``"failed"``, ``"timeout"``, ``"memory"``,
        ``"crashed"``, ``"cancelled"`` or ``"infeasible"``.
    score : float, default=nan
        What strategies maximise.
    seconds : float, default=nan
        Wall time of the trial.
    reason : str, default=""
        One line on what went wrong.
    details : object, default=None
        Whatever else the evaluation returned. No strategy reads it, JSON and comparison leave it out.

    Examples
    --------
    >>> from skauto.search import Result
    >>> Result.from_json(Result(0, "complete", 0.5, 1.0).to_json()).score
    0.5
    """

    number: int
    status: Status
    score: float = math.nan
    seconds: float = math.nan
    reason: str = ""
    details: Any = field(default=None, compare=False, repr=False)

    def as_result(self) -> Self:
        """This result: what a pool hands out may be an Outcome or a Result."""
        return self

    def to_json(self) -> dict[str, Any]:
        """The result as a dict of plain JSON values; not-a-number becomes None, details are left out."""
        return {
            "number": self.number,
            "status": str(self.status),
            "score": None if math.isnan(self.score) else self.score,
            "seconds": None if math.isnan(self.seconds) else self.seconds,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The result that `to_json` wrote."""
        numbers = {name: math.nan if record[name] is None else record[name] for name in ("score", "seconds")}
        return cls(**{**record, **numbers, "status": Status(record["status"])})
