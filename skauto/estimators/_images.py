"""Image arrays: which axis is the channels, and every layout as one view (rows, channels, height, width)."""

import math

import numpy as np
from sklearn.utils import assert_all_finite, check_array

CHANNELS = (1, 3, 4)


def image_layout(X, channels="auto", image_shape=None):
    """How an array holds images.

    Parameters
    ----------
    X : ndarray of rank 2, 3 or 4
    channels : {"auto", "first", "last"}
        Where the channels of a rank-4 array are.
    image_shape : tuple of int, default=None
        (height, width) or (channels, height, width) of the images that a rank-2 array holds in its rows.

    Returns
    -------
    layout : {"flat", "gray", "first", "last"}
    shape : tuple of int
        (channels, height, width)

    Raises
    ------
    ValueError
        If it cannot be told, or does not fit.
    """
    if X.ndim == 2:
        return "flat", _flat_shape(X.shape[1], image_shape)
    if X.ndim == 3:
        return "gray", (1, *X.shape[1:])
    if X.ndim != 4:
        raise ValueError(
            f"X has {X.ndim} dimensions, shape {X.shape}; images are (n, height, width), (n, channels, height, width), "
            "(n, height, width, channels), or rows of a table"
        )
    if channels == "auto":
        channels = _channel_axis(X.shape)
    return channels, X.shape[1:] if channels == "first" else (X.shape[3], *X.shape[1:3])


def as_images(X, layout, shape):
    """The array as a view (rows, channels, height, width)."""
    if layout == "last":
        return X.transpose(0, 3, 1, 2)
    return X.reshape(len(X), *shape) if layout in ("flat", "gray") else X


def check_images(X):
    """An array of uint8 or float32 without NaN or infinity, at least one row and one pixel; uint8 is not copied."""
    X = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, ensure_all_finite=False, input_name="X")
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}, images have rank 3 or 4. "
            "Reshape your data with array.reshape(1, -1) if it is a single image in one row"
        )
    if not all(X.shape):
        raise ValueError(
            f"Found array with 0 sample(s) or 0 feature(s) (shape={X.shape}) while a minimum of 1 is required."
        )
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must be uint8 or real numbers")
    X = (
        X.astype(np.float32, copy=False)
        if X.dtype.kind in "fiub"
        else check_array(X, dtype=np.float32, ensure_2d=False, allow_nd=True, ensure_all_finite=False)
    )
    assert_all_finite(X, input_name="X")
    return X


def _flat_shape(n_features, image_shape):
    if image_shape is None:
        side = math.isqrt(n_features)
        return (1, side, side) if side * side == n_features else (1, 1, n_features)
    shape = tuple(image_shape) if len(image_shape) == 3 else (1, *image_shape)
    if math.prod(shape) != n_features:
        raise ValueError(
            f"image_shape={tuple(image_shape)} means {math.prod(shape)} pixels, but X has {n_features} features"
        )
    return shape


def _channel_axis(shape):
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first == last:
        which = "both axis 1 and axis 3" if first else "neither axis 1 nor axis 3"
        raise ValueError(
            f"X has shape {shape}: {which} could be the channels (sizes {shape[1]} and {shape[3]}; channels are 1, 3 "
            'or 4). Say channels="first" or channels="last"'
        )
    return "first" if first else "last"
