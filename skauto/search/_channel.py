"""Channel: numbered messages over a socket, read and written without waiting, whatever else is written to it."""

import select
import socket
import struct
import zlib
from collections import deque
from collections.abc import Iterable

# The header of each message: the channel's mark, number, length and checksum.
HEADER = struct.Struct("<16sQQI")

MARK_BYTES = 16
CHUNK = 1 << 18

# A longer message cannot be meant.
MOST_BYTES = 1 << 40

# Chunks per look, at most: a writer that never stops must not block the reader.
CHUNKS = 256


class ChannelError(Exception):
    """Bytes of others are mixed into a message."""


class Channel:
    """One end of a stream between two processes.

    The mark is random, so what a task writes to the descriptor by mistake is never taken for a message: it is skipped.

    Parameters
    ----------
    stream : socket.socket
        A stream socket; closed by `close`.
    mark : bytes of length 16
        The same at both ends.

    Examples
    --------
    >>> import socket
    >>> from skauto.search._channel import Channel
    >>> here, there = (Channel(end, bytes(16)) for end in socket.socketpair())
    >>> here.put(1, b"hello")
    >>> there.take()
    [(1, b'hello')]
    >>> here.close(), there.close()
    (None, None)
    """

    def __init__(self, stream: socket.socket, mark: bytes) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._mark = mark
        self._inbox = bytearray()
        self._outbox: deque[bytes | memoryview] = deque()

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._stream.fileno()

    @property
    def unsent(self) -> bool:
        """Whether a part of what was put in is still here."""
        return bool(self._outbox)

    def put(self, number: int, payload: bytes) -> None:
        """Send a message: what the socket has room for now, the rest at the next `flush`.

        Raises
        ------
        OSError
            If the other end is gone.
        """
        self._outbox.append(HEADER.pack(self._mark, number, len(payload), zlib.crc32(payload)))
        self._outbox.append(memoryview(payload))
        self.flush()

    def flush(self) -> None:
        """Send what there is room for."""
        while self._outbox:
            part = self._outbox[0]
            try:
                sent = self._stream.send(part)
            except BlockingIOError:
                return
            if sent == len(part):
                self._outbox.popleft()
            else:
                self._outbox[0] = memoryview(part)[sent:]

    def take(self) -> list[tuple[int, bytes]]:
        """Messages that are here as a whole, a list of (number, bytes); those in part are kept for the next call.

        Raises
        ------
        EOFError
            If the other end is closed and no message is left.
        ChannelError
            If a message was damaged.
        OSError
        """
        ended = self._read()
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        if ended and not messages:
            raise EOFError
        return messages

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for something to read, or for room where something is unsent; False where nothing came in time."""
        return bool(ready([self], seconds))

    def close(self) -> None:
        """Close this end."""
        self._stream.close()

    def _read(self) -> bool:
        """Take in what is there; gives whether the other end is closed."""
        for _ in range(CHUNKS):
            try:
                chunk = self._stream.recv(CHUNK)
            except BlockingIOError:
                return False
            if not chunk:
                return True
            self._inbox += chunk
            if len(self._inbox) >= HEADER.size and not self._inbox.startswith(self._mark):
                self._skip()
        return False

    def _skip(self) -> None:
        """Drop what comes before the first mark; the last bytes may be the beginning of one."""
        begin = self._inbox.find(self._mark)
        del self._inbox[: begin if begin >= 0 else len(self._inbox) - MARK_BYTES + 1]

    def _next(self) -> tuple[int, bytes] | None:
        """The first message, None where it is not here as a whole."""
        if len(self._inbox) >= HEADER.size and not self._inbox.startswith(self._mark):
            self._skip()
        if len(self._inbox) < HEADER.size:
            return None
        _, number, length, checksum = HEADER.unpack_from(self._inbox)
        if length > MOST_BYTES:
            raise ChannelError(f"a message of {length} bytes")
        end = HEADER.size + length
        if len(self._inbox) < end:
            return None
        payload = bytes(memoryview(self._inbox)[HEADER.size : end])
        del self._inbox[:end]
        if zlib.crc32(payload) != checksum:
            raise ChannelError("its checksum is wrong")
        return number, payload


def ready(channels: Iterable[Channel], seconds: float | None = None) -> list[Channel]:
    """The channels that have something to read or, where something is unsent, room to write.

    Parameters
    ----------
    channels : list of Channel
    seconds : float, default=None
        How long to wait for the first one; None for ever.
    """
    poller, by_number = select.poll(), {}
    for channel in channels:
        by_number[channel.fileno()] = channel
        poller.register(channel, select.POLLIN | (select.POLLOUT if channel.unsent else 0))
    found = poller.poll(None if seconds is None else max(0.0, seconds) * 1000)
    return [by_number[descriptor] for descriptor, _ in found]
