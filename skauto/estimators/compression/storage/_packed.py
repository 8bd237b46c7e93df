"""The model file: a checksum, a compressed JSON header, then each tensor in its smallest form. It holds no code."""

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require
from skauto.estimators.compression.storage._entropy import entropy_bits
from skauto.estimators.compression.storage._tensors import pack, unpack
from skauto.estimators.compression.storage._tree import DAMAGE, describe, rebuild

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

MAGIC = b"skauto2\n"
DIGEST = 8
LONGEST_HEADER = 2**24  # bytes of JSON, far above any network's
MOST_BRACKETS, MOST_COMMAS = 2**17, 2**20  # in it: lists and dicts take a hundred times their bytes once they are read
FEWEST_VALUES, VALUES_A_BYTE = 2**24, 2**12  # a network of zeros takes next to no bytes, so small files may hold many
# What headers are made of, the likeliest last; zlib starts from it, and a file can be read with the same words only.
WORDS = (
    b'"feature_names_in_":{"kind":"object","n_members":1"hidden_size":"backbone":"lenet5""resnet""mobilenetv2""shufflenetv2"'
    b'"depth":1"class_weight":"balanced""early_stopping":true"label_smoothing":0.1"cutout":0.25"rotation":"mixup":"noise":'
    b'"BasicBlock""InvertedResidual""ShuffleUnit""downsample""layer1""conv1""bn1""relu1""BatchNorm2d","a":{"num_features":'
    b'"eps":1e-05,"momentum":0.1}}"MaxPool2d","a":{"kernel_size":2,"stride":2,"padding":0,"ceil_mode":true}}"Int8Linear"'
    b'"Int8Conv2d","a":{"in_channels":"relu":true,"in_scale":0.0"in_zero":0,"out_scale":null"SparseLinear""BinaryConv2d"'
    b'"Dropout""bias":false"groups":"stride":[2,2],"padding":[0,0]{"net":{"c":"Plain","m":{"features":{"c":"Sequential",'
    b'"m":{"0":{"c":"Conv2d","a":{"in_channels":1,"out_channels":16,"kernel_size":[3,3],"padding":[1,1]}},"1":{"c":'
    b'"Identity"},"2":{"c":"ReLU"},"3":{"c":"Conv2d","a":{"in_channels":16,"out_channels":32,"kernel_size":[3,3],"stride":'
    b'[2,2],"padding":[1,1]}},"4":{"c":"Identity"},"5":{"c":"ReLU"}}},"avgpool":{"c":"AdaptiveAvgPool2d","a":{"output_size"'
    b':1}},"flatten":{"c":"Flatten","a":{"start_dim":1,"end_dim":-1}},"classifier":{"c":"Linear","a":{"in_features":64,'
    b'"out_features":10}}}},"tensors":[["blocks4:64",["signs",["raw",["bitmap:["codes:32",["codes:16",["half",32],["half",'
    b'64],["half",128]],"extra":{"class":"MLPClassifier""class":"CNNClassifier","params":{"augment":{"flip":0.5,"shift":0.05}'
    b',"batch_size":64,"max_epochs":10,"random_state":0,"width":16},"state":{"classes_":{"kind":"<i8","values":[0,1,2,3,4,5,'
    b'6,7,8,9]},"n_features_in_":784,"n_iter_":10,"_seed":,"image_shape_":{"kind":"tuple","values":[1,28,28]},"_layout":'
    b'"first""last""flat""gray","_low":0.0,"_high":255.0,"_mean":[0.],"_spread":[0.]}}}'
)


class DamagedModelError(ValueError):
    """A model file that is damaged, truncated, or not one of ours."""


def to_bytes(net: "Module", extra: dict[str, Any]) -> bytes:
    """The bytes of a network and of what JSON can say about it.

    Parameters
    ----------
    net : torch.nn.Module
        In evaluation mode, without parametrisations.
    extra : dict
        Anything that JSON can hold.

    Returns
    -------
    data : bytes

    Raises
    ------
    TypeError
        If the network has a module of a class that the file cannot name, or would come back as another one.
    """
    table, blobs = [], []
    for _, tensor in _tensors(net):
        form, data = pack(tensor.detach().cpu().numpy())
        table.append([form, len(data)])
        blobs.append(data)
    header = {"net": describe(net), "tensors": table, "extra": extra}
    text = json.dumps(header, separators=(",", ":"), default=_item).encode()
    packer = zlib.compressobj(9, zdict=WORDS)
    head = packer.compress(text) + packer.flush()
    body = len(head).to_bytes(4, "little") + head + b"".join(blobs)
    _must_come_back(net, text, len(body))
    return MAGIC + _digest(body) + body


def from_bytes(data: bytes) -> "tuple[Module, dict[str, Any]]":
    """The network and the extra that `to_bytes` was given.

    Raises
    ------
    DamagedModelError
        If the bytes are damaged, truncated, or not a model file.
    """
    header, blobs = _open(data)
    try:
        net = rebuild(header["net"], _most_values(len(data)))
        with torch.no_grad():
            for tensor, values, *_ in _values(net, header, blobs):
                tensor.copy_(torch.from_numpy(values.copy()))
        return net.eval(), header["extra"]
    except DAMAGE as error:
        raise DamagedModelError(f"the model file cannot be read: {error!r}") from error


