import pytest
import torch

from skauto.estimators.neural._losses import WeightedCrossEntropy, check_class_weight, probabilities


def test_weights_scale_rows_not_batches():
    logits, codes = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    loss = WeightedCrossEntropy(0.1)
    each = torch.nn.functional.cross_entropy(logits, codes, reduction="none", label_smoothing=0.1)
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0])
    torch.testing.assert_close(loss(logits, codes, weights), (each * weights).sum() / 4)


def test_focal_loss_by_hand():
    logits, codes, weights = torch.randn(6, 3), torch.tensor([0, 1, 2, 1, 0, 2]), torch.rand(6)
    right = logits.softmax(1)[torch.arange(6), codes]
    by_hand = (weights * (1 - right) ** 2 * -right.log()).mean()
    torch.testing.assert_close(WeightedCrossEntropy(0.0, gamma=2.0)(logits, codes, weights), by_hand)
    members = torch.stack([logits, -logits], dim=2)
    apart = torch.stack([WeightedCrossEntropy(0.0, 2.0)(part, codes, weights) for part in (logits, -logits)]).mean()
    torch.testing.assert_close(WeightedCrossEntropy(0.0, 2.0)(members, codes, weights), apart)


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


def test_class_weights_are_numbers_of_at_least_zero():
    check_class_weight({"a": 0, "b": 2.5}, ["a", "b", "c"])
    for wrong in (-1, float("nan"), float("inf"), "2", None):
        with pytest.raises(ValueError, match=r"class_weight=\{'b': .* at least 0"):
            check_class_weight({"a": 1, "b": wrong}, ["a", "b"])
    with pytest.raises(ValueError, match="names \\['d'\\]"):
        check_class_weight({"d": 1}, ["a", "b"])
