"""AutoClassifier with a journal and on an executor."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from skauto.search._journal import JournalError
from tests.support.autos import SECONDS, X, Y, quick

pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")


def board(auto):
    return auto.leaderboard(details=True).drop(columns=SECONDS)


def test_a_journal_is_taken_up_with_more_budget(tmp_path):
    quick(n_iter=3, journal=tmp_path).fit(X, Y)
    more = quick(n_iter=5, journal=tmp_path).fit(X, Y)
    whole = quick(n_iter=5).fit(X, Y)
    pd.testing.assert_frame_equal(board(more), board(whole))
    assert len(list((tmp_path / "arrays").glob("*-proba.npy"))) == 5


def test_the_journal_of_another_search_is_refused(tmp_path):
    quick(n_iter=3, journal=tmp_path).fit(X, Y)
    with pytest.raises(JournalError, match="data was"):
        quick(n_iter=3, journal=tmp_path).fit(X + 1, Y)
    with pytest.raises(JournalError, match="folds was 6 folds of cv=2 and is 12 folds of cv=4"):
        quick(n_iter=3, journal=tmp_path, cv=4).fit(X, Y)


@pytest.mark.slow
def test_the_same_on_an_executor():
    with ThreadPoolExecutor(2) as executor:
        there = quick(n_iter=4, executor=executor).fit(X, Y)
    pd.testing.assert_frame_equal(board(there), board(quick(n_iter=4).fit(X, Y)))
