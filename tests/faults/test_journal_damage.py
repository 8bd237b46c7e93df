"""A damaged journal is an error that says where and what to do, or is mended; it never gives another result.

Of 43 kinds of damage 27 ended in a raw exception, and three gave another leaderboard without a word.
"""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.tree import DecisionTreeClassifier

from skauto import AutoClassifier
from skauto.search import Halving, Random, SearchCV

pytestmark = [
    pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X, Y = make_classification(120, 4, flip_y=0.2, random_state=0)


def search(journal, **changes):
    given = {"estimator": DecisionTreeClassifier(random_state=0), "space": {"max_depth": [1, 2, 3]}, "strategy": "grid",
             "cv": 2, "random_state": 0, "journal": journal}  # fmt: skip
    return SearchCV(**{**given, **changes})


def auto(journal):
    given = {"candidates": ["naive_bayes"], "n_iter": 3, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0}
    return AutoClassifier(**given, verbose=0, journal=journal)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished journal of a search: seven lines."""
    folder = tmp_path_factory.mktemp("whole") / "j"
    search(folder).fit(X, Y)
    assert (folder / "log.jsonl").read_bytes().count(b"\n") == 7
    return folder


def edited(line, old, new):
    assert old in line
    return line.replace(old, new, 1)


def without(line, *path):
    """A line that lacks an entry, its checksum as it was."""
    record = json.loads(line)
    inner = record
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return json.dumps(record).encode()


# The lines after the damage, and the number of the line that is told.
DAMAGE = {
    "a number": (lambda lines: [*lines[:2], b"5", *lines[3:]], 3),
    "null": (lambda lines: [*lines[:2], b"null", *lines[3:]], 3),
    "a list": (lambda lines: [*lines[:2], b"[]", *lines[3:]], 3),
    "a text": (lambda lines: [*lines[:2], b'"told"', *lines[3:]], 3),
    "an empty object": (lambda lines: [*lines[:2], b"{}", *lines[3:]], 3),
    "an empty line": (lambda lines: [*lines[:2], b"", *lines[3:]], 3),
    "zeros": (lambda lines: [*lines[:2], bytes(80), *lines[3:]], 3),
    "no text": (lambda lines: [*lines[:2], b"\xff\xfe\x80", *lines[3:]], 3),
    "deep nesting": (lambda lines: [*lines[:2], b"[" * 100_000, *lines[3:]], 3),
    "many digits": (lambda lines: [*lines[:2], b"9" * 10_000, *lines[3:]], 3),
    "half a line": (lambda lines: [*lines[:2], lines[2][:40], *lines[3:]], 3),
    "two lines in one": (lambda lines: [*lines[:2], lines[2] + lines[3], *lines[4:]], 3),
    "a line twice": (lambda lines: [*lines[:3], *lines[2:]], 4),
    "an asked line missing": (lambda lines: [*lines[:3], *lines[4:]], 4),
    "a told line missing": (lambda lines: [*lines[:2], *lines[3:]], 3),
    "two lines swapped": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
    "the file after itself": (lambda lines: [*lines, *lines], 8),
    "the last line again": (lambda lines: [*lines, lines[-1]], 8),
    "a line of another journal": (lambda lines: [*lines, b'{"event": "asked", "trial": {}, "seen": 0}'], 8),
    "an unknown event": (lambda lines: [lines[0], edited(lines[1], b'"asked"', b'"asken"'), *lines[2:]], 2),
    "an unknown status": (lambda lines: [*lines[:3], edited(lines[3], b"complete", b"completo"), *lines[4:]], 4),
    "another number": (lambda lines: [lines[0], edited(lines[1], b'"number": 0', b'"number": 7'), *lines[2:]], 2),
    "another choice": (lambda lines: [lines[0], edited(lines[1], b'"max_depth": 0', b'"max_depth": 9'), *lines[2:]], 2),
    "another score": (lambda lines: [*lines[:3], edited(lines[3], b'"score": 0.', b'"score": 1.'), *lines[4:]], 4),
    "another time": (lambda lines: [*lines[:3], edited(lines[3], b'"time": 1', b'"time": 2'), *lines[4:]], 4),
    "no seed": (lambda lines: [without(lines[0], "seed"), *lines[1:]], 1),
    "no search": (lambda lines: [without(lines[0], "about"), *lines[1:]], 1),
    "no trial": (lambda lines: [lines[0], without(lines[1], "trial"), *lines[2:]], 2),
    "no params": (lambda lines: [lines[0], without(lines[1], "trial", "params"), *lines[2:]], 2),
    "no result": (lambda lines: [*lines[:3], without(lines[3], "result"), *lines[4:]], 4),
    "no score": (lambda lines: [*lines[:3], without(lines[3], "result", "score"), *lines[4:]], 4),
    "no details": (lambda lines: [*lines[:3], without(lines[3], "details"), *lines[4:]], 4),
    "no checksum": (lambda lines: [*lines[:3], without(lines[3], "crc32"), *lines[4:]], 4),
    "no event": (lambda lines: [*lines[:3], without(lines[3], "event"), *lines[4:]], 4),
    "carriage returns": (lambda lines: [line + b"\r" for line in lines], 1),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_line_is_named(name, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "j")
    log = tmp_path / "j" / "log.jsonl"
    damage, number = DAMAGE[name]
    log.write_bytes(b"\n".join([*damage(log.read_bytes().splitlines()), b""]))
    content = log.read_bytes()
    with pytest.raises(ValueError, match=f"damaged in line {number} ") as caught:
        search(tmp_path / "j").fit(X, Y)
    assert type(caught.value).__name__ == "JournalError"
    assert log.read_bytes() == content
    if number > 1:  # what the message advises
        assert f"head -n {number - 1}" in str(caught.value)
        log.write_bytes(b"".join(content.splitlines(keepends=True)[: number - 1]))
        mended = search(tmp_path / "j").fit(X, Y).cv_results_["mean_test_score"]
        np.testing.assert_array_equal(mended, search(None).fit(X, Y).cv_results_["mean_test_score"])


@pytest.mark.parametrize("content", [b"notes\n", b"notes", b'{"event": "asked"}\n', b"[1]\n", b"\x80\x04\n", b"7"])
def test_other_files_are_no_journals_and_stay_as_they_are(tmp_path, content):
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match="is no journal of a search"):
        search(tmp_path).fit(X, Y)
    assert (tmp_path / "log.jsonl").read_bytes() == content


@pytest.mark.parametrize("rest", [b"", bytes(300), b'{"event": "se'])
def test_what_a_kill_leaves_of_the_first_line_is_a_new_journal(tmp_path, rest):
    (tmp_path / "log.jsonl").write_bytes(rest)
    assert len(search(tmp_path).fit(X, Y).cv_results_["params"]) == 3


def test_a_journal_of_an_earlier_format_is_named(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"about": {}, "event": "search", "format": 1, "seed": 0}\n')
    with pytest.raises(ValueError, match="has format 1, this version of skauto writes format"):
        search(tmp_path).fit(X, Y)


def test_journals_differ_in_times_and_checksums_alone(whole, tmp_path):
    search(tmp_path).fit(X, Y)
    seen = []
    for folder in (whole, tmp_path):
        records = [json.loads(line) for line in (folder / "log.jsonl").read_bytes().splitlines()]
        assert all({"time", "crc32"} <= record.keys() for record in records)
        seen.append([{name: record[name] for name in record.keys() - {"time", "crc32"}} for record in records])
    for record in seen[0] + seen[1]:
        record.get("result", {}).pop("seconds", None)
        for fold in (record.get("details") or {}).get("folds", []):
            fold.pop("fit_time"), fold.pop("score_time")
    assert seen[0] == seen[1]


@pytest.fixture(scope="module")
def with_arrays(tmp_path_factory):
    """A journal of AutoClassifier with the probabilities of three trials, and what it predicts."""
    folder = tmp_path_factory.mktemp("arrays") / "j"
    made = auto(folder).fit(X, Y)
    return folder, made.predict_proba(X), made.leaderboard_["score"].tolist()


def flip(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


ARRAYS = {
    "a flipped bit": flip,
    "the array of another trial": lambda path: shutil.copy(path.with_name(path.name.replace("1-", "0-", 1)), path),
    "missing": os.remove,
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_trial_whose_array_is_damaged_is_run_again(name, with_arrays, tmp_path):
    """Some of these gave another leaderboard and threshold without a word; the others made the journal useless."""
    whole, proba, scores = with_arrays
    shutil.copytree(whole, tmp_path / "j")
    (path,) = (tmp_path / "j" / "arrays").glob("1-*.npy")
    lines = (tmp_path / "j" / "log.jsonl").read_bytes().count(b"\n")
    ARRAYS[name](path)
    if name == "a folder":  # nothing can be written there
        with pytest.raises(ValueError, match="cannot be written"):
            auto(tmp_path / "j").fit(X, Y)
        return
    made = auto(tmp_path / "j").fit(X, Y)
    np.testing.assert_array_equal(made.predict_proba(X), proba)
    assert made.leaderboard_["score"].tolist() == scores
    assert (tmp_path / "j" / "log.jsonl").read_bytes().count(b"\n") == lines + 2  # lost, and told again
    auto(tmp_path / "j").fit(X, Y)
    assert (tmp_path / "j" / "log.jsonl").read_bytes().count(b"\n") == lines + 2


@pytest.mark.parametrize(
    "names", [["number"], ["array"], ["values", "dtype"], ["event", "crc32"], ["\0number"], ["a/b", ".."]]
)
def test_metrics_may_have_any_name(names, tmp_path):
    """Words of the journal's own made it unreadable."""
    scoring = {name: get_scorer("accuracy") for name in names}
    for _ in range(2):
        made = search(tmp_path, scoring=scoring, refit=names[0]).fit(X, Y)
    assert made.cv_results_[f"mean_test_{names[-1]}"].shape == (3,)


def test_the_first_of_several_scores_stays_the_first(tmp_path):
    def scores(estimator, X, y):
        return {"z": -estimator.get_depth(), "a": accuracy_score(y, estimator.predict(X))}

    made = [search(tmp_path, scoring=scores, refit="z").fit(X, Y) for _ in range(2)]
    names = [[name for name in one.cv_results_ if name.startswith("mean_test")] for one in made]
    assert names[0] == names[1]
    assert made[0].best_params_ == made[1].best_params_


def test_journals_where_none_can_be(tmp_path):
    """Raw PermissionError, FileExistsError and IsADirectoryError."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "log.jsonl").mkdir(parents=True)
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "folder", "/proc/nowhere"):
        with pytest.raises(ValueError, match="cannot be opened"):
            search(place).fit(X, Y)
        with pytest.raises(ValueError, match="cannot be opened"):
            auto(place).fit(X, Y)


def test_arrays_that_cannot_be_written(tmp_path):
    (tmp_path / "arrays").write_text("")
    with pytest.raises(ValueError, match="cannot be written .* make room and start the search again"):
        auto(tmp_path).fit(X, Y)


FULL = """
import resource, sys, threading, time
sys.dont_write_bytecode = True
from tests.faults.test_journal_damage import X, Y, auto
log = sys.argv[1] + "/log.jsonl"

def fill():
    # No file of this process may grow any more, once its workers are at work.
    while True:
        try:
            if b'"asked"' in open(log, "rb").read():
                break
        except FileNotFoundError:
            pass
        time.sleep(0.001)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))

