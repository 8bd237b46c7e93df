"""The callback contexts of a search, as scikit-learn's own searches open them."""

from collections.abc import Callable
from typing import Any

from skauto._sklearn import BaseSearchCV
from skauto.search._trial import Trial
from skauto.search._types import Data, Estimator


class Hooks:
    """Root, search, rung, fold and refit tasks of the callbacks set on a search.

    Parameters
    ----------
    search : SearchCV
    X, y : array-like
    sample_weight : array-like or None
    """

    _rungs: dict[tuple[Any, Any], Any]
    _folds: dict[tuple[int, int], Any]
    _tasks: Any

    def __init__(self, search: BaseSearchCV, X: Data, y: Data, sample_weight: Data) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._about = {"estimator": search, "X": X, "y": y, "metadata": metadata}
        self._search = search
        self.root = search._init_callback_context(max_subtasks=1 + (search.refit is not False))
        self.root.call_on_fit_task_begin(**self._about)
        self._rungs, self._folds = {}, {}
        self._tasks = None

    @property
    def active(self) -> bool:
        """Whether any callback is set."""
        return bool(getattr(self._search, "_skl_callbacks", None))

    def begin_search(self) -> None:
        """Open the task that holds all evaluations."""
        self._tasks = self.root.subcontext(task_name="search", max_subtasks=None, sequential_subtasks=False)
        self._tasks.call_on_fit_task_begin(estimator=self._search)

    def fold(self, trial: Trial, fold: int) -> Any:
        """The context of one evaluation; the same one where it has to be done again."""
        key = (trial.number, fold)
        if key not in self._folds:
            task_id = len(self._folds)
            parent = self._rung(trial)
            self._folds[key] = parent.subcontext(task_name="candidate-split-evaluation", task_id=task_id)
        return self._folds[key]

    def _rung(self, trial: Trial) -> Any:
        """The task of the rung that a trial belongs to; the search itself where there are no rungs."""
        notes = [note for note in trial.tags.values() if isinstance(note, dict) and "rung" in note]
        if not notes:
            return self._tasks
        key = (notes[0].get("bracket"), notes[0]["rung"])
        if key not in self._rungs:
            about = {"max_subtasks": None, "sequential_subtasks": False}
            rung = self._tasks.subcontext(task_name="halving-iteration", task_id=f"rung-{len(self._rungs)}", **about)
            self._rungs[key] = rung.call_on_fit_task_begin(estimator=self._search)
        return self._rungs[key]

    def end_search(self) -> None:
        """Close what `begin_search` opened, and the rungs."""
        for rung in self._rungs.values():
            rung.call_on_fit_task_end(estimator=self._search)
        self._tasks.call_on_fit_task_end(estimator=self._search)

    def refit(self, estimator: Estimator, fit: Callable[[], object]) -> None:
        """Run the refit as a task of its own."""
        context = self.root.subcontext(task_name="refit-with-best-params")
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(**self._about)
            fit()
        context.call_on_fit_task_end(**self._about)

    def end(self) -> None:
        """Close the root task."""
        self.root.call_on_fit_task_end(**self._about)
