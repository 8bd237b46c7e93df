"""The search of a fit: the strategy, its budget and the loop that fills the history."""

from skauto.automl._time_budget import SearchBudget
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.selection._refit_chain import import_nets
from skauto.search._loop import search
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._names import make_strategy
from skauto.search.strategies._random import Random
from skauto.search.strategies._warm_start import WarmStart

# Count mode: an ask sees the results of all trials but the last few.
LAG = 3

# Trials of the first rung.
RUNG = 9


def run_search(auto, plan, history, pool, phases, progress):
    """Fill the history; gives whether Ctrl-C ended the search.

    Parameters
    ----------
    auto : AutoClassifier
        Its strategy and limits are used.
    plan : Plan
    history : History
    pool : RescuePool
    phases : Phases
    progress : Progress
    """
    strategy = _strategy(auto.strategy, plan)
    timed = auto.time_limit is not None
    budget = SearchBudget(phases, auto.n_iter or (plan.n_trials if timed else None), pool)
    pool.remaining = budget.remaining
    for _, result in history.finished:  # of an earlier run, from its journal
        budget.learn(result)
        pool.complete = pool.complete or result.status == "complete"

    def on_result(history, trial, result):
        if timed and plan.context.build.profile.alone and result.status == "complete":
            import_nets()
        budget.learn(result)
        progress.on_result(history, trial, result)

    def trial_limit(trial, remaining):
        return budget.trial_limit(plan.fraction_of(trial), remaining, plan.start_seconds(trial))

    pool.searching = True
    reason = search(
        strategy,
        history,
        evaluate,
        pool,
        budget,
        lag=None if timed else LAG,
        trial_limit=trial_limit if timed else None,
        on_result=on_result,
    )
    pool.searching = False
    return reason == "interrupted"


def _strategy(given, plan):
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
        return Halving(WarmStart(plan.initial, Random()), min_fidelity=small, n_initial=RUNG)
    return WarmStart(plan.initial, Halving(Random(), min_fidelity=small, n_initial=RUNG))
