"""The losses of all classifiers: cross-entropy, plain or focal, with label smoothing and a weight for each row."""

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")


LOSSES = {"cross_entropy": 0.0, "focal": 2.0}  # the power of (1 - probability of the true class) that multiplies it


class WeightedCrossEntropy(torch.nn.Module):
    """Mean over the batch of weight times cross-entropy; weights have mean 1 over the training rows.

    The mean is over rows, not over weights: a batch of light rows must not count as much as one of heavy rows.
    With `gamma` above zero rows that are already well predicted count less: the focal loss (T.-Y. Lin et al., "Focal
    loss for dense object detection", ICCV 2017, section 3) in its form for exclusive classes.
    """

    def __init__(self, label_smoothing: float, gamma: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.gamma = gamma

    def forward(self, logits: "Tensor", codes: "Tensor", weights: "Tensor") -> "Tensor":
        """Loss of logits (rows, classes) or (rows, classes, members), class codes (rows,) and weights (rows,)."""
        if logits.ndim == 3:  # members learn side by side, each from its own loss
            codes = codes.unsqueeze(1).expand(-1, logits.shape[2])
            weights = weights.unsqueeze(1)
        losses = torch.nn.functional.cross_entropy(
            logits, codes, reduction="none", label_smoothing=self.label_smoothing
        )
        if self.gamma:
            right = logits.softmax(1).gather(1, codes.unsqueeze(1)).squeeze(1)
            losses = losses * (1 - right) ** self.gamma
        return (losses * weights).mean()


def check_class_weight(class_weight: Any, classes: np.ndarray) -> None:
    """Raise ValueError for a dict {label: weight} with unknown labels or invalid weights."""
    unknown = set(class_weight) - set(classes)
    if unknown:
        raise ValueError(f"class_weight names {sorted(unknown, key=str)}, which are not labels in y")
    wrong = {
        label: weight
        for label, weight in class_weight.items()
        if not (isinstance(weight, Real) and math.isfinite(weight) and float(weight) >= 0)
    }
    if wrong:
        raise ValueError(f"class_weight={wrong} cannot be: weights are finite and at least 0, which leaves a class out")


def probabilities(logits: "Tensor") -> "Tensor":
    """Class probabilities (rows, classes) in float64; those of several members are averaged."""
    values = logits.double().softmax(1)
    return values.mean(2) if values.ndim == 3 else values
