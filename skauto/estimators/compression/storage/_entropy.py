"""Entropy coding of symbol streams: interleaved rANS (Duda 2013), within a percent of the zero-order entropy."""

import numpy as np

PRECISION = 14  # bits of the frequency table
WORD, LOW_BITS = 16, 16  # states live in [2^16, 2^32) and move 16 bits at a time
LOW, WORD_MASK, SLOT_MASK = 1 << LOW_BITS, (1 << WORD) - 1, (1 << PRECISION) - 1
SYMBOLS_PER_LANE, MOST_LANES, FEW = 8192, 1024, 32  # lanes up to which plain integers are quicker than arrays


def entropy_bits(symbols: np.ndarray) -> float:
    """Zero-order entropy of a stream in bits: its length times the entropy of its histogram."""
    counts = np.unique(np.asarray(symbols).ravel(), return_counts=True)[1].astype(float)
    return float(-(counts * np.log2(counts / counts.sum())).sum()) if counts.size else 0.0


def encode(symbols: np.ndarray, size: int) -> bytes:
    """Bytes of a stream of symbols 0 ... size-1, its frequency table included."""
    symbols = np.asarray(symbols, dtype=np.int64).ravel()
    freq = _scaled(np.bincount(symbols, minlength=size))
    lanes = _lanes(symbols.size)
    state, words = (_push if lanes > FEW else _push_few)(symbols, freq, lanes)
    return _table_bytes(freq) + np.array(state, "<u4").tobytes() + np.array(words, "<u2")[::-1].tobytes()


def decode(data: bytes, count: int, size: int) -> np.ndarray:
    """The `count` symbols of a stream written by `encode`; ValueError where the bytes cannot be one."""
    freq, used = _read_table(data, size)
    lanes = _lanes(count)
    if len(data) < used + 4 * lanes or (len(data) - used) % 2:
        raise ValueError("the symbol stream is truncated")
    state, words = np.frombuffer(data, "<u4", lanes, used), np.frombuffer(data, "<u2", offset=used + 4 * lanes)
    symbols, state, read = (_pop if lanes > FEW else _pop_few)(state, words, count, freq)
    if read != len(words) or (np.array(state) != LOW).any():
        raise ValueError("the symbol stream is damaged")
    return symbols


def _push(symbols, freq, lanes):
    """The last states and the words of many lanes, a row of symbols at a time, the last row first."""
    state, words = np.full(lanes, LOW, dtype=np.uint64), []
    start, freq = _starts(freq).astype(np.uint64), freq.astype(np.uint64)
    for first in range((symbols.size - 1) // lanes * lanes, -1, -lanes):
        now = symbols[first : first + lanes]
        x, f = state[: now.size], freq[now]
        spill = x >= f << np.uint64(WORD + LOW_BITS - PRECISION)
        words.append((x[spill] & np.uint64(WORD_MASK))[::-1])
        x = np.where(spill, x >> np.uint64(WORD), x)
        state[: now.size] = ((x // f) << np.uint64(PRECISION)) + start[now] + x % f
    return state, np.concatenate(words)


def _push_few(symbols, freq, lanes):
    """The same of few lanes, in plain integers: arrays of one number take fifty times as long."""
    state, words = [LOW] * lanes, []
    start, freq, symbols = _starts(freq).tolist(), freq.tolist(), symbols.tolist()
    for at in range(len(symbols) - 1, -1, -1):
        now, x = symbols[at], state[at % lanes]
        f = freq[now]
        if x >= f << WORD + LOW_BITS - PRECISION:
            words.append(x & WORD_MASK)
            x >>= WORD
        state[at % lanes] = (x // f << PRECISION) + start[now] + x % f
    return state, words


def _pop(state, words, count, freq):
    """Symbols of many lanes, their states after them, and how many words were read."""
    symbols, read = np.empty(count, dtype=np.int64), 0
    state, words, lookup = state.astype(np.uint64), words.astype(np.uint64), np.repeat(np.arange(freq.size), freq)
    start, freq = _starts(freq).astype(np.uint64), freq.astype(np.uint64)
    for first in range(0, count, len(state)):
        x = state[: count - first]
        slot = x & np.uint64(SLOT_MASK)
        now = lookup[slot]
        x = freq[now] * (x >> np.uint64(PRECISION)) + slot - start[now]
        refill = np.flatnonzero(x < LOW)
        if read + refill.size > words.size:
            raise ValueError("the symbol stream is truncated")
        x[refill] = (x[refill] << np.uint64(WORD)) | words[read : read + refill.size]
        read += refill.size
        state[: x.size] = x
        symbols[first : first + x.size] = now
    return symbols, state, read


def _pop_few(state, words, count, freq):
    """The same of few lanes, in plain integers."""
    symbols, read, lanes = [], 0, len(state)
    state, words, lookup = state.tolist(), words.tolist(), np.repeat(np.arange(freq.size), freq).tolist()
    start, freq = _starts(freq).tolist(), freq.tolist()
    for at in range(count):
        x = state[at % lanes]
        slot = x & SLOT_MASK
        now = lookup[slot]
        x = freq[now] * (x >> PRECISION) + slot - start[now]
        if x < LOW:
            if read == len(words):
                raise ValueError("the symbol stream is truncated")
            x = x << WORD | words[read]
            read += 1
        state[at % lanes] = x
        symbols.append(now)
    return np.array(symbols, dtype=np.int64), state, read


def _starts(freq):
    """Where the slots of each symbol begin."""
    return np.cumsum(freq) - freq


def _lanes(count):
    return max(1, min(MOST_LANES, count // SYMBOLS_PER_LANE))


def _scaled(counts):
    """Frequencies that add up to 2^PRECISION, none zero where the symbol occurs."""
    total, scale = counts.sum(), 1 << PRECISION
    if not total:
        return np.eye(1, counts.size, dtype=np.int64)[0] * scale
    freq = np.where(counts > 0, np.maximum(1, np.rint(counts * (scale / total))), 0).astype(np.int64)
    while (gap := scale - freq.sum()) != 0:
        best = np.argsort(-freq)[: max(1, min(abs(gap), (freq > 1).sum()))]
        freq[best] += np.sign(gap)
    return freq


def _table_bytes(freq):
    """Two bytes a frequency; a leading count says how many symbols of the alphabet are listed."""
    last = int(np.flatnonzero(freq)[-1]) + 1
    return np.array([last], "<u2").tobytes() + freq[:last].astype("<u2").tobytes()


def _read_table(data, size):
    if len(data) < 2:
        raise ValueError("the symbol stream is truncated")
    last = int(np.frombuffer(data, "<u2", 1)[0])
    if not 1 <= last <= size or len(data) < 2 + 2 * last:
        raise ValueError("the frequency table is damaged")
    freq = np.zeros(size, dtype=np.int64)
    freq[:last] = np.frombuffer(data, "<u2", last, 2)
    if freq.sum() != 1 << PRECISION:
        raise ValueError("the frequency table is damaged")
    return freq, 2 + 2 * last
