"""How large the first trials of a table are for their time."""

from dataclasses import replace

import pytest

from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl._sizing import ends_in_time, fidelity_within, folds_within
from skauto.automl.tables._kind import fit_seconds

PROFILE = DataProfile(
    n_rows=4_000,
    n_columns=20,
    n_classes=2,
    sparse=False,
    threads=1,
    early_stopping=False,
    seconds=1.0,
    trial_seconds=6.0,
)


def test_a_small_table_has_all_folds_and_rows():
    assert folds_within(PROFILE, 5) is None
    assert fidelity_within(PROFILE, 1 / 3, 1_500) == 1 / 3


def test_a_table_that_is_large_for_its_time_begins_small():
    """900,000 rows in 60 seconds, of which a trial has 12: no trial of five folds ended."""
    tall = replace(PROFILE, n_rows=720_000, trial_seconds=12.0)
    assert folds_within(tall, 5) == 1
    fraction = fidelity_within(tall, 1 / 9, 1_500)
    assert fraction * fit_seconds(tall) <= 6.0
    faster = replace(tall, trial_seconds=3.0)
    assert fidelity_within(faster, 1 / 9, 1_500) == pytest.approx(fraction / 3)


def test_never_fewer_rows_than_tell_something():
    wide = replace(PROFILE, n_columns=100_000)
    assert fidelity_within(wide, 1.0, 1_500) * wide.n_rows >= 1_500 / 3
    assert fidelity_within(replace(wide, n_rows=800), 1.0, 1_500) == 1.0


def test_without_a_limit_nothing_is_made_smaller():
    assert fidelity_within(replace(PROFILE, n_rows=10**6, trial_seconds=None), 1 / 9, 1_500) == 1 / 9


def test_a_fit_that_outlasts_its_trial_is_foreseen():
    assert ends_in_time(PROFILE)
    assert ends_in_time(replace(PROFILE, n_rows=10**9, trial_seconds=None))
    wide, classes = replace(PROFILE, n_columns=3_000), replace(PROFILE, n_rows=40_000, n_classes=100)
    words = replace(PROFILE, n_rows=40_000, n_columns=60, n_texts=60)
    image = replace(PROFILE, kind=kind_named("image"), n_rows=10_000, n_columns=3_072, trial_seconds=4.0)
    series = replace(PROFILE, kind=kind_named("sequence"), n_rows=10_000, shape=(100, 3), length=100.0)
    assert not any(map(ends_in_time, (wide, classes, words, image, series)))
    assert ends_in_time(replace(words, n_texts=0))
    assert ends_in_time(replace(series, length=10.0))


def test_folds_of_other_kinds_are_never_fewer_from_the_start():
    assert folds_within(replace(PROFILE, kind=kind_named("image"), n_rows=10**6), 5) is None
