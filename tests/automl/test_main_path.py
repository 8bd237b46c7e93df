"""The way from AutoClassifier.fit to an estimator's fit: how many functions of skauto lie on it, and which."""

import sys
from pathlib import Path

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

import skauto
from skauto import AutoClassifier, Candidate
from skauto.search._worker import Worker

PACKAGE = str(Path(skauto.__file__).parent)
MAX_CALLS = 9


def functions_above(frame, first):
    """Names of skauto's functions from the one called `first` down to a frame."""
    names = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            names.append(frame.f_code.co_name)
            if names[-1] == first:
                break
        frame = frame.f_back
    return names[::-1]


class Traced(LogisticRegression):
    """Writes down who called its fit."""

    def __init__(self, C=1.0, note=None):
        super().__init__(C=C)
        self.note = note

    def fit(self, X, y, sample_weight=None):
        path = functions_above(sys._getframe(1), first="_answer")
        if path and path[0] == "_answer" and "evaluate" in path:
            Path(self.note).write_text(" ".join(path))
        return super().fit(X, y, sample_weight=sample_weight)


def test_at_most_nine_calls_from_fit_to_the_fit_of_an_estimator(tmp_path, monkeypatch):
    """What runs between a message's sending and its arrival is the channel's own, and counts as one call."""
    sent = []

    def send(worker, kind, *message):
        if kind == "task":
            sent.append([*functions_above(sys._getframe(1), first="fit"), "send"])
        return original(worker, kind, *message)

    original = Worker.send
    monkeypatch.setattr(Worker, "send", send)
    X, y = make_classification(120, 5, random_state=0)
    note = tmp_path / "note"
    mine = Candidate("mine", Traced(note=str(note)), {"C": [0.1, 1.0]})
    AutoClassifier(candidates=[mine], n_iter=2, time_limit=None, cv=3, n_jobs=1, verbose=0, random_state=0).fit(X, y)
    # Of the last trial: the first one waits in the queue until its worker has started; refits come after them.
    here = [path for path in sent if "run_search" in path][-1]
    there = note.read_text().split()
    assert here == ["fit", "run_search", "search", "submit", "send"]
    assert there == ["_answer", "_run_task", "evaluate", "fit_plain"]
    to_the_worker, to_the_estimator = 1, 1
    n_calls = len(here) - 1 + to_the_worker + len(there) - 1 + to_the_estimator
    assert n_calls <= MAX_CALLS
