import numpy as np
import pytest

from skauto.estimators.compression._checks import (
    check,
    check_by_layer,
    check_integer,
    check_training,
    is_bits,
    is_fraction,
)
from skauto.estimators.compression.steps._lowrank import LowRank
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize


@pytest.mark.parametrize("value", [0, 2, True, "a", None])
def test_a_bad_value_is_named_with_what_is_allowed(value):
    with pytest.raises(ValueError, match="energy of LowRank must be a fraction, got"):
        check(LowRank(energy=value), "energy", lambda v: 0 < v <= 1, "a fraction")


def test_good_values_pass():
    check(LowRank(energy=0.5), "energy", lambda v: 0 < v <= 1, "a fraction")
    check(LowRank(form="spatial"), "form", {"channels", "spatial"})
    check(LowRank(energy=np.float32(0.5)), "energy", lambda v: 0 < v <= 1, "a fraction")
    check_integer(LowRank(), "rank", 1, optional=True)
    check_integer(LowRank(rank=np.int64(3)), "rank", 1, optional=True)
    check_training(LowRank(epochs=0, lr=0.1))
    check_by_layer(Quantize(layer_bits={"a": None, "b": 3}), "layer_bits", is_bits, "bits")


@pytest.mark.parametrize("value", [1.5, 2.0, 0, True, "a", None])
def test_what_is_no_integer_in_range_is_named(value):
    with pytest.raises(ValueError, match="rounds of Prune must be an integer of at least 1, got"):
        check_integer(Prune(rounds=value), "rounds", 1)


def test_bad_training_and_bad_fractions_by_layer_are_named():
    with pytest.raises(ValueError, match="epochs of Prune"):
        check_training(Prune(epochs=1.5))
    with pytest.raises(ValueError, match="lr of Prune must be a number above 0"):
        check_training(Prune(lr="a"))
    for value in ({"a": 1.0}, {"a": "b"}, [0.5]):
        with pytest.raises(ValueError, match="layer_amounts of Prune must be a dict of layer name to a fraction"):
            check_by_layer(Prune(layer_amounts=value), "layer_amounts", is_fraction, "a fraction")
