import pytest

from skauto.estimators.compression._checks import check
from skauto.estimators.compression._lowrank import LowRank


@pytest.mark.parametrize("value", [0, 2, True, "a", None])
def test_a_bad_value_is_named_with_what_is_allowed(value):
    with pytest.raises(ValueError, match="energy of LowRank must be a share, got"):
        check(LowRank(energy=value), "energy", lambda v: 0 < v <= 1, "a share")


def test_good_values_pass():
    check(LowRank(energy=0.5), "energy", lambda v: 0 < v <= 1, "a share")
    check(LowRank(form="spatial"), "form", {"channels", "spatial"})
