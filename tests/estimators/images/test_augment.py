import pytest
import torch

from skauto.estimators.images._augment import EFFECTS, MixStyle, Mixup, augmented, check_augment, warp


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_stay_in_range_and_change_something(name):
    x = torch.rand(8, 3, 16, 12)
    out = EFFECTS[name](x, 0.9)
    assert out.shape == x.shape and out.min() >= 0 and out.max() <= 1
    assert (out != x).float().mean() > 0.01
    assert torch.equal(augmented(x, {name: 0}), x)


def test_warp_of_nothing_is_the_image_and_flip_is_the_mirror():
    x = torch.rand(5, 1, 9, 14)
    torch.testing.assert_close(warp(x), x, atol=1e-5, rtol=0)
    torch.testing.assert_close(warp(x, flip=1.0), x.flip(3), atol=1e-5, rtol=0)
    assert torch.equal(augmented(x, {"flip": 1.0}), x.flip(3))


def test_rotation_turns_a_square_of_any_proportions():
    x = torch.zeros(200, 1, 21, 41)
    x[:, :, 8:13, 18:23] = 1
    mass = warp(x, rotation=180.0).sum((1, 2, 3))
    assert (mass - 25).abs().max() < 3  # a turned square keeps its area if pixels stay square


def test_shift_moves_by_no_more_than_it_says():
    x = torch.zeros(100, 1, 20, 20)
    x[:, :, 10, 10] = 1
    where = warp(x, shift=0.1).flatten(1).argmax(1)
    down, across = where // 20, where % 20
    assert (down - 10).abs().max() <= 2 and (across - 10).abs().max() <= 2 and len(set(down.tolist())) > 1


def test_mixup_blends_images_and_their_losses_alike():
    mixup = Mixup(1.0, lambda logits, codes, weights: codes.float().mean() + 0 * weights.sum())
    x = torch.arange(6.0).view(6, 1, 1, 1)
    mixed = mixup.inputs(x, training=True)
    assert mixed.mean() == pytest.approx(2.5)
    assert mixup(None, torch.arange(6), torch.ones(6)) == pytest.approx(2.5)
    assert torch.equal(mixup.inputs(x, training=False), x) and mixup.order is None


def test_mixstyle_swaps_statistics_in_training_only():
    layer = torch.nn.Identity()
    layer.register_forward_hook(MixStyle(1.0))
    x = torch.randn(6, 3, 8, 8) * torch.arange(1.0, 7).view(6, 1, 1, 1)
    out = layer.train()(x)
    assert torch.equal(layer.eval()(x), x)
    before, after = x.std((2, 3)), out.std((2, 3))
    assert not torch.allclose(before, after) and after.max() <= before.max() + 0.1


@pytest.mark.parametrize("strength", ["a", None, [0.1], float("nan"), -0.1])
def test_strengths_that_are_no_number_in_range_are_named(strength):
    with pytest.raises(
        ValueError, match=r"augment\['shift'\] must be a number from 0 to 1, got .*; leave the entry out"
    ):
        check_augment({"shift": strength})
    check_augment({"shift": 0.1, "rotation": 5})
