"""Entropy coding of symbol streams: interleaved rANS (Duda 2013), within a percent of the zero-order entropy."""

import numpy as np

PRECISION = 14  # bits of the frequency table
LOW = np.uint64(1 << 16)  # states live in [2^16, 2^32) and move 16 bits at a time
SYMBOLS_PER_LANE = 8192


def entropy_bits(symbols):
    """Zero-order entropy of a stream in bits: its length times the entropy of its histogram."""
    counts = np.unique(np.asarray(symbols).ravel(), return_counts=True)[1].astype(float)
    return float(-(counts * np.log2(counts / counts.sum())).sum()) if counts.size else 0.0


def encode(symbols, size):
    """Bytes of a stream of symbols 0 ... size-1, its frequency table included."""
    symbols = np.asarray(symbols, dtype=np.int64).ravel()
    freq = _scaled(np.bincount(symbols, minlength=size))
    start = np.concatenate([[0], np.cumsum(freq)[:-1]]).astype(np.uint64)
    lanes = _lanes(symbols.size)
    rows = -(-symbols.size // lanes)
    state = np.full(lanes, LOW, dtype=np.uint64)
    words = []
    wide_freq = freq.astype(np.uint64)
    for row in range(rows - 1, -1, -1):
        now = symbols[row * lanes : (row + 1) * lanes]
        x, f = state[: now.size], wide_freq[now]
        spill = x >= f << np.uint64(32 - PRECISION)
        words.append((x[spill] & np.uint64(0xFFFF)).astype("<u2")[::-1])
        x = np.where(spill, x >> np.uint64(16), x)
        state[: now.size] = ((x // f) << np.uint64(PRECISION)) + start[now] + x % f
    stream = np.concatenate(words)[::-1] if words else np.empty(0, "<u2")
    return _table_bytes(freq) + state.astype("<u4").tobytes() + stream.astype("<u2").tobytes()


def decode(data, count, size):
    """The `count` symbols of a stream written by `encode`; ValueError where the bytes cannot be one."""
    freq, used = _read_table(data, size)
    lanes = _lanes(count)
    if len(data) < used + 4 * lanes or (len(data) - used) % 2:
        raise ValueError("the symbol stream is cut short")
    state = np.frombuffer(data, "<u4", lanes, used).astype(np.uint64)
    stream = np.frombuffer(data, "<u2", offset=used + 4 * lanes).astype(np.uint64)
    start = np.concatenate([[0], np.cumsum(freq)[:-1]]).astype(np.uint64)
    lookup = np.repeat(np.arange(size), freq)
    out, at, mask = np.empty(count, dtype=np.int64), 0, np.uint64((1 << PRECISION) - 1)
    wide_freq = freq.astype(np.uint64)
    for first in range(0, count, lanes):
        x = state[: min(lanes, count - first)]
        slot = x & mask
        now = lookup[slot]
        x = wide_freq[now] * (x >> np.uint64(PRECISION)) + slot - start[now]
        refill = np.flatnonzero(x < LOW)
        if at + refill.size > stream.size:
            raise ValueError("the symbol stream is cut short")
        x[refill] = (x[refill] << np.uint64(16)) | stream[at : at + refill.size]
        at += refill.size
        state[: x.size] = x
        out[first : first + x.size] = now
    if at != stream.size or not (state == LOW).all():
        raise ValueError("the symbol stream is damaged")
    return out


def _lanes(count):
    return max(1, min(1024, count // SYMBOLS_PER_LANE))


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
        raise ValueError("the symbol stream is cut short")
    last = int(np.frombuffer(data, "<u2", 1)[0])
    if not 1 <= last <= size or len(data) < 2 + 2 * last:
        raise ValueError("the frequency table is damaged")
    freq = np.zeros(size, dtype=np.int64)
    freq[:last] = np.frombuffer(data, "<u2", last, 2)
    if freq.sum() != 1 << PRECISION:
        raise ValueError("the frequency table is damaged")
    return freq, 2 + 2 * last
