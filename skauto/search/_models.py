"""Fold models of trials that may still be promoted, kept as files."""

import os
import shutil
import tempfile
from pathlib import Path

from skauto.search.strategies._base import parent


class ModelStore:
    """A folder of pickled fold models.

    A trial's models go when the trial promoted from it has ended, and when a later bracket has begun.

    Parameters
    ----------
    folder : path, default=None
        None for a temporary one, removed on `close`.
    """

    def __init__(self, folder=None):
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="skauto-models-") if folder is None else folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._kept = {int(path.name.split("-")[0]) for path in self.folder.glob("*.pickle")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def origin(self, history, trial):
        """The trial that this one was promoted from, or None."""
        number = parent(trial)
        return None if number is None else history.trials[number]

    def put(self, trial, fold, model):
        """Keep a model; the file appears whole or not at all."""
        path = self._path(trial.number, fold)
        part = path.with_suffix(".part")
        part.write_bytes(model)
        os.replace(part, path)
        self._kept.add(trial.number)

    def get(self, trial, fold):
        """The bytes of a model, None where there is none."""
        path = self._path(trial.number, fold)
        return path.read_bytes() if path.is_file() else None

    def on_result(self, history, trial):
        """Forget what cannot be wanted any more, now that a trial has ended."""
        origin, bracket = parent(trial), _bracket(trial)
        for number in list(self._kept):
            other = _bracket(history.trials[number])
            if number == origin or (bracket is not None and other is not None and other < bracket):
                self.drop(number)

    def drop(self, number):
        """Forget the models of a trial."""
        for path in self.folder.glob(f"{number}-*.pickle"):
            path.unlink(missing_ok=True)
        self._kept.discard(number)

    def close(self):
        """Remove a temporary folder."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number, fold):
        return self.folder / f"{number}-{fold}.pickle"


def _bracket(trial):
    notes = [note for note in trial.tags.values() if isinstance(note, dict)]
    return next((note["bracket"] for note in notes if "bracket" in note), None)
