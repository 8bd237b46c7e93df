"""Grad-CAM: behind norm and activation of the last block, for any module, and for what has a network inside.

Maps were taken in front of norm and activation: 41 of 64 were empty for one backbone, 16 for another.
"""

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

from skauto import AutoClassifier, compress
from skauto.estimators import CNNClassifier, CompressedClassifier, GradCAMDisplay, Prune, footprint, grad_cam
from skauto.resample import RandomOverSampler, ResamplingClassifier

RNG = np.random.default_rng(0)
IMAGES, Y = RNG.integers(0, 60, (200, 24, 24), dtype=np.uint8), np.array(["ring", "cross"])[np.arange(200) % 2]
for image, label in zip(IMAGES, Y, strict=True):
    down, across = RNG.integers(0, 19, 2)
    patch = image[down : down + 5, across : across + 5]
    patch[:] = 60
    if label == "cross":
        patch[2, :] = patch[:, 2] = 230
    else:
        patch[[0, -1], :] = patch[:, [0, -1]] = 230


class Functional(torch.nn.Module):
    """Norm and activation are functions here, which are no modules that could be named."""

    def __init__(self, channels, n_classes, width, depth):
        super().__init__()
        self.one, self.two = torch.nn.Conv2d(channels, width, 3), torch.nn.Conv2d(width, width, 3, stride=2)
        self.norm, self.head = torch.nn.BatchNorm2d(width), torch.nn.Linear(width, n_classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.two(torch.relu(self.one(x)))))
        return self.head(torch.nn.functional.avg_pool2d(x, x.shape[2:]).flatten(1))


class Branching(Functional):
    """Its path depends on its input, so that no graph can be read."""

    def forward(self, x):
        return super().forward(x) if x.sum() > -1e30 else x


BACKBONES = ["plain", "lenet5", "resnet", "mobilenetv2", "shufflenetv2", Functional, Branching]


def trained(backbone, epochs=12):
    return CNNClassifier(backbone=backbone, width=8, depth=1, max_epochs=epochs, random_state=0).fit(IMAGES, Y)


@pytest.fixture(scope="module")
def plain():
    return trained("plain")


def reference(net, layer, X):
    """The paper's map of the predicted class by PyTorch alone: activations weighted by mean gradients, above 0."""
    seen = []
    hook = net.module_.get_submodule(layer).register_forward_hook(lambda m, args, out: seen.append(out))
    x = torch.as_tensor((X / 255.0 - (IMAGES / 255.0).mean()) / (IMAGES / 255.0).std(), dtype=torch.float32)
    logits = net.module_(x[:, None].requires_grad_())
    hook.remove()
    (grad,) = torch.autograd.grad(logits.max(1).values.sum(), seen[0])
    heat = (seen[0] * grad.mean((2, 3), keepdim=True)).sum(1, keepdim=True).relu().detach()
    heat = torch.nn.functional.interpolate(heat, X.shape[1:], mode="bilinear")[:, 0]
    return (heat / heat.amax((1, 2), keepdim=True).clamp_min(1e-12)).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
def test_no_map_is_empty_and_what_is_hot_matters(backbone):
    net = trained(backbone)
    maps, codes = grad_cam(net, IMAGES[:64]), net.predict_proba(IMAGES[:64]).argmax(1)
    assert (maps.max(axis=(1, 2)) > 0.99).all()

    def confidence(X):
        return net.predict_proba(X)[np.arange(64), codes].mean()

    def lost(heat):
        hot = heat >= np.quantile(heat, 0.8, axis=(1, 2), keepdims=True)
        return confidence(IMAGES[:64]) - confidence(np.where(hot, 30, IMAGES[:64]))

    elsewhere = np.array([np.roll(heat, tuple(RNG.integers(5, 19, 2)), (0, 1)) for heat in maps])
    assert lost(maps) > 2 * lost(elsewhere) + 0.05


