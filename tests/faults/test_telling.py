"""A search is never lost because something could not be told: standard error closed, missing, broken, full or odd."""

import io
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skauto import AutoClassifier
from skauto.search import SearchCV

SCRIPT = """
import sys
import pandas
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from skauto import AutoClassifier
from skauto.search import SearchCV

X, y = make_classification(n_samples=120, weights=[0.4], random_state=0)
if "close" in sys.argv:
    sys.stderr.close()
auto = AutoClassifier(candidates=["naive_bayes"], n_iter=2, time_limit=None, cv=2, n_jobs=2, random_state=0).fit(X, y)
search = SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, verbose=3).fit(X, y)
auto.predict(pandas.DataFrame(X).add_prefix("x"))  # warns of the names
with open(sys.argv[1], "w") as file:
    file.write(f"{len(auto.predict(X))} {len(search.predict(X))}")
"""


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def closed():
    """A stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = {"missing": lambda: None, "closed": closed, "broken": Broken}


@pytest.fixture(params=STREAMS)
def cut_off(request, monkeypatch):
    """A function that makes standard output and error unwritable, and gives what stands in their place."""

    def cut():
        stream = STREAMS[request.param]()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return cut


@pytest.fixture(scope="module")
def rows():
    return make_classification(n_samples=120, random_state=0)


def test_fit_outlives_its_progress(rows, cut_off):
    """The progress line raised; the process has its own streams back."""
    stream = cut_off()
    auto = AutoClassifier(candidates=["naive_bayes"], n_iter=1, time_limit=None, cv=2, n_jobs=1, random_state=0)
    assert len(auto.fit(*rows).predict(rows[0])) == len(rows[0])
    assert sys.stderr is stream


def test_a_search_outlives_its_verbose_lines(rows, cut_off):
    """scikit-learn's lines on each fold ended the whole search with BrokenPipeError or ValueError."""
    stream = cut_off()
    search = SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, verbose=3).fit(*rows)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert sys.stdout is stream


def test_letters_beyond_the_encoding_of_the_terminal(rows, monkeypatch):
    """A terminal of plain ASCII gets escapes for the letters of a class or a message, not an end of the fit."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    X, y = rows
    auto = AutoClassifier(candidates=["naive_bayes"], n_iter=1, time_limit=None, cv=2, n_jobs=1, random_state=0)
    assert len(auto.fit(X, np.where(y == 1, "größer", "kleiner")).predict(X)) == len(X)
    assert b"finished" in stream.buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("end", ["2>&-", "2> >(true)", ">&- 2>&- <&-", ">/dev/full", "close"])
def test_scripts_in_a_shell(end, tmp_path):
    """As services, daemons and full disks start scripts: the models are there, also where the fit warns."""
    made = tmp_path / "made"
    command = f'"{sys.executable}" -c "$0" "$1" {end}'
    subprocess.run(["bash", "-c", command, SCRIPT, str(made)], timeout=240, check=False)
    assert made.read_text() == "120 120"
