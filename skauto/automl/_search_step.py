"""The search of a fit: the strategy, its budget and the loop that fills the history."""

from typing import TYPE_CHECKING, Any

from skauto.automl._kind import kind_named
from skauto.automl._resuming import begin_history
from skauto.automl._runtime import Runtime
from skauto.automl._time_budget import SearchBudget
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.selection._refit_chain import import_nets
from skauto.inputs._data import Data
from skauto.search._history import History
from skauto.search._loop import search
from skauto.search._trial import Result, Trial
from skauto.search.strategies._base import Strategy
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._names import make_strategy
from skauto.search.strategies._random import Random
from skauto.search.strategies._warm_start import WarmStart

if TYPE_CHECKING:  # loads the portfolio's packages, which importing skauto must not
    from skauto.automl._plan import Plan

# Count mode: an ask sees the results of all trials but the last few.
LAG = 3

# Trials of the first rung.
RUNG = 9

# Seconds that a search leaves, from which on it says why it ended: see decision 12.
EARLY_SECONDS = 2.0


def plan_search(runtime: Runtime, data: Data) -> "Plan":
    """The plan of the search; a line on what X was taken for, and on each candidate that is left out."""
    # Loads the portfolio's packages, which importing skauto must not.
    from skauto.automl._make_plan import make_plan

    with runtime.phases("inspect"):
        plan = make_plan(data, runtime.settings, runtime.seed)
    for line in filter(None, [kind_named(data.kind).describe(data.X), *plan.missing]):
        runtime.progress.say(line)
    return plan


def run_search(runtime: Runtime, plan: "Plan", data: Data) -> History:
    """Fill a history with trials until the budget is used up or Ctrl-C is pressed.

    Parameters
    ----------
    runtime : Runtime
    plan : Plan
    data : Data

    Returns
    -------
    history : History
    """
    settings, phases, progress = runtime.settings, runtime.phases, runtime.progress
    with phases("inspect"):
        history = begin_history(settings, runtime.journal, data, plan, runtime.seed)
    runtime.start_workers(plan.context, data.classes)
    pool = runtime.pool
    if plan.profile.holds_out:
        # The networks of trials are final, and read here: PyTorch must be there by the time that the first one comes.
        import_nets()
    budget = SearchBudget(
        phases,
        settings.n_iter or (plan.n_trials if settings.timed else None),
        pool,
        # Candidates of the user are refitted on all rows, also where networks are final.
        refits=not plan.profile.holds_out or plan.context.build.has_own(),
    )
    pool.remaining = budget.remaining
    for _, result in history.finished:  # of an earlier run, from its journal
        budget.learn(result)

    def on_result(history: History, trial: Trial, result: Result) -> None:
        if settings.timed and plan.profile.alone and result.status == "complete":
            # The refit of a network is read in this process, and PyTorch takes seconds to import:
            # begin as soon as it is certain that there will be one.
            import_nets()
        budget.learn(result)
        progress.on_result(history, trial, result)

    def trial_limit(trial: Trial, remaining: float) -> float:
        return budget.trial_limit(
            plan.fraction_of(trial), remaining, plan.start_seconds(trial)
        )

    with phases("search"):
        reason = search(
            _strategy(settings.strategy, plan),
            history,
            evaluate,
            pool,
            budget,
            lag=None if settings.timed else LAG,
            trial_limit=trial_limit if settings.timed else None,
            on_result=on_result,
        )
    runtime.interrupts.seen = reason == "interrupted"
    # Where a part is held back, networks fill the time, and what they leave is too little for another one.
    is_worth_a_line = not plan.profile.holds_out
    if settings.timed and settings.n_iter is None and is_worth_a_line:
        # All of a space that can be listed was asked for by number.
        ended = "finished" if settings.finite and reason == "n_iter" else reason
        line = said_of_the_end(
            ended, len(history.finished), plan.n_rows, budget.remaining()
        )
        if line:
            progress.say(line)
    return history


def said_of_the_end(reason: str, n_trials: int, n_rows: int, left: float) -> str:
    """A line on a search that ends before its time, and why; an empty one on another.

    Parameters
    ----------
    reason : str
        As `search` gives it.
    n_trials, n_rows : int
    left : float
        Seconds that the search had left.

    Examples
    --------
    >>> from skauto.automl._search_step import said_of_the_end
    >>> said_of_the_end("n_iter", 120, 400, 200.4)
    'the search ends 200 s early, after 120 trials: on 400 rows more of them would only choose by luck'
    >>> said_of_the_end("time limit", 120, 400, 0.0)
    ''
    """
    if reason not in ("n_iter", "finished") or left < EARLY_SECONDS:
        return ""
    early = f"the search ends {left:.0f} s early, after {n_trials} trials: "
    if reason == "finished":
        return early + "there is nothing else to try"
    return early + f"on {n_rows} rows more of them would only choose by luck"


def _strategy(given: Any, plan: "Plan") -> Strategy:
    """The first configurations, then the strategy that was asked for.

    Halving begins at a fraction of the rows or epochs that still says something. Where a full trial would not end in
    time, the first configurations begin there too, and under halving they are its first rung.
    """
    small, first = plan.min_fidelity(given), plan.first_fidelity(given)
    if given not in ("auto", "halving"):
        return WarmStart(plan.initial, make_strategy(given, small), first)
    if small >= 1:
        return WarmStart(plan.initial, Random())
    if first < 1:
        return Halving(
            WarmStart(plan.initial, Random()), min_fidelity=small, n_initial=RUNG
        )
    return WarmStart(
        plan.initial, Halving(Random(), min_fidelity=small, n_initial=RUNG)
    )
