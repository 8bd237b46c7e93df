"""A network as plain data: each module's class name, settings and children, for a list of known classes only."""

import importlib

from skauto._deps import require

torch = require("torch", extra="deep")

# class: the constructor's arguments, read back from the attributes of the same name
LEAVES = {
    "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
    "Conv1d": ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
    "Linear": ("in_features", "out_features", "bias"),
    "BatchNorm1d": ("num_features", "eps", "momentum"),
    "BatchNorm2d": ("num_features", "eps", "momentum"),
    "LayerNorm": ("normalized_shape", "eps"),
    "MaxPool2d": ("kernel_size", "stride", "padding", "ceil_mode"),
    "AvgPool2d": ("kernel_size", "stride", "padding", "ceil_mode"),
    "AdaptiveAvgPool2d": ("output_size",),
    "ChannelShuffle": ("groups",),
    "Flatten": ("start_dim", "end_dim"),
    "Dropout": ("p",),
    "Identity": (),
    "ReLU": (),
    "ReLU6": (),
    "Sigmoid": (),
    "Tanh": (),
    "GELU": (),
    "SiLU": (),
    "Hardswish": (),
}
# what a description leaves out, as the constructor would take it anyway
USUAL = {"stride": [1, 1], "dilation": [1, 1], "groups": 1, "bias": True}
# our own leaves say in `settings` what their constructor takes
OWN_LEAVES = {
    "SparseLinear": "skauto.estimators.compression._sparse",
    "Int8Conv2d": "skauto.estimators.compression._int8",
    "Int8Linear": "skauto.estimators.compression._int8",
    "BinaryConv2d": "skauto.estimators.compression._binary_layers",
    "BinaryLinear": "skauto.estimators.compression._binary_layers",
}
# containers are made without their constructor: children by name, then the attributes named in `fields`
CONTAINERS = {
    "Sequential": "torch.nn",
    "Plain": "skauto.estimators._backbones_plain",
    "LeNet5": "skauto.estimators._backbones_plain",
    "ResNet": "skauto.estimators._backbones_plain",
    "BasicBlock": "skauto.estimators._backbones_plain",
    "MobileNetV2": "skauto.estimators._backbones_light",
    "InvertedResidual": "skauto.estimators._backbones_light",
    "ShuffleNetV2": "skauto.estimators._backbones_light",
    "ShuffleUnit": "skauto.estimators._backbones_light",
    "TableNet": "skauto.estimators._mlp",
}


def describe(module):
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
    node = {"c": name}
    if name in CONTAINERS:
        fields = {f: getattr(module, f) for f in getattr(module, "fields", ())}
        node |= {"f": fields} if fields else {}
        own = {key: list(value.shape) for key, value in module.named_buffers(recurse=False)}
        node |= {"b": own} if own else {}
        node["m"] = {key: describe(child) for key, child in module.named_children()}
        return node
    settings = LEAVES[name] if name in LEAVES else type(module).settings
    values = {key: _plain(key, getattr(module, key)) for key in settings}
    if name in ("Conv2d", "Linear"):
        values = {key: value for key, value in values.items() if value != USUAL.get(key)}
    return node | ({"a": values} if values else {})


def rebuild(node):
    """The module of a description, its weights not yet set.

    Raises
    ------
    ValueError
        If the description names an unknown class or does not fit it.
    """
    try:
        return _rebuild(node)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"the description of the network is damaged: {error!r}") from error


def _rebuild(node):
    name = node["c"]
    made = _class_of(name)
    if made is None:
        raise ValueError(f"the file names an unknown module class {name!r}")
    if name not in CONTAINERS:
        return made(**{key: tuple(v) if isinstance(v, list) else v for key, v in node.get("a", {}).items()})
    module = made.__new__(made)
    torch.nn.Module.__init__(module)
    for key, child in node["m"].items():
        module.add_module(key, _rebuild(child))
    for key, shape in node.get("b", {}).items():
        module.register_buffer(key, torch.zeros(shape))
    for key in getattr(made, "fields", ()):
        setattr(module, key, node["f"][key])
    return module


def _class_of(name):
    home = "torch.nn" if name in LEAVES else OWN_LEAVES.get(name) or CONTAINERS.get(name)
    return getattr(importlib.import_module(home), name) if home else None


def _plain(key, value):
    """An attribute as the constructor takes it: the bias as a truth value."""
    if key == "bias":
        return value is not None
    return list(value) if isinstance(value, tuple) else value
