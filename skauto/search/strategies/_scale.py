"""Scores of several fidelities on the scale of the highest one."""

from collections.abc import Collection, Iterable
from statistics import median
from typing import Any

from skauto.search._history import View
from skauto.search._types import Scored


def on_one_scale(history: View) -> list[Scored]:
    """The best result of each configuration; lower fidelities are shifted by the gain of those promoted from them.

    A fidelity is shifted by the median gain of the configurations that were tried there and at the next higher one they
    reached; where none was promoted, to just below all above. So a strong start at little effort and a poor one at the
    full effort can be told apart, and under any schedule a strategy learns from all that ran.

    Parameters
    ----------
    history : View

    Returns
    -------
    pairs : list of (Trial, float)
        One for each configuration with a complete trial, in the order asked.
    """
    levels = history.complete()
    if len(levels) < 2:
        return [(trial, result.score) for pairs in levels.values() for trial, result in pairs]
    reached: dict[tuple[Any, ...], dict[float, Scored]] = {}
    for fidelity in sorted(levels):
        for trial, result in levels[fidelity]:
            reached.setdefault(history.space.key(trial.params), {})[fidelity] = (trial, result.score)
    moves = _moves(sorted(levels, reverse=True), reached.values())
    highest = [(max(steps), steps[max(steps)]) for steps in reached.values()]
    pairs = [(trial, score + moves[fidelity]) for fidelity, (trial, score) in highest]
    return sorted(pairs, key=lambda pair: pair[0].number)


def _moves(fidelities: Iterable[float], chains: Collection[dict[float, Scored]]) -> dict[float, float]:
    """What is to be added to the scores of each fidelity, given in falling order."""
    moves: dict[float, float] = {}
    lowest: float | None = None
    for fidelity in fidelities:
        gains = []
        for steps in chains:
            above = [f for f in steps if f > fidelity] if fidelity in steps else []
            if above:
                gains.append(steps[min(above)][1] + moves[min(above)] - steps[fidelity][1])
        scores = [steps[fidelity][1] for steps in chains if fidelity in steps]
        if gains or lowest is None:
            moves[fidelity] = median(gains) if gains else 0.0
        else:
            moves[fidelity] = lowest - max(scores)
        here = min(scores) + moves[fidelity]
        lowest = here if lowest is None else min(lowest, here)
    return moves
