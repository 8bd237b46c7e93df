"""A fitted neural classifier as a network and plain data, and back: what a model file says besides the weights."""

import importlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skauto._deps import require
from skauto.estimators.compression.storage._tree import DAMAGE
from skauto.estimators.sequences._sequences import Scaling

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

# classes whose estimators a model file may name, with the fitted attributes that predict needs
SEQUENCES = ("skauto.estimators.sequences._recurrent", ("_columns_seen", "_memory", "_scaling"))
KNOWN = {
    "CNNClassifier": (
        "skauto.estimators.images._cnn",
        ("image_shape_", "_layout", "_low", "_high", "_mean", "_spread"),
    ),
    "MLPClassifier": ("skauto.estimators.tables._mlp", ()),
    "MinGRUClassifier": SEQUENCES,
    "MinLSTMClassifier": SEQUENCES,
}
SHARED = ("classes_", "n_features_in_", "n_iter_", "_seed")
OPTIONAL = ("feature_names_in_",)
STEPS = 6  # of the series that a network answers to find out whether its file is right
# What a file may make one row of data cost, so that loading neither exhausts the memory nor goes on for hours.
MOST_VALUES = 2**27  # between two layers, padding included
MOST_PRODUCTS = 2**38  # a minute's work, seven times that of CNNClassifier's ResNet-18 on 224 x 224 pixels


def to_plain(estimator: Any) -> dict[str, Any]:
    """What JSON can hold of a fitted neural classifier, its network aside.

    A parameter that JSON cannot hold, such as a function, is replaced by a string that fit refuses.

    Raises
    ------
    TypeError
        If the class is not among those that a file may name.
    """
    name = type(estimator).__name__
    if name not in KNOWN:
        raise TypeError(f"a model file cannot hold a {name}, only {', '.join(KNOWN)}; pickle it instead")
    default = type(estimator)().get_params(deep=False)
    params = {k: _plain_param(v) for k, v in estimator.get_params(deep=False).items() if v != default[k]}
    wanted = SHARED + OPTIONAL + KNOWN[name][1]
    state = {key: _plain(getattr(estimator, key)) for key in wanted if hasattr(estimator, key)}
    return {"class": name, "params": params, "state": state}


def from_plain(plain: dict[str, Any], net: "Module") -> Any:
    """The fitted classifier of `to_plain`, with its network, which answers one batch here.

    Raises
    ------
    ValueError
        Where the file says anything that `to_plain` would not, or what does not fit the network.
    """
    try:
        estimator = _restored(plain)
        shape = _answer(estimator, net)
    except DAMAGE as error:
        raise ValueError(f"what the file says of the classifier cannot be right: {error!r}") from error
    if len(shape) not in (2, 3) or shape[:2] != (2, len(estimator.classes_)):
        raise ValueError(f"the network gives an array {shape} for 2 rows and {len(estimator.classes_)} classes")
    estimator.module_, estimator.history_ = net, []
    estimator._optimizer_state, estimator._mean_weight = None, 1.0  # partial_fit begins anew with these
    return estimator


def must_answer(estimator: Any) -> None:
    """Raise a TypeError where `from_plain` would refuse the network, as it costs too much."""
    try:
        _answer(estimator, estimator.module_)
    except ValueError as error:
        raise TypeError(f"a model file cannot hold {error}; pickle the estimator instead") from error


def unfitted(estimator: Any) -> Any:
    """A clone without anything fitted in it, the inside of a FrozenEstimator too."""
    return clone(estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator)


def _restored(plain):
    """The classifier without its network, every attribute checked."""
    if plain["class"] not in KNOWN:
        raise ValueError(f"the file names an unknown estimator {plain['class']!r}")
    home, own = KNOWN[plain["class"]]
    params = {key: _from_plain_param(value) for key, value in plain["params"].items()}
    estimator = getattr(importlib.import_module(home), plain["class"])(**params)
    state = {key: _from_plain(value) for key, value in plain["state"].items()}
    needed = {*SHARED, *own}
    if not needed <= set(state) <= {*needed, *OPTIONAL}:
        raise ValueError(f"the file sets the attributes {sorted(state)}, not {sorted(needed)}")
    for key, value in state.items():
        if not VALID[key](value):
            raise ValueError(f"the file sets {key}={value!r}")
        setattr(estimator, key, value)
    _check_features(state, own)
    return estimator


def _check_features(state, own):
    """ValueError where what the file says of the features does not fit together."""
    if "_scaling" in own:
        made, seen = state["_scaling"], state["_columns_seen"]
        sides, features = (seen or len(made.center),), state["n_features_in_"]
        if len(made.center) != (1 if seen else features) or not _scales(made):
            raise ValueError(f"the file has scales for {len(made.center)} features of {features}")
    else:
        sides, features = state.get("image_shape_", (state["n_features_in_"],)), state["n_features_in_"]
    names = state.get("feature_names_in_")
    if math.prod(sides) != features or features > MOST_VALUES or (names is not None and len(names) != features):
        raise ValueError(f"the file announces {features} features, images of {sides} and names {names}")
    channels = 1 if state.get("_layout") == "gray" else sides[0]
    if "_mean" in own and {len(state["_mean"]), len(state["_spread"]), sides[0]} != {channels}:
        raise ValueError(f"the file has scales for {len(state['_mean'])} channels of images {sides}")


def _scales(scaling):
    """Whether a scaling can be one: as many scales above 0 as centres, gaps in features that there are."""
    columns, features = scaling.gappy, len(scaling.center)
    within = len(set(columns.tolist())) == len(columns) and all(0 <= column < features for column in columns.tolist())
    within = within and columns.dtype.kind in "iu"
    right = within and scaling.dtype in ("float32", "float64") and len(scaling.scale) == features > 0
    return bool(right and np.isfinite(scaling.center).all() and (scaling.scale > 0).all())


