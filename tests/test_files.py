"""Writing a file as a whole: what users see of it is in faults/test_saving.py."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from skauto._files import check_writable, write_whole


def test_parts_follow_each_other_and_the_path_comes_back(tmp_path):
    path = write_whole(tmp_path / "a", b"one", bytearray(b"two"), memoryview(b"three"))
    assert path == tmp_path / "a"
    assert path.read_bytes() == b"onetwothree"
    assert os.listdir(tmp_path) == ["a"]


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        path = write_whole(tmp_path / "a", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_whatever_interrupts_leaves_the_old_file(tmp_path):
    path = write_whole(tmp_path / "a", b"old")
    with pytest.raises(TypeError):
        write_whole(path, b"new", "no bytes")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_dangling_link_gets_its_target(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("target")
    write_whole(link, b"x")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["no/such/folder", "."])
def test_errors_name_the_path_asked_for(tmp_path, name):
    path = os.path.join(tmp_path, name)
    with pytest.raises(OSError, match="folder|directory") as caught:
        write_whole(path, b"x")
    assert caught.value.filename == path


NOBODY = 65534


@pytest.fixture
def folder():
    """A folder that others may enter, unlike `tmp_path`: an administrator, as in a container, tests as another user."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextlib.contextmanager
def no_administrator():
    """Nobody's rights in the place of an administrator's, whom no mode of a file keeps out."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextlib.contextmanager
def closed(*folders):
    """No user but an administrator makes files in the folders."""
    for folder in folders:
        folder.chmod(0o555)
    try:
        with no_administrator():
            yield
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_writable_file_in_a_folder_that_is_not_is_written(folder):
    """It passed the check before a search, and the model was lost after it."""
    path = folder / "a"
    path.write_bytes(b"old and long")
    path.chmod(0o666)
    (folder / "link").symlink_to("a")
    for name in ("a", "link"):
        with closed(folder):
            check_writable(folder / name)
            write_whole(folder / name, b"new ", name.encode())
        assert path.read_bytes() == b"new " + name.encode()
    assert sorted(os.listdir(folder)) == ["a", "link"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666


def test_a_file_that_is_mounted_alone_is_written(tmp_path, monkeypatch):
    path = write_whole(tmp_path / "a", b"old and long")

    def busy(*_):
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "replace", busy)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]
    with pytest.raises(OSError, match="busy"):
        write_whole(tmp_path / "b", b"new")
    assert os.listdir(tmp_path) == ["a"]


def test_what_cannot_be_written_is_known_before(folder):
    (folder / "inner").mkdir()
    (folder / "private").write_bytes(b"old")
    (folder / "private").chmod(0o444)
    (folder / "link").symlink_to("inner/new")
    (folder / "dangling").symlink_to("no/new")
    (folder / "loop").symlink_to("loop")
    with closed(folder / "inner", folder):
        for name in ("inner/new", "link", "new", "private", "dangling", "loop", "inner"):
            with pytest.raises(OSError, match="permission|does not exist|is a folder|symbolic links") as caught:
                check_writable(folder / name)
            assert caught.value.filename == str(folder / name)
            with pytest.raises(OSError, match="."):
                write_whole(folder / name, b"x")
    assert (folder / "private").read_bytes() == b"old"
    check_writable(os.devnull)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a file system of Linux")
def test_a_folder_in_which_nothing_can_be_made_is_found_out_before_the_work():
    """Root has every permission there, and no file can be."""
    with pytest.raises(OSError, match="cannot be written in /proc"):
        check_writable("/proc/model")
