"""Results as JSON: arrays, numbers that JSON has not, and names that a user may have chosen freely."""

import io
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from skauto._files import write_whole
from skauto.search._types import AnyPath

SMALL = 64  # numbers of an array that stands in the log itself; a larger one has a file
MARK = "\0"  # begins the only key of what is no plain JSON; a dict of the user's with such a key is written as pairs


class LostArrayError(Exception):
    """An array file that is not there, or not as it was written."""


class Values:
    """Packs values into JSON and back; large arrays have files in a folder.

    Parameters
    ----------
    folder : path
        Of the array files; made with the first one.
    """

    def __init__(self, folder: AnyPath) -> None:
        self.folder = Path(folder)

    def pack(self, value: Any, name: str) -> Any:
        """The value as JSON.

        Parameters
        ----------
        value : dict, list, tuple, array, number, str, bool or None
        name : str
            Begins the names of its array files.

        Raises
        ------
        TypeError
            If it holds something else.
        OSError
            If an array file cannot be written.
        """
        if isinstance(value, dict):
            return self._pack_dict(value, name)
        if isinstance(value, (list, tuple)):
            return [self.pack(part, f"{name}-{index}") for index, part in enumerate(value)]
        if isinstance(value, np.ndarray):
            return self._pack_array(value, name)
        return self._pack_one(value.item() if isinstance(value, np.generic) else value)

    def _pack_one(self, value: Any) -> Any:
        """A single value, no container."""
        if isinstance(value, float) and not np.isfinite(value):
            return {f"{MARK}number": repr(value)}
        if isinstance(value, bytes):
            return {f"{MARK}bytes": value.hex()}
        if value is None or isinstance(value, (str, int, float)):
            return value
        if hasattr(value, "__float__"):  # Decimal and the like
            return self._pack_one(float(value))
        raise TypeError(f"a journal cannot hold {value!r} of type {type(value).__name__}")

    def unpack(self, value: Any) -> Any:
        """The value that `pack` wrote.

        Raises
        ------
        LostArrayError
            If an array file is missing or damaged.
        """
        if isinstance(value, list):
            return [self.unpack(part) for part in value]
        if not isinstance(value, dict):
            return value
        kind, content = next(iter(value.items()), ("", None))
        if not kind.startswith(MARK):
            return {key: self.unpack(part) for key, part in value.items()}
        return getattr(self, f"_{kind[1:]}")(content)

    def _pack_dict(self, value: dict[Any, Any], name: str) -> dict[str, Any]:
        if all(isinstance(key, str) and not key.startswith(MARK) for key in value):
            parts = enumerate(value.items())
            return {key: self.pack(part, f"{name}-{_component(key, k)}") for k, (key, part) in parts}
        pairs = [[self.pack(key, name), self.pack(part, f"{name}-{k}")] for k, (key, part) in enumerate(value.items())]
        return {f"{MARK}pairs": pairs}

    def _pack_array(self, value: np.ndarray, name: str) -> dict[str, Any]:
        if value.dtype == object:
            raise TypeError("a journal cannot hold an array of objects")
        if value.size <= SMALL and value.ndim == 1 and value.dtype.kind in "fiub":
            return {f"{MARK}values": [value.dtype.str, [self.pack(part, name) for part in value.tolist()]]}
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        self.folder.mkdir(exist_ok=True)
        write_whole(self.folder / f"{name}.npy", buffer.getbuffer())
        return {f"{MARK}array": [f"{name}.npy", zlib.crc32(buffer.getbuffer())]}

    def _array(self, content: tuple[str, int]) -> np.ndarray:
        name, checksum = content
        try:
            data = (self.folder / Path(name).name).read_bytes()
        except OSError as error:
            raise LostArrayError(f"the array {name} cannot be read ({error.strerror})") from error
        if zlib.crc32(data) != checksum:
            raise LostArrayError(f"the array {name} is not as it was written")
        return np.load(io.BytesIO(data), allow_pickle=False)

    def _values(self, content: tuple[str, list[Any]]) -> np.ndarray:
        dtype, values = content
        return np.array(self.unpack(values), dtype=dtype)

    def _number(self, content: str) -> float:
        return float(content)

    def _bytes(self, content: str) -> bytes:
        return bytes.fromhex(content)

    def _pairs(self, content: list[tuple[Any, Any]]) -> dict[Any, Any]:
        keys = [self.unpack(key) for key, _ in content]
        keys = [tuple(key) if isinstance(key, list) else key for key in keys]
        return dict(zip(keys, (self.unpack(part) for _, part in content), strict=True))


def _component(key: str, index: int) -> str:
    """A key as a part of a file's name, with its index where it is no valid file name."""
    return key if re.fullmatch(r"[a-z0-9_]{1,40}", key) else f"{index}.{re.sub(r'[^A-Za-z0-9_]', '_', key)[:40]}"
