"""Levels: all that are frequent, the same for a cell in every form, and a word where most are unseen."""

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_categories import CategoryColumn


def fitted(texts, counts=None, **settings):
    counts = np.full(len(texts), 9) if counts is None else np.array(counts)
    options = {"max_categories": None, "min_frequency": 3, **settings}
    return CategoryColumn().fit(np.array(texts, dtype=object), counts, **options)


def test_all_frequent_levels_are_kept():
    column = fitted([f"shop {i}" for i in range(2_000)] + ["once"], [5] * 2_000 + [1])
    assert len(column.levels) == 2_001
    assert column.transform(pd.Series(["shop 7", "once", "new", None]))[0].tolist()[:1] == ["shop 7"]
    assert column.transform(pd.Series(["once", "new"]))[0].tolist() == ["infrequent"] * 2


@pytest.mark.parametrize(
    ("cells", "level"),
    [
        ([True, "TRUE", "true", " True "], "True"),
        ([7, 7.0, "7", "007", "+7"], "007"),
        ([1.5, "1.50", "1.5"], "1.50"),
        ([100000, "1e5", 1e5], "1e5"),
    ],
)
def test_a_cell_belongs_to_its_level_in_every_form(cells, level):
    column = fitted(["True", "007", "1.50", "1e5", "maybe"])
    for cell in cells:
        assert column.transform(pd.Series([cell]))[0].tolist() == [level]
        assert column.transform(pd.Series([cell, "maybe"], dtype=object))[0].tolist() == [level, "maybe"]


def test_mostly_unseen_cells_are_told_of():
    column = fitted(["Ulm", "Bonn"])
    for cells, expected in ((["Rome"] * 12, [(12, 12)]), (["Ulm"] * 12, []), (["Rome"] * 3, []), (["?"] * 12, [])):
        trouble = []
        column.transform(pd.Series(cells), trouble)
        assert trouble == expected


def test_different_codes_are_different_levels_though_floats_are_equal():
    for codes in (["12345678901234567001", "12345678901234567002"], ["1E2", "10E1", "100"], ["12E5", "120E4", "AB1"]):
        column = fitted(codes)
        assert column.transform(pd.Series(codes))[0].tolist() == codes
    column = fitted(["12E5", "1.10", "12345678901234567001", "x", "y"], [9, 9, 9, 9, 1])
    unseen = ["120E4", "1.100", "12345678901234567002"]
    assert column.transform(pd.Series(unseen))[0].tolist() == ["infrequent"] * 3
    assert column.transform(pd.Series([1_200_000, 1.1], dtype=object))[0].tolist() == ["12E5", "1.10"]


def test_a_rare_level_does_not_become_the_frequent_one_of_the_same_number():
    column = fitted(["1.10", "1.1", "x"], [9, 1, 9])
    assert column.transform(pd.Series(["1.10", "1.1"]))[0].tolist() == ["1.10", "infrequent"]
