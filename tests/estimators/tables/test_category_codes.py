"""category_codes: the codes of pandas, whatever the number of columns."""

import numpy as np
import pandas as pd

from skauto.estimators.tables._category_codes import category_codes


def test_codes_follow_the_levels_not_the_rows():
    levels = ["S", "M", "L"]
    table = pd.DataFrame(
        {"a": pd.Categorical(["L", None, "S"], levels), "b": pd.Categorical(["M", "M", "L"], levels)}, index=[7, 3, 9]
    )
    given = category_codes(table)
    np.testing.assert_array_equal(given, [[2, 1], [-1, 1], [0, 2]])
    assert given.dtype == np.float32


def test_no_columns_give_no_columns():
    assert category_codes(pd.DataFrame(index=range(4))).shape == (4, 0)
