"""One fold of one trial of SearchCV, fitted and scored as scikit-learn does it."""

import pickle
from dataclasses import dataclass, field
from numbers import Number
from typing import Any, cast

import cloudpickle
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto._sklearn import fit_and_score
from skauto.search._continue import can_continue, continue_fit, heeds, set_changed
from skauto.search._fidelity import Fidelity
from skauto.search._inner_fits import InnerFits, Kept, inside
from skauto.search._prefix_cache import PrefixCache
from skauto.search._sandbox import Report, attempt, number_of
from skauto.search._space import Space
from skauto.search._trial import Trial
from skauto.search._types import Data, Estimator, Fold, Record


@dataclass
class FoldScoring:
    """All that a worker needs for any fold of any trial; sent to it once.

    `folds` is a list of pairs of row numbers (train, test); `options` are keyword arguments of scikit-learn's
    fit_and_score that are the same for every fold. With a `seed`, every ``random_state`` that is None is given one.
    """

    estimator: Estimator
    X: Data
    y: Data
    folds: list[Fold]
    space: Space
    options: dict[str, Any]
    fidelity: Fidelity | None = None
    stratify: bool = False
    row_seed: int = 0
    seed: int | None = None
    caller: Any = None
    cache: PrefixCache = field(default_factory=PrefixCache)

    def values(self, trial: Trial) -> dict[str, Any]:
        """The parameters that a trial sets, the one that its fidelity stands for included."""
        values = self.space.decode(trial.params)
        return values if self.fidelity is None else {**values, **self.fidelity.values(trial.fidelity)}

    def continues(self, values: dict[str, Any]) -> bool:
        """Whether trials with these parameters can be continued at a higher fidelity."""
        if self.fidelity is None or self.fidelity.parameter is None:
            return False
        made = attempt(lambda: clone(self.estimator).set_params(**clone(values, safe=False))).value
        parameter = self.fidelity.parameter
        return made is not None and (can_continue(made, parameter) or inside(made, parameter) is not None)

    def changed(self, trial: Trial, origin: Trial) -> dict[str, Any] | None:
        """The values in which a trial differs from the one it was promoted from; None where it cannot go on from it.

        It cannot where a step before the last, or what a network is built with, is another one: what the origin has
        learnt would not be what these settings learn.
        """
        if self.fidelity is None or trial.params["branch"] != origin.params["branch"]:
            return None
        own, before = trial.params["values"], origin.params["values"]
        values = self.space.decode(trial.params)
        changed = {name: values[name] for name in own if own[name] != before[name]}
        return changed if heeds(cast(str, self.fidelity.parameter), changed) else None


def score_fold(
    context: FoldScoring,
    trial: Trial,
    fold: int,
    origin: Trial | None = None,
    model: bytes | None = None,
    callback_ctx: Any = None,
) -> Record:
    """Fit a trial on one fold and score it.

    Parameters
    ----------
    context : FoldScoring
    trial : Trial
    fold : int
    origin : Trial, default=None
        The trial that this one was promoted from.
    model : bytes, default=None
        The pickled model of the origin on this fold, to go on from.
    callback_ctx : CallbackContext, default=None

    Returns
    -------
    record : dict
        "test_scores", "train_scores" where asked for, "fit_time", "score_time", "n_test_samples", "fit_error",
        "continued", whether it went on from the origin's model; "model", bytes, of a trial that may be continued; or
        else "raised", the exception that ends the whole search.
    """
    values = context.values(trial)
    train, test = context.folds[fold]
    train = _rows(context, trial, train)
    job = _job(context, trial, origin, values, None if model is None else pickle.loads(model))
    context.cache.begin(fold, trial.fidelity if _by_rows(context) else 1.0)
    report = attempt(_call, context, job, train, test, fold, callback_ctx)
    if report.error is not None:
        return {"raised": _portable(report)}
    record = report.value
    record |= {name: _plain(record[name]) for name in ("test_scores", "train_scores") if name in record}
    record["continued"] = job.continued or (job.inner is not None and job.inner.all_continued)
    if trial.fidelity < 1 and record["fit_error"] is None and context.continues(values):
        record["model"] = _packed(job.estimator if job.inner is None else Kept(job.root, job.inner.made))
    return record


@dataclass
class _Job:
    """An estimator that is ready to be fitted.

    `values` are left to be set by scikit-learn; None where they are set. `inner` listens to the fits inside wrappers,
    and `root` is the number of the trial that their seeds come from.
    """

    estimator: Estimator
    values: dict[str, Any] | None = None
    continued: bool = False
    inner: InnerFits | None = None
    root: int = 0


