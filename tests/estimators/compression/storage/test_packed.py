import json
import zlib

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier, _unpacked
from skauto.estimators.compression.steps._binarize import Binarize
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.compression.storage._fitted import from_plain
from skauto.estimators.compression.storage._packed import (
    LONGEST_HEADER,
    MAGIC,
    WORDS,
    DamagedModelError,
    _digest,
    from_bytes,
    to_bytes,
)
from skauto.estimators.tables._mlp import MLPClassifier


@pytest.fixture(scope="module")
def model(digits_net):
    base, X, y = digits_net
    return CompressedClassifier(base, []).fit(X[:200], y[:200])


@pytest.mark.parametrize("length", [0, 5, 15, 19, 40, -1])
def test_truncated_files_are_refused(model, length, tmp_path):
    (tmp_path / "m").write_bytes(model.to_bytes()[:length])
    with pytest.raises(DamagedModelError):
        CompressedClassifier.load(tmp_path / "m")


def test_any_changed_byte_is_noticed(model, tmp_path):
    data = model.to_bytes()
    for at in np.random.default_rng(0).integers(0, len(data), 50):
        changed = bytearray(data)
        changed[at] ^= 1
        (tmp_path / "m").write_bytes(changed)
        with pytest.raises(DamagedModelError):
            CompressedClassifier.load(tmp_path / "m")


def opened(data):
    """Header and tensor bytes of a model file."""
    body = data[len(MAGIC) + 8 :]
    length = int.from_bytes(body[:4], "little")
    return json.loads(zlib.decompressobj(zdict=WORDS).decompress(body[4 : 4 + length])), body[4 + length :]


def sealed(text, blobs, after=b""):
    """A model file of a header and tensors, whatever they are, with the checksum that fits."""
    packer = zlib.compressobj(zdict=WORDS)
    head = packer.compress(text.encode()) + packer.flush() + after
    body = len(head).to_bytes(4, "little") + head + blobs
    return MAGIC + _digest(body) + body


def refused(data):
    with pytest.raises(DamagedModelError) as caught:
        _unpacked(data)
    return str(caught.value)


def layer(header, name="classifier"):
    return header["net"]["m"][name]["a"]


def first_conv(header):
    return header["net"]["m"]["features"]["m"]["0"]["a"]


