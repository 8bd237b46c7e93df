import torch

from skauto.estimators._losses import WeightedCrossEntropy, probabilities


def test_weights_scale_rows_not_batches():
    logits, codes = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    loss = WeightedCrossEntropy(0.1)
    each = torch.nn.functional.cross_entropy(logits, codes, reduction="none", label_smoothing=0.1)
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0])
    torch.testing.assert_close(loss(logits, codes, weights), (each * weights).sum() / 4)


def test_members_each_have_their_own_loss():
    logits, codes, weights = torch.randn(5, 3, 2), torch.tensor([0, 1, 2, 1, 0]), torch.rand(5)
    loss = WeightedCrossEntropy(0.0)
    apart = torch.stack([loss(logits[..., i], codes, weights) for i in range(2)]).mean()
    torch.testing.assert_close(loss(logits, codes, weights), apart)


def test_probabilities_of_members_are_averaged():
    logits = torch.randn(5, 3, 2)
    values = probabilities(logits)
    assert values.dtype == torch.float64
    torch.testing.assert_close(values, sum(probabilities(logits[..., i]) for i in range(2)) / 2)
    torch.testing.assert_close(values.sum(1), torch.ones(5, dtype=torch.float64))
