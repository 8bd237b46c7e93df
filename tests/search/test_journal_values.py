"""Values as JSON and back."""

import json
from decimal import Decimal

import numpy as np
import pytest

from skauto.search._journal_values import LostArrayError, Values


def there_and_back(value, folder):
    values = Values(folder)
    return values.unpack(json.loads(json.dumps(values.pack(value, "0"))))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 2.5, "text", [1, [2]], {}, {"a": {"b": [None]}}, b"bytes", float("inf")),
        *(
            {"number": 1.0},
            {"array": 2},
            {"values": [1], "dtype": "x"},
            {"\0number": 1.0},
            {"\0": 1},
            {1: 2, (3, 4): 5},
        ),
    ],
)
def test_values_come_back(value, tmp_path):
    assert there_and_back(value, tmp_path / "a") == value


def test_arrays_come_back_with_their_types(tmp_path):
    for value in (
        np.arange(3),
        np.array([0.1, np.nan], np.float32),
        np.random.default_rng(0).random((50, 2)),
        np.eye(2),
    ):
        back = there_and_back({"x/y": value, "x_y": value}, tmp_path / "a")["x/y"]
        np.testing.assert_array_equal(back, value)
        assert back.dtype == value.dtype


def test_names_of_files_never_meet(tmp_path):
    big = {"x/y": np.zeros(99), "x_y": np.ones(99), "../z": np.full(99, 2.0), "X_Y": np.full(99, 3.0)}
    back = there_and_back(big, tmp_path / "a")
    assert [back[name][0] for name in big] == [0, 1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_a_lost_array(damage, tmp_path):
    values = Values(tmp_path)
    packed = values.pack(np.zeros(99), "0")
    (path,) = tmp_path.iterdir()
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(LostArrayError, match="0.npy"):
        values.unpack(packed)


def test_numbers_of_other_kinds_and_what_is_none(tmp_path):
    assert there_and_back([Decimal("0.5"), np.float32(0.5)], tmp_path) == [0.5, 0.5]
    with pytest.raises(TypeError, match="cannot hold"):
        Values(tmp_path).pack({"a": object()}, "0")
