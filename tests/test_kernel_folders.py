"""Folders of kernels: what is loaded from them is in faults/test_kernels.py."""

import pytest

from skauto._kernel_folders import HANDED, cache_folder, check_owner, for_workers, handed_folder, private_folder


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.delenv(HANDED, raising=False)
    monkeypatch.delenv("SKAUTO_NATIVE", raising=False)


def test_the_cache_is_made_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("SKAUTO_CACHE", str(tmp_path / "a" / "b"))
    assert cache_folder() == tmp_path / "a" / "b"
    monkeypatch.delenv("SKAUTO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "skauto"
    assert for_workers() == {}


def test_workers_are_handed_a_folder_only_where_the_cache_is_of_no_use(tmp_path, monkeypatch):
    monkeypatch.setenv("SKAUTO_CACHE", str(tmp_path / "later"))
    assert for_workers() == {}
    assert not (tmp_path / "later").exists()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SKAUTO_CACHE", str(tmp_path / "file"))
    assert for_workers() == {HANDED: str(private_folder())}
    (tmp_path / "open").mkdir(mode=0o700)
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("SKAUTO_CACHE", str(tmp_path / "open"))
    assert for_workers() == {HANDED: str(private_folder())}
    monkeypatch.setenv(HANDED, str(private_folder()))
    assert for_workers() == {}
    assert handed_folder() == private_folder()


def test_a_folder_that_is_not_handed_on(monkeypatch, tmp_path):
    with pytest.raises(OSError, match="handed"):
        handed_folder()
    monkeypatch.setenv(HANDED, str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError):
        handed_folder()


def test_modes(tmp_path):
    for mode, shared, fine in ((0o755, False, True), (0o775, False, False), (0o775, True, True), (0o757, True, False),
                               (0o1777, True, True), (0o1777, False, False)):  # fmt: skip
        tmp_path.chmod(mode)
        if fine:
            check_owner(tmp_path, shared)
        else:
            with pytest.raises(PermissionError, match="others may write"):
                check_owner(tmp_path, shared)
    tmp_path.chmod(0o700)