def report(data: bytes) -> list[dict[str, Any]]:
    """What a model file spends its bytes on: a row for each tensor, then the header.

    Returns
    -------
    rows : list of dict
        The tensor's name, form, bytes stored, and `bound`: the zero-order entropy of its symbols plus its codebook.
    """
    header, blobs = _open(data)
    rows = []
    for _, values, name, form, length in _values(rebuild(header["net"]), header, blobs):
        rows.append({"name": name, "form": form, "bytes": length, "bound": _bound(form, values, length)})
    spent = len(data) - len(blobs)
    return [*rows, {"name": "header", "form": "json", "bytes": spent, "bound": 0}]


def _tensors(net):
    """Names and tensors that a file holds, by name: their order in a network depends on what was done to it."""
    return [pair for pair in sorted(net.state_dict().items()) if not pair[0].endswith("num_batches_tracked")]


def _values(net, header, blobs):
    """For each tensor of a network: itself, its values in the file, its name, form and bytes."""
    tensors, at = _tensors(net), 0
    if len(tensors) != len(header["tensors"]):
        raise ValueError(f"{len(header['tensors'])} tensors for a network of {len(tensors)}")
    lengths = [length for _, length in header["tensors"]]
    if any(length < 0 for length in lengths) or sum(lengths) != len(blobs):
        raise ValueError(f"{len(blobs)} bytes of tensors, where {sum(lengths)} are announced")
    for (name, tensor), (form, length) in zip(tensors, header["tensors"], strict=True):
        dtype, shape = str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)
        yield tensor, unpack(form, blobs[at : at + length], dtype, shape), name, form, length
        at += length


def _bound(form, values, length):
    name, _, number = form.partition(":")
    item = values.dtype.itemsize
    if name == "codes":
        return int(number) * item + entropy_bits(values) / 8
    if name == "bitmap":
        return int(number) * item + entropy_bits(values != 0) / 8
    if name.startswith("blocks"):
        width = int(name[6:])
        runs = values.reshape(-1, width).view(f"V{item * width}")
        return int(number) * item * width + entropy_bits(runs) / 8
    return length


def _open(data):
    """Header and tensor bytes of a file whose checksum is right."""
    start = len(MAGIC) + DIGEST
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedModelError("this is not a skauto model file")
    body = data[start:]
    if len(body) < 4 or data[len(MAGIC) : start] != _digest(body):
        raise DamagedModelError("the model file is damaged or truncated: its checksum does not fit. Save it again")
    length = int.from_bytes(body[:4], "little")
    packer = zlib.decompressobj(zdict=WORDS)
    try:
        text = packer.decompress(body[4 : 4 + length], LONGEST_HEADER)
        if not packer.eof or packer.unused_data:
            raise ValueError(f"it is truncated, or longer than {LONGEST_HEADER} bytes, or something follows it")
        if _too_much(text):
            raise ValueError(_too_much(text))
        header = json.loads(text)
        if not isinstance(header, dict) or not {"net", "tensors", "extra"} <= header.keys():
            raise ValueError("it is not the description of a network")
    except (zlib.error, *DAMAGE) as error:
        raise DamagedModelError(f"the header of the model file cannot be read: {error!r}") from error
    return header, body[4 + length :]


def _must_come_back(net, text, size):
    """Raise a TypeError where reading would refuse the file or give other tensors: later the network may be lost."""
    if _too_much(text):
        raise TypeError(f"cannot store the network: with names and labels {_too_much(text)}; pickle the estimator")
    try:
        with torch.device("meta"):
            made = rebuild(json.loads(text)["net"], _most_values(size))
    except ValueError as error:
        raise TypeError(f"cannot store the network, as it could not be read again: {error}") from error
    own, back = ([(name, t.dtype, t.shape) for name, t in _tensors(n)] for n in (net, made))
    changed = sorted({name for name, *_ in set(own) ^ set(back)})
    if changed:
        raise TypeError(
            f"cannot store the network: {', '.join(changed[:4])} would not come back with the same type and shape, as "
            "its modules were changed after they were made; build it anew in float32, or pickle the estimator"
        )


def _too_much(text):
    """Why a header would take too much memory once it is read, an empty string where it does not."""
    if len(text) > LONGEST_HEADER:
        return f"it takes {len(text)} bytes to describe, more than {LONGEST_HEADER}"
    brackets, commas = text.count(b"[") + text.count(b"{"), text.count(b",")
    if brackets > MOST_BRACKETS or commas > MOST_COMMAS:
        return (
            f"describing it takes {brackets} brackets and {commas} commas, of {MOST_BRACKETS} and {MOST_COMMAS} allowed"
        )
    return ""


def _most_values(size):
    """The most numbers that a file of so many bytes may hold."""
    return FEWEST_VALUES + VALUES_A_BYTE * size


def _item(value):
    """What JSON does not know of numpy: its numbers."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model file cannot hold {value!r} of type {type(value).__name__}")


def _digest(body):
    return hashlib.blake2b(body, digest_size=DIGEST).digest()
