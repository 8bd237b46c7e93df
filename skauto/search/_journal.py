"""The journal of a search: an append-only log of JSON lines from which it can be taken up again."""

import contextlib
import io
import json
import os
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from skauto.search._fingerprint import differences
from skauto.search._history import History
from skauto.search._journal_values import LostArrayError, Values
from skauto.search._sandbox import attempt
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search._types import AnyPath

FORMAT = 2
LOG, ARRAYS, MODELS = "log.jsonl", "arrays", "models"
CODE = ("model", "bag")  # models that a result carries: a journal holds none, they are fitted anew
BEGINNING, CHECKSUM = (
    b'{"event": "search"',
    b', "crc32": ',
)  # of the first line, and what stands before the checksum of each


class JournalError(ValueError):
    """A journal that cannot be used; the message says why and what to do."""


class Journal:
    """A folder with a log, arrays too long for it, and models of trials that may still be promoted.

    The first line says what is searched; every later one is a trial asked, a result told, or one that was lost since. A
    line counts once it ends with a newline, so a kill at any moment loses at most what was not yet told: such trials
    are run again. Each line ends with a checksum that goes on from that of the line before.

    Parameters
    ----------
    folder : str or path
        Relative to the folder that is current now.

    Attributes
    ----------
    seed : int or None
        Of the search that began the journal, known once it is open.

    Raises
    ------
    JournalError
        From all methods that read or write: the folder cannot be used or is damaged, belongs to another search, or
        another process is writing to it.
    """

    # None until the journal is open.
    seed: int | Any
    _file: io.FileIO | Any

    def __init__(self, folder: AnyPath) -> None:
        if not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder):
            raise JournalError(f"journal={folder!r} is not the path of a folder: give one, or None for no journal")
        try:
            self.folder = Path(os.path.abspath(folder))
        except FileNotFoundError as error:
            why = f"journal={str(folder)!r} is relative to a working folder that is gone: give an absolute path"
            raise JournalError(why) from error
        self.seed = None
        self._file = None
        self._values = Values(self.folder / ARRAYS)
        self._records: list[dict[str, Any]] = []
        self._sum = 0  # checksum of the last line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def models(self) -> Path:
        """Where fold models are kept."""
        return self.folder / MODELS

    def open(self, seed: int) -> Self:
        """Take the pen and read what is there; a new journal will have this seed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self.folder / LOG, "a+b", buffering=0)  # noqa: SIM115 - as long as the search
        except OSError as error:
            raise JournalError(
                f"journal={str(self.folder)!r} cannot be opened ({error.strerror}: {error.filename!r}): give a folder "
                f"that may be written to, or one that is not there yet"
            ) from error
        try:
            _lock(self._file, self.folder)
            self._records = self._read()
        except JournalError:
            self.close()
            raise
        self.seed = self._records[0]["seed"] if self._records else seed
        return self

    def begin(self, about: dict[str, Any]) -> Self:
        """Check that the journal is of this search; a new one gets its first line.

        Parameters
        ----------
        about : dict
            What must be the same for the journal to be taken up, as `fingerprint` gives it.
        """
        try:
            self._begin(json.loads(json.dumps(about)))
        except JournalError:
            self.close()
            raise
        return self

    def _begin(self, about: dict[str, Any]) -> None:
        if not self._records:
            self._records = [{"event": "search", "format": FORMAT, "seed": self.seed, "about": about}]
            self._write(self._records[0])
        lines = differences(self._records[0]["about"], about)
        if lines:
            raise JournalError(
                f"journal={str(self.folder)!r} belongs to another search: {'; '.join(lines)}. Give this search a "
                f"folder of its own, or the other one's arguments"
            )

    def replay(self, space: Space) -> "JournaledHistory":
        """The history that the log holds, which from now on writes down what it is told.

        A result whose array file is missing or damaged is noted as lost, and its trial run again.
        """
        history = JournaledHistory(space, self.seed, self)
        last_lost = {record.get("number"): index for index, record in enumerate(self._records)
                     if record["event"] == "lost"}  # fmt: skip
        for index, record in enumerate(self._records[1:], start=1):
            report = attempt(self._replay_line, history, record, index, last_lost)
            if report.error is not None:
                raise self._damaged(index + 1, report.reason) from report.error
        del self._records[1:]
        return history

    def _replay_line(
        self, history: "JournaledHistory", record: dict[str, Any], index: int, last_lost: dict[Any, int]
    ) -> None:
        if record["event"] == "asked":
            trial = Trial.from_json(record["trial"])
            if not history.space.contains(trial.params):
                raise ValueError(f"trial {trial.number} is not in the space")
            History.asked(history, trial)
        elif record["event"] == "told":
            result = Result.from_json(record["result"])
            if index > last_lost.get(result.number, 0):
                self._replay_result(history, result, record["details"])
        elif record["event"] != "lost":
            raise ValueError(f"event {record['event']!r} is not known")

    def _replay_result(self, history: "JournaledHistory", result: Result, details: Any) -> None:
        try:
            details = self._values.unpack(details)
        except LostArrayError as error:
            self._write({"event": "lost", "number": result.number, "reason": str(error)})
        else:
            History.told(history, replace(result, details=details))

    def asked(self, trial: Trial, seen: int) -> None:
        """Note a trial, with how many results its strategy saw."""
        self._write({"event": "asked", "trial": trial.to_json(), "seen": seen})

    def told(self, result: Result) -> None:
        """Note a result; one that was only cancelled is left open, so that more budget runs it."""
        if result.status == Status.CANCELLED:
            return
        details = result.details
        if isinstance(details, dict):
            details = {key: value for key, value in details.items() if key not in CODE}
        try:
            details = self._values.pack(details, str(result.number))
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        except TypeError as error:
            raise JournalError(f"the result of trial {result.number} cannot be written down: {error}") from error
        self._write({"event": "told", "result": result.to_json(), "details": details})

    def close(self) -> None:
        """Stop writing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, record: dict[str, Any]) -> None:
        text = json.dumps({**record, "time": round(time.time(), 3)}).encode()
        checksum = zlib.crc32(text, self._sum)
        line = text[:-1] + CHECKSUM + str(checksum).encode() + b"}\n"
        try:
            size = os.fstat(self._file.fileno()).st_size
            written = self._append(line, size)
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        if written != len(line):
            raise self._unwritable("the disk is full")
        self._sum = checksum

    def _append(self, line: bytes, size: int) -> int:
        """Bytes that were written and are on the disk; of a line that was not written whole nothing stays."""
        written = 0
        try:
            written = self._file.write(line)
            os.fsync(self._file.fileno())
        except OSError:
            written = 0
            raise
        finally:
            if written != len(line):
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file.fileno(), size)
        return written

    def _unwritable(self, why: str | None) -> JournalError:
        return JournalError(
            f"journal={str(self.folder)!r} cannot be written ({why}); what it holds is complete: make room and "
            f"start the search again with the same arguments"
        )

    def _damaged(self, number: int, why: str) -> JournalError:
        path = self.folder / LOG
        if number == 1:
            advice = "remove the folder, or give another one"
        else:
            advice = (
                f"what came before is sound: keep the first {number - 1} lines alone, as `head -n {number - 1}` does, "
                f"to go on from there, or give another folder"
            )
        return JournalError(f"{str(path)!r} is damaged in line {number} ({why}); {advice}")

    def _read(self) -> list[dict[str, Any]]:
        """The records of all whole lines; a torn last line, left by a kill, is cut off."""
        try:
            self._file.seek(0)
            content = self._file.read()
        except OSError as error:
            raise JournalError(f"{str(self.folder / LOG)!r} cannot be read ({error.strerror})") from error
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and not _is_torn_beginning(content):
            raise JournalError(f"{str(self.folder / LOG)!r} is no journal of a search")
        records = [self._record(number, line) for number, line in enumerate(whole.split(b"\n")[:-1], start=1)]
        if len(whole) < len(content):
            os.ftruncate(self._file.fileno(), len(whole))
        return records

    def _record(self, number: int, line: bytes) -> dict[str, Any]:
        """What a line says, its checksum being right."""
        report = attempt(json.loads, line)
        record = report.value
        if number == 1:
            self._check_first(record)
        if report.error is not None:
            raise self._damaged(number, report.reason) from report.error
        if not isinstance(record, dict) or "event" not in record:
            raise self._damaged(number, "it is no record of a search")
        text, _, checksum = line.rpartition(CHECKSUM)
        self._sum = zlib.crc32(text + b"}", self._sum)
        if checksum != str(self._sum).encode() + b"}":
            raise self._damaged(number, "its checksum does not fit: it was changed, or lines before it were")
        return record

    def _check_first(self, record: Any) -> None:
        if not isinstance(record, dict) or record.get("event") != "search":
            raise JournalError(f"{str(self.folder / LOG)!r} is no journal of a search")
        if record.get("format") != FORMAT:
            raise JournalError(
                f"journal={str(self.folder)!r} has format {record.get('format')!r}, this version of skauto writes "
                f"format {FORMAT}: go on with the version that wrote it, or give another folder"
            )


class JournaledHistory(History):
    """A history that writes down every trial and result in a journal, the journal first."""

    def __init__(self, space: Space, seed: int, journal: Journal) -> None:
        super().__init__(space, seed)
        self._journal = journal

    def asked(self, trial: Trial) -> None:
        """Note and add a trial."""
        self._journal.asked(trial, len(self.results))
        super().asked(trial)

    def told(self, result: Result) -> None:
        """Note and add the result of a trial asked before."""
        self._journal.told(result)
        super().told(result)


def _is_torn_beginning(content: bytes) -> bool:
    """Whether a file without a whole line is new, or what a kill or a loss of power leaves of a first line."""
    return not content.strip(b"\0") or content[: len(BEGINNING)] == BEGINNING[: len(content)]


def _lock(file: io.FileIO, folder: Path) -> None:
    """Take the only pen; it is dropped with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; two writers at once are the user's to avoid there
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalError(f"journal={str(folder)!r} is being written by another process") from None
    except OSError as error:
        raise JournalError(
            f"journal={str(folder)!r} cannot be locked ({error.strerror}): put it on a local disk"
        ) from error
