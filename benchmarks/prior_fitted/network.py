"""A small prior-fitted network: cells of a table attend to the cells of their row, then to those of their column."""

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class PriorFittedNetwork(nn.Module):
    """Log-odds of two classes for rows without labels, from rows with labels in the same table.

    After Pfefferle, Hog, Purucker, Hutter: "nanoTabPFN", 2025, and Hollmann et al.: "Accurate predictions on small data
    with a tabular foundation model", Nature 2025.
    """

    def __init__(self, width=96, heads=4, layers=5):
        super().__init__()
        self.of_number = nn.Linear(1, width)
        self.of_label = nn.Embedding(3, width)  # 2: not known
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 1))

    def forward(self, X, y):
        """X (tables, rows, columns) and y (tables, rows with labels, which come first); log-odds of the other rows."""
        n_known = y.shape[1]
        labels = torch.full(X.shape[:2], 2, dtype=torch.long, device=X.device)
        labels[:, :n_known] = y
        cells = torch.cat([self.of_number(X[..., None]), self.of_label(labels)[:, :, None]], dim=2)
        for block in self.blocks:
            cells = block(cells, n_known)
        return self.head(cells[:, n_known:, -1])[..., 0]


class _Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.across = _Attention(width, heads)
        self.along = _Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.into, self.out = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, cells, n_known):
        tables, rows, columns, width = cells.shape
        flat = cells.reshape(tables * rows, columns, width)
        cells = (flat + self.across(flat, columns)).reshape(cells.shape)
        flat = cells.transpose(1, 2).reshape(tables * columns, rows, width)
        flat = flat + self.along(flat, n_known)  # all rows look at those with labels
        cells = flat.reshape(tables, columns, rows, width).transpose(1, 2)
        return cells + self.out(gelu(self.into(self.norm(cells))))


class _Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query, self.pairs, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def forward(self, cells, n_seen):
        """Attention of all cells to the first n_seen of their sequence."""
        normed = self.norm(cells)
        query = self._split(self.query(normed))
        key, value = (self._split(part) for part in self.pairs(normed[:, :n_seen]).chunk(2, dim=-1))
        mixed = scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(cells.shape))

    def _split(self, cells):
        n, length, width = cells.shape
        return cells.reshape(n, length, self.heads, width // self.heads).transpose(1, 2)
