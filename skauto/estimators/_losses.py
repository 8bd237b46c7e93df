"""The loss of all classifiers: cross-entropy with label smoothing and a weight for each row."""

from skauto._deps import require

torch = require("torch", extra="deep")


class WeightedCrossEntropy(torch.nn.Module):
    """Mean over the batch of weight times cross-entropy; weights have mean 1 over the training rows.

    The mean is over rows, not over weights: a batch of light rows must not count as much as one of heavy rows.
    """

    def __init__(self, label_smoothing):
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits, codes, weights):
        """Loss of logits (rows, classes), class codes (rows,) and weights (rows,)."""
        losses = torch.nn.functional.cross_entropy(
            logits, codes, reduction="none", label_smoothing=self.label_smoothing
        )
        return (losses * weights).mean()
