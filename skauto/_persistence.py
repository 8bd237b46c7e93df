"""The model file: one line that says which versions wrote it, then the model as joblib stores it."""

import importlib.metadata
import io
import json
import os
import pickle
import platform
import zlib
from pathlib import Path

from skauto._version import __version__

FORMAT = 1
# What reading damaged pickled bytes can raise.
DAMAGE = (
    EOFError,
    ValueError,
    AttributeError,
    KeyError,
    IndexError,
    TypeError,
    ImportError,
    pickle.UnpicklingError,
    zlib.error,
)
LONGEST_HEADER = 65_536
# Module -> distribution. A model names the versions of those modules that its own bytes mention.
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


def save_model(model, path):
    """Save a fitted model, with the versions it needs in front of it.

    Parameters
    ----------
    model : estimator
        Any fitted estimator that pickles.
    path : str or path-like
        File to write; what is there is replaced, only once the new file is complete.

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

    path, buffer = Path(path), io.BytesIO()
    joblib.dump(model, buffer)
    header = {"skauto_model": FORMAT, "class": type(model).__name__, "versions": _versions(buffer.getbuffer())}
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(buffer.getbuffer())
    os.replace(partial, path)
    return path


def load_model(path, *, check_versions=True):
    """Load a model written by `save_model` or by `skauto fit`, if the versions here are those that wrote it.

    Load only files that you trust: loading a model runs code stored in the file. The versions are read and compared
    before anything of the model itself is.

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
        A ValueError: the file is not a model of skauto, other versions wrote it (all named in one line), or it is
        damaged.

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
        if check_versions:
            _compare(path, header["versions"])
        try:
            return joblib.load(file)
        except DAMAGE as error:
            raise ModelFileError(f"{path} is damaged, or names what is not here: {error}") from error


def _versions(payload):
    """Versions of Python, skauto and those packages whose modules the pickled bytes name."""
    versions = {"python": platform.python_version(), "skauto": __version__}
    text = bytes(payload)
    for module, distribution in PACKAGES.items():
        if module.encode() in text:
            versions[distribution] = importlib.metadata.version(distribution)
    return versions


def _header(path, line):
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or not {"skauto_model", "versions"} <= header.keys():
        raise ModelFileError(f"{path} is not a model saved by skauto")
    if header["skauto_model"] != FORMAT:
        raise ModelFileError(
            f"{path} has model format {header['skauto_model']}, skauto {__version__} reads format {FORMAT}: "
            "load it with the version of skauto that wrote it"
        )
    return header


def _compare(path, wanted):
    here = {"python": platform.python_version(), "skauto": __version__}
    for name in wanted.keys() - here.keys():
        try:
            here[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here[name] = "none"
    other = [name for name in wanted if _minor(wanted[name]) != _minor(here[name])]
    if other:
        there = ", ".join(f"{name} {wanted[name]}" for name in other)
        found = ", ".join(f"{name} {here[name]}" for name in other)
        raise ModelFileError(f"{path} was saved with {there}; here is {found}: install those versions, or fit again")


def _minor(version):
    return version.split(".")[:2]