HOSTILE = {
    "unknown class": lambda h: h["net"].update(c="Evil"),
    "child left out": lambda h: h["net"]["m"].pop("features"),
    "unknown form": lambda h: h["tensors"][0].__setitem__(0, "pickle"),
    "form a number": lambda h: h["tensors"][0].__setitem__(0, 3),
    "short tensor": lambda h: h["tensors"][0].__setitem__(1, 3),
    "negative length": lambda h: h["tensors"][0].__setitem__(1, -3),
    "length a word": lambda h: h["tensors"][0].__setitem__(1, "3"),
    "tensor left out": lambda h: h["tensors"].pop(),
    "other output": lambda h: layer(h).update(out_features=3),
    "no extra": lambda h: h.pop("extra"),
    "extra a list": lambda h: h.update(extra=[]),
    "no net": lambda h: h.pop("net"),
    "net a word": lambda h: h.update(net="net"),
    "absurd layer": lambda h: layer(h).update(in_features=10**7, out_features=10**7),
    "huge layer": lambda h: layer(h).update(in_features=10**30),
    "negative layer": lambda h: layer(h).update(in_features=-4),
    "kernel of three": lambda h: first_conv(h).update(kernel_size=[3, 3, 3]),
    "kernel of words": lambda h: first_conv(h).update(kernel_size=["3", "3"]),
    "stride of none": lambda h: first_conv(h).update(stride=[0, 0]),
    "stride of three": lambda h: first_conv(h).update(stride=[1, 1, 1]),
    "negative padding": lambda h: first_conv(h).update(padding=[-1, -1]),
    "absurd padding": lambda h: first_conv(h).update(padding=[10**5, 10**5]),
    "much padding in two layers": lambda h: [
        h["net"]["m"]["features"]["m"][n]["a"].update(padding=[1024, 1024], stride=[1, 1]) for n in "03"
    ],
    "absurd pool": lambda h: layer(h, "avgpool").update(output_size=10**6),
    "pool for classes": lambda h: layer(h, "avgpool").update(output_size=2),
    "unknown padding": lambda h: first_conv(h).update(padding_mode="x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_made_up_headers_are_refused(model, name):
    header, blobs = opened(model.to_bytes())
    assert _unpacked(sealed(json.dumps(header), blobs)).classes_.size == 10
    HOSTILE[name](header)
    refused(sealed(json.dumps(header), blobs))


@pytest.mark.parametrize("text", ["", "7", "[]", "{}", "null", "[" * 100_000, "{" * 9, "\ud800", '{"net": 1e999}'])
def test_headers_that_are_none_are_refused(model, text):
    refused(sealed(json.dumps(text) if "\ud800" in text else text, opened(model.to_bytes())[1]))


def test_nothing_may_follow_or_be_inflated_without_bound(model):
    header, blobs = opened(model.to_bytes())
    text = json.dumps(header)
    assert "announced" in refused(sealed(text, blobs + b"more"))
    refused(sealed(text, blobs, after=b"more"))
    bomb = sealed(text[:-1] + ',"x":"' + " " * (LONGEST_HEADER + 1) + '"}', blobs)
    assert "longer than" in refused(bomb)


@pytest.mark.parametrize("of", ["sparse", "int8", "signs"])
def test_layers_of_our_own_that_do_not_fit_are_refused(digits_net, of):
    base, X, y = digits_net
    if of == "sparse":
        net = MLPClassifier(hidden_size=80, n_members=1, max_epochs=1, random_state=0)
        base, X = net.fit(X.reshape(-1, 64), y), X.reshape(-1, 64)
    step = {
        "sparse": Prune(0.95, rounds=1, epochs=0),
        "int8": Quantize("int8"),
        "signs": Binarize("xnor", epochs=0),
    }[of]
    data = CompressedClassifier(FrozenEstimator(base), [("step", step)]).fit(X, y).to_bytes()
    header, blobs = opened(data)
    kind = {"sparse": "SparseLinear", "int8": "Int8Conv2d", "signs": "BinaryConv2d"}[of]
    _unpacked(sealed(json.dumps(header), blobs))
    changes = {
        "sparse": [("in_features", 81), ("in_features", 10**6), ("out_features", 3)],
        "int8": [("in_channels", 64), ("padding", [-1, -1]), ("padding", [1]), ("in_scale", 0), ("in_zero", 256)],
        "signs": [("in_channels", 64), ("padding", [-3, -3]), ("stride", 1), ("activation_bits", 10**9)],
    }[of]
    for key, value in changes:
        changed = json.loads(json.dumps(header))
        mended(changed["net"], kind)[key] = value
        refused(sealed(json.dumps(changed), blobs))


def mended(node, kind):
    """Settings of the last module of a class."""
    found = [node["a"]] if node["c"] == kind else []
    for child in node.get("m", {}).values():
        found += [settings for settings in [mended(child, kind)] if settings]
    return found[-1] if found else None


def test_layers_that_do_not_follow_one_another_are_refused():
    made, _ = from_bytes(to_bytes(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(5, 2)), {}))
    state = {"classes_": {"kind": "<i8", "values": [0, 1]}, "n_features_in_": 4, "n_iter_": 1, "_seed": 0}
    with pytest.raises(ValueError, match="cannot be right"):
        from_plain({"class": "MLPClassifier", "params": {}, "state": state}, made)


def test_a_network_that_would_not_come_back_is_refused_at_saving():
    norm, more, wrong = torch.nn.BatchNorm1d(3), torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    norm.bias = None
    more.register_buffer("more", torch.zeros(3))
    wrong.in_features = 0
    for net in (torch.nn.Linear(2, 3).double(), norm, more):
        with pytest.raises(TypeError, match="would not come back"):
            to_bytes(net, {})
    with pytest.raises(TypeError, match="could not be read again"):
        to_bytes(wrong, {})
    with pytest.raises(TypeError, match="bytes to describe"):
        to_bytes(torch.nn.Linear(2, 3), {"names": " " * LONGEST_HEADER})


def test_numpy_numbers_are_numbers():
    net = torch.nn.Conv2d(np.int64(1), np.int64(2), (np.int32(3), np.int32(3)), groups=np.int64(1))
    made, extra = from_bytes(to_bytes(net, {"a": np.float32(0.5), "b": np.bool_(True)}))
    assert extra == {"a": 0.5, "b": True} and made.out_channels == 2
    with pytest.raises(TypeError, match="cannot hold"):
        to_bytes(net, {"a": object()})


def test_storage_adds_up_to_the_file(model):
    frame = model.storage()
    assert frame["bytes"].sum() == len(model.to_bytes())
    assert (frame["bytes"] >= frame["bound"]).all()
