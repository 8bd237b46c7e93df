"""Log-odds: of certain rows, in order, and of many classes."""

import numpy as np
import pytest

from skauto.resample._log_odds import log_odds


def test_log_odds_keep_their_order_and_end_soon():
    odds = log_odds(np.array([[1.0, 0.0], [0.5, 0.5], [0.1, 0.9], [1e-9, 1 - 1e-9]]))
    assert odds[1] == 0
    assert odds[2] == pytest.approx(np.log(9))
    assert (np.diff(odds) > 0).all()
    assert 11.5 < odds[3] < 11.6
    assert log_odds(np.array([[0.2, 0.3, 0.5]]))[0] == pytest.approx(np.log([1 / 4, 3 / 7, 1]))
