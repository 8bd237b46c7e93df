"""Streams: the answer of a recurrent classifier after each step, with a state whose size does not grow."""

import copy
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require
from skauto.estimators.neural._losses import probabilities
from skauto.inputs._sequences import are_infinite, as_floats

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")


class Stream:
    """n series followed side by side; made by ``clf.stream(n)``, can be pickled.

    Attributes
    ----------
    classes_ : ndarray
        Labels, in the order of the columns of `step`.
    """

    def __init__(self, module: "Module", scaling: Any, classes: np.ndarray, n: int) -> None:
        if module.bidirectional:
            raise ValueError("bidirectional=True cannot stream, as it needs the end of a series; fit a causal net")
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"n must be a whole number of streams, at least 1, got {n!r}")
        self.classes_ = classes
        self._module, self._scaling = copy.deepcopy(module).cpu(), scaling
        self._state = self._module.begin(n)

    def __len__(self):
        return len(self._state["weight"])

    def step(self, x_t: Any, rows: Any = None) -> np.ndarray:
        """Take one step and return the probabilities so far.

        Parameters
        ----------
        x_t : array of shape (n, features)
            The next values of each series; NaN is a missing value.
        rows : array of int or bool, default=None
            Streams that step, each at most once, in the order of the rows of `x_t`; the others wait. None is all.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            What `predict_proba` would say of each series up to here; equal probabilities for one that has had nothing
            but NaN, of which `predict_proba` says nothing.

        Raises
        ------
        ValueError
            For another shape, infinite values, or `rows` that are not positions of streams.
        """
        rows = self._positions(rows)
        x_t = self._checked(x_t, len(self) if rows is None else len(rows))
        rows = slice(None) if rows is None else rows
        seen = torch.as_tensor(~np.isnan(x_t).all(axis=1))
        with torch.no_grad():
            before = {name: part[rows] for name, part in self._state.items()}
            logits, after = self._module.step(torch.as_tensor(self._scaling(x_t)), before, seen)
            for name, part in after.items():
                self._state[name][rows] = part
        return probabilities(logits).numpy()

    def reset(self, rows: Any = None) -> None:
        """Start these streams afresh; None is all."""
        rows = self._positions(rows)
        rows = slice(None) if rows is None else rows
        for name, part in self._module.begin(len(self)).items():
            self._state[name][rows] = part[rows]

    def _positions(self, rows):
        """Positions of the streams that `rows` names, None for all."""
        if rows is None:
            return None
        rows = np.atleast_1d(rows)
        rows = rows if rows.size else rows.astype(np.intp)  # numpy makes floats of an empty list
        try:
            chosen = np.arange(len(self))[rows]
        except IndexError as error:
            raise ValueError(
                f"rows must be positions from 0 to {len(self) - 1}, or a mask of {len(self)} values: {error}"
            ) from error
        streams, counts = np.unique(chosen, return_counts=True)
        if (counts > 1).any():
            raise ValueError(f"rows names stream {streams[counts > 1][0]} more than once; a call takes it one step on")
        return torch.as_tensor(chosen)

    def _checked(self, x_t, n):
        x_t = as_floats(x_t, "x_t", "a stream")
        expected = (n, len(self._scaling.center))
        if x_t.shape != expected:
            raise ValueError(f"x_t has shape {x_t.shape}, but {expected} (streams, features) is needed")
        if are_infinite(x_t).any():
            raise ValueError("x_t contains infinity or a number too large for float32")
        return x_t
