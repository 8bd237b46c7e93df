import json
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._entropy import decode, encode, entropy_bits
from skauto.estimators.compression._packed import DamagedModelError, from_bytes, to_bytes
from skauto.estimators.compression._tensors import pack, unpack
from skauto.estimators.compression._tree import describe


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9000), st.integers(1, 256), st.floats(0, 1), st.integers(0, 2**31))
def test_symbols_come_back(count, size, peak, seed):
    rng = np.random.default_rng(seed)
    symbols = np.where(rng.random(count) < peak, 0, rng.integers(0, size, count))
    data = encode(symbols, size)
    np.testing.assert_array_equal(decode(data, count, size), symbols)
    assert len(data) <= entropy_bits(symbols) / 8 * 1.02 + 2 * size + 80


def test_long_streams_are_within_a_percent_of_entropy():
    rng = np.random.default_rng(0)
    symbols = np.where(rng.random(400_000) < 0.95, 0, rng.integers(1, 17, 400_000))
    assert len(encode(symbols, 17)) < 1.01 * entropy_bits(symbols) / 8


@settings(max_examples=80, deadline=None)
@given(
    arrays(
        np.float32,
        st.sampled_from([(0,), (1,), (7,), (4, 6), (8, 3, 3, 3), (16, 16)]),
        elements=st.one_of(st.sampled_from([0.0, -0.0, 0.5, -0.5, 3e38]), st.floats(width=32, allow_nan=False)),
    )
)
def test_arrays_come_back_bit_for_bit(array):
    form, data = pack(array)
    back = unpack(form, data, "float32", array.shape)
    assert back.shape == array.shape and back.tobytes() == array.tobytes()


def of_form(form):
    """An array that one storage form fits best."""
    rng = np.random.default_rng(0)
    return {
        "raw": lambda: rng.normal(size=(30, 30)),
        "signs": lambda: np.sign(rng.normal(size=(9, 400))) * rng.random((9, 1)),
        "codes": lambda: rng.integers(0, 30, (50, 50)) / 7,
        "blocks4": lambda: rng.normal(size=(9, 4))[rng.integers(0, 9, 900)],
        "bitmap": lambda: np.where(np.arange(4000) % 9, 0, rng.normal(size=4000)),
        "half": lambda: rng.normal(size=1000).astype(np.float16),
    }[form]().astype(np.float32)


@pytest.mark.parametrize("form", ["raw", "signs", "codes", "blocks4", "bitmap", "half"])
def test_each_form_is_chosen_where_it_is_smallest(form):
    array = of_form(form)
    chosen, data = pack(array)
    assert chosen.split(":")[0] == form
    assert unpack(chosen, data, "float32", array.shape).tobytes() == array.tobytes()


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
    from skauto.estimators.compression._packed import MAGIC, _digest

    for change in (
        lambda header: header["net"].update(c="Evil"),
        lambda header: header["net"]["m"].pop("features"),
        lambda header: header["tensors"][0].__setitem__(3, "pickle"),
        lambda header: header["tensors"][0].__setitem__(2, [1, 1]),
        lambda header: header["tensors"].pop(),
    ):
        body = model.to_bytes()[len(MAGIC) + 8 :]
        length = int.from_bytes(body[:4], "little")
        header = json.loads(zlib.decompress(body[4 : 4 + length]))
        change(header)
        head = zlib.compress(json.dumps(header).encode())
        body = len(head).to_bytes(4, "little") + head + body[4 + length :]
        with pytest.raises(DamagedModelError, match="cannot be read"):
            from_bytes(MAGIC + _digest(body) + body)


def test_unknown_modules_are_refused_at_saving():
    class Mine(torch.nn.Module):
        pass

    with pytest.raises(TypeError, match="cannot store a module of class"):
        describe(Mine())
    assert from_bytes(to_bytes(torch.nn.Linear(2, 3), {"a": 1}))[1] == {"a": 1}


def test_storage_adds_up_to_the_file(model):
    frame = model.storage()
    assert frame["bytes"].sum() == len(model.to_bytes())
    assert (frame["bytes"] >= frame["bound"]).all()
