"""What n_jobs means."""

import pytest

from skauto.search._cores import cores, count_workers


def test_n_jobs():
    assert count_workers(None) == 1
    assert count_workers(3) == 3
    assert count_workers(-1) == cores()
    assert count_workers(-1000) == 1
    with pytest.raises(ValueError, match="n_jobs=0"):
        count_workers(0)
