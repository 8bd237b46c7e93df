"""The model file: versions first, then the model; nothing is unpickled before they agree."""

import importlib.metadata
import json
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from skauto._persistence import ModelFileError, load_model, save_model


@pytest.fixture
def forest():
    rng = np.random.default_rng(0)
    return RandomForestClassifier(5, random_state=0).fit(rng.normal(size=(40, 3)), rng.integers(0, 2, 40))


class Witness:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def throw(error):
    raise error


class Raises:
    """Raises an error when it is unpickled."""

    def __init__(self, error):
        self.error = error

    def __reduce__(self):
        return throw, (self.error,)


def rewrite_header(path, **changes):
    header, payload = path.read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps({**json.loads(header), **changes}).encode() + b"\n" + payload)


def test_round_trip(forest, tmp_path):
    X = np.random.default_rng(1).normal(size=(10, 3))
    back = load_model(save_model(forest, tmp_path / "m.joblib"))
    np.testing.assert_array_equal(back.predict_proba(X), forest.predict_proba(X))


def test_header_names_what_the_model_uses_and_no_more(forest, tmp_path):
    header = json.loads(save_model(forest, tmp_path / "m.joblib").read_bytes().split(b"\n", 1)[0])
    assert header["class"] == "RandomForestClassifier"
    assert {"python", "skauto", "scikit-learn", "numpy"} <= header["versions"].keys()
    assert "torch" not in header["versions"]


def test_words_of_the_data_are_no_packages(tmp_path, monkeypatch):
    def version(name):
        if name in ("torch", "skorch"):
            raise importlib.metadata.PackageNotFoundError(name)
        return found(name)

    found = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", version)
    X = pd.DataFrame({"torch": [0, 1], "skorch": [1, 1]})
    path = save_model(DummyClassifier().fit(X, ["lightgbm", "imblearn"]), tmp_path / "m.joblib")
    versions = json.loads(path.read_bytes().split(b"\n", 1)[0])["versions"]
    assert versions.keys() == {"python", "skauto", "scikit-learn", "numpy"}
    assert load_model(path).classes_.tolist() == ["imblearn", "lightgbm"]


def test_a_network_names_torch(tmp_path):
    pytest.importorskip("torch")
    from skauto.estimators.tables._mlp import MLPClassifier

    net = MLPClassifier(hidden_size=2, max_epochs=1).fit(np.eye(4), [0, 1, 0, 1])
    path = save_model(net, tmp_path / "m.joblib")
    assert "torch" in json.loads(path.read_bytes().split(b"\n", 1)[0])["versions"]
    assert load_model(path).predict(np.eye(4)).shape == (4,)


def test_other_versions_are_named_in_one_line_before_anything_is_unpickled(tmp_path):
    mark = tmp_path / "mark"
    path = save_model(Witness(mark), tmp_path / "m.joblib")
    rewrite_header(path, versions={"scikit-learn": "0.1.2", "numpy": np.__version__, "no-such-thing": "3.0"})
    with pytest.raises(
        ModelFileError, match=r"scikit-learn 0\.1\.2, no-such-thing 3\.0; here is scikit-learn"
    ) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    assert "numpy" not in str(error.value)
    assert not mark.exists()
    load_model(path, check_versions=False).close()
    assert mark.exists()


def test_patch_releases_agree(forest, tmp_path):
    path = save_model(forest, tmp_path / "m.joblib")
    major, minor = np.__version__.split(".")[:2]
    rewrite_header(path, versions={"numpy": f"{major}.{minor}.999"})
    load_model(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"hello\n", b"[1]\n", b'{"skauto_model": 1}\n', b"\x80\x04\x95" + bytes(range(256)), b"[" * 60_000),
        b'{"skauto_model": 1, "versions": [1], "crc32": 0}\n',
        b'{"skauto_model": 1, "versions": {"numpy": 3}, "crc32": 0}\n',
        b'{"skauto_model": 1, "versions": {}, "crc32": "0"}\n',
    ],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "m.joblib"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is not a model saved by skauto"):
        load_model(path)


def test_a_plain_joblib_file_is_refused(forest, tmp_path):
    joblib.dump(forest, tmp_path / "m.joblib")
    with pytest.raises(ModelFileError, match="is not a model saved by skauto"):
        load_model(tmp_path / "m.joblib")


def test_another_format_is_refused(forest, tmp_path):
    path = save_model(forest, tmp_path / "m.joblib")
    rewrite_header(path, skauto_model=99)
    with pytest.raises(ModelFileError, match="model format 99"):
        load_model(path)


@pytest.mark.parametrize("error", [MemoryError, OverflowError, RuntimeError("odd")])
def test_whatever_unpickling_raises_is_one_message(tmp_path, error):
    path = save_model(Raises(error), tmp_path / "m.joblib")
    with pytest.raises(ModelFileError, match="m.joblib needs what is not here: .*Error"):
        load_model(path)


def test_a_changed_byte_is_found_before_anything_is_unpickled(tmp_path):
    path = save_model(Witness(tmp_path / "mark"), tmp_path / "m.joblib")
    content = path.read_bytes()
    for place in range(content.index(b"\n") + 1, len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ModelFileError, match="m.joblib is damaged: its checksum"):
            load_model(path)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("fraction", [0.2, 0.6, 0.99])
def test_a_file_cut_short_is_refused(forest, tmp_path, fraction):
    path = save_model(forest, tmp_path / "m.joblib")
    content = path.read_bytes()
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(path)


def test_a_failed_save_keeps_what_was_there(forest, tmp_path):
    path = save_model(forest, tmp_path / "m.joblib")
    with pytest.raises(pickle.PicklingError):
        save_model(lambda: None, path)
    assert isinstance(load_model(path), RandomForestClassifier)
    assert [p.name for p in tmp_path.iterdir()] == ["m.joblib"]
