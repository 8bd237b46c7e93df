"""The loop of every search: ask the strategy, let workers evaluate, tell the history."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from skauto._telling import warn
from skauto.search._budget import Budget
from skauto.search._history import History
from skauto.search._pool import Outcome, WorkersLostError
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._base import TRIALS, Strategy, asked_of, within

OnResult: TypeAlias = Callable[[History, Trial, Result], object]


class TrialPool(Protocol):
    """What the loop asks of a pool whose tasks are trials: a `Pool`, or `FoldTasks`."""

    @property
    def running(self) -> Sequence[Any]: ...

    @property
    def free(self) -> int: ...

    def submit(self, key: int, function: Any, trial: Trial, /, *, time_limit: float | None = None) -> None: ...

    def wait(self, timeout: float | None, /) -> Sequence[Outcome | Result]: ...

    def cancel(self, key: int, /) -> None: ...


def search(
    strategy: Strategy,
    history: History,
    evaluate: Callable[..., Any],
    pool: TrialPool,
    budget: Budget,
    *,
    lag: int | None = None,
    trial_limit: Callable[[Trial, float], float | None] | None = None,
    on_result: OnResult | None = None,
) -> str:
    """Run trials until the budget is spent or the strategy has finished.

    Parameters
    ----------
    strategy : Strategy
        Chooses the trials.
    history : History
        Filled with trials and results; trials asked earlier but never told are run first.
    evaluate : callable
        What the pool is given with each trial and the search knows nothing of. Must pickle. A `Pool` calls
        ``evaluate(context, trial)`` for a dict with ``"score"`` (greater is better) and anything else.
    pool : Pool or FoldTasks
        Runs `evaluate`.
    budget : Budget
        What stops the search; started here unless it was before.
    lag : int, default=None
        Count mode: ask number i sees the results of trials 0 ... i - 1 - lag only, in the order asked, so the trials
        are the same on any number of workers. None: every ask sees all that is finished.
    trial_limit : callable, default=None
        Seconds that a trial may take (None: no limit), given the trial and the seconds that are left.
    on_result : callable, default=None
        Called with (history, trial, result) after each result.

    Returns
    -------
    reason : str
        ``"time limit"``, ``"n_iter"``, ``"finished"``, ``"interrupted"`` or ``"workers lost"``.

    Raises
    ------
    WorkersLostError
        If the workers are lost before any trial is complete.
    TypeError, ValueError
        If the strategy gives something else than trials of the space, or none at all.
    """
    budget.start()
    strategy = within(strategy, budget.n_iter)
    queue = history.pending
    try:
        while not (reason := budget.stop(history)):
            wanted = min(pool.free - len(queue), budget.room(history))
            queue += _ask(strategy, history, wanted, lag)
            while queue and pool.free:
                limit = trial_limit and trial_limit(queue[0], budget.remaining())
                pool.submit(queue[0].number, evaluate, queue.pop(0), time_limit=limit)
            if not pool.running:
                _check_any(strategy, history, wanted)
                reason = "finished"
                break
            for outcome in pool.wait(budget.remaining()):
                _tell(history, outcome.as_result(), on_result)
    except KeyboardInterrupt:
        reason = "interrupted"
    except WorkersLostError as error:
        if not any(result.status == Status.COMPLETE for _, result in history.finished):
            raise
        reason = "workers lost"
        warn(f"the search ends with the trials that are done, as {error}")
    for trial in history.pending:
        pool.cancel(trial.number)
        if reason == "workers lost":  # a journal still has them to do
            continue
        why = "time limit of the search" if reason == "time limit" else reason
        _tell(history, Result(trial.number, Status.CANCELLED, reason=why), on_result)
    return reason


def _ask(strategy: Strategy, history: History, n: int, lag: int | None) -> list[Trial]:
    """Up to n new trials, entered in the history; in count mode asked for one at a time."""
    asked: list[Trial] = []
    while len(asked) < n:
        trials = asked_of(strategy, history, n) if lag is None else _ask_in_order(strategy, history, lag)
        for trial in trials:
            history.asked(trial)
        asked += trials
        if lag is None or not trials:
            break
    return asked


def _check_any(strategy: Strategy, history: History, wanted: float) -> None:
    """Refuse a strategy that was asked for trials and has never given one."""
    if wanted > 0 and not len(history):
        raise ValueError(f"strategy {strategy!r:.200} gave no trial when nothing was tried yet: {TRIALS}")


def _ask_in_order(strategy: Strategy, history: History, lag: int) -> list[Trial]:
    """One trial chosen from results in the order asked; as long as it is none, one more result is shown."""
    for visible in range(max(0, len(history) - lag), history.n_told_in_order + 1):
        if trials := asked_of(strategy, history.view(visible), 1):
            return trials
    return []


def _tell(history: History, result: Result, on_result: OnResult | None) -> None:
    history.told(result)
    if on_result is not None:
        on_result(history, history.trials[result.number], result)
