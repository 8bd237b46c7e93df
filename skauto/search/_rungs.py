"""Warns of uninformative rungs: what was promoted from them was promoted blindly."""

from skauto._telling import warn
from skauto.search._history import History
from skauto.search._trial import Result, Status

# Up to this many trials may well score the same by chance.
FEW = 2


def warn_of_empty_rungs(history: History) -> None:
    """Warn of each level of fidelity below 1 where all trials failed, or all scored the same.

    Parameters
    ----------
    history : History
    """
    levels: dict[float, list[Result]] = {}
    for trial, result in history.finished:
        if trial.fidelity < 1 and result.status != Status.CANCELLED:
            levels.setdefault(trial.fidelity, []).append(result)
    for fidelity, results in sorted(levels.items()):
        if line := _fault(results):
            warn(f"fidelity {fidelity:.3g} gave no information: {line}")


def _fault(results: list[Result]) -> str:
    complete = [result for result in results if result.status == Status.COMPLETE]
    if not complete:
        return (
            f"all {len(results)} trials failed, the first with {results[0].reason!r}, so all that raised an error "
            f"were promoted. Raise min_fidelity of the strategy, or min_class_rows"
        )
    if len(complete) > FEW and len({result.score for result in complete}) == 1:
        return (
            f"all {len(complete)} trials scored {complete[0].score:.4g}, so promotion was by order alone. Raise "
            f"min_fidelity of the strategy, or choose another scoring"
        )
    return ""
