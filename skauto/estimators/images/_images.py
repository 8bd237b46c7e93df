"""Image arrays: which axis is the channels, and every layout as one view (rows, channels, height, width)."""

import math
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import get_tags

from skauto.inputs._images import CHANNELS, channel_axis


def image_layout(X: np.ndarray, channels: str = "auto", image_shape: Any = None) -> tuple[str, tuple[int, ...]]:
    """How an array holds images.

    Parameters
    ----------
    X : ndarray of rank 2, 3 or 4
    channels : {"auto", "first", "last"}
        Where the channels of a rank-4 array, or of an `image_shape` of three sides, are.
    image_shape : tuple of int, default=None
        (height, width), (channels, height, width) or (height, width, channels) of the images that a rank-2 array holds
        in its rows; arrays of rank 3 and 4 must agree with it.

    Returns
    -------
    layout : {"flat", "flat_last", "gray", "first", "last"}
    shape : tuple of int
        (channels, height, width)

    Raises
    ------
    ValueError
        If the layout is ambiguous, or does not match.
    """
    sides = None if image_shape is None else _checked_sides(image_shape)
    if X.ndim == 2:
        return _flat_layout(X.shape[1], channels, sides)
    if X.ndim not in (3, 4):
        raise ValueError(
            f"X has {X.ndim} dimensions, shape {X.shape}; images are (n, height, width), (n, channels, height, width), "
            "(n, height, width, channels), or rows of a table"
        )
    layout = "gray" if X.ndim == 3 else channel_axis(X.shape) if channels == "auto" else channels
    shape = _channels_first(X.shape[1:], layout)
    if sides is not None and not _agree(sides, shape):
        raise ValueError(
            f"image_shape={sides} contradicts X, whose shape {X.shape} means images of {shape[1]} x {shape[2]} pixels "
            f"and {shape[0]} channels; leave image_shape out, it is for images given as rows of a table"
        )
    return layout, shape


def in_layout(images: np.ndarray, layout: str) -> np.ndarray:
    """Images (rows, channels, height, width) as an array of a layout: what `as_images` takes apart."""
    if layout.endswith("last"):
        images = images.transpose(0, 2, 3, 1)
    if layout.startswith("flat"):
        return images.reshape(len(images), -1)
    return images[:, 0] if layout == "gray" else images


def as_images(X: Any, layout: str, shape: tuple[int, ...]) -> Any:
    """The array as a view (rows, channels, height, width)."""
    if layout == "flat_last":
        X = X.reshape(len(X), *shape[1:], shape[0])
    if layout.endswith("last"):
        return X.transpose(0, 3, 1, 2)
    return X.reshape(len(X), *shape) if layout in ("flat", "gray") else X


def rows_for(estimator: Any, X: Any) -> Any:
    """X itself, or its images as rows of pixels for an estimator within which nothing takes more than two axes."""
    if getattr(X, "ndim", 2) < 3 or not hasattr(estimator, "get_params"):
        return X  # what is no estimator of scikit-learn's kind says nothing of the rows it takes
    inside = [part for part in estimator.get_params().values() if hasattr(part, "fit") and not isinstance(part, type)]
    if any(_takes_images(part) for part in (estimator, *inside)):
        return X
    return X.reshape(len(X), -1)


def _takes_images(estimator):
    tags = get_tags(estimator)
    return tags.input_tags.three_d_array or tags.no_validation


def _checked_sides(image_shape):
    sides = tuple(image_shape)
    whole = all(isinstance(side, Integral) and side > 0 for side in sides)
    if len(sides) not in (2, 3) or not whole:
        raise ValueError(
            f"image_shape={sides} must be (height, width) or three sides, one of them the channels, all positive whole "
            "numbers; image_shape=(1, 64) for example is one row of 64 pixels"
        )
    return tuple(int(side) for side in sides)


def _flat_layout(n_features, channels, sides):
    if sides is None:
        side = math.isqrt(n_features)
        return "flat", (1, side, side) if side * side == n_features else (1, 1, n_features)
    if math.prod(sides) != n_features:
        raise ValueError(f"image_shape={sides} means {math.prod(sides)} pixels, but X has {n_features} features")
    if len(sides) == 2:
        return "flat", (1, *sides)
    if channels == "auto":
        channels = _channel_side(sides)
    return "flat_last" if channels == "last" else "flat", _channels_first(sides, channels)


def _channel_side(sides):
    """Where the channels are among three sides, by the rule for arrays of rank 4."""
    first, last = sides[0] in CHANNELS, sides[2] in CHANNELS
    if first == last:
        raise ValueError(
            f"image_shape={sides} does not tell the channels: {'both' if first else 'neither'} of its first and last "
            'side could be (channels are 1, 3 or 4); say channels="first" or channels="last"'
        )
    return "first" if first else "last"


def _channels_first(sides, layout):
    if layout == "last":
        return sides[2], *sides[:2]
    return tuple(sides) if len(sides) == 3 else (1, *sides)


def _agree(sides, shape):
    """Whether an image_shape, its channels wherever they are, can mean images of this shape."""
    return sides in (shape, (*shape[1:], shape[0]), shape[1:])
