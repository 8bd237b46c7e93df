"""Classifiers of images and what comes before them, from the values of a configuration."""

import math
from dataclasses import replace

from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto._array_inputs import channel_axis
from skauto._pipelines import epochs_within
from skauto.estimators._image_summary import ImageSummaryTransformer
from skauto.search import _deadline

# Epochs of a net where there is time, the fewest with which it is worth trying, and the rows of a step: with more of
# them few epochs are too few steps.
EPOCHS, FEWEST_EPOCHS, BATCH = 30, 2, 64

# The part of its time that a fit may plan with. Past the latest part of what is left, and some seconds before the end,
# no epoch may end: they are planned by the quickest steps, and left out should the machine be slower.
FIT_SHARE, LATEST, MARGIN = 0.85, 0.9, 1.0

# Operations of a training step for each pixel and square of the width, and the most of them a second on one thread.
FLOPS_A_PIXEL, MOST_FLOPS = 320, 4e10

# The least time limit of a network: none is given zero seconds.
LEAST_SECONDS = 0.1

# Seconds that a row takes beside the network's work on it: taken from the rest, augmented, scaled.
ROW_SECONDS = 1e-4

# Epochs of training after a step of compression, and the fewest weights of a layer that is given a codebook.
TUNING, SMALLEST = 2, 256

# Pixels and cells of the summary.
CELLS, PIXELS = 8, 12


def summary(values, traits):
    """Coarse pixels and histograms of gradients."""
    return ImageSummaryTransformer(CELLS, pixels=PIXELS)


def scaled_summary(values, traits):
    """The same on one scale."""
    return make_pipeline(ImageSummaryTransformer(CELLS, pixels=PIXELS), StandardScaler())


def whole(values, traits):
    """Nothing: nets take images as they are."""
    return None


def logistic(values, traits, seed):
    """Logistic regression on many columns."""
    return LogisticRegression(**values, max_iter=100)


def cnn(values, traits, seed):
    """A convolutional network, as many epochs as there is time for; TimeoutError where they would be too few."""
    from skauto.estimators._cnn import CNNClassifier

    values = dict(values)
    augment = {name: values.pop(name) for name in ("flip", "shift", "cutout")}
    augment = {name: strength for name, strength in augment.items() if strength} or None
    return CNNClassifier(
        **values,
        augment=augment,
        batch_size=BATCH,
        max_epochs=_enough(epochs(values, traits), traits),
        time_limit=_time_limit(traits),
        device="cpu",
        random_state=seed,
    )


def compressed_cnn(values, traits, seed):
    """The same made small in the same time: fewer filters, then 8-bit arithmetic or shared, entropy-coded weights."""
    from skauto.estimators.compression._classifier import CompressedClassifier
    from skauto.estimators.compression._prune import Prune
    from skauto.estimators.compression._quantize import Quantize

    values = dict(values)
    amount, form = values.pop("filters"), values.pop("form")
    steps = [("filters", Prune(amount, what="filters", rounds=1, epochs=TUNING))] if amount else []
    last = Quantize("int8") if form == "int8" else Quantize(bits=5, smallest=SMALLEST, epochs=TUNING)
    network = cnn(values, traits, seed)
    whole = network.time_limit
    _leave_epochs(network, TUNING * (len(steps) + (form == "codebook")), traits)
    return CompressedClassifier(network, [*steps, (form, last)], time_limit=whole)


def _leave_epochs(network, tuning, traits):
    """Leave the time of so many epochs of a network to what follows."""
    most, limit = network.max_epochs, network.time_limit
    left = _enough(most - tuning, traits)
    network.set_params(max_epochs=left, time_limit=limit and limit * left / most)


def _enough(most, traits):
    """So many epochs; a final fit has one at least, and a trial that has less than the fewest ends here.

    Where nothing but networks is tried a trial goes on: the network is stopped in time, and better than none.
    """
    if most >= FEWEST_EPOCHS or traits.refit or traits.alone:
        return max(most, 1)
    left = _seconds(traits)
    raise TimeoutError(f"{FEWEST_EPOCHS} epochs of it do not fit into the {left:.3g} s that are left to its training")


def _time_limit(traits):
    """Seconds after which a network must stop, should the machine turn out slower than when it was timed."""
    if traits.seconds is None:
        return None
    left = _left()
    if math.isfinite(left):
        return max(left, LEAST_SECONDS)
    return None if traits.refit else LATEST * traits.seconds / FIT_SHARE


def _left():
    """Seconds left to the training of a network, infinity where nothing limits the task."""
    return max(LATEST * _deadline.left() - MARGIN, 0.0) / _deadline.CURRENT.parts


def _seconds(traits):
    """Seconds that a network may plan with: what the trial has left, and in a refit no more than folds had."""
    left = _left()
    if traits.refit or not math.isfinite(left):
        return min(traits.seconds, left)
    return left


def epochs(values, traits):
    """Epochs of a network that there is time for."""
    if traits.seconds is None:
        return EPOCHS
    row_seconds = ROW_SECONDS + _network_seconds(values, traits)
    return epochs_within(replace(traits, seconds=_seconds(traits)), row_seconds, EPOCHS)


def _network_seconds(values, traits):
    """Seconds that a row takes in training, measured where the network is to be trained."""
    from skauto.estimators._backbones import build_backbone
    from skauto.estimators._speed import training_seconds_a_row

    channels, height, width = _form(traits.shape)
    network = build_backbone(values["backbone"], channels, traits.n_classes, values["width"], values["depth"])
    return training_seconds_a_row(network, (channels, height, width))


def _form(shape):
    """Channels, height and width of a row's shape."""
    if len(shape) == 2:
        return 1, *shape
    return shape if channel_axis((1, *shape)) == "first" else (shape[2], *shape[:2])


def net_affords(values, traits, tuning=0):
    """Why there is no time for a network and so many epochs of tuning, an empty line if there may be.

    Nothing is trained for it: that happens in a worker, which ends a trial that turns out to have too little time.
    """
    fewest = FEWEST_EPOCHS + tuning
    _, height, width = _form(traits.shape)
    row_seconds = ROW_SECONDS + height * width * FLOPS_A_PIXEL * values["width"] ** 2 / MOST_FLOPS
    enough = epochs_within(traits, row_seconds, EPOCHS) >= fewest
    return "" if enough else f"{fewest} epochs of it do not fit into what a trial may use of time_limit"


def compressed_affords(values, traits):
    """The same for one that is tuned after two steps of compression."""
    return net_affords(values, traits, 2 * TUNING)


def fallback(traits):
    """A small model that is fitted in about a second."""
    trees = ExtraTreesClassifier(60, random_state=0)
    return Pipeline([("prepare", ImageSummaryTransformer(4, pixels=8)), ("classify", trees)])
