"""What holds in the caller's process, for its workers."""

import os
import pickle
import sys
import time
import warnings

from sklearn import config_context

from skauto.search._caller import ProcessState, enter, import_path, process_state, settings


def test_import_path_is_absolute_where_python_means_here(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/somewhere"])
    assert import_path() == [os.getcwd(), "/somewhere"]


def test_a_working_directory_that_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "path", ["", "/somewhere"])
    state = process_state()
    assert (state.path, state.folder) == (["/somewhere"], None)


def test_a_place_is_entered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKAUTO_OLD", "1")
    monkeypatch.setattr(sys, "path", list(sys.path))
    before, cores, mask = dict(os.environ), os.sched_getaffinity(0), os.umask(0o022)
    enter(ProcessState(["/there"], str(tmp_path), {"SKAUTO_NEW": "2", "TZ": "UTC-5"}, 0o077, {min(cores)}))
    found = dict(os.environ), sys.path, os.sched_getaffinity(0), time.localtime(0).tm_hour, os.umask(mask)
    os.sched_setaffinity(0, cores)
    os.environ.clear()
    os.environ.update(before)
    time.tzset()
    assert found[0]["SKAUTO_NEW"] == "2" and "SKAUTO_OLD" not in found[0]
    assert found[1:] == (["/there"], {min(cores)}, 5, 0o077)


def test_the_mask_of_new_files_is_read_and_not_set():
    mask = os.umask(0o027)
    try:
        assert process_state().umask == 0o027
    finally:
        os.umask(mask)


def test_settings_are_configuration_and_filters():
    with warnings.catch_warnings(), config_context(transform_output="pandas"):
        warnings.simplefilter("ignore", FutureWarning)
        configuration, filters = pickle.loads(settings())
    assert configuration["transform_output"] == "pandas"
    assert filters[0][:3] == ("ignore", None, FutureWarning)
    assert pickle.loads(settings(heed_filters=False))[1] is None
