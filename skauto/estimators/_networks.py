"""The network inside an estimator: through pipelines, searches, ensembles, thresholds, compression and resampling."""

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

# Attributes of fitted estimators that hold the one, or the list of those, which predict. What was chosen comes first.
HOLDERS = ("best_estimator_", "estimator_", "ensemble_", "estimators_", "calibrated_classifiers_")
# Candidates of an AutoClassifier that are networks of images.
IMAGE_CANDIDATES = ("cnn", "compressed_cnn")


def way_to_network(estimator: Any) -> tuple[list[Any], list[Any]]:
    """The estimators from this one down to the inner network, and the steps of pipelines passed on the way.

    Returns
    -------
    estimators : list
        From `estimator` to a fitted neural classifier; empty where there is none.
    steps : list of transformers
        The transformers that its rows pass before it; samplers, which only act in fit, are left out.
    """
    if not isinstance(estimator, FrozenEstimator) and hasattr(estimator, "module_") and hasattr(estimator, "_prepare"):
        return [estimator], []
    for part, before in _parts(estimator) if estimator is not None else ():
        found, steps = way_to_network(part)
        if found:
            return [estimator, *found], [*before, *steps]
    return [], []


def network_inside(estimator: Any, X: Any) -> tuple[list[Any], Any]:
    """The estimators down to the network, and X as that sees it; no estimators where there is none."""
    found, steps = way_to_network(estimator)
    for step in steps:
        X = step.transform(X)
    return found, X


def why_no_network(estimator: Any, needed: str, kind: str) -> str:
    """The message where no network of a kind is inside; for an AutoClassifier also the leaderboard row that has one."""
    said = f"{needed}, got {type(estimator).__name__}"
    fitted_on = getattr(estimator, "kind_", kind)
    if fitted_on != kind:
        return f"{said} of {fitted_on} data, of which there are no maps"
    table = getattr(estimator, "leaderboard_", None)
    if table is None or "candidate" not in table:
        return said
    rows = table.index[table["candidate"].isin(IMAGE_CANDIDATES) & (table["status"] == "complete")].tolist()
    said += ", whose best_estimator_ and ensemble_ have no network of images"
    if rows:
        name = table["candidate"][rows[0]]
        return f"{said}; row {rows[0]} of leaderboard_ has one: fit it alone with candidates=[{name!r}]"
    return f"{said}, nor has any row of leaderboard_: fit it with candidates=['cnn']"


def _parts(estimator):
    """What predicts inside an estimator, each with the transformers before it."""
    if isinstance(estimator, Pipeline):
        before = [step for _, step in estimator.steps[:-1] if hasattr(step, "transform")]
        yield estimator.steps[-1][1], before
        return
    if isinstance(estimator, FrozenEstimator) or not hasattr(estimator, "fit"):
        yield getattr(estimator, "estimator", None), []  # the latter: one fold of CalibratedClassifierCV
        return
    for name in HOLDERS:
        held = getattr(estimator, name, None)
        for part in held if isinstance(held, (list, tuple)) else [held]:
            yield part, []
