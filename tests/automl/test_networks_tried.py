"""Whether a search tries networks."""

import importlib.util

import pytest

from skauto import Candidate
from skauto.automl._kind import kind_named
from skauto.automl._networks_tried import tries_networks

IMAGE = kind_named("image")


@pytest.mark.parametrize(
    ("given", "tries"),
    [
        ("auto", True),
        ("cnn", True),
        ("logistic", False),
        (["logistic", "compressed_cnn"], True),
        (["auto", "-cnn"], False),
        (["auto", "-svm"], True),
        ([Candidate.builtin("cnn", kind="image", initial=[{"width": 8}])], True),
    ],
)
def test_networks_are_found_among_what_is_asked_for(given, tries):
    pytest.importorskip("torch")
    assert tries_networks(given, IMAGE) is tries


def test_a_network_whose_packages_are_missing_is_none(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not tries_networks("auto", IMAGE)
