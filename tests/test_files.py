"""Writing a file as a whole: what users see of it is in faults/test_saving.py."""

import os
import stat

import pytest

from skauto._files import write_whole


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
