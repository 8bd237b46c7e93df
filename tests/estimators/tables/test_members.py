import torch

from skauto.estimators.tables._members import MemberLinear, MemberNorm


def test_members_do_not_see_each_other():
    layers = torch.nn.Sequential(MemberLinear(3, 4, 5), MemberNorm(3, 5))
    x = torch.randn(3, 7, 4)
    out = layers(x)
    x[1] = 0
    changed = (layers(x) != out).flatten(1).any(1)
    assert out.shape == (3, 7, 5)
    assert changed.tolist() == [False, True, False]


def test_norm_is_a_layer_norm_for_each_member():
    x, norm = torch.randn(2, 6, 5), MemberNorm(2, 5)
    torch.testing.assert_close(norm(x), torch.nn.functional.layer_norm(x, (5,)))
