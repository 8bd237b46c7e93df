import numpy as np
import pytest
import torch

from skauto.estimators.neural._initializers import initialize
from skauto.estimators.tables._members import MemberLinear
from skauto.estimators.tables._mlp import MLPClassifier


@pytest.mark.parametrize("name", ["xavier", "he", "orthogonal"])
def test_every_init_trains_and_differs(name):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = X[:, 0] > 0
    clf = MLPClassifier(init=name, max_epochs=8, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9
    plain = MLPClassifier(max_epochs=8, random_state=0).fit(X, y)
    assert not np.array_equal(clf.predict_proba(X), plain.predict_proba(X))


def test_orthogonal_is_orthogonal_for_layers_and_members():
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), MemberLinear(3, 4, 4))
    bias = module[0].bias.detach().clone()
    initialize(module, "orthogonal")
    for weight in (module[0].weight, *module[1].weight):
        torch.testing.assert_close(weight @ weight.t(), torch.eye(4), atol=1e-5, rtol=0)
    assert torch.equal(module[0].bias, bias)
