"""Classifiers of images and what comes before them, from the values of a configuration."""

from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.automl.images._epoch_planning import (
    epochs,
    net_time_reason,
    require_min_epochs,
    seconds_limit,
)
from skauto.estimators.images._image_summary import ImageSummaryTransformer

# Rows of a step of training: with more of them few epochs are too few steps.
BATCH = 64

# Epochs of training after a step of compression, and the fewest weights of a layer that is given a codebook.
TUNING, SMALLEST = 2, 256

# Pixels and cells of the summary.
CELLS, PIXELS = 8, 12


def summary(values, profile):
    """Coarse pixels and histograms of gradients."""
    return ImageSummaryTransformer(CELLS, pixels=PIXELS)


def scaled_summary(values, profile):
    """The same on one scale."""
    return make_pipeline(
        ImageSummaryTransformer(CELLS, pixels=PIXELS), StandardScaler()
    )


def whole(values, profile):
    """Nothing: nets take images as they are."""
    return None


def logistic(values, profile, seed):
    """Logistic regression on many columns."""
    return LogisticRegression(**values, max_iter=100)


def cnn(values, profile, seed):
    """A convolutional network, as many epochs as there is time for; TimeoutError where they would be too few."""
    from skauto.estimators.images._cnn import CNNClassifier

    values = dict(values)
    augment = {name: values.pop(name) for name in ("flip", "shift", "cutout")}
    augment = {name: strength for name, strength in augment.items() if strength} or None
    return CNNClassifier(
        **values,
        augment=augment,
        batch_size=BATCH,
        max_epochs=require_min_epochs(epochs(values, profile), profile),
        time_limit=seconds_limit(profile),
        device="cpu",
        random_state=seed,
    )


def compressed_cnn(values, profile, seed):
    """The same made small in the same time: fewer filters, then 8-bit arithmetic or shared, entropy-coded weights."""
    from skauto.estimators.compression._classifier import CompressedClassifier
    from skauto.estimators.compression.steps._prune import Prune
    from skauto.estimators.compression.steps._quantize import Quantize

    values = dict(values)
    amount, form = values.pop("filters"), values.pop("form")
    steps = (
        [("filters", Prune(amount, what="filters", rounds=1, epochs=TUNING))]
        if amount
        else []
    )
    last = (
        Quantize("int8")
        if form == "int8"
        else Quantize(bits=5, smallest=SMALLEST, epochs=TUNING)
    )
    network = cnn(values, profile, seed)
    whole = network.time_limit
    _leave_epochs(network, TUNING * (len(steps) + (form == "codebook")), profile)
    return CompressedClassifier(network, [*steps, (form, last)], time_limit=whole)


def _leave_epochs(network, tuning, profile):
    """Leave the time of so many epochs of a network to what follows."""
    most, limit = network.max_epochs, network.time_limit
    left = require_min_epochs(most - tuning, profile)
    network.set_params(max_epochs=left, time_limit=limit and limit * left / most)


def fallback(profile):
    """A small model that is fitted in about a second."""
    trees = ExtraTreesClassifier(60, random_state=0)
    return Pipeline(
        [("prepare", ImageSummaryTransformer(4, pixels=8)), ("classify", trees)]
    )


def compressed_time_reason(values, profile):
    """The same for one that is tuned after two steps of compression."""
    return net_time_reason(values, profile, 2 * TUNING)