threading.Thread(target=fill, daemon=True).start()
try:
    auto(sys.argv[1]).fit(X, Y)
except ValueError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_a_full_disk_under_a_journal_with_arrays(with_arrays, tmp_path):
    """OSError and an empty array file, where the guide says JournalError."""
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path / "j"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("JournalError"), done.stdout + done.stderr[-2000:]
    assert "make room and start the search again" in done.stdout
    np.testing.assert_array_equal(auto(tmp_path / "j").fit(X, Y).predict_proba(X), with_arrays[1])
    assert [path for path in (tmp_path / "j").rglob("*") if "partial" in path.name] == []


class Wanderer(SGDClassifier):
    """Leaves the working directory at each fit."""

    def fit(self, X, y):
        os.makedirs("away", exist_ok=True)
        os.chdir("away")
        return super().fit(X, y)


def test_a_search_that_changes_its_folder_writes_where_it_began(tmp_path, monkeypatch):
    """FileNotFoundError: 'j/models/0-0.part'."""
    monkeypatch.chdir(tmp_path)
    settings = {"estimator": Wanderer(), "space": {"alpha": [1e-4, 1e-3, 1e-2]}, "fidelity": ("max_iter", 1, 9),
                "strategy": Halving(Random(), min_fidelity=1 / 3, n_initial=3), "n_iter": 4}  # fmt: skip
    first = search("j", **settings).fit(X, Y)
    assert (tmp_path / "j" / "log.jsonl").read_bytes().count(b"\n") == 9
    monkeypatch.chdir(tmp_path)
    again = search("j", **settings).fit(X, Y)
    np.testing.assert_array_equal(first.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"])


def test_a_working_folder_that_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ValueError, match="give an absolute path"):
        search("j").fit(X, Y)
    assert len(search(tmp_path / "j").fit(X, Y).cv_results_["params"]) == 3


def test_a_model_that_was_kept_and_is_damaged_is_not_gone_on_from(tmp_path):
    """Fold models of promoted trials stand beside the log: a damaged one was unpickled in a worker."""
    settings = {"estimator": SGDClassifier(), "space": {"alpha": [1e-4, 1e-3, 1e-2]}, "fidelity": ("max_iter", 1, 9),
                "strategy": Halving(Random(), min_fidelity=1 / 3, n_initial=3)}  # fmt: skip
    search(tmp_path, n_iter=3, **settings).fit(X, Y)
    models = list((tmp_path / "models").iterdir())
    assert models
    for path in models:
        path.write_bytes(path.read_bytes()[:-20])
    made = search(tmp_path, n_iter=4, **settings).fit(X, Y)
    assert np.isfinite(made.cv_results_["mean_test_score"]).all()
