"""Codes: parts by their shape, positions of words of few letters, and what looks drawn at random."""

import uuid

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_codes import CodeColumn, common_shape, look_random

RNG = np.random.default_rng(0)


def texts(make, n=400):
    return np.array([make(i) for i in range(n)], dtype=object)


def letters(alphabet, length):
    return "".join(RNG.choice(list(alphabet), length))


CODES = texts(lambda i: f"{'AB' if i % 3 else 'XY'}-{i:04d}-{'pqr'[i % 2]}")
WORDS = texts(lambda i: letters("ACGT", 12))


def test_parts_of_product_codes():
    column = CodeColumn().fit(CODES, np.ones(400, dtype=int))
    assert column.suffixes == ["part0", "part1", "part2"]
    family, number, kind = column.transform(pd.Series(["XY-0033-p", "AB-0001-q", "odd", None]))
    assert family.tolist()[:2] == ["XY", "AB"]
    np.testing.assert_array_equal(number, [33, 1, np.nan, np.nan])
    assert kind.tolist()[:2] == ["p", "q"]


def test_places_of_words_of_few_letters():
    column = CodeColumn().fit(WORDS, np.ones(400, dtype=int))
    assert len(column.suffixes) == 12
    assert [cells[0] for cells in column.transform(pd.Series(WORDS[:1]))] == list(WORDS[0])


def test_serial_numbers():
    assert CodeColumn().fit(texts(lambda i: f"row{i:05d}"), np.ones(400, dtype=int)).is_serial
    assert not CodeColumn().fit(CODES, np.ones(400, dtype=int)).is_serial


@pytest.mark.parametrize(
    "make",
    [
        lambda i: str(uuid.UUID(int=int(RNG.integers(2**62)) ** 2)),
        lambda i: f"{RNG.integers(2**60):016x}",
        lambda i: letters("abcdefghijklmnopqrstuvwxyz0123456789", 12),
        lambda i: letters("abcdefghijklmnopqrstuvwxyz", 12),
    ],
    ids=["uuid", "hex", "base 36", "letters"],
)
def test_random_keys(make):
    assert look_random(texts(make))


@pytest.mark.parametrize("values", [WORDS, CODES, texts(lambda i: f"Mr{'aeiou'[i % 5]}berger{'n' * (i % 7)}")])
def test_codes_and_names_are_none(values):
    assert not look_random(values)


def test_shapes():
    assert common_shape(CODES) == "A-9-A"
    assert common_shape(texts(lambda i: "a b")) is None
    assert common_shape(texts(lambda i: "a" if i % 2 else "1")) is None


@pytest.mark.parametrize("cell", ["AB-\u00b2", "AB-\u00b3-p", "AB-\u2460-q", "AB-\u00bd-q", "AB-\u0663-q"])
def test_raised_and_circled_digits_are_read_or_missing(cell):
    column = CodeColumn().fit(CODES, np.ones(400, dtype=int))
    number = column.transform(pd.Series([cell, "AB-0001-q"]))[1]
    np.testing.assert_array_equal(number, [3 if "\u0663" in cell else np.nan, 1])
    CodeColumn().fit(np.array([*CODES, cell], dtype=object), np.ones(401, dtype=int))
