"""The model file: a checksum, a compressed JSON header, then each tensor in its smallest form. It holds no code."""

import hashlib
import json
import zlib

from skauto._deps import require
from skauto.estimators.compression._entropy import entropy_bits
from skauto.estimators.compression._tensors import pack, unpack
from skauto.estimators.compression._tree import describe, rebuild

torch = require("torch", extra="deep")

MAGIC = b"skauto1\n"
DIGEST = 8


class DamagedModelError(ValueError):
    """A model file that is damaged, cut short, or not one of ours."""


def to_bytes(net, extra):
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
        If the network has a module of a class that the file cannot name.
    """
    table, blobs = [], []
    for name, tensor in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        array = tensor.detach().cpu().numpy()
        form, data = pack(array)
        table.append([name, array.dtype.name, list(array.shape), form, len(data)])
        blobs.append(data)
    header = {"net": describe(net), "tensors": table, "extra": extra}
    head = zlib.compress(json.dumps(header, separators=(",", ":")).encode(), 9)
    body = len(head).to_bytes(4, "little") + head + b"".join(blobs)
    return MAGIC + _digest(body) + body


def from_bytes(data):
    """The network and the extra that `to_bytes` was given.

    Raises
    ------
    DamagedModelError
        If the bytes are damaged, cut short, or not a model file.
    """
    header, blobs = _open(data)
    try:
        net = rebuild(header["net"])
        state, at = {}, 0
        for name, dtype, shape, form, length in header["tensors"]:
            state[name] = torch.from_numpy(unpack(form, blobs[at : at + length], dtype, shape).copy())
            at += length
        lacking, surplus = net.load_state_dict(state, strict=False)
        if any(not name.endswith("num_batches_tracked") for name in lacking):
            raise ValueError(f"no values for {', '.join(lacking)}")
        if surplus:
            raise ValueError(f"values for {', '.join(surplus)}, which the network does not have")
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DamagedModelError(f"the model file cannot be read: {error}") from error
    return net.eval(), header["extra"]


def report(data):
    """What a model file spends its bytes on: a row for each tensor, then the header.

    Returns
    -------
    rows : list of dict
        The tensor's name, form, bytes stored, and `bound`: the zero-order entropy of its symbols plus its codebook.
    """
    header, blobs = _open(data)
    rows, at = [], 0
    for name, dtype, shape, form, length in header["tensors"]:
        blob = blobs[at : at + length]
        at += length
        values = unpack(form, blob, dtype, shape)
        rows.append({"name": name, "form": form, "bytes": length, "bound": _bound(form, values, length)})
    spent = len(data) - len(blobs)
    return [*rows, {"name": "header", "form": "json", "bytes": spent, "bound": 0}]


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
        raise DamagedModelError("the model file is damaged or cut short: its checksum does not fit. Save it again")
    length = int.from_bytes(body[:4], "little")
    try:
        header = json.loads(zlib.decompress(body[4 : 4 + length]))
    except (zlib.error, ValueError) as error:
        raise DamagedModelError(f"the header of the model file cannot be read: {error}") from error
    return header, body[4 + length :]


def _digest(body):
    return hashlib.blake2b(body, digest_size=DIGEST).digest()
