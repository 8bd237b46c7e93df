"""What all tests share: the folder of real data, and the skips for what a machine may lack."""

import os
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


def pytest_collection_modifyitems(items):
    """Skip, with the reason, what needs data or a library that this machine lacks."""
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
