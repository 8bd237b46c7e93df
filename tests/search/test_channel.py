"""Messages over a socket that somebody else writes to as well."""

import os
import socket
from contextlib import closing, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skauto.search._channel import HEADER, Channel, ChannelError, ready

MARK = bytes(range(16))


@contextmanager
def pair():
    """The two ends."""
    here, there = (Channel(end, MARK) for end in socket.socketpair())
    with closing(here), closing(there):
        yield here, there


@given(st.lists(st.binary(max_size=99), min_size=1, max_size=5), st.binary(max_size=70))
def test_what_is_not_a_message_is_skipped(payloads, stray):
    with pair() as (here, there):
        os.write(here.fileno(), stray)
        for number, payload in enumerate(payloads):
            here.put(number, payload)
        assert there.take() == list(enumerate(payloads))
        here.close()
        with pytest.raises(EOFError):
            there.take()


def test_a_message_longer_than_the_socket_has_room():
    payload = os.urandom(3_000_000)
    with pair() as (here, there):
        here.put(7, payload)
        assert here.unsent
        messages = []
        while not messages:
            here.flush()
            messages = there.take()
        assert messages == [(7, payload)] and not here.unsent


def test_a_part_is_waited_for_without_blocking():
    with pair() as (here, there):
        os.write(here.fileno(), HEADER.pack(MARK, 1, 5, 0) + b"ab")
        assert there.take() == []
        assert not there.wait(0.01)


@pytest.mark.parametrize(("length", "reason"), [(2**60, "a message of"), (2, "checksum")])
def test_damage_is_an_error(length, reason):
    with pair() as (here, there):
        os.write(here.fileno(), HEADER.pack(MARK, 1, length, 0) + b"ab")
        with pytest.raises(ChannelError, match=reason):
            there.take()


def test_ready_says_which():
    with pair() as (a, b), pair() as (c, _):
        a.put(1, b"")
        assert ready([b, c], 5) == [b]
