"""Image arrays: which axis is the channels, and every layout as one view (rows, channels, height, width)."""

import math

from skauto._array_inputs import channel_axis


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
        channels = channel_axis(X.shape)
    return channels, X.shape[1:] if channels == "first" else (X.shape[3], *X.shape[1:3])


def as_images(X, layout, shape):
    """The array as a view (rows, channels, height, width)."""
    if layout == "last":
        return X.transpose(0, 3, 1, 2)
    return X.reshape(len(X), *shape) if layout in ("flat", "gray") else X


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
