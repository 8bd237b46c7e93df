"""What a fit is given and what it alone tells: the kind of data, the classes, the positive class, the costs."""

import warnings

import numpy as np

from skauto._array_inputs import kind_of, read_images, read_sequences, same_form
from skauto._inputs import align, inspect, rarest_class
from skauto._scoring import own_pos_label, resolve_metric
from skauto.resample._costs import checked_costs

# How the input of a fit is read.
READERS = {"table": None, "sequence": read_sequences, "image": read_images}


def read(auto, X, y, sample_weight, groups):
    """The checked input of a fit; what it alone tells becomes attributes of the classifier.

    Parameters
    ----------
    auto : AutoClassifier
    X, y, sample_weight, groups : as in `AutoClassifier.fit`

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        If the data, the score or the costs cannot be used.
    """
    kind = kind_of(X, auto.kind)
    data = inspect(X, y, sample_weight, groups, kind=kind, read=READERS[kind])
    _learn(auto, data)
    resolve_metric(auto.scoring, auto.classes_, auto.cost_matrix_)
    return data


def _learn(auto, data):
    """What the input alone tells; what an earlier fit left no longer goes with it."""
    vars(auto).pop("ensemble_", None)
    auto.kind_, auto.classes_, auto.n_features_in_ = data.kind, data.classes, data.n_features
    if data.feature_names is not None:
        auto.feature_names_in_ = np.asarray(data.feature_names, dtype=object)
    elif hasattr(auto, "feature_names_in_"):
        del auto.feature_names_in_
    auto._form = data.X.shape
    auto.pos_label_ = _positive(auto, data)
    auto.cost_matrix_ = None if auto.cost_matrix is None else checked_costs(auto.cost_matrix, auto.classes_)


def _positive(auto, data):
    """The positive class of two, None for more."""
    given = own_pos_label(auto.scoring) if auto.pos_label is None else auto.pos_label
    if len(data.classes) > 2:
        if auto.pos_label is not None:
            raise ValueError(f"pos_label={given!r} is for two classes, but y has {len(data.classes)}")
        return None
    if given is None:
        chosen = rarest_class(data.classes, data.y)
        if data.classes.dtype.kind != "b" and set(data.classes) == {0, 1} and chosen == 0:
            message = f"pos_label=None takes the rarer class as positive, which is {chosen} here; "
            message += f"pass pos_label={data.classes[1]} if the other is meant"
            warnings.warn(message, UserWarning, stacklevel=5)
        return chosen
    if given not in data.classes.tolist():
        raise ValueError(f"pos_label={given!r} is not among the classes {data.classes.tolist()}")
    return data.classes[data.classes.tolist().index(given)]


def aligned(auto, X):
    """X of a predict as the members want it."""
    if auto.kind_ == "table":
        return align(X, getattr(auto, "feature_names_in_", None), auto.n_features_in_)
    X, _ = READERS[auto.kind_](X)
    same_form(X, auto._form, auto.kind_)
    return X
