"""Telling: no stream that cannot be written to ends the work, and the process is left as it was."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline

from skauto import Candidate
from skauto._telling import steady_streams, tell, warn
from skauto.estimators.tables._table_cleaner import TableCleaner
from skauto.resample import SMOTE, PriorCorrectedClassifier
from skauto.search import SearchCV, Space
from tests.support.autos import X, quick


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


class Closed(io.StringIO):
    def __init__(self):
        super().__init__()
        self.close()


@pytest.mark.parametrize("stream", [Full(), Closed(), object()], ids=["full", "closed", "no stream"])
def test_what_cannot_be_written_is_passed_over(stream):
    assert not tell("text", stream)


def test_missing_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert not tell("text")


def test_letters_that_the_encoding_lacks_are_escaped():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert tell("größe\n", stream)
    assert stream.buffer.getvalue() == b"gr\\xf6\\xdfe\n"


@pytest.mark.parametrize("stream", [Full(), Closed(), None], ids=["full", "closed", "missing"])
def test_prints_end_nothing(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    with steady_streams(), steady_streams():
        for written in filter(None, (sys.stdout, sys.stderr)):
            written.write("text")
            written.flush()
    assert sys.stdout is stream
    assert sys.stderr is stream


def test_what_can_be_written_arrives(capsys):
    with steady_streams():
        sys.stdout.write("text\n")
        sys.stderr.writelines(["a", "b"])
        assert sys.stdout.encoding
    assert capsys.readouterr() == ("text\n", "ab")


def test_closed_file_numbers_are_no_ones_else(tmp_path):
    kept = os.dup(0)
    os.close(0)
    try:
        with steady_streams(), (tmp_path / "model").open("w") as file:
            assert file.fileno() > 2
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_a_warning_names_the_line_that_called_into_the_package():
    """However deep inside the package its reason is found; it named a line of scikit-learn or of ours."""
    with pytest.warns(UserWarning, match="pos_label=None takes the rarer class") as said:
        quick().fit(X, (np.arange(len(X)) % 3 > 0).astype(int))
    assert {Path(warning.filename).name for warning in said} == {"test_telling.py"}
    with pytest.warns(FutureWarning, match="later") as said:
        warn("later", FutureWarning)
    assert said[0].filename == __file__


Y = np.arange(len(X)) % 2


def constant_column():
    return make_pipeline(TableCleaner(), LogisticRegression()).fit(pd.DataFrame({"a": [1.0] * 4}), [0, 1, 0, 1])


def too_few_neighbours():
    SMOTE(k_neighbors=5).fit_resample(np.arange(20.0)[:, None], [0] * 17 + [1] * 3)


def lost_threshold():
    inner = FixedThresholdClassifier(LogisticRegression(class_weight="balanced"), threshold=0.3)
    PriorCorrectedClassifier(inner, decision="unresampled").fit(X, np.arange(len(X)) % 4 == 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Candidate("a", LogisticRegression(), {"C": (0.1, 10.0)}), "is a choice of two values"),
        (lambda: Space({"C": (0.1, 10.0)}), "is a choice of two values"),
        (lambda: SearchCV(LogisticRegression(), {"C": (0.1, 10.0)}, cv=2).fit(X, Y), "is a choice of two values"),
        (constant_column, "no column of X varies"),
        (too_few_neighbours, "SMOTE"),
        (lost_threshold, "does not use the rule"),
    ],
)
def test_warnings_name_the_line_of_the_caller_also_through_scikit_learn(call, said):
    with pytest.warns(UserWarning, match=said) as caught:
        call()
    assert {warning.filename for warning in caught} == {__file__}
