import numpy as np
import pytest
import torch

from skauto.estimators.neural._optimizers import OPTIMIZERS, build_optimizer, soft_threshold
from skauto.estimators.tables._mlp import MLPClassifier


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_lowers_the_loss(name):
    X = np.random.default_rng(0).normal(size=(200, 3))
    lr = {"adadelta": 1.0, "sgd": 0.1, "momentum": 0.05, "nesterov": 0.05}.get(name, 0.01)
    clf = MLPClassifier(optimizer=name, lr=lr, max_epochs=8, random_state=0).fit(X, X[:, 0] > 0)
    assert clf.history_[-1]["train_loss"] < 0.6 * clf.history_[0]["train_loss"]


def test_nesterov_without_momentum_is_named():
    with pytest.raises(ValueError, match="momentum=0; try 0.9"):
        build_optimizer("nesterov", torch.nn.Linear(2, 2), lr=0.1, momentum=0, weight_decay=0.0)


def test_only_weights_are_decayed():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    for parameter in module.parameters():
        parameter.data.fill_(1)
        parameter.grad = torch.zeros_like(parameter)
    build_optimizer("adamw", module, lr=0.1, momentum=0.9, weight_decay=0.5).step()
    kept = {name: float(p.detach().mean()) for name, p in module.named_parameters()}
    assert kept == pytest.approx({"0.weight": 0.95, "0.bias": 1, "1.weight": 1, "1.bias": 1})


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_penalty_beyond_the_gradient_ends_at_zero_and_one_below_it_does_not(name):
    """The least of (w - 1)^2 / 2 + s |w| is at 0 for s above 1, else at 1 - s."""
    ends = {}
    for strength in (0.5, 2.0):
        module = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(1))])
        lr = {"adadelta": 1.0, "adagrad": 0.1}.get(name, 0.01)
        optimizer = build_optimizer(name, module, lr=lr, momentum=0.9, weight_decay=0.0)
        for _ in range(1500):
            module[0].grad = module[0].detach() - 1
            optimizer.step()
            soft_threshold(optimizer, [module[0]], strength)
        ends[strength] = float(module[0].detach())
    assert ends[2.0] == 0
    assert 0.2 < ends[0.5] < 0.95
