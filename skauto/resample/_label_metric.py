"""Any scorer of predicted labels as a function of confusion matrices, so that cuts can be compared by it."""

import inspect
import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score


class LabelMetric:
    """A scikit-learn label scorer as a function of confusion matrices (..., K, K), through weighted cells.

    Parameters
    ----------
    scorer : scorer
        Made by `sklearn.metrics.make_scorer`, of predicted labels.
    classes : ndarray of shape (K,)
        The labels in the order of the codes, of two the positive one last.
    pos_label : object, default=None
        Which of two labels a function with a positive label means; None for the last.
    """

    max_cuts = 64  # each cut is a call of the scorer's function

    def __init__(self, scorer, classes, pos_label=None):
        self.scorer = scorer
        self.wants_cut = scorer._score_func is not accuracy_score
        self.takes_weight = "sample_weight" in parameters_of(scorer)
        self.labels, self.kwargs = as_shown(scorer, classes)
        if pos_label is not None and len(classes) == 2:
            self.labels = (classes == pos_label).astype(int)

    def __call__(self, confusion):
        n_classes = confusion.shape[-1]
        truth, label = (self.labels[grid.ravel()] for grid in np.indices((n_classes, n_classes)))
        flat = confusion.reshape(-1, n_classes * n_classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # some cuts leave a class out
            values = [self._value(truth, label, cells) for cells in flat]
        return np.reshape(values, confusion.shape[:-2])

    def _value(self, truth, label, cells):
        truth, label, cells = truth[cells > 0], label[cells > 0], cells[cells > 0]
        weight = {"sample_weight": cells} if self.takes_weight else {}
        if not self.takes_weight:
            if (cells != np.round(cells)).any():
                raise ValueError("the function of this scoring takes no sample_weight, so fit must not be given any")
            truth, label = (np.repeat(part, cells.astype(int)) for part in (truth, label))
        return self.scorer._sign * self.scorer._score_func(truth, label, **weight, **self.kwargs)


def parameters_of(scorer):
    """The parameters of a scorer's function, by name."""
    return inspect.signature(scorer._score_func).parameters


def as_shown(scorer, classes):
    """What a scorer's function is given for the classes, and its keywords.

    Of two classes functions with a positive label are given 0 and 1, so that it means `pos_label` of the search;
    others the labels.
    """
    if "pos_label" not in parameters_of(scorer) or len(classes) > 2:
        return classes, scorer._kwargs
    kwargs = {name: value for name, value in scorer._kwargs.items() if name != "pos_label"}
    if kwargs.get("labels") is not None:
        kwargs["labels"] = [classes.tolist().index(label) for label in kwargs["labels"]]
    return np.arange(len(classes)), kwargs
