"""Which networks come first: a wide one where there is time for it."""

from dataclasses import replace

from skauto import Candidate
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl.images._candidates import CNN
from skauto.automl.images._first_networks import NARROW, WIDE, first_networks

PROFILE = DataProfile(
    n_rows=9_000,
    n_columns=3_072,
    n_classes=10,
    sparse=False,
    threads=1,
    early_stopping=False,
    kind=kind_named("image"),
    shape=(32, 32, 3),
    seconds=51.0,
    holds_out=True,
)


def test_a_wide_network_needs_time_and_steps():
    assert first_networks(PROFILE) == NARROW
    assert first_networks(replace(PROFILE, seconds=255.0)) == WIDE
    assert first_networks(replace(PROFILE, n_rows=900)) == NARROW
    assert first_networks(replace(PROFILE, n_rows=900, seconds=900.0)) == WIDE


def test_count_mode_and_folds_have_the_same_ones_whatever_the_clock_says():
    assert first_networks(replace(PROFILE, holds_out=False, seconds=1e4)) == NARROW
    assert first_networks(replace(PROFILE, seconds=None)) == NARROW
    assert CNN.for_data(replace(PROFILE, seconds=None)).initial_configurations() == CNN.initial_configurations()


def test_all_of_them_lie_in_the_space():
    for profile in (PROFILE, replace(PROFILE, seconds=255.0)):
        found = CNN.for_data(profile).initial_configurations()
        assert len(found) == len(NARROW) and [rank for rank, _ in found] == list(CNN.ranks)
        assert [values["width"] for _, values in found][0] == (32 if profile.seconds > 100 else 16)


def test_those_of_the_user_stay():
    mine = Candidate.builtin("cnn", kind="image", initial=[{"width": 8}])
    ((_, values),) = mine.for_data(replace(PROFILE, seconds=255.0)).initial_configurations()
    assert values["width"] == 8
