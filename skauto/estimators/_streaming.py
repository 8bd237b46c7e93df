"""Streams: the answer of a recurrent classifier after each step, with a state whose size does not grow."""

import numpy as np

from skauto._deps import require
from skauto.estimators._losses import probabilities

torch = require("torch", extra="deep")


class Stream:
    """n series followed side by side; made by ``clf.stream(n)``, can be pickled.

    Attributes
    ----------
    classes_ : ndarray
        Labels, in the order of the columns of `step`.
    """

    def __init__(self, classifier, n):
        if classifier.bidirectional:
            raise ValueError("bidirectional=True cannot stream, as it needs the end of a series; fit a causal net")
        if n < 1:
            raise ValueError(f"n must be at least 1 stream, got {n}")
        self.classes_ = classifier.classes_
        self._classifier = classifier
        self._state = classifier.module_.cpu().begin(n)

    def __len__(self):
        return len(self._state["weight"])

    def step(self, x_t, rows=None):
        """Take one step and tell the probabilities so far.

        Parameters
        ----------
        x_t : array of shape (n, features)
            The next values of each series; NaN is a missing value.
        rows : array of int or bool, default=None
            Streams that step, in the order of the rows of `x_t`; the others wait. None is all.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            What `predict_proba` would say of each series up to here.

        Raises
        ------
        ValueError
            For another shape or infinite values.
        """
        x_t = self._checked(x_t, rows)
        rows = slice(None) if rows is None else torch.as_tensor(np.asarray(rows))
        with torch.no_grad():
            before = {name: part[rows] for name, part in self._state.items()}
            logits, after = self._classifier.module_.step(torch.as_tensor(self._classifier._scaled(x_t)), before)
            for name, part in after.items():
                self._state[name][rows] = part
        return probabilities(logits).numpy()

    def reset(self, rows=None):
        """Start these streams afresh; None is all."""
        rows = slice(None) if rows is None else torch.as_tensor(np.asarray(rows))
        for name, part in self._classifier.module_.begin(len(self)).items():
            self._state[name][rows] = part[rows]

    def _checked(self, x_t, rows):
        x_t = np.asarray(x_t, dtype=self._classifier.dtype)
        n = len(self) if rows is None else len(np.arange(len(self))[np.asarray(rows)])
        expected = (n, len(self._classifier._mean))
        if x_t.shape != expected:
            raise ValueError(f"x_t has shape {x_t.shape}, but {expected} (streams, features) is needed")
        if np.isinf(x_t).any():
            raise ValueError("x_t contains infinity")
        return x_t
