"""One message for everything that can be missing."""

import json

import pytest

from skauto._deps import MissingDependencyError, require


def test_what_is_there_is_returned():
    assert require("json") is json


def test_a_missing_package_names_its_extra():
    with pytest.raises(
        MissingDependencyError, match=r"no_such_package is not available .*pip install 'skauto\[deep\]'"
    ):
        require("no_such_package", extra="deep")
    with pytest.raises(MissingDependencyError, match=r"`pip install no_such_package`"):
        require("no_such_package")


def test_a_missing_system_library_names_its_debian_package(tmp_path, monkeypatch):
    text = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "wants_openmp.py").write_text(f"raise OSError({text!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError) as error:
        require("wants_openmp")
    assert str(error.value).count("libgomp1") == 2
    assert "\n" not in str(error.value)


def test_errors_of_another_kind_pass_through(tmp_path, monkeypatch):
    (tmp_path / "is_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        require("is_broken")
