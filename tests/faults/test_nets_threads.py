"""Small networks on one thread: on all of them they waited for one another, forty times longer on a busy machine."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skauto import compress
from skauto.estimators import CNNClassifier, MinGRUClassifier, MLPClassifier

X, Y = load_digits(return_X_y=True)
X, Y = X[:200], Y[:200]
NETS = {
    "mlp": (MLPClassifier(max_epochs=1, random_state=0), X),
    "cnn": (CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0), X.reshape(-1, 8, 8)),
    "gru": (MinGRUClassifier(hidden_size=8, max_epochs=1, random_state=0), X.reshape(-1, 8, 8)),
}


@pytest.fixture
def threads(monkeypatch):
    """How many threads each step of an optimiser and each softmax of a prediction had; PyTorch has four outside."""
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(4)
    step, product = torch.optim.AdamW.step, torch.nn.functional.linear

    def looked(function):
        def look(*args, **kwargs):
            seen.append(torch.get_num_threads())
            return function(*args, **kwargs)

        return look

    monkeypatch.setattr(torch.optim.AdamW, "step", looked(step))
    monkeypatch.setattr(torch.nn.functional, "linear", looked(product))
    yield seen
    assert torch.get_num_threads() == 4
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", NETS)
def test_a_small_network_trains_and_predicts_on_one_thread(threads, name):
    net, rows = NETS[name]
    net.fit(rows, Y).predict_proba(rows)
    net.partial_fit(rows, Y)
    assert len(threads) > 5 and threads.count(1) >= len(threads) - 4  # a row goes through before the number is known


def test_compress_works_on_one_thread(threads):
    net, rows = NETS["cnn"]
    compress(net.fit(rows, Y), rows, Y, {"max_loss": 1.0}, epochs=1, time_limit=1.0, random_state=0)
    assert threads.count(1) > 0.9 * len(threads)


def test_the_number_of_threads_is_as_before_after_an_error(threads):
    net = CNNClassifier(width=4, depth=1, max_epochs=2, optimizer="sgd", lr=1e30, random_state=0)
    with pytest.raises(ValueError, match="training diverged"):
        net.fit(np.asarray(X).reshape(-1, 8, 8), Y)
