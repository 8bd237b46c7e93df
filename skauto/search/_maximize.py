"""maximize(): the strategies for any function of some parameters, in the caller's own process."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from numbers import Integral, Real
from typing import Any

from skauto._seeds import root_seed
from skauto.search._budget import Budget
from skauto.search._fingerprint import described_seed, fingerprint, space_part
from skauto.search._history import History
from skauto.search._journal import Journal
from skauto.search._loop import search
from skauto.search._sequential import SequentialPool
from skauto.search._space import Branches, Space
from skauto.search._trial import Status, Trial
from skauto.search._types import AnyPath, RandomState
from skauto.search.strategies._base import Strategy, asked_of, within
from skauto.search.strategies._names import make_strategy


def maximize(
    objective: Callable[..., Any],
    space: Branches | Space,
    *,
    strategy: str | Strategy = "tpe",
    n_iter: int = 100,
    fidelity: float | None = None,
    random_state: RandomState = None,
    journal: AnyPath | None = None,
) -> History:
    """Search for the parameters that maximise a function.

    Parameters
    ----------
    objective : callable
        ``objective(params)``, or ``objective(params, fidelity)`` where `fidelity` is given, returns a finite float;
        params is a dict of parameters by name. Anything else, an exception too, makes a failed trial.
    space : dict, list of dict or Space
        See `Space`.
    strategy : str or Strategy, default="tpe"
        The search strategy; a name means the strategy with its default settings.
    n_iter : int, default=100
        Number of trials, whatever their fidelity.
    fidelity : float, default=None
        The smallest fraction of the full effort at which a score is informative, in (0, 1). Strategies given by name
        begin there if they use fidelities. None: the function has no fidelity.
    random_state : int, RandomState, Generator or None, default=None
        The same integer gives the same search.
    journal : str, path or None, default=None
        Folder in which the search records each trial. The same call resumes from there after any interruption, and
        with a greater `n_iter` after its end.

    Returns
    -------
    history : History
        All trials and results; ``history.best()`` is the pair (trial, result) of the highest score at full fidelity,
        and ``history.space.decode(trial.params)`` gives its parameters.

    Raises
    ------
    ValueError
        If a setting is not as described, or the journal is that of another search.
    RuntimeError
        If every trial failed; the message has the first reason. Before any trial if the strategy is a schedule and
        `fidelity` is None.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skauto.search import maximize
    >>> history = maximize(lambda params: -((params["x"] - 0.3) ** 2), {"x": uniform(0, 1)}, n_iter=30, random_state=0)
    >>> trial, result = history.best()
    >>> result.score > -0.001
    True
    """
    if not callable(objective):
        raise TypeError(f"objective must be a function of the parameters, got {objective!r}")
    if not isinstance(n_iter, Integral) or isinstance(n_iter, bool) or n_iter < 1:
        raise ValueError(f"n_iter must be an integer of at least 1, got {n_iter!r}")
    if fidelity is not None and not (isinstance(fidelity, Real) and 0 < fidelity < 1):
        raise ValueError(f"fidelity must be a number between 0 and 1, or None for a function without, got {fidelity!r}")
    space = space if isinstance(space, Space) else Space(space)
    chosen, seed = make_strategy(strategy, fidelity), root_seed(random_state)
    evaluate = partial(_evaluate, objective, space, fidelity is not None)
    with ExitStack() as stack:
        history = History(space, seed)
        if journal is not None:
            about = _about(objective, space, strategy, fidelity, random_state)
            history = stack.enter_context(Journal(journal).open(seed).begin(about)).replay(space)
        if fidelity is None:
            _check_full_from_the_start(within(chosen, n_iter), History(space, seed))
        search(chosen, history, evaluate, SequentialPool(), Budget(n_iter=n_iter))
    _check_some_complete(history)
    return history


def _about(
    objective: Callable[..., Any],
    space: Space,
    strategy: str | Strategy,
    fidelity: float | None,
    random_state: RandomState,
) -> dict[str, Any]:
    """What a journal must agree on."""
    return fingerprint(
        search="maximize",
        objective=objective,
        space=space_part(space),
        strategy=strategy,
        fidelity=fidelity,
        random_state=described_seed(random_state),
    )


def _check_full_from_the_start(strategy: Strategy, history: History) -> None:
    """Refuse a schedule whose first trial is not a full one, for a function without a fidelity."""
    for trial in asked_of(strategy, history, 1):
        if trial.fidelity < 1:
            raise RuntimeError(_without_fidelity(trial))


def _without_fidelity(trial: Trial) -> str:
    return (
        f"the strategy asks for fidelity {trial.fidelity:g}, but the function has none: "
        f"give maximize(fidelity=), the least fidelity that says something"
    )


def _evaluate(
    objective: Callable[..., Any], space: Space, has_fidelity: bool, context: object, trial: Trial
) -> dict[str, Any]:
    """What the loop submits."""
    if not has_fidelity and trial.fidelity < 1:
        raise ValueError(_without_fidelity(trial))
    params = space.decode(trial.params)
    return {"score": objective(params, trial.fidelity) if has_fidelity else objective(params)}


def _check_some_complete(history: History) -> None:
    results = list(history.results.values())
    if results and not any(result.status == Status.COMPLETE for result in results):
        raise RuntimeError(f"all {len(results)} trials failed; the first one: {results[0].reason}")
