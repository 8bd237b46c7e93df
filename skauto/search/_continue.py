"""A promoted trial goes on where its parent stopped: the last step learns more, the earlier ones are frozen."""

import warnings
from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from skauto.search._fidelity import last_step
from skauto.search._types import Data, Estimator

# One call of partial_fit is one epoch for estimators that count their effort in these.
EPOCH_PARAMETERS = ("max_iter", "max_epochs", "epochs", "n_epochs")

# What a network is built with: a further epoch on the weights it has cannot heed another value.
STRUCTURE = (
    "hidden_layer_sizes", "hidden_size", "n_layers", "n_members", "width", "depth", "backbone", "channels",
    "image_shape", "bidirectional", "conv_size", "expansion", "normalization", "pooling", "init", "weights", "dtype",
    "module", "warm_start",
)  # fmt: skip

# Where scikit-learn's and skauto's networks keep what their optimiser was set to. The first begin anew without the
# attribute, the second with None in it.
OPTIMIZER_STATE = ("_optimizer", "_optimizer_state")


def can_continue(estimator: Estimator, parameter: str) -> bool:
    """Whether the last step can train for more of what `parameter` counts."""
    step, prefix = last_step(estimator)
    return parameter.startswith(prefix) and _way(step, parameter[len(prefix) :]) is not None


def heeds(parameter: str, changed: dict[str, Any]) -> bool:
    """Whether a continued fit uses new values of parameters.

    Parameters
    ----------
    parameter : str
        What counts the effort; its step is the one that goes on.
    changed : dict
        The new values by name.
    """
    prefix = parameter.rpartition("__")[0]
    start = f"{prefix}__" if prefix else ""
    own = {name.removeprefix(start): value for name, value in changed.items() if name.startswith(start)}
    is_built_anew = any(name.split("__")[0] in STRUCTURE or hasattr(own[name], "get_params") for name in own)
    return len(own) == len(changed) and not is_built_anew


def set_changed(estimator: Estimator, parameter: str, changed: dict[str, Any]) -> None:
    """Give a fitted estimator other values; its optimiser, which was set to the old ones, is made again."""
    if not changed:
        return
    estimator.set_params(**changed)
    prefix = parameter.rpartition("__")[0]
    step = estimator.get_params()[prefix] if prefix else estimator
    for name in OPTIMIZER_STATE:
        if vars(step).get(name) is not None:
            delattr(step, name) if name == "_optimizer" else setattr(step, name, None)


def continue_fit(
    estimator: Estimator, parameter: str, old: int, new: int, X: Data, y: Data, **fit_params: Any
) -> Estimator:
    """Let a fitted estimator go on from `old` to `new` of a parameter.

    Parameters
    ----------
    estimator : estimator
        Fitted with `parameter` at `old`; changed in place.
    parameter : str
    old, new : int
    X : array-like of shape (n, n_features)
        The rows it was fitted on.
    y : array-like of shape (n,)
    **fit_params : dict
        As given to its fit.

    Returns
    -------
    estimator : estimator
        The same one.
    """
    step, prefix = last_step(estimator)
    X, y = _through_frozen_steps(estimator, X, y)
    own = {name.removeprefix(prefix): value for name, value in fit_params.items()}
    name = parameter[len(prefix) :]
    way = _way(step, name)
    step.set_params(**{name: new})  # before it learns: schedules of the learning rate end at the new number
    way(step, name, old, new, X, y, own)
    step.set_params(**{name: new})
    return estimator


def _through_frozen_steps(estimator: Estimator, X: Data, y: Data) -> tuple[Data, Data]:
    """The rows as the last step was given them; resamplers draw again, with the seed they had."""
    for _, step in estimator.steps[:-1] if isinstance(estimator, Pipeline) else []:
        if step is None or step == "passthrough":
            continue
        if hasattr(step, "fit_resample"):
            X, y = step.fit_resample(X, y)
        else:
            X = step.transform(X)
    inner = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else None
    return _through_frozen_steps(inner, X, y) if isinstance(inner, Pipeline) else (X, y)


def _way(step: Estimator, name: str) -> Callable[..., None] | Any:
    """The function that lets a step continue, None where there is none."""
    if type(step).__module__.startswith("lightgbm") and name == "n_estimators":
        return _boost
    if hasattr(step, "partial_fit") and hasattr(step, "initialize") and name == "max_epochs":  # skorch
        return _train
    settings = step.get_params(deep=False)
    if "warm_start" in settings and name in ("n_estimators", "max_iter"):
        grows = name == "n_estimators" or type(step).__name__.startswith("HistGradientBoosting")
        if grows and not (settings.get("oob_score") and "estimator" in settings):  # bagging refuses both together
            return _grow
    if hasattr(step, "partial_fit") and name in EPOCH_PARAMETERS and _passes(settings):
        return _pass_again
    return None


def _passes(settings: dict[str, Any]) -> bool:
    """Whether partial_fit takes these settings: holding rows back and counting classes need all rows in one fit."""
    return not settings.get("early_stopping") and not isinstance(settings.get("class_weight"), str)


def _boost(step: Estimator, name: str, old: int, new: int, X: Data, y: Data, fit_params: dict[str, Any]) -> None:
    """LightGBM adds rounds to the trees it has."""
    step.set_params(**{name: new - old})
    step.fit(X, y, init_model=step.booster_, **fit_params)


def _train(step: Estimator, name: str, old: int, new: int, X: Data, y: Data, fit_params: dict[str, Any]) -> None:
    """skorch trains further epochs, its optimiser as it was."""
    step.partial_fit(X, y, epochs=new - old, **fit_params)


def _grow(step: Estimator, name: str, old: int, new: int, X: Data, y: Data, fit_params: dict[str, Any]) -> None:
    """Ensembles of scikit-learn add trees up to the new number."""
    warm = step.get_params(deep=False)["warm_start"]
    step.set_params(warm_start=True, **{name: new})
    with warnings.catch_warnings():  # of weights that other rows would change: these are the same rows
        warnings.filterwarnings("ignore", "class_weight presets", UserWarning)
        step.fit(X, y, **fit_params)
    step.set_params(warm_start=warm)


def _pass_again(step: Estimator, name: str, old: int, new: int, X: Data, y: Data, fit_params: dict[str, Any]) -> None:
    """What learns by partial_fit passes over the rows once for each further epoch."""
    for _ in range(new - old):
        step.partial_fit(X, y, **fit_params)
