"""A fitted neural classifier as a network and plain data, and back: what a model file says besides the weights."""

import importlib

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

# classes whose estimators a model file may name, with the fitted attributes that predict needs
KNOWN = {
    "CNNClassifier": (
        "skauto.estimators._cnn",
        ("image_shape_", "_layout", "_low", "_high", "_mean", "_spread"),
    ),
    "MLPClassifier": ("skauto.estimators._mlp", ()),
}
SHARED = ("classes_", "n_features_in_", "feature_names_in_", "n_iter_", "_seed")


def to_plain(estimator):
    """What JSON can hold of a fitted neural classifier, its network aside.

    Raises
    ------
    TypeError
        If the class is not among those that a file may name.
    """
    name = type(estimator).__name__
    if name not in KNOWN:
        raise TypeError(f"a model file cannot hold a {name}, only {', '.join(KNOWN)}; pickle it instead")
    default = type(estimator)().get_params(deep=False)
    params = {k: v for k, v in estimator.get_params(deep=False).items() if v != default[k] and _is_plain(v)}
    wanted = SHARED + KNOWN[name][1]
    state = {key: _plain(getattr(estimator, key)) for key in wanted if hasattr(estimator, key)}
    return {"class": name, "params": params, "state": state}


def from_plain(plain, net):
    """The fitted classifier of `to_plain`, with its network; ValueError where the file names an unknown class."""
    if plain.get("class") not in KNOWN:
        raise ValueError(f"the file names an unknown estimator {plain.get('class')!r}")
    home, own = KNOWN[plain["class"]]
    params = {key: tuple(v) if isinstance(v, list) else v for key, v in plain["params"].items()}
    estimator = getattr(importlib.import_module(home), plain["class"])(**params)
    for key, value in plain["state"].items():
        if key not in SHARED + own:
            raise ValueError(f"the file sets an unknown attribute {key!r}")
        setattr(estimator, key, _from_plain(value))
    estimator.module_, estimator.history_ = net, []
    return estimator


def unfitted(estimator):
    """A clone without anything fitted in it, the inside of a FrozenEstimator too."""
    return clone(estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator)


def _plain(value):
    if isinstance(value, np.ndarray):
        kind = "object" if value.dtype.kind == "O" else value.dtype.str
        return {"kind": kind, "values": [_scalar(v) for v in value.tolist()]}
    if isinstance(value, tuple):
        return {"kind": "tuple", "values": list(value)}
    return _scalar(value)


def _from_plain(value):
    if not isinstance(value, dict):
        return value
    if value["kind"] == "tuple":
        return tuple(value["values"])
    return np.array(value["values"], dtype=value["kind"])


def _scalar(value):
    if value is None or isinstance(value, (bool, int, float, str, list)):
        return value
    raise TypeError(f"a model file cannot hold {value!r} of type {type(value).__name__}")


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (bool, int, float, str))