@pytest.mark.parametrize(
    ("backbone", "default"),
    [("plain", "features"), ("resnet", "layer4"), ("mobilenetv2", "features"), ("shufflenetv2", "conv5")],
)
def test_the_default_is_the_last_block_and_any_module_has_a_name(backbone, default):
    net = trained(backbone, epochs=2)
    X = IMAGES[:8]
    np.testing.assert_allclose(grad_cam(net, X), reference(net, default, X), atol=1e-3)
    names = [name for name, part in net.module_.named_children() if name not in ("avgpool", "flatten", "fc")]
    for name in [name for name in names if name != "classifier"]:
        np.testing.assert_allclose(grad_cam(net, X, layer=name), reference(net, name, X), atol=1e-3)
    with pytest.raises(ValueError, match=r"layer='layer9' is no module of the network.* There are "):
        grad_cam(net, X, layer="layer9")
    with pytest.raises(ValueError, match="needs one whose result is a map"):
        grad_cam(net, X, layer="flatten")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: make_pipeline("passthrough", FixedThresholdClassifier(FrozenEstimator(net), pos_label="ring")),
        lambda net: FixedThresholdClassifier(FrozenEstimator(make_pipeline(net)), pos_label="ring"),
        lambda net: TunedThresholdClassifierCV(FrozenEstimator(net), cv="prefit", refit=False),
        lambda net: CalibratedClassifierCV(FrozenEstimator(net)),
        lambda net: ResamplingClassifier(net, RandomOverSampler(random_state=0)),
        lambda net: GridSearchCV(net, {"lr": [0.01]}, cv=2),
        lambda net: CompressedClassifier(FrozenEstimator(net), [("p", Prune(0.2, rounds=1, epochs=0))]),
    ],
)
def test_what_wraps_a_network_is_looked_through(plain, wrap):
    outer = wrap(CNNClassifier(**plain.get_params()).set_params(max_epochs=1).fit(IMAGES, Y)).fit(IMAGES, Y)
    maps = grad_cam(outer, IMAGES[:4], target="ring")
    assert maps.shape == (4, 24, 24) and maps.max() > 0.99
    assert GradCAMDisplay.from_estimator(outer, IMAGES[:4]).images.shape == (4, 24, 24, 1)
    cost = footprint(outer, IMAGES)
    assert cost.parameters > 1000 and cost.flops > 1000 and len(cost.layers) > 3


@pytest.fixture(scope="module")
def auto():
    model = AutoClassifier(candidates=["cnn"], n_iter=1, time_limit=None, cv=2, n_jobs=1, random_state=0, verbose=0)
    return model.fit(IMAGES[:80], Y[:80])


@pytest.mark.slow
def test_an_automatic_classifier_and_its_best_pipeline_have_a_network_inside(auto):
    np.testing.assert_array_equal(
        grad_cam(auto, IMAGES[:4], target="ring"), grad_cam(auto.best_estimator_, IMAGES[:4], target="ring")
    )
    assert grad_cam(auto, IMAGES[:4]).shape == (4, 24, 24)
    assert footprint(auto, IMAGES).parameters == footprint(auto.best_estimator_, IMAGES).parameters > 1000
    assert footprint(auto, IMAGES).bytes > footprint(auto.best_estimator_, IMAGES).bytes
    for model in (auto, auto.best_estimator_):
        small = compress(model, IMAGES[:80], Y[:80], {"max_loss": 1.0}, epochs=1, time_limit=0.1, random_state=0)
        assert small.pareto_front_["chain"].tolist() == ["int8"]
        assert len(small.to_bytes()) < footprint(auto, IMAGES).bytes / 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:time_limit=0.1 was over before the first chain:UserWarning")
def test_where_the_winner_has_none_the_row_that_has_is_named():
    model = AutoClassifier(
        candidates=["extra_trees"], n_iter=1, time_limit=None, cv=2, n_jobs=1, ensemble=False, random_state=0, verbose=0
    )
    model.fit(IMAGES[:80], Y[:80])
    with pytest.raises(TypeError, match=r"nor has any row of leaderboard_: fit it with candidates=\['cnn'\]"):
        grad_cam(model, IMAGES[:4])
    assert footprint(model, IMAGES).parameters is None
    small = compress(model, IMAGES[:80], Y[:80], {"max_loss": 1.0}, epochs=1, time_limit=0.1, random_state=0)
    assert small.pareto_front_["chain"].tolist() == ["student of 8"]
