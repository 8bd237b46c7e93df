import json
import zlib

import numpy as np
import pytest

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._packed import DamagedModelError, from_bytes


@pytest.fixture(scope="module")
def model(digits_net):
    base, X, y = digits_net
    return CompressedClassifier(base, []).fit(X[:200], y[:200])


@pytest.mark.parametrize("cut", [0, 5, 15, 19, 40, -1])
def test_cut_files_are_refused(model, cut, tmp_path):
    (tmp_path / "m").write_bytes(model.to_bytes()[:cut])
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


def test_a_file_can_name_known_classes_only(model):
    from skauto.estimators.compression._packed import MAGIC, WORDS, _digest

    for change in (
        lambda header: header["net"].update(c="Evil"),
        lambda header: header["net"]["m"].pop("features"),
        lambda header: header["tensors"][0].__setitem__(0, "pickle"),
        lambda header: header["tensors"][0].__setitem__(1, 3),
        lambda header: header["net"]["m"]["classifier"]["a"].update(out_features=3),
        lambda header: header["tensors"].pop(),
    ):
        body = model.to_bytes()[len(MAGIC) + 8 :]
        length = int.from_bytes(body[:4], "little")
        header = json.loads(zlib.decompressobj(zdict=WORDS).decompress(body[4 : 4 + length]))
        change(header)
        packer = zlib.compressobj(zdict=WORDS)
        head = packer.compress(json.dumps(header).encode()) + packer.flush()
        body = len(head).to_bytes(4, "little") + head + body[4 + length :]
        with pytest.raises(DamagedModelError, match="cannot be read"):
            from_bytes(MAGIC + _digest(body) + body)


def test_storage_adds_up_to_the_file(model):
    frame = model.storage()
    assert frame["bytes"].sum() == len(model.to_bytes())
    assert (frame["bytes"] >= frame["bound"]).all()
