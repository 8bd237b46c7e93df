"""Child seeds: the same for the same place, different for different places."""

import itertools

import numpy as np
import pytest

from skauto._seeds import child_rng, child_seed, root_seed


def test_child_seeds_are_reproducible_and_fit_every_library():
    assert child_seed(7, "trial", 3) == child_seed(7, "trial", 3)
    seeds = {child_seed(7, "trial", i) for i in range(1_000)}
    assert len(seeds) == 1_000
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_distinct_places_get_distinct_seeds():
    places = [
        (),
        ("a",),
        ("b",),
        ("a", "b"),
        ("ab",),
        ("a", 1),
        ("a1",),
        (1, "a"),
        ("a" * 9,),
        ("a" * 8, "a"),
        (0,),
        (0, 0),
    ]
    seeds = [child_seed(0, *place) for place in places]
    assert len(set(seeds)) == len(places)
    assert child_seed(0, "a") != child_seed(1, "a")


def test_child_rng_draws_what_its_place_says():
    one, same, other = child_rng(0, "x"), child_rng(0, "x"), child_rng(0, "y")
    draws = one.integers(2**62, size=4)
    np.testing.assert_array_equal(draws, same.integers(2**62, size=4))
    assert not np.array_equal(draws, other.integers(2**62, size=4))


def test_root_seed_of_an_integer_is_that_integer():
    assert root_seed(5) == root_seed(np.int64(5)) == 5


def test_root_seed_of_none_is_fresh():
    assert len({root_seed(None) for _ in range(8)}) > 1


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_root_seed_draws_from_a_generator(make):
    generator = make(0)
    drawn = [root_seed(generator) for _ in range(3)]
    assert len(set(drawn)) == 3
    again = make(0)
    assert drawn == [root_seed(again) for _ in range(3)]
    assert all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in drawn)


def test_root_seed_refuses_what_is_no_seed():
    with pytest.raises((TypeError, ValueError)):
        root_seed("seven")


def test_seeds_of_neighbouring_roots_share_nothing():
    grid = [child_seed(root, "fold", fold) for root, fold in itertools.product(range(20), range(20))]
    assert len(set(grid)) == 400
