"""What all tests share: the folder of real data, and the skips for what a machine may lack."""

import datetime
import os
import zlib
from pathlib import Path

import pytest

from skauto._deps import MissingDependencyError, require

ROOT = Path(__file__).resolve().parent.parent


def data_folder():
    """The folder of public data sets, or None; benchmarks/README.md describes it."""
    folder = Path(os.environ.get("SKAUTO_DATA", ROOT.parent / "shared" / "data"))
    return folder if (folder / "index.json").is_file() else None


def missing_lightgbm():
    """Why LightGBM cannot be loaded, or None."""
    try:
        require("lightgbm")
    except MissingDependencyError as error:
        return str(error)
    return None


def pytest_report_header():
    """Say at the top what will be skipped."""
    return [
        f"real data: {data_folder() or 'no folder, set SKAUTO_DATA'}",
        f"lightgbm: {missing_lightgbm() or 'found'}",
    ]


# Checks of scikit-learn in which a network is trained on several sets of data, in some twenty times the seconds of the
# others together.
TRAINING_CHECKS = {"check_classifiers_train", "check_classifiers_classes", "check_classifier_multioutput"}


def is_slow_check(item):
    """Whether a test is one of these checks of a network."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    check = getattr(params.get("check"), "func", params.get("check"))
    return getattr(check, "__name__", None) in TRAINING_CHECKS and hasattr(params["estimator"], "max_epochs")


# Every way in which workers start is tried in so many days: fresh interpreters take minutes in all.
DAYS = 4


def is_for_another_day(item):
    """Whether a test of fresh interpreters has its turn on another day; SKAUTO_PAIRS=all gives all their turn."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if params.get("way") != "fresh" or os.environ.get("SKAUTO_PAIRS") == "all":
        return False
    return zlib.crc32(item.nodeid.encode()) % DAYS != datetime.date.today().toordinal() % DAYS


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items):
    """Skip, with the reason, what needs data or a library that this machine lacks; mark checks that train for long."""
    for item in items:
        if is_slow_check(item):
            item.add_marker(pytest.mark.slow)
        if is_for_another_day(item):
            item.add_marker(pytest.mark.skip(reason="has its turn on another day: SKAUTO_PAIRS=all runs it"))
    skips = {
        "real": None if data_folder() else "no folder of public data sets: set SKAUTO_DATA",
        "lightgbm": missing_lightgbm(),
    }
    for item in items:
        for marker, reason in skips.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def real_data():
    """Path of the folder of public data sets; use it in tests marked `real`."""
    return data_folder()


@pytest.fixture(scope="session")
def project():
    """Path of the checkout."""
    return ROOT


@pytest.fixture(params=["forked", pytest.param("fresh", marks=pytest.mark.slow)])
def way(request, monkeypatch):
    """How workers start: both ways must do the same. Fresh interpreters take seconds, and have their turn in days."""
    if request.param == "fresh":
        monkeypatch.setenv("SKAUTO_FORKSERVER", "0")
    return request.param
