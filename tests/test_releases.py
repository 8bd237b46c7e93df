"""Files of earlier releases load, or one line says what to do: tests/data holds a model and a journal of each."""

import shutil
from pathlib import Path

import pytest
from sklearn.datasets import make_classification

from skauto import AutoClassifier, load_model

DATA = Path(__file__).parent / "data"
REFUSED = ["0.1.0"]  # modules have moved since


def fitted_then(journal):
    """The search whose journal is there, gone on with."""
    X, y = make_classification(60, 3, n_informative=2, n_redundant=0, random_state=0)
    settings = {"n_iter": 1, "time_limit": None, "cv": 2, "candidates": "naive_bayes", "verbose": 0}
    return AutoClassifier(**settings, pos_label=1, random_state=0, journal=journal).fit(X, y)


@pytest.mark.parametrize("release", REFUSED)
def test_a_model_is_refused_before_anything_is_unpickled(release, monkeypatch):
    monkeypatch.setattr("pickle.Unpickler", None)
    with pytest.raises(ValueError, match=r"0\.1") as error:
        load_model(DATA / release / "model.skauto")
    assert "\n" not in str(error.value) and "fit again" in str(error.value)


@pytest.mark.parametrize("release", REFUSED)
def test_a_journal_is_refused_and_stays_as_it_was(release, tmp_path):
    journal = shutil.copytree(DATA / release / "journal", tmp_path / "journal")
    before = (journal / "log.jsonl").read_bytes()
    with pytest.raises(ValueError) as error:
        fitted_then(journal)
    assert "\n" not in str(error.value)
    assert (journal / "log.jsonl").read_bytes() == before
