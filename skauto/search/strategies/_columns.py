"""Configurations of a conditional space as rows of numbers, one layout for all branches."""

from typing import Any

import numpy as np

from skauto.search._space import Space


class Columns:
    """The columns of each dimension of a space in a row, and which of them have a common kernel length scale.

    An ordered dimension has a column with its position on the unit scale, an unordered one a column for each choice,
    and the branch itself, where there are several, counts as an unordered dimension. A dimension of several branches
    has its columns once. One that a branch lacks has the middle of its range, or equal values for all choices.

    Parameters
    ----------
    space : Space

    Attributes
    ----------
    n_lengths : int
    length_of : ndarray of shape (n_columns,)
        Index of the length scale of each column.
    """

    def __init__(self, space: Space) -> None:
        n_branches = len(space.branches)
        widths = [n_branches] if n_branches > 1 else []
        middle = [0.0] * sum(widths)
        self._places: list[list[Any]] = [[None] * len(dims) for dims in space.branches]
        for group in space.groups:
            first, columns_there = next(iter(group.items()))
            dims = list(space.branches[first].values())
            for position, column in enumerate(columns_there):
                dim = dims[column]
                size = 0 if dim.ordered else dim.size
                for branch, columns in group.items():
                    self._places[branch][columns[position]] = (len(middle), size)
                widths.append(size or 1)
                middle += [1 / size] * size if size else [0.5]
        self._middle = np.array(middle)
        self._marks_branch = n_branches > 1
        self.n_lengths = len(widths)
        self.length_of = np.repeat(np.arange(len(widths)), widths)

    def rows(self, branch: int, units: np.ndarray) -> np.ndarray:
        """Positions in the unit cube of a branch, of shape (n, d), as rows of shape (n, n_columns)."""
        rows = np.tile(self._middle, (len(units), 1))
        if self._marks_branch:
            rows[:, branch] = 1.0
        for (start, size), column in zip(self._places[branch], units.T, strict=True):
            if size:
                chosen = np.minimum((column * size).astype(int), size - 1)
                rows[:, start : start + size] = chosen[:, None] == np.arange(size)
            else:
                rows[:, start] = column
        return rows