def _answer(estimator, net):
    """Shape of what the network says to two rows; one would not do for a norm that goes by its batch."""
    left = MOST_PRODUCTS

    def refuse_absurd(layer, inputs):
        nonlocal left
        values, products = _cost(layer, inputs[0])
        left -= products
        if values > MOST_VALUES or left < 0:
            raise ValueError(f"a {type(layer).__name__} that makes {values} values of a row, by {products} products")

    hooks = [layer.register_forward_pre_hook(refuse_absurd) for layer in net.modules()]
    try:
        with torch.no_grad():
            return tuple(net(*estimator._prepare(_zeros(estimator), False)).shape)
    finally:
        for hook in hooks:
            hook.remove()


def _zeros(estimator):
    """Two rows of zeros as the tensors that the network takes."""
    if not hasattr(estimator, "_scaling"):
        return (torch.zeros(2, *getattr(estimator, "image_shape_", (estimator.n_features_in_,))),)
    kind = getattr(torch, estimator._scaling.dtype)
    return torch.zeros(2, STEPS, len(estimator._scaling), dtype=kind), torch.tensor([STEPS, STEPS - 1])


def _cost(layer, x):
    """No fewer values than a layer makes of one row, and products that it forms, before it does."""
    sides, weight = x.shape[2:], getattr(layer, "weight", None)
    around, steps, made = (
        _each(getattr(layer, key, default), len(sides), default)
        for key, default in (("padding", 0), ("stride", 1), ("output_size", 0))
    )
    wide = [max(side + 2 * pad, out) for side, pad, out in zip(sides, around, made, strict=False)]
    taken = math.prod(wide) * x.shape[1]
    if weight is None or weight.dim() < 2:
        return taken, taken
    if weight.dim() == 2:
        area = x.numel() // len(x) // weight.shape[1]
        return area * weight.shape[0], area * weight.numel()
    area = math.prod(side // max(step, 1) + 1 for side, step in zip(wide, steps, strict=False))
    return max(area * weight.shape[0], taken), area * weight.numel()


def _each(value, count, default):
    """A setting of one number or a tuple of them as a list; the default for "same" and None, which add nothing."""
    values = value if isinstance(value, tuple) else (value,) * count
    return [v if isinstance(v, int) else default for v in values]


def _plain(value):
    if isinstance(value, np.ndarray):
        kind = "object" if value.dtype.kind == "O" else value.dtype.str
        return {"kind": kind, "values": [_scalar(v) for v in value.tolist()]}
    if isinstance(value, tuple):
        return {"kind": "tuple", "values": list(value)}
    if isinstance(value, Scaling):
        return {"kind": "scaling", "values": {key: _plain(inner) for key, inner in vars(value).items()}}
    return _scalar(value)


def _from_plain(value):
    if not isinstance(value, dict):
        return value
    if value["kind"] == "scaling":
        return Scaling(**{key: _from_plain(inner) for key, inner in value["values"].items()})
    if value["kind"] == "tuple":
        return tuple(value["values"])
    dtype = np.dtype(value["kind"])
    if dtype.kind not in "biufUO" or dtype.itemsize * len(value["values"]) > MOST_VALUES:
        raise ValueError(f"the file has labels or names of type {dtype}")
    return np.array(value["values"], dtype=dtype)


def _plain_param(value):
    try:
        return _plain_tree(value)
    except TypeError:
        return f"{getattr(value, '__name__', type(value).__name__)}: not in the model file, set it anew"


def _plain_tree(value):
    """Tuples as lists, and as pairs the dicts whose keys JSON would make strings of."""
    if isinstance(value, (list, tuple)):
        return [_plain_tree(v) for v in value]
    if not isinstance(value, Mapping):
        return _scalar(value)
    if all(isinstance(key, str) for key in value):
        return {key: _plain_tree(v) for key, v in value.items()}
    return {"kind": "dict", "values": [[_scalar(key), _plain_tree(v)] for key, v in value.items()]}


def _from_plain_param(value):
    if isinstance(value, list):
        return tuple(map(_from_plain_param, value))
    if not isinstance(value, dict):
        return value
    pairs = value["values"] if value.get("kind") == "dict" else value.items()
    return {key: _from_plain_param(v) for key, v in pairs}


def _scalar(value):
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str, list)):
        return value
    raise TypeError(f"a model file cannot hold {value!r} of type {type(value).__name__}")


def _whole(least):
    return lambda value: type(value) is int and value >= least


def _numbers(value, least=-math.inf):
    return all(isinstance(v, (int, float)) and least < v < math.inf for v in value)


# what predict needs of each attribute
VALID = {
    "classes_": lambda v: v.ndim == 1 and 0 < len(v) == len(set(v.tolist())),
    "n_features_in_": _whole(1),
    "n_iter_": _whole(0),
    "_seed": _whole(0),
    "feature_names_in_": lambda v: v.ndim == 1 and all(isinstance(name, str) for name in v),
    "image_shape_": lambda v: isinstance(v, tuple) and len(v) == 3 and all(map(_whole(1), v)),
    "_layout": lambda v: v in ("flat", "flat_last", "gray", "first", "last"),
    "_low": lambda v: _numbers([v]),
    "_high": lambda v: _numbers([v]),
    "_mean": _numbers,
    "_spread": lambda v: _numbers(v, least=0),
    "_columns_seen": lambda v: v is None or _whole(1)(v),
    "_memory": lambda v: _numbers([v], least=0),
    "_scaling": lambda v: isinstance(v, Scaling) and all(p.ndim == 1 for p in (v.center, v.scale, v.gappy)),
}
