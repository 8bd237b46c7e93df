"""What is told to the user on the way: a stream that is closed, broken, full or missing never ends the work."""

import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

# Where the files of this package are.
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

# What a call of the user may come in through: this package, also where a dataclass wrote a function, which has no file
# then, and scikit-learn and its kin, which hand it on.
AROUND = ("skauto", "sklearn", "imblearn", "joblib")

# What a stream that cannot be written to raises: closed, or of another encoding; full, or without a reader; None.
UNWRITABLE = (ValueError, OSError, AttributeError)


def tell(text: str, stream: Any = None) -> bool:
    """Write and flush where that is possible; gives whether it was.

    Parameters
    ----------
    text : str
    stream : text stream, default=None
        None is standard error as it is now. Letters that its encoding lacks are written as escapes.

    Examples
    --------
    >>> import io
    >>> from skauto._telling import tell
    >>> stream = io.StringIO()
    >>> tell("five trials", stream), stream.close(), tell("one more", stream)
    (True, None, False)
    """
    stream = sys.stderr if stream is None else stream
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()
    except UNWRITABLE:
        return False
    return True


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of the line that called into this package, also through scikit-learn, however deep the reason was found."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_passed_through(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_passed_through(frame: FrameType) -> bool:
    """Whether a frame is of this package, or of one that calls it for the user."""
    if frame.f_code.co_filename.startswith(PACKAGE):
        return True
    return frame.f_globals.get("__name__", "").partition(".")[0] in AROUND


@contextlib.contextmanager
def steady_streams() -> Iterator[None]:
    """Inside, what anything prints or warns of on standard output and error is lost where they cannot be written to.

    File numbers of these that are not open stand for the null device as long, since the next file opened would get
    them, and with it all that is written below Python.
    """
    opened = _fill_closed_numbers()
    before = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    ours = {name: _Steady(stream) for name, stream in before.items() if not isinstance(stream, _Steady | None)}
    for name, stream in ours.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in ours.items():
            if getattr(sys, name) is stream:  # others may have replaced it meanwhile
                setattr(sys, name, before[name])
        for number in opened:
            os.close(number)


class _Steady:
    """A text stream like another one whose failures to write are passed over."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        tell(text, self._stream)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with contextlib.suppress(*UNWRITABLE):
            self._stream.flush()

    def __getattr__(self, name):
        return getattr(self._stream, name)


def _fill_closed_numbers():
    """Open the null device under each of the numbers 0, 1 and 2 that is not open; gives these."""
    opened = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno == errno.EBADF:
                opened.append(os.open(os.devnull, os.O_RDWR))  # the lowest that is free: this one
    return opened
