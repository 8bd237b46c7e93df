"""The journal of a search: an append-only log of JSON lines from which it can be taken up again."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from skauto.search._history import History
from skauto.search._trial import Result, Status, Trial

FORMAT = 1
SMALL = 64  # numbers of an array that stands in the log itself; a larger one has a file
LOG, ARRAYS, MODELS = "log.jsonl", "arrays", "models"


class JournalError(ValueError):
    """A journal that cannot be used; the message says why and what to do."""


class Journal:
    """A folder with a log, arrays too long for it, and models of trials that may still be promoted.

    The first line says what is searched; every later one is a trial asked or a result told. A line counts once it
    ends with a newline, so a kill at any moment loses at most what was not yet told: such trials are run again.

    Parameters
    ----------
    folder : str or path
    about : dict
        What must be the same for the journal to be taken up again, plain JSON.

    Attributes
    ----------
    seed : int or None
        Of the search that began the journal, None for a new one.

    Raises
    ------
    JournalError
        If the folder belongs to another search, naming each difference, or another process is writing to it.
    """

    def __init__(self, folder, about):
        self.folder = Path(folder)
        self.about = json.loads(json.dumps(about))
        self.seed = None
        self._file = None
        self._records = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def models(self):
        """Where fold models are kept."""
        return self.folder / MODELS

    def open(self, seed):
        """Take the pen, read what is there and check that it is of this search; a new journal gets its first line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = open(self.folder / LOG, "a+b", buffering=0)  # noqa: SIM115 - as long as the search
        try:
            self._begin(seed)
        except JournalError:
            self.close()
            raise
        return self

    def _begin(self, seed):
        _lock(self._file, self.folder)
        self._records = self._read()
        if self._records:
            self._check(self._records[0])
        else:
            self._write({"event": "search", "format": FORMAT, "seed": seed, "about": self.about})
        self.seed = self._records[0]["seed"] if self._records else seed

    def replay(self, space):
        """The history that the log holds, which from now on writes down what it is told."""
        history = JournaledHistory(space, self.seed, self)
        for record in self._records[1:]:
            if record["event"] == "asked":
                History.asked(history, Trial.from_json(record["trial"]))
            else:
                details = self._unpack(record["details"])
                History.told(history, replace(Result.from_json(record["result"]), details=details))
        return history

    def asked(self, trial, seen):
        """Note a trial, with how many results its strategy saw."""
        self._write({"event": "asked", "trial": trial.to_json(), "seen": seen})

    def told(self, result):
        """Note a result; one that was only cancelled is left open, so that more budget runs it."""
        if result.status != Status.CANCELLED:
            details = result.details
            if isinstance(details, dict):  # a journal holds no code: what was kept of a model is fitted anew
                details = {key: value for key, value in details.items() if key != "model"}
            details = self._pack(details, str(result.number))
            self._write({"event": "told", "result": result.to_json(), "details": details})

    def close(self):
        """Stop writing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, record):
        line = json.dumps(record, sort_keys=True).encode() + b"\n"
        size = os.fstat(self._file.fileno()).st_size
        try:
            written = self._file.write(line)
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), size)
            raise JournalError(self._full(error.strerror)) from error
        if written != len(line):
            os.ftruncate(self._file.fileno(), size)
            raise JournalError(self._full("the disk is full"))

    def _full(self, why):
        return (
            f"journal={str(self.folder)!r} cannot be written ({why}); what it holds is complete: make room and "
            f"start the search again with the same arguments"
        )

    def _read(self):
        """The records of all whole lines; a torn last line, left by a kill, is cut off."""
        path = self.folder / LOG
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        records = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                records.append(json.loads(line))
            except ValueError:
                raise JournalError(f"{str(path)!r} is damaged in line {number}; it is no journal of a search") from None
        if len(whole) < len(content):
            os.ftruncate(self._file.fileno(), len(whole))
        return records

    def _check(self, first):
        if not isinstance(first, dict) or first.get("event") != "search":
            raise JournalError(f"{str(self.folder / LOG)!r} is no journal of a search")
        theirs = {**first["about"], "format": first["format"]}
        ours = {**self.about, "format": FORMAT}
        names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if names:
            differences = "; ".join(f"{name} was {theirs.get(name)!r} and is {ours.get(name)!r}" for name in names)
            raise JournalError(
                f"journal={str(self.folder)!r} belongs to another search: {differences}. Give this search a folder of "
                f"its own, or the other one's arguments"
            )

    def _pack(self, value, name):
        """The value as JSON; arrays become files, non-finite numbers and bytes have forms of their own."""
        if isinstance(value, dict):
            return {key: self._pack(part, f"{name}-{key}") for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._pack(part, f"{name}-{place}") for place, part in enumerate(value)]
        if isinstance(value, np.ndarray) and value.dtype != object:
            if value.size <= SMALL and value.dtype.kind in "fiub":
                return {"values": [self._pack(part, name) for part in value.tolist()], "dtype": value.dtype.str}
            (self.folder / ARRAYS).mkdir(exist_ok=True)
            np.save(self.folder / ARRAYS / f"{name}.npy", value)
            return {"array": f"{name}.npy"}
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not np.isfinite(value):
            return {"number": repr(value)}
        return value

    def _unpack(self, value):
        if isinstance(value, list):
            return [self._unpack(part) for part in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"array"}:
            return np.load(self.folder / ARRAYS / value["array"])
        if set(value) == {"values", "dtype"}:
            return np.array(self._unpack(value["values"]), dtype=value["dtype"])
        if set(value) == {"number"}:
            return float(value["number"])
        return {key: self._unpack(part) for key, part in value.items()}


class JournaledHistory(History):
    """A history that writes down every trial and result in a journal, the journal first."""

    def __init__(self, space, seed, journal):
        super().__init__(space, seed)
        self._journal = journal

    def asked(self, trial):
        """Note and add a trial."""
        self._journal.asked(trial, len(self.results))
        super().asked(trial)

    def told(self, result):
        """Note and add the result of a trial asked before."""
        self._journal.told(result)
        super().told(result)


def _lock(file, folder):
    """Take the only pen; it is dropped with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; two writers at once are the user's to avoid there
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(f"journal={str(folder)!r} is being written by another process") from None
