"""Which modules are the user's, and whether they were edited."""

import importlib
import sys

from skauto.search._user_modules import Loaded, edited


def test_news_are_modules_outside_of_packages(tmp_path, monkeypatch):
    loaded = Loaded()
    loaded.news()
    file = tmp_path / "skauto_user_module.py"
    file.write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    importlib.import_module("skauto_user_module")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    importlib.import_module("colorsys")
    news = loaded.news()
    assert list(news) == ["skauto_user_module"]
    assert loaded.news() == {}
    assert not edited(news)
    file.write_text("A = 22\n")
    assert edited(news)
    file.unlink()
    assert edited(news)
    monkeypatch.delitem(sys.modules, "skauto_user_module")


def test_a_name_that_means_another_file_here(tmp_path):
    file = tmp_path / "other.py"
    file.write_text("")
    status = file.stat()
    assert edited({__name__: (str(file), status.st_mtime_ns, status.st_size)})
    assert not edited({"nobody_has_this": (str(file), status.st_mtime_ns, status.st_size)})
