"""Files of earlier releases load, or one line says what to do: tests/data holds a model and a journal of each."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from skauto import __version__, load_model
from tests.data.write_release import rows, search

DATA = Path(__file__).parent / "data"
REFUSED = ["0.1.0"]  # modules have moved since
READ = sorted({folder.name for folder in DATA.iterdir() if (folder / "model.skauto").exists()} - set(REFUSED))


def test_there_are_files_of_every_release(project):
    released = re.findall(r"^## (\d+\.\d+\.\d+)", (project / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert sorted(released) == sorted([*REFUSED, *READ])
    assert released[0] == __version__


@pytest.mark.parametrize("release", READ)
def test_a_model_predicts_as_when_it_was_written(release):
    X, _ = rows()
    expected = json.loads((DATA / release / "predicted.json").read_text())
    np.testing.assert_allclose(load_model(DATA / release / "model.skauto").predict_proba(X)[:, 1], expected, atol=1e-5)


@pytest.mark.parametrize("release", READ)
def test_a_search_goes_on_from_its_journal(release, tmp_path):
    journal = shutil.copytree(DATA / release / "journal", tmp_path / "journal")
    before = (journal / "log.jsonl").read_text()
    model = search(journal, n_iter=2).fit(*rows())
    assert (journal / "log.jsonl").read_text().startswith(before)
    assert len(model.cv_results_["params"]) == 2


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
        search(journal).fit(*rows())
    assert "\n" not in str(error.value)
    assert (journal / "log.jsonl").read_bytes() == before
