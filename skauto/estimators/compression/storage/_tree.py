"""A network as plain data: each module's class name, settings and children, for a list of known classes only."""

import importlib
import math
from typing import TYPE_CHECKING, Any

from skauto._deps import require

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode")
NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
# class: the constructor's arguments, all of them, read back from the attributes of the same name
LEAVES = {
    "Conv2d": CONV,
    "Conv1d": CONV,
    "Linear": ("in_features", "out_features", "bias"),
    "BatchNorm1d": NORM,
    "BatchNorm2d": NORM,
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine", "bias"),
    "MaxPool2d": ("kernel_size", "stride", "padding", "ceil_mode", "dilation", "return_indices"),
    "AvgPool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "AdaptiveAvgPool2d": ("output_size",),
    "AdaptiveMaxPool2d": ("output_size", "return_indices"),
    "ChannelShuffle": ("groups",),
    "Flatten": ("start_dim", "end_dim"),
    "Dropout": ("p", "inplace"),
    "Identity": (),
    "ReLU": ("inplace",),
    "ReLU6": ("inplace",),
    "Sigmoid": (),
    "Tanh": (),
    "GELU": ("approximate",),
    "SiLU": ("inplace",),
    "Hardswish": ("inplace",),
}
# what a description leaves out, as the constructor would take it anyway: of any class, and of one
DEFAULTS: dict[str, Any] = {
    "padding_mode": "zeros",
    "affine": True,
    "track_running_stats": True,
    "elementwise_affine": True,
    "return_indices": False,
    "count_include_pad": True,
    "divisor_override": None,
    "inplace": False,
    "approximate": "none",
}
DEFAULTS_OF: dict[str, Any] = {
    "Conv2d": {"stride": [1, 1], "dilation": [1, 1], "groups": 1, "bias": True},
    "Linear": {"bias": True},
    "LayerNorm": {"bias": True},
    "MaxPool2d": {"dilation": 1},
}
SIDES = ("kernel_size", "stride", "padding", "dilation")
COUNTS = ("in_channels", "out_channels", "in_features", "out_features", "num_features", "features", "groups")
# the least and the most that a whole number, or each of a tuple, may be
WHOLE = dict.fromkeys(COUNTS + SIDES, (1, math.inf))
WHOLE |= {"padding": (0, 1024), "in_zero": (0, 255), "activation_bits": (1, 8)}
POSITIVE = ("in_scale", "out_scale", "top")
# our own leaves say in `settings` what their constructor takes
OWN_LEAVES = {
    "SparseLinear": "skauto.estimators.compression.layers._sparse",
    "Int8Conv2d": "skauto.estimators.compression.layers._int8",
    "Int8Linear": "skauto.estimators.compression.layers._int8",
    "BinaryConv2d": "skauto.estimators.compression.layers._binary_layers",
    "BinaryLinear": "skauto.estimators.compression.layers._binary_layers",
    "StoredLinear": "skauto.estimators.compression.layers._int8_weights",
    "StoredConv1d": "skauto.estimators.compression.layers._int8_weights",
    "PeriodicEmbedding": "skauto.estimators.tables._embeddings",
}
# containers are made without their constructor: children by name, then the attributes named in `fields`
CONTAINERS = {
    "Sequential": "torch.nn",
    "ModuleList": "torch.nn",
    "Plain": "skauto.estimators.images._backbones_plain",
    "Pooled": "skauto.estimators.images._backbones_plain",
    "LeNet5": "skauto.estimators.images._backbones_plain",
    "ResNet": "skauto.estimators.images._backbones_plain",
    "BasicBlock": "skauto.estimators.images._backbones_plain",
    "MobileNetV2": "skauto.estimators.images._backbones_light",
    "InvertedResidual": "skauto.estimators.images._backbones_light",
    "ShuffleNetV2": "skauto.estimators.images._backbones_light",
    "ShuffleUnit": "skauto.estimators.images._backbones_light",
    "TableNet": "skauto.estimators.tables._mlp",
    "SequenceNet": "skauto.estimators.sequences._recurrent_net",
    "Block": "skauto.estimators.sequences._recurrent_net",
    "MinLayer": "skauto.estimators.sequences._recurrent_net",
    "Norm": "skauto.estimators.sequences._recurrent_net",
}
# far above any network, far below what exhausts a machine
MOST_MODULES = 2**14
DEEPEST = 64
# what reading a description, or running the network that it gives, may raise where someone made it up
DAMAGE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, MemoryError)


