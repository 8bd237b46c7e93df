"""Synthetic imbalanced tables of two classes, from which a prior-fitted network learns what tables are like."""

import numpy as np

ACTIVATIONS = (np.tanh, lambda x: np.maximum(x, 0), np.sin, np.abs, lambda x: x, lambda x: np.sign(x) * x**2)


def drawn_tables(random, n_tables, n_rows, n_columns):
    """X (n_tables, n_rows, n_columns), standardised, and y (n_tables, n_rows) of 0 and 1."""
    pairs = [drawn_table(random, n_rows, n_columns) for _ in range(n_tables)]
    X, y = zip(*pairs, strict=True)
    return np.stack(X), np.stack(y)


def drawn_table(random, n_rows, n_columns):
    """One table: columns and a score from nodes of a random network or trees; the score is cut at a random quantile."""
    while True:
        X, score = (_of_network if random.random() < 0.6 else _of_trees)(random, n_rows, n_columns)
        score = score + random.choice([0.0, 0.1, 0.3, 1.0]) * score.std() * random.normal(size=n_rows)
        minority = np.exp(random.uniform(np.log(0.04), np.log(0.5)))
        y = score > np.quantile(score, 1 - minority)
        if 3 <= y.sum() < n_rows - 2:
            break
    if random.random() < 0.5:
        y = ~y
    X = _with_levels(random, X)
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)
    return np.clip(X, -6, 6).astype(np.float32), y.astype(np.int64)


def _of_network(random, n_rows, n_columns):
    """Columns and score are nodes of one random network, as in the structural causal models of TabPFN."""
    width = int(random.integers(n_columns + 1, 3 * n_columns + 4))
    layer = random.normal(size=(n_rows, int(random.integers(2, n_columns + 3))))
    nodes = [layer]
    for _ in range(int(random.integers(1, 4))):
        weights = random.normal(size=(layer.shape[1], width)) * (random.random((layer.shape[1], width)) < 0.4)
        layer = ACTIVATIONS[random.integers(len(ACTIVATIONS))](layer @ weights + random.normal(size=width))
        layer = layer / (layer.std(axis=0) + 1e-6) + 0.05 * random.normal(size=layer.shape)
        nodes.append(layer)
    nodes = np.concatenate(nodes, axis=1)
    chosen = random.choice(nodes.shape[1], n_columns + 1, replace=False)
    return nodes[:, chosen[1:]], nodes[:, chosen[0]]


def _of_trees(random, n_rows, n_columns):
    """A sum of random trees of some of the columns, which are correlated normal numbers or their powers."""
    X = random.normal(size=(n_rows, n_columns)) @ (
        np.eye(n_columns) + 0.4 * random.normal(size=(n_columns, n_columns)) * (random.random() < 0.6)
    )
    used = random.choice(n_columns, int(random.integers(1, n_columns + 1)), replace=False)
    score = np.zeros(n_rows)
    for _ in range(int(random.integers(1, 30))):
        leaf = np.zeros(n_rows, dtype=int)
        for _ in range(int(random.integers(1, 5))):
            column = X[:, random.choice(used)]
            leaf = 2 * leaf + (column > random.choice(column))
        score += random.normal(size=leaf.max() + 1)[leaf]
    return np.sign(X) * np.abs(X) ** random.choice([0.5, 1.0, 2.0]), score


def _with_levels(random, X):
    """Some columns take few values only."""
    X = X.copy()
    for column in range(X.shape[1]):
        if random.random() < 0.25:
            cuts = np.quantile(X[:, column], np.sort(random.random(int(random.integers(1, 6)))))
            codes = np.searchsorted(cuts, X[:, column])
            X[:, column] = random.permutation(len(cuts) + 1)[codes] if random.random() < 0.5 else codes
    return X
