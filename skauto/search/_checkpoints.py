"""Fold models of trials that may still be promoted, kept as files."""

import os
import re
import zlib
from pathlib import Path
from typing import Any, Self

from skauto._files import write_whole
from skauto.search._folders import TemporaryFolder
from skauto.search._history import View
from skauto.search._journal import JournalError
from skauto.search._trial import Trial
from skauto.search._types import AnyPath
from skauto.search.strategies._base import parent

CHECKSUM_BYTES = 4


class ModelStore:
    """A folder of pickled fold models, each after its checksum.

    A trial's models go when the last trial that may be promoted from it has ended: where a schedule promotes in
    brackets there is one, and a later bracket ends the earlier ones; a population waits for all members of a step, so
    it no longer needs the step before the last one. Under any other strategy they stay until the search is over.

    Parameters
    ----------
    folder : path, default=None
        Of a journal. None for a temporary one, removed on `close`, in which nothing is kept once its disk is full.

    Raises
    ------
    JournalError
        If the folder of a journal cannot be written to.
    """

    def __init__(self, folder: AnyPath | None = None) -> None:
        self._temporary = TemporaryFolder() if folder is None else None
        self.folder = Path(self._temporary.path if folder is None else os.path.abspath(folder))  # type: ignore[union-attr]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        named = (re.fullmatch(r"(\d+)-\d+\.pickle", path.name) for path in self.folder.iterdir())
        self._kept = {int(match[1]) for match in named if match}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def origin(self, history: View, trial: Trial) -> Trial | None:
        """The trial that this one was promoted from, or None."""
        number = parent(trial)
        return None if number is None else history.trials[number]

    def put(self, trial: Trial, fold: int, model: bytes) -> None:
        """Keep a model; the file appears whole or not at all."""
        try:
            write_whole(self._path(trial.number, fold), zlib.crc32(model).to_bytes(CHECKSUM_BYTES, "little"), model)
        except OSError as error:
            if self._temporary is None:
                raise self._unwritable(error) from error
        else:
            self._kept.add(trial.number)

    def get(self, trial: Trial, fold: int) -> bytes | None:
        """The bytes of a model, None where there is none, or a damaged one."""
        try:
            data = self._path(trial.number, fold).read_bytes()
        except OSError:
            return None
        checksum, model = data[:CHECKSUM_BYTES], data[CHECKSUM_BYTES:]
        return model if checksum == zlib.crc32(model).to_bytes(CHECKSUM_BYTES, "little") else None

    def has_all(self, trial: Trial, n_folds: int) -> bool:
        """Whether there is a model of each fold: a trial goes on everywhere or nowhere."""
        return all(self.get(trial, fold) is not None for fold in range(n_folds))

    def on_result(self, history: View, trial: Trial) -> None:
        """Forget what cannot be wanted any more, now that a trial has ended."""
        origin, bracket, step = parent(trial), _noted(trial, "bracket"), _step(trial)
        needed = None if step is None else (step[0], step[1] - 1)
        for number in list(self._kept):
            other = history.trials[number] if number < len(history.trials) else None
            was_promoted = number == origin and bracket is not None
            if was_promoted or (other is not None and self._is_past(other, bracket, needed)):
                self.drop(number)

    @staticmethod
    def _is_past(other: Trial, bracket: Any, needed: Any) -> bool:
        """Whether a trial's bracket, or step of a population, is no longer gone on from."""
        earlier = bracket is not None and _noted(other, "bracket", bracket) < bracket
        return earlier or (needed is not None and _step(other) is not None and _step(other) < needed)

    def drop(self, number: int) -> None:
        """Forget the models of a trial."""
        for path in self.folder.glob(f"{number}-*.pickle"):
            path.unlink(missing_ok=True)
        self._kept.discard(number)

    def close(self) -> None:
        """Remove a temporary folder."""
        if self._temporary is not None:
            self._temporary.close()

    def _path(self, number: int, fold: int) -> Path:
        return self.folder / f"{number}-{fold}.pickle"

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            f"{str(self.folder)!r}, where a journal keeps models of trials that may be promoted, cannot be written to "
            f"({error.strerror}): make room and start the search again with the same arguments"
        )


def _noted(trial: Trial, name: str, default: Any = None) -> Any:
    """What a schedule has noted on a trial."""
    notes = [note for note in trial.tags.values() if isinstance(note, dict)]
    return next((note[name] for note in notes if name in note), default)


def _step(trial: Trial) -> Any:
    """The population and step of a trial."""
    number, step = _noted(trial, "round"), _noted(trial, "step")
    return None if number is None or step is None else (number, step)
