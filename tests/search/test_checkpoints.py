"""Fold models of trials that may be promoted."""

import pytest

from skauto.search._checkpoints import ModelStore
from skauto.search._history import History
from skauto.search._journal import JournalError
from skauto.search._space import Space
from skauto.search._trial import Trial

SPACE = Space({"x": [1, 2, 3]})


def trial(number, bracket=0, parent=None):
    note = {"bracket": bracket} | ({} if parent is None else {"parent": parent})
    return Trial(number, SPACE.nth(0), 0.5, {"halving": note})


def history(*trials):
    made = History(SPACE, seed=0)
    for one in trials:
        made.asked(one)
    return made


def test_models_are_files_until_they_are_dropped(tmp_path):
    store = ModelStore(tmp_path / "models")
    store.put(trial(0), 1, b"model")
    assert store.get(trial(0), 1) == b"model"
    assert store.get(trial(0), 0) is None
    again = ModelStore(tmp_path / "models")
    again.drop(0)
    assert again.get(trial(0), 1) is None


def test_a_promoted_trials_models_go_once_its_successor_has_ended(tmp_path):
    made = history(trial(0), trial(1), trial(2, parent=0))
    store = ModelStore(tmp_path)
    for number in (0, 1):
        store.put(made.trials[number], 0, b"m")
    assert store.origin(made, made.trials[2]).number == 0
    store.on_result(made, made.trials[2])
    assert store.get(made.trials[0], 0) is None
    assert store.get(made.trials[1], 0) == b"m"


def test_a_later_bracket_ends_the_earlier_ones(tmp_path):
    made = history(trial(0), trial(1, bracket=1))
    store = ModelStore(tmp_path)
    store.put(made.trials[0], 0, b"m")
    store.on_result(made, made.trials[1])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_is_none(tmp_path):
    store = ModelStore(tmp_path)
    store.put(trial(0), 0, b"model")
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert store.get(trial(0), 0) is None
    (tmp_path / "notes-1.pickle").write_bytes(b"mine")
    ModelStore(tmp_path).on_result(history(trial(0)), trial(0))


def test_a_disk_without_room(tmp_path):
    """What cannot be kept for a while is done without; under a journal it is told, as the log is on that disk too."""
    with ModelStore() as store:
        store.folder.joinpath("0-0.pickle").mkdir()
        store.put(trial(0), 0, b"m")
        assert store.get(trial(0), 0) is None
    store = ModelStore(tmp_path)
    (tmp_path / "0-0.pickle").mkdir()
    with pytest.raises(JournalError, match="cannot be written to"):
        store.put(trial(0), 0, b"m")
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written to"):
        ModelStore(tmp_path / "file")


def test_a_temporary_folder_is_removed():
    with ModelStore() as store:
        store.put(trial(0), 0, b"m")
        assert store.folder.is_dir()
    assert not store.folder.exists()


def test_a_trial_that_starts_anew_has_no_origin(tmp_path):
    made = history(trial(0))
    assert ModelStore(tmp_path).origin(made, made.trials[0]) is None
