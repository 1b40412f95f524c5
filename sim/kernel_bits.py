"""Free agents of a pool as bits, one row of words for each number of turns in hand: who is the j-th by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.codecache import part
from sim.kernel_memory import row
from sim.kernel_tables import INT, POOL, SEAT, WORD

ONE = np.uint64(1)
S1, S2, S4, S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
M1, M2, M4, ONES = (
    np.uint64(x) for x in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


@part
def mark(s: Any, seat: Any, free: Any) -> Any:
    """Write down whether an agent is free, with so many turns in hand as he has now."""
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    at = seat - p.first
    word = row(s.free_words, p.words + a.in_hand * p.words_n + (at >> 6), WORD)
    count = row(s.free_counts, p.levels + a.in_hand, INT)
    bit = ONE << np.uint64(at & 63)
    if free:
        word.v |= bit
        count.v += 1
    else:
        word.v &= ~bit
        count.v -= 1


@part
def how_many_free(s: Any, p: Any, in_hand: Any) -> Any:
    """Number of free agents of a pool who have so many turns in hand."""
    return row(s.free_counts, p.levels + in_hand, INT).v if in_hand < p.levels_n else 0


@part
def free_by_number(s: Any, p: Any, in_hand: Any, j: Any) -> Any:
    """The `j`-th of them, from 0, by number; there are more than `j`."""
    first = p.words + in_hand * p.words_n
    for i in range(p.words_n):
        bits = row(s.free_words, first + i, WORD).v
        n = _ones(bits)
        if j < n:
            for _ in range(j):
                bits &= bits - ONE
            return p.first + 64 * i + _ones((bits & (~bits + ONE)) - ONE)
        j -= n
    return p.first


@part
def _ones(bits: Any) -> Any:
    """How many bits are set."""
    bits -= (bits >> S1) & M1
    bits = (bits & M2) + ((bits >> S2) & M2)
    return np.int64((((bits + (bits >> S4)) & M4) * ONES) >> S56)
