"""Folders of data go with their owner, however it ends."""

import fcntl
import os
import subprocess
import sys
import tempfile

import pytest

from skauto.search._folders import OWNER, TemporaryFolder, sweep

OWN = """
import os, sys
from skauto.search._folders import TemporaryFolder
folder = TemporaryFolder()
open(os.path.join(folder.path, "data"), "w").write("secret")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_closed_it_is_gone(place):
    with TemporaryFolder() as folder:
        assert os.listdir(place) == [os.path.basename(folder.path)]
        assert os.stat(folder.path).st_mode & 0o077 == 0
    assert os.listdir(place) == []


def test_the_folder_of_a_dead_owner_is_swept_and_that_of_a_living_one_is_not(place, project):
    environment = os.environ | {"TMPDIR": str(place), "PYTHONPATH": str(project)}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    with owner:
        path = owner.stdout.readline().strip()
        sweep(place)
        assert os.listdir(path)
        owner.kill()
        owner.wait()
        assert os.listdir(path)
        with TemporaryFolder():
            assert not os.path.exists(path)


def test_what_belongs_to_another_machine_or_nobody_is_left(place):
    for name, owner in (("skauto-far", "another boot\nanother machine"), ("skauto-old", None), ("other", "x")):
        (place / name).mkdir()
        if owner:
            (place / name / OWNER).write_text(owner)
    sweep(place)
    assert len(os.listdir(place)) == 3


def test_a_forked_child_leaves_its_parents_folder_alone(place):
    with TemporaryFolder() as folder:
        child = os.fork()
        if child == 0:
            folder.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert os.path.isdir(folder.path)


def test_a_disk_without_locks(place, monkeypatch):
    def unknown(*args):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with TemporaryFolder() as folder, TemporaryFolder():
        assert os.path.isdir(folder.path)
    assert os.listdir(place) == []


def test_nothing_is_left_of_a_folder_that_cannot_be_made(place, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=f"No space left on device.*make room in {place}"):
        TemporaryFolder()
    assert os.listdir(place) == []
