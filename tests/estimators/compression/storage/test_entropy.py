import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skauto.estimators.compression.storage import _entropy
from skauto.estimators.compression.storage._entropy import decode, encode, entropy_bits


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9000), st.integers(1, 256), st.floats(0, 1), st.integers(0, 2**31))
def test_symbols_come_back(count, size, peak, seed):
    rng = np.random.default_rng(seed)
    symbols = np.where(rng.random(count) < peak, 0, rng.integers(0, size, count))
    data = encode(symbols, size)
    np.testing.assert_array_equal(decode(data, count, size), symbols)
    assert len(data) <= entropy_bits(symbols) / 8 * 1.02 + 2 * size + 80


def test_long_streams_are_within_a_percent_of_entropy():
    rng = np.random.default_rng(0)
    symbols = np.where(rng.random(400_000) < 0.95, 0, rng.integers(1, 17, 400_000))
    assert len(encode(symbols, 17)) < 1.01 * entropy_bits(symbols) / 8


@pytest.mark.parametrize("count", [1, 16_383, 40_000, 400_000])
def test_streams_come_back_whatever_number_of_lanes_they_have(count):
    symbols = np.random.default_rng(0).binomial(30, 0.2, count)
    data = encode(symbols, 31)
    np.testing.assert_array_equal(decode(data, count, 31), symbols)
    with pytest.raises(ValueError):
        decode(data[:-2], count, 31)


def test_few_lanes_write_the_same_bytes_as_many(monkeypatch):
    symbols = np.random.default_rng(0).binomial(30, 0.2, 40_003)  # whose last row has not all lanes
    few = encode(symbols, 31)
    monkeypatch.setattr(_entropy, "FEW", 0)
    assert encode(symbols, 31) == few
    np.testing.assert_array_equal(decode(few, len(symbols), 31), symbols)
