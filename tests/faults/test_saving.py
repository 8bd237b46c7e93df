"""Models are saved as a whole or not at all: links, modes, devices, pipes, threads that save at once, full disks.

Loading refuses files whose first line or header is made up, with a clear error and without taking memory for them.
"""

import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from skauto import load_model, save_model

# A process that may write files of 4,000 bytes at most saves a model of more, as on a disk that is full.
NO_ROOM = """
import resource, sys
import numpy as np
from sklearn.dummy import DummyClassifier
from skauto import save_model
sys.dont_write_bytecode = True
model = DummyClassifier(constant=np.arange(10_000))
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, resource.RLIM_INFINITY))
try:
    save_model(model, sys.argv[1])
except OSError as error:
    print(error)
"""


class Saved:
    """One way to save a model: how, and how to read it again."""

    def __init__(self, save, load):
        self.save, self.load = save, load


def plain():
    model = DummyClassifier().fit([[0], [1]], ["no", "no"])
    return Saved(lambda path: save_model(model, path), lambda path: load_model(path).predict([[1]]).item() == "no")


def packed():
    pytest.importorskip("torch")
    from skauto.estimators import CompressedClassifier, MLPClassifier

    X = np.eye(8)
    model = CompressedClassifier(MLPClassifier(n_members=1, hidden_size=2, max_epochs=1)).fit(X, [0, 1] * 4)
    return Saved(model.save, lambda path: len(CompressedClassifier.load(path).predict(X)) == 8)


@pytest.fixture(params=[plain, packed], ids=["model", "packed"], scope="module")
def saved(request):
    return request.param()


def test_a_link_stays_and_its_target_is_replaced(saved, tmp_path):
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(target)
    saved.save(link)
    assert link.is_symlink()
    assert saved.load(target)
    assert os.listdir(target.parent) == ["target"]


def test_what_lies_beside_the_model_is_left_alone(saved, tmp_path):
    """A link of the temporary file's name led the model onto another file."""
    precious, trap = tmp_path / "precious", tmp_path / "m.partial"
    precious.write_bytes(b"mine")
    trap.symlink_to(precious)
    saved.save(tmp_path / "m")
    assert precious.read_bytes() == b"mine"
    assert trap.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode(saved, tmp_path, mode):
    path = tmp_path / "m"
    path.write_bytes(b"old")
    path.chmod(mode)
    saved.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert saved.load(path)


def test_a_new_file_has_the_mode_of_any_other(saved, tmp_path):
    (tmp_path / "other").write_bytes(b"")
    saved.save(tmp_path / "m")
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_a_device_stays_one(saved, tmp_path):
    """A device of this test's own: what replaced it would replace the machine's ``/dev/null`` too."""
    path = tmp_path / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.write_bytes(b"anything")
    except (AttributeError, OSError):
        pytest.skip("needs the right to make devices")
    saved.save(path)
    assert stat.S_ISCHR(path.stat().st_mode)


def test_a_pipe_gets_the_bytes(saved, tmp_path):
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    saved.save(pipe)
    reader.join(60)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "m").write_bytes(found[0])
    assert saved.load(tmp_path / "m")


def test_threads_may_save_one_path_at_once(saved, tmp_path):
    path, errors = tmp_path / "m", []
    saved.save(path)

    def save_often():
        try:
            for _ in range(15):
                saved.save(path)
                assert saved.load(path)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=save_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == ["m"]


def test_a_full_disk_keeps_the_old_model_and_nothing_else(tmp_path):
    path = tmp_path / "m"
    save_model(DummyClassifier().fit([[0], [1]], ["no", "no"]), path)
    told = subprocess.run([sys.executable, "-c", NO_ROOM, path], capture_output=True, text=True, check=True).stdout
    assert str(path) in told
    assert load_model(path).predict([[1]]).item() == "no"
    assert os.listdir(tmp_path) == ["m"]


def test_a_version_without_a_name_is_damage(tmp_path):
    """It was passed on to importlib, whose own ValueError came out."""
    path = save_model(DummyClassifier().fit([[0], [1]], [0, 1]), tmp_path / "m")
    line, rest = path.read_bytes().split(b"\n", 1)
    for name in ("", " ", "../x", "a\0b"):
        header = json.loads(line)
        header["versions"][name] = "1.0"
        path.write_bytes(json.dumps(header).encode() + b"\n" + rest)
        with pytest.raises(ValueError, match="first line is damaged|was saved with"):
            load_model(path)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"[]," * 5_000_000 + b"[]]",
        b"[" + b"{}," * 5_000_000 + b"{}]",
        b"[" + b".1," * 5_000_000 + b".1]",
        b"[" + b'"ab",' * 3_000_000 + b'"ab"]',
        b"{" + b",".join(b'"%d":0' % k for k in range(1_500_000)) + b"}",
    ],
    ids=["lists", "dicts", "numbers", "strings", "keys"],
)
def test_a_small_packed_file_cannot_fill_the_memory(tmp_path, text):
    """16 kB of header became 6 s of work and 430 MB before the file was refused."""
    pytest.importorskip("torch")
    from skauto.estimators import CompressedClassifier

    packer = zlib.compressobj(9)
    head = packer.compress(text) + packer.flush()
    body = len(head).to_bytes(4, "little") + head
    (tmp_path / "m").write_bytes(b"skauto2\n" + hashlib.blake2b(body, digest_size=8).digest() + body)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(ValueError, match="header of the model file cannot be read"):
        CompressedClassifier.load(tmp_path / "m")
    assert time.process_time() - began < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
