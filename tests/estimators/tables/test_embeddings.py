"""The periodic embedding beside a formula, in a net, compressed and saved."""

import numpy as np
import pytest

from skauto.estimators import CompressedClassifier, MLPClassifier

torch = pytest.importorskip("torch")

from skauto.estimators.tables._embeddings import SUMS, WAVES, PeriodicEmbedding  # noqa: E402


def waves(n=800, seed=0):
    """Two classes that alternate along the first of three columns."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 3)).astype(np.float32)
    return X, (np.sin(4 * np.pi * X[:, 0]) + 0.3 * X[:, 1] > 0).astype(int)


def test_it_is_the_value_and_sums_of_cosines():
    torch.manual_seed(0)
    embedding, x = PeriodicEmbedding(2), torch.tensor([[0.3, -1.2], [0.0, 0.5]])
    got = embedding(x).detach().numpy().reshape(2, 2, 1 + SUMS)
    frequency, phase = embedding.frequency.detach().numpy(), embedding.phase.detach().numpy()
    weight, bias = embedding.weight.detach().numpy(), embedding.bias.detach().numpy()
    for row in range(2):
        for column in range(2):
            value = x[row, column].item()
            cosines = [np.cos(2 * np.pi * value * frequency[column, w] + phase[column, w]) for w in range(WAVES)]
            np.testing.assert_allclose(got[row, column, 0], value)
            np.testing.assert_allclose(got[row, column, 1:], cosines @ weight[column] + bias[column], atol=1e-5)


@pytest.mark.parametrize("n_members", [1, 4])
def test_a_net_with_it_learns_waves_that_a_plain_one_does_not(n_members):
    X, y = waves()
    settings = {"n_members": n_members, "max_epochs": 20, "lr": 0.01, "random_state": 0}
    X_new, y_new = waves(seed=1)
    plain, periodic = (MLPClassifier(embedding=kind, **settings).fit(X, y) for kind in (None, "periodic"))
    assert periodic.score(X_new, y_new) > 0.9
    assert periodic.score(X_new, y_new) > plain.score(X_new, y_new) + 0.1


def test_it_is_compressed_and_saved_with_the_net(tmp_path):
    X, y = waves()
    net = MLPClassifier(embedding="periodic", n_members=1, max_epochs=30, lr=0.01, random_state=0)
    small = CompressedClassifier(net).fit(X, y)
    small.save(tmp_path / "net.skauto")
    back = CompressedClassifier.load(tmp_path / "net.skauto")
    np.testing.assert_array_equal(back.predict_proba(X), small.predict_proba(X))
    assert small.score(X, y) > 0.85


def test_another_name_is_a_clear_error():
    X, y = waves(60)
    with pytest.raises(ValueError, match="The 'embedding' parameter of MLPClassifier must be"):
        MLPClassifier(embedding="wavelets").fit(X, y)
