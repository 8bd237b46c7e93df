"""Training in bfloat16: products are of that type, what is trained stays float32, and it learns."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skauto.estimators import CNNClassifier
from skauto.estimators.neural._precision import has_bfloat16, training_context

X, Y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)


@pytest.mark.parametrize("precision, dtype", [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_products_are_of_the_precision(precision, dtype):
    with training_context(precision, "cpu"):
        assert torch.nn.Linear(4, 4)(torch.ones(2, 4)).dtype == dtype


def test_auto_asks_the_processor():
    with training_context("auto", "cpu"):
        assert torch.nn.Linear(4, 4)(torch.ones(2, 4)).dtype == (torch.bfloat16 if has_bfloat16() else torch.float32)


def test_what_is_trained_is_float32_and_learns():
    net = CNNClassifier(backbone="pooled", width=8, max_epochs=6, precision="bfloat16", random_state=0)
    net.fit(X[:500], Y[:500])
    assert {weight.dtype for weight in net.module_.parameters()} == {torch.float32}
    proba = net.predict_proba(X[500:])
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert net.score(X[500:], Y[500:]) > 0.85


def test_a_precision_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'precision' parameter of CNNClassifier must be a str among"):
        CNNClassifier(precision="int8").fit(X, Y)