def describe(module: "Module") -> dict[str, Any]:
    """The JSON description of a module and all below it.

    Raises
    ------
    TypeError
        If a module is of a class that is not in the tables above.
    """
    name = type(module).__name__
    if _class_of(name) is not type(module):
        raise TypeError(
            f"cannot store a module of class {type(module).__qualname__}: a file holds no code, only the classes "
            f"{', '.join([*LEAVES, *OWN_LEAVES, *CONTAINERS])}. Build the network from these, or pickle the estimator"
        )
    node: dict[str, Any] = {"c": name}
    if name in CONTAINERS:
        fields = {f: getattr(module, f) for f in getattr(module, "fields", ())}
        node |= {"f": fields} if fields else {}
        own = {key: list(value.shape) for key, value in module.named_buffers(recurse=False)}
        node |= {"b": own} if own else {}
        # not named_children(), which leaves out a module that stands in two places
        node["m"] = {key: None if child is None else describe(child) for key, child in module._modules.items()}
        return node
    defaults = DEFAULTS | DEFAULTS_OF.get(name, {})
    values = {key: _plain(key, getattr(module, key)) for key in _settings_of(type(module))}
    values = {key: value for key, value in values.items() if key not in defaults or value != defaults[key]}
    return {**node, "a": values} if values else node


def rebuild(node: dict[str, Any], most: float = math.inf) -> "Module":
    """The module of a description, its weights not yet set.

    Parameters
    ----------
    node : dict
        From `describe`, by way of JSON.
    most : int, default=inf
        Numbers that the network may hold at most; no memory is taken for one that holds more.

    Raises
    ------
    ValueError
        If the description names an unknown class, does not fit it, or is of an absurd size.
    """
    try:
        if sum(1 for _ in _nodes(node)) > MOST_MODULES:
            raise ValueError(f"it has more than {MOST_MODULES} modules")
        with torch.device("meta"):
            size = sum(tensor.numel() for tensor in _rebuild(node).state_dict().values())
        if size > most:
            raise ValueError(f"it is of {size} numbers, more than a file of this size can hold")
        with torch.random.fork_rng(devices=[]):  # new layers draw weights, for which no number of the caller's is spent
            return _rebuild(node)
    except DAMAGE as error:
        raise ValueError(f"the description of the network is damaged: {error!r}") from error


def _nodes(node, depth=0):
    """A description and all below it."""
    if depth > DEEPEST:
        raise ValueError(f"its modules are nested more than {DEEPEST} deep")
    yield node
    for child in node.get("m", {}).values():
        yield from _nodes({} if child is None else child, depth + 1)


def _rebuild(node):
    name = node["c"]
    made = _class_of(name)
    if made is None:
        raise ValueError(f"the file names an unknown module class {name!r}")
    if name not in CONTAINERS:
        settings = node.get("a", {})
        _check_settings(made, settings)
        return made(**{key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()})
    module = made.__new__(made)
    torch.nn.Module.__init__(module)
    for key, child in node["m"].items():
        module.add_module(key, None if child is None else _rebuild(child))
    for key, shape in node.get("b", {}).items():
        module.register_buffer(key, torch.zeros(shape))
    for key in getattr(made, "fields", ()):
        setattr(module, key, node["f"][key])
    if hasattr(made, "check"):
        module.check()
    return module


def _check_settings(made, settings):
    """Refuse what a constructor would take without a word, though no layer can have it."""
    name = made.__name__
    for key, value in settings.items():
        if key not in _settings_of(made):
            raise ValueError(f"{name} has no setting {key!r}")
        if key in POSITIVE and value is not None and not 0 < value < math.inf:
            raise ValueError(f"{key} of {name} must be above 0, got {value!r}")
        if key not in WHOLE or (key == "padding" and isinstance(value, str)):
            continue
        (least, most), sides = WHOLE[key], value if isinstance(value, list) else [value]
        if any(type(side) is not int or not least <= side <= most for side in sides):
            raise ValueError(f"{key} of {name} must be whole, from {least} to {most}, got {value!r}")
        if "Conv" in name and key in SIDES and (sides is not value or len(sides) != int(name[-2])):
            raise ValueError(f"{key} of {name} must be a list of {name[-2]}, got {value!r}")


def _settings_of(made):
    return LEAVES.get(made.__name__) or getattr(made, "settings", ())


def _class_of(name):
    home = "torch.nn" if name in LEAVES else OWN_LEAVES.get(name) or CONTAINERS.get(name)
    return getattr(importlib.import_module(home), name) if home else None


def _plain(key, value):
    """An attribute as the constructor takes it: the bias as a truth value."""
    if key == "bias":
        return value is not None
    return list(value) if isinstance(value, tuple) else value
