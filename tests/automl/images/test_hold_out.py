"""Folds of images, or one part held back: by rows, pixels and seconds."""

import pytest

from skauto.automl.images._hold_out import MOST_PARTS, SINGLE_FOLD_ROWS, parts_with_one_held_out

COLOUR = (32, 32, 3)


def test_folds_where_there_is_time_for_a_network_of_each():
    assert parts_with_one_held_out(1_500, COLOUR, 5, seconds=120) is not None
    assert parts_with_one_held_out(1_500, COLOUR, 5, seconds=1_200) is None
    assert parts_with_one_held_out(1_500, COLOUR, 20, seconds=800) is not None
    assert parts_with_one_held_out(300, COLOUR, 5, seconds=120) is None
    assert parts_with_one_held_out(1_500, (8, 8), 5, seconds=120) is None


@pytest.mark.parametrize("shape", [COLOUR, (3, 32, 32), (32, 32), (1, 32, 32)])
def test_channels_count_little(shape):
    assert parts_with_one_held_out(1_500, shape, 5, seconds=120) == 10


def test_of_many_rows_one_part_in_any_case():
    assert parts_with_one_held_out(SINGLE_FOLD_ROWS, (8, 8), 5, seconds=1e9) == MOST_PARTS


@pytest.mark.parametrize("n_rows, parts", [(200, 4), (600, 4), (1_000, 6), (50_000, 10)])
def test_enough_rows_are_held_back_to_tell_networks_apart(n_rows, parts):
    assert parts_with_one_held_out(n_rows, COLOUR, 5, seconds=1) == parts
