"""Images that were handed in: arrays of uint8 or float32, and where their channels are."""

import numpy as np
from sklearn.utils import assert_all_finite, check_array

from skauto.inputs._types import Given

CHANNELS = (1, 3, 4)  # sizes that the axis of an image's channels may have


def read_images(X: Given) -> tuple[np.ndarray, None]:
    """Images (n, height, width), (n, channels, height, width) or (n, height, width, channels), and None for names."""
    X = check_images(X)
    if X.ndim not in (3, 4):
        raise ValueError(
            f"X has shape {X.shape}; images are (n, height, width), (n, channels, height, width) or "
            "(n, height, width, channels): reshape rows of pixels, X.reshape(-1, 28, 28) for example"
        )
    if X.ndim == 4:
        channel_axis(X.shape, "give all images a size that is none of these, or fit a CNNClassifier(channels=...)")
    return X, None


def check_images(X: Given) -> np.ndarray:
    """An array of uint8 or float32 without NaN or infinity, at least one row and one pixel; uint8 is not copied."""
    if type(X) is not np.ndarray:  # for an array there is nothing to convert, and to find that out takes time
        X = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, ensure_all_finite=False, input_name="X")
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}, images have rank 3 or 4. "
            "Reshape your data with array.reshape(1, -1) if it is a single image in one row"
        )
    if not all(X.shape):
        raise ValueError(
            "X has no rows or no pixels. Found array with 0 sample(s) or 0 feature(s) "
            f"(shape={X.shape}) while a minimum of 1 is required."
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


def channel_axis(shape: tuple[int, ...], advice: str = 'say channels="first" or channels="last"') -> str:
    """ "first" or "last": where the channels of a rank-4 array are; ValueError, with advice, if that cannot be told."""
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first == last:
        which = "both axis 1 and axis 3" if first else "neither axis 1 nor axis 3"
        raise ValueError(
            f"X has shape {tuple(shape)}: {which} could be the channels (sizes {shape[1]} and {shape[3]}; channels are "
            f"1, 3 or 4); {advice}"
        )
    return "first" if first else "last"


def describe_images(X: np.ndarray) -> str:
    """One line on what an array was taken for."""
    height, width = X.shape[2:] if X.ndim == 4 and channel_axis(X.shape) == "first" else X.shape[1:3]
    return f"X is {len(X)} images of {height} x {width} pixels"


def same_size(X: np.ndarray, shape: tuple[int, ...], name: str = "AutoClassifier") -> None:
    """Raise ValueError if the images have another shape than those of fit, whose shape is given."""
    if X.shape[1:] != tuple(shape[1:]):
        expected = ", ".join(map(str, shape[1:]))
        raise ValueError(f"X has images of shape {X.shape[1:]}, but {name} was fitted on (n, {expected})")