def _job(context: FoldScoring, trial: Trial, origin: Trial | Any, values: dict[str, Any], model: Any) -> _Job:
    """What is to be fitted: a fresh estimator, a fitted one that goes on, or a wrapper whose inside does."""
    changed = None if model is None else context.changed(trial, origin)
    if changed is not None and not isinstance(model, Kept):
        return _Job(_going_on(context, trial, origin, values, model, changed), continued=True)
    parameter = None if context.fidelity is None else context.fidelity.parameter
    root = model.root if changed is not None else trial.number
    estimator = _fresh(context, root, values)
    if parameter is None or (trial.fidelity >= 1 and changed is None):
        return _Job(estimator, values)
    made = attempt(lambda: clone(estimator).set_params(**clone(values, safe=False))).value
    if made is None or can_continue(made, parameter) or inside(made, parameter) is None:
        return _Job(estimator, values)
    estimator.set_params(**clone(values, safe=False))
    fidelity: Any = context.fidelity
    amounts = None if changed is None else tuple(fidelity.amount(t.fidelity) for t in (origin, trial))
    inner = InnerFits(parameter, None if changed is None else model, amounts)
    inner.listen(estimator)
    return _Job(estimator, inner=inner, continued=False, root=root)


def seeded(estimator: Estimator, values: dict[str, Any], seed: int | None, number: int) -> dict[str, int]:
    """The seeds of the trial of a number: for each ``random_state`` that is None and not part of the configuration."""
    if seed is None:
        return {}
    known = estimator.get_params()
    if any(_may_replace_a_step(value) for value in values.values()):
        known = attempt(lambda: clone(estimator).set_params(**clone(values, safe=False)).get_params()).value or {}
    names = [name for name, value in known.items() if name.split("__")[-1] == "random_state" and value is None]
    return {name: child_seed(seed, "trial", number, name) for name in names if name not in values}


def _may_replace_a_step(value: Any) -> bool:
    """Whether setting this may change which parameters there are."""
    return hasattr(value, "get_params") or not isinstance(value, str | Number) or value in ("passthrough", "drop")


def _by_rows(context: FoldScoring) -> bool:
    return context.fidelity is not None and context.fidelity.parameter is None


def _rows(context: FoldScoring, trial: Trial, train: np.ndarray) -> np.ndarray:
    if context.fidelity is None:
        return train
    return context.fidelity.rows(context.y, train, trial.fidelity, context.row_seed, context.stratify)


def _fresh(context: FoldScoring, number: int, values: dict[str, Any]) -> Estimator:
    """The unfitted estimator with the seeds of a trial; a pipeline without a memory gets the cache of first steps."""
    estimator = clone(context.estimator)
    if seeds := seeded(estimator, values, context.seed, number):
        estimator.set_params(**clone(values, safe=False)).set_params(**seeds)
    if isinstance(estimator, Pipeline) and estimator.memory is None:
        estimator.memory = context.cache
    return estimator


def _going_on(
    context: FoldScoring,
    trial: Trial,
    origin: Trial,
    values: dict[str, Any],
    estimator: Estimator,
    changed: dict[str, Any],
) -> Estimator:
    """The origin's model, set to the trial's values, whose fit continues it: one seed a rung, the last step's only."""
    fidelity: Any = context.fidelity
    name = fidelity.parameter
    old, new = fidelity.amount(origin.fidelity), fidelity.amount(trial.fidelity)
    own = name.rsplit("__", 1)[0] + "__random_state" if "__" in name else "random_state"
    if context.seed is not None and own not in values and own in estimator.get_params():
        estimator.set_params(**{own: child_seed(context.seed, "trial", trial.number, own)})

    def fit(X: Data, y: Data = None, **fit_params: Any) -> Estimator:
        del estimator.fit  # for this one call: where the last step is the whole estimator, it calls its class's fit
        set_changed(estimator, name, changed)
        return continue_fit(estimator, name, old, new, X, y, **fit_params)

    estimator.fit = fit
    return estimator


def _call(context: FoldScoring, job: _Job, train: np.ndarray, test: np.ndarray, fold: int, callback_ctx: Any) -> Record:
    about = {"caller": context.caller, "callback_ctx": callback_ctx} if callback_ctx is not None else {}
    estimator = job.estimator
    record = fit_and_score(
        estimator,
        context.X,
        context.y,
        train=train,
        test=test,
        parameters=job.values,
        split_progress=(fold, len(context.folds)),
        **context.options,
        **about,
    )
    vars(estimator).pop("fit", None)  # type: ignore[attr-defined]  # of an object, not of a class
    if getattr(estimator, "memory", None) is context.cache:
        estimator.memory = None
    return record


def _plain(scores: Any) -> float | dict[str, float]:
    """Scores as floats, NaN for what is no real number or too large for one."""
    return {name: number_of(score) for name, score in scores.items()} if isinstance(scores, dict) else number_of(scores)


def _packed(estimator: Estimator) -> bytes | None:
    """The fitted estimator as bytes, None where it cannot be pickled: its trial then starts over when promoted."""
    return attempt(cloudpickle.dumps, estimator).value


def _portable(report: Report) -> BaseException | None:
    """The exception, or one with its traceback as text where it cannot be pickled."""
    packed = attempt(lambda: pickle.loads(cloudpickle.dumps(report.error)))
    return report.error if packed.error is None else RuntimeError(report.output)
