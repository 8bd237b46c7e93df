"""The range of pixels in fit, and a warning of images that are plainly on another scale."""

from typing import Any

import numpy as np

from skauto._telling import warn

# Times the range of fit that pixels may lie outside of it, and the part of it that is suspiciously little.
FAR, LITTLE = 3.0, 1 / 32
# A range in fit from which on one within -1 and 1 is another scale.
WIDE = 8.0


def pixel_range(images: Any) -> tuple[float, float]:
    """Black and white of images: those of the type for uint8, else the lowest and the highest number."""
    return (0.0, 255.0) if str(images.dtype).endswith("uint8") else (float(images.min()), float(images.max()))


def warn_of_another_scale(images: Any, low: float, high: float) -> None:
    """Warn where images are plainly on another scale than those of fit, which were from `low` to `high`.

    Parameters
    ----------
    images : ndarray or tensor
    low, high : float
        From `pixel_range`.
    """
    if str(images.dtype).endswith("uint8") and (low, high) == (0.0, 255.0):
        return
    lowest, highest = float(images.min()), float(images.max())
    if _is_far(lowest, highest, low, high) or _is_little(images, lowest, highest, high - low):
        warn(
            f"X has pixels up to {highest:g} and down to {lowest:g}, while those of fit were from {low:g} to {high:g}: "
            "give both on one scale",
        )


def _is_far(lowest, highest, low, high):
    beyond = FAR * max(high - low, 1e-12)
    return highest > high + beyond or lowest < low - beyond


def _is_little(images, lowest, highest, spread):
    """Whether the numbers are from 0 to 1, say, or whole images from so few levels that they are no dark ones."""
    if not highest - lowest > 0:
        return False
    if spread >= WIDE and lowest >= -1 and highest <= 1:
        return True
    return highest - lowest <= LITTLE * spread and bool((np.asarray(images) % 1 != 0).any())
