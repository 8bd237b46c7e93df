"""Classifiers of images and what comes before them, from the values of a configuration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator, Values
from skauto.automl.images._epoch_planning import (
    BATCH,
    EPOCHS,
    epochs,
    net_time_reason,
    precision_of,
    require_min_epochs,
    seconds_limit,
)
from skauto.automl.images._one_cycle import plan_one_cycle
from skauto.estimators._forests import CompactExtraTreesClassifier
from skauto.estimators.images._image_summary import ImageSummaryTransformer
from skauto.estimators.images._random_patches import RandomPatchesTransformer

# Epochs of training after a step of compression, and the fewest weights of a layer that is given a codebook.
TUNING, SMALLEST = 2, 256

# Pixels and cells of the summary.
CELLS, PIXELS = 8, 12


def summary(values: Values, profile: DataProfile) -> Estimator:
    """Coarse pixels and histograms of gradients."""
    return ImageSummaryTransformer(CELLS, pixels=PIXELS)


def scaled_summary(values: Values, profile: DataProfile) -> Estimator:
    """The same on one scale."""
    return make_pipeline(
        ImageSummaryTransformer(CELLS, pixels=PIXELS), StandardScaler()
    )


def random_patches(values: Values, profile: DataProfile) -> Estimator:
    """Responses to random patches of the training images, on one scale."""
    names = ("n_patches", "size", "cells")
    options = {name: values.pop(name) for name in names}
    patches = RandomPatchesTransformer(**options, random_state=profile.seed)
    return make_pipeline(patches, StandardScaler())


def whole(values: Values, profile: DataProfile) -> None:
    """Nothing: nets take images as they are."""
    return None


def logistic(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Logistic regression on many columns."""
    return LogisticRegression(**values, max_iter=100)


def cnn(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """A convolutional network."""
    from skauto.estimators.images._cnn import CNNClassifier

    values = dict(values)
    strengths = {name: values.pop(name) for name in ("flip", "cutout")}
    # By whole pixels, which takes a fifth of the time of an interpolation.
    strengths["crop"] = values.pop("shift")
    augment = {name: much for name, much in strengths.items() if much} or None
    return CNNClassifier(
        **values,
        augment=augment,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        device="cpu",
        random_state=seed,
        precision=precision_of(profile),
    )


def compressed_cnn(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """The same made small: fewer filters, then 8-bit arithmetic or shared, entropy-coded weights."""
    from skauto.estimators.compression._classifier import CompressedClassifier
    from skauto.estimators.compression.steps._prune import Prune
    from skauto.estimators.compression.steps._quantize import Quantize

    values = dict(values)
    amount, form = values.pop("filters"), values.pop("form")
    steps: list[tuple[str, Any]] = []
    if amount:
        pruned = Prune(amount, what="filters", rounds=1, epochs=TUNING)
        steps.append(("filters", pruned))
    if form == "int8":
        steps.append((form, Quantize("int8")))
    else:
        shared = Quantize(bits=5, smallest=SMALLEST, epochs=TUNING)
        steps.append((form, shared))
    network = cnn(values, profile, seed)
    network.set_params(max_epochs=EPOCHS - _tuning_epochs(steps))
    return CompressedClassifier(network, steps)


def plan_cnn(network: Estimator, values: Values, profile: DataProfile) -> None:
    """Give a network as many epochs as there is time for; TimeoutError where they would be too few."""
    if profile.holds_out and not profile.refit:
        plan_one_cycle(network, values, profile)
        return
    most = require_min_epochs(epochs(values, profile), profile)
    network.set_params(max_epochs=most, time_limit=seconds_limit(profile))


def plan_compressed_cnn(
    compressed: Estimator, values: Values, profile: DataProfile
) -> None:
    """The same of one that is tuned after its steps: these have their part of the epochs and of the seconds."""
    network = compressed.estimator
    # Several steps share the time, so that one cycle cannot fill it.
    plan_cnn(network, values, replace(profile, holds_out=False))
    most, limit = network.max_epochs, network.time_limit
    left = require_min_epochs(most - _tuning_epochs(compressed.steps), profile)
    compressed.set_params(time_limit=limit)
    network.set_params(max_epochs=left, time_limit=limit and limit * left / most)


def _tuning_epochs(steps: list[tuple[str, Any]]) -> int:
    """Epochs of training after the steps of compression: 8-bit arithmetic needs none."""
    return sum(step.epochs for name, step in steps if name != "int8")


def fallback(profile: DataProfile) -> Pipeline:
    """A small model that is fitted in about a second."""
    trees = CompactExtraTreesClassifier(60, random_state=0)
    return Pipeline(
        [("prepare", ImageSummaryTransformer(4, pixels=8)), ("classify", trees)]
    )


def compressed_time_reason(values: Mapping[str, Any], profile: DataProfile) -> str:
    """The same for one that is tuned after two steps of compression."""
    return net_time_reason(values, profile, 2 * TUNING)
