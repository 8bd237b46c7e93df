"""Progress: one line rewritten on a terminal, few lines elsewhere, none when told to be quiet."""

import io
import time

import pytest

from skauto.automl._progress import Progress
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial

SPACE = Space({"candidate": ["tree"], "depth": [1, 2, 3]})


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(stream, verbose=1, time_limit=30.0):
    """Progress shown through three results."""
    history = History(SPACE, seed=0)
    progress = Progress(verbose, time_limit, time.monotonic(), stream)
    told = [(Status.COMPLETE, 0.5), (Status.FAILED, float("nan")), (Status.CANCELLED, float("nan"))]
    for number, (status, score) in enumerate(told):
        trial, result = (
            Trial(number, SPACE.encode({"candidate": "tree", "depth": 1 + number})),
            Result(number, status, score),
        )
        progress.on_result(history, trial, result)
    progress.say("mlp left out")
    progress.show("finished", end=True)
    return stream.getvalue()


def test_elsewhere_only_a_line_now_and_then():
    lines = run(io.StringIO()).splitlines()
    assert len(lines) == 3
    assert "searching" in lines[0]
    assert lines[1] == "skauto mlp left out"
    assert "0/30 s  finished    1 trials, 1 failed, best 0.5000 (tree)" in lines[2]


def test_a_terminal_has_one_line_that_is_rewritten():
    shown = run(Terminal())
    assert shown.count("\n") == 2
    assert shown.count("\r\x1b[2K") == 5


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_silence(stream):
    assert run(stream(), verbose=0) == ""


def test_without_a_limit_only_seconds_are_shown():
    assert "skauto         0 s" in run(io.StringIO(), time_limit=None)
