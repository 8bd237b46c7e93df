"""The prior-fitted network: its tables, and what its answers may depend on."""

import sys

import numpy as np
import pytest


@pytest.fixture(scope="module", autouse=True)
def _folder(project):
    """The scripts import each other from their folder."""
    pytest.importorskip("torch")
    folder = str(project / "benchmarks" / "prior_fitted")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def network():
    import torch
    from network import PriorFittedNetwork

    torch.manual_seed(0)
    return PriorFittedNetwork(width=16, heads=2, layers=2).eval()


@pytest.fixture
def table():
    import torch
    from tables_of_prior import drawn_tables

    X, y = drawn_tables(np.random.default_rng(0), 2, 60, 5)
    return torch.from_numpy(X), torch.from_numpy(y)


def test_tables_have_both_classes_and_columns_on_one_scale():
    from tables_of_prior import drawn_table

    random, fractions = np.random.default_rng(1), []
    for _ in range(200):
        X, y = drawn_table(random, 80, 4)
        assert X.shape == (80, 4) and np.isfinite(X).all() and np.abs(X).max() <= 6
        assert 3 <= y.sum() <= 77
        fractions.append(min(y.mean(), 1 - y.mean()))
    assert np.quantile(fractions, 0.2) < 0.1
    assert np.quantile(fractions, 0.9) > 0.3


def test_order_of_columns_and_of_known_rows_does_not_matter(network, table):
    import torch

    X, y = table
    expected = network(X, y[:, :40])
    columns, rows = torch.randperm(5), torch.randperm(40)
    np.testing.assert_allclose(network(X[:, :, columns], y[:, :40]).detach(), expected.detach(), atol=1e-4)
    moved = torch.cat([X[:, rows], X[:, 40:]], dim=1)
    np.testing.assert_allclose(network(moved, y[:, rows]).detach(), expected.detach(), atol=1e-4)


def test_rows_without_labels_do_not_see_each_other(network, table):
    import torch

    X, y = table
    expected = network(X, y[:, :40])[:, :1]
    alone = network(torch.cat([X[:, :40], X[:, 40:41]], dim=1), y[:, :40])
    np.testing.assert_allclose(alone.detach(), expected.detach(), atol=1e-4)


def test_it_learns_a_simple_task(network, table):
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    X, y = table
    optimizer, losses = torch.optim.AdamW(network.parameters(), lr=3e-3), []
    for _ in range(60):
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(network(X, y[:, :40]), y[:, 40:].float())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
