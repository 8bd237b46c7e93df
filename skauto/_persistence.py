"""The model file: one line that says which versions wrote it, then the model as joblib stores it."""

import importlib.metadata
import io
import json
import pickle
import platform
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

from skauto._files import write_whole
from skauto._version import __version__
from skauto.search._sandbox import attempt

FORMAT = 1
# Minor versions whose modules stand elsewhere now, so that what they pickled cannot be read.
MOVED = [["0", "1"]]
LONGEST_HEADER = 65_536
# Module -> distribution. A model names the versions of those modules that its pickle would import.
PACKAGES = {
    "sklearn": "scikit-learn",
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "imblearn": "imbalanced-learn",
    "lightgbm": "lightgbm",
    "torch": "torch",
    "skorch": "skorch",
}


class ModelFileError(ValueError):
    """A file that is not a model of skauto, or one that other versions wrote."""


def save_model(model: Any, path: str | PathLike[str]) -> Path:
    """Save a fitted model, with the versions it needs in front of it.

    Parameters
    ----------
    model : estimator
        Any fitted estimator that pickles.
    path : str or path-like
        File to write; what is there is replaced, only once the new file is complete. It keeps its mode, a link stays
        one, and what is no regular file, such as ``/dev/stdout``, is written to.

    Returns
    -------
    path : pathlib.Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.dummy import DummyClassifier
    >>> from skauto import load_model, save_model
    >>> model = DummyClassifier().fit([[0], [1]], ["no", "no"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_model(save_model(model, f"{folder}/model.joblib")).predict([[5]]).item()
    'no'
    """
    import joblib

    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    checksum = zlib.crc32(buffer.getbuffer())
    header = {"skauto_model": FORMAT, "class": type(model).__name__, "versions": _versions(model), "crc32": checksum}
    return write_whole(path, json.dumps(header).encode() + b"\n", buffer.getbuffer())


def load_model(path: str | PathLike[str], *, check_versions: bool = True) -> Any:
    """Load a model written by `save_model` or by `skauto fit`, if the versions here are those that wrote it.

    Load only files that you trust: loading a model runs code stored in the file. The versions and a checksum are
    compared before that, so that no damaged file is unpickled.

    Parameters
    ----------
    path : str or path-like
        File to read.
    check_versions : bool, default=True
        Refuse a file written by another minor version (``1.8`` and ``1.9``) of Python or a package the model uses.

    Returns
    -------
    model : estimator
        The fitted model.

    Raises
    ------
    ModelFileError
        A ValueError: the file is not a model of skauto, other versions wrote it (all named in one line), it is damaged,
        or it needs something that is not here.

    Examples
    --------
    >>> from skauto import load_model
    >>> load_model("nowhere.joblib")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.joblib'
    """
    import joblib

    path = Path(path)
    with path.open("rb") as file:
        header = _header(path, file.readline(LONGEST_HEADER))
        _refuse_moved(path, header["versions"])
        if check_versions:
            _compare(path, header["versions"])
        start = file.tell()
        if _checksum(file) != header["crc32"]:
            raise ModelFileError(f"{path} is damaged: its checksum differs from that of the saved file; save it again")
        file.seek(start)
        report = attempt(joblib.load, file)  # what a class does when it is unpickled can raise anything
    if report.error is not None:
        raise ModelFileError(f"{path} needs what is not here: {report.reason}") from report.error
    return report.value


def _checksum(file):
    """Of what is left of a file; damaged bytes must not be unpickled: compiled code that gets them can crash."""
    value = 0
    while block := file.read(1 << 20):
        value = zlib.crc32(block, value)
    return value


class _Modules(pickle.Pickler):
    """Pickles to nowhere and keeps the packages that the pickle would import; what users named is no module."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda buffer: None)
        self.packages: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        self.packages.add(str(getattr(value, "__module__", None)).split(".")[0])
        return NotImplemented


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


def _versions(model):
    """Versions of Python, skauto and those packages that the pickled model imports."""
    modules = _Modules()
    modules.dump(model)
    used = [distribution for module, distribution in PACKAGES.items() if module in modules.packages]
    return {"python": platform.python_version(), "skauto": __version__, **{name: _version(name) for name in used}}


def _version(distribution):
    try:
        return importlib.metadata.version(distribution)
    except (importlib.metadata.PackageNotFoundError, ValueError, OSError):  # not there, or a name that none can have
        return "none"


def _header(path, line):
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    kinds = {"skauto_model": int, "versions": dict, "crc32": int}
    sound = isinstance(header, dict) and all(isinstance(header.get(key), kind) for key, kind in kinds.items())
    if not sound or not all(name.strip() and isinstance(version, str) for name, version in header["versions"].items()):
        raise ModelFileError(f"{path} is not a model saved by skauto, or its first line is damaged")
    if header["skauto_model"] != FORMAT:
        raise ModelFileError(
            f"{path} has model format {header['skauto_model']}, skauto {__version__} reads format {FORMAT}: "
            "load it with the version of skauto that wrote it"
        )
    return header


def _refuse_moved(path, wanted):
    """Refuse a model whose classes stood in other files: what joblib stored names them."""
    wrote = wanted.get("skauto", "")
    if wrote.split(".")[:2] in MOVED:
        raise ModelFileError(
            f"{path} was saved by skauto {wrote}, whose modules have moved since: load it with that version, or fit "
            "again"
        )


def _compare(path, wanted):
    here = {"python": platform.python_version(), "skauto": __version__}
    here |= {name: _version(name) for name in wanted.keys() - here.keys()}
    other = [name for name in wanted if _minor(wanted[name]) != _minor(here[name])]
    if other:
        there = ", ".join(f"{name} {wanted[name]}" for name in other)
        found = ", ".join(f"{name} {here[name]}" for name in other)
        raise ModelFileError(f"{path} was saved with {there}; here is {found}: install those versions, or fit again")


def _minor(version):
    return version.split(".")[:2]
