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
        """Loss of logits (rows, classes) or (rows, classes, members), class codes (rows,) and weights (rows,)."""
        if logits.ndim == 3:  # members learn side by side, each from its own loss
            codes = codes.unsqueeze(1).expand(-1, logits.shape[2])
            weights = weights.unsqueeze(1)
        losses = torch.nn.functional.cross_entropy(
            logits, codes, reduction="none", label_smoothing=self.label_smoothing
        )
        return (losses * weights).mean()


def probabilities(logits):
    """Class probabilities (rows, classes) in float64; those of several members are averaged."""
    values = logits.double().softmax(1)
    return values.mean(2) if values.ndim == 3 else values
