"""Every case builds a kernel of a few lines in a folder of its own."""

import logging
import os
import stat

import pytest

from skauto import _native

GOOD = "int self_test(void) { return 0; }\nint answer(void) { return 42; }\n"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Writes a source file and loads it, with a cache in tmp_path."""
    monkeypatch.setenv("SKAUTO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SKAUTO_NATIVE", raising=False)
    _native.load.cache_clear()

    def load(text=GOOD):
        source = tmp_path / "kernel.c"
        source.write_text(text)
        _native.load.cache_clear()
        return _native.load(source)

    yield load
    _native.load.cache_clear()


def needs_compiler():
    try:
        _native._compiler()
    except _native._CannotBuildError:
        return False
    return True


pytestmark = pytest.mark.skipif(not needs_compiler(), reason="needs a C compiler")


def test_builds_once_and_loads_again(kernel, tmp_path):
    assert kernel().answer() == 42
    built = list((tmp_path / "cache").iterdir())
    assert [path.suffix for path in built] == [".so"]
    before = built[0].stat().st_mtime_ns
    assert kernel().answer() == 42
    assert built[0].stat().st_mtime_ns == before


def test_a_damaged_file_is_built_again(kernel, tmp_path):
    assert kernel().answer() == 42
    (built,) = (tmp_path / "cache").iterdir()
    whole = built.read_bytes()
    for damage in (b"", whole[:400], whole.replace(b"answer", b"ANSWER")):
        built.unlink()  # a process that has loaded it keeps its own
        built.write_bytes(damage)
        assert kernel().answer() == 42
        (built,) = (tmp_path / "cache").iterdir()
        assert built.read_bytes() == whole


def test_another_source_is_another_library(kernel, tmp_path):
    kernel()
    assert kernel(GOOD.replace("42", "43")).answer() == 43
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_another_processor_is_another_library(kernel, tmp_path, monkeypatch):
    kernel()
    monkeypatch.setattr(_native, "_processor", lambda: "something else")
    kernel()
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("this is not C", "ended with"),
        (GOOD.replace("return 0", "return 7"), "ended with 7"),
        (GOOD.replace("return 0", "*(volatile int *)0 = 1; return 0"), "ended with -11"),
    ],
)
def test_a_kernel_that_fails_its_trial_is_never_loaded(kernel, tmp_path, caplog, text, reason):
    with caplog.at_level(logging.INFO, logger="skauto._native"):
        assert kernel(text) is None
    assert reason in caplog.text
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_compiler(kernel, monkeypatch, caplog):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with caplog.at_level(logging.INFO, logger="skauto._native"):
        assert kernel() is None
    assert "no C compiler" in caplog.text


def test_switched_off(kernel, monkeypatch):
    monkeypatch.setenv("SKAUTO_NATIVE", "0")
    assert kernel() is None


def test_cache_that_cannot_be_written_falls_back_to_a_private_folder(kernel, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SKAUTO_CACHE", str(blocked))
    assert kernel().answer() == 42


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_cache(kernel, tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.setenv("SKAUTO_CACHE", str(locked / "cache"))
    assert kernel().answer() == 42


def test_a_compiler_that_does_not_end_is_waited_for_once(kernel, tmp_path, monkeypatch, caplog):
    compiler = tmp_path / "slow"
    compiler.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\nsleep 600\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setattr(_native, "BUILD_SECONDS", 0.5)
    monkeypatch.setattr(_native, "HANGING", set())
    with caplog.at_level(logging.INFO, logger="skauto._native"):
        assert kernel() is None
        assert kernel(GOOD.replace("42", "43")) is None
    assert "took over 0.5 s" in caplog.text
    assert "did not end" in caplog.text
