"""Draws of the compiled engine: the same functions as the reference's, on the tables of the run."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numba
import numpy as np

from sim import draws
from sim.codecache import part
from sim.draws import Laws, Stream
from sim.kernel_memory import pointer, row
from sim.kernel_tables import FLOAT, LONG

_names = [name for name in vars(Stream) if not name.startswith("_")]
STREAM: Any = namedtuple("STREAM", _names)(*(getattr(Stream, name) for name in _names))
"""The streams as compiled code can look at them."""
_numba: Any = numba
carray = _numba.carray
MASK = np.uint64((1 << 62) - 1)
HIGH = np.uint64(1 << 62)
A, B, C, D = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93))
S31, S32 = np.uint64(31), np.uint64(32)


@part
def uniform(s: Any, stream: Any, subject: Any, k: Any) -> Any:
    """The uniform of a named draw."""
    return draws.uniform(s.key, stream, subject, k)


@part
def law(s: Any, number: Any, stream: Any, subject: Any, k: Any) -> Any:
    """The value of a law for a named draw, in seconds."""
    if row(s.law_kind, number, LONG).v == draws.CONSTANT:
        return row(s.law_a, number, FLOAT).v
    laws = Laws(
        carray(pointer(s.law_kind), s.laws_n, np.int64),
        carray(pointer(s.law_a), s.laws_n, np.float64),
        carray(pointer(s.law_b), s.laws_n, np.float64),
        carray(pointer(s.law_points), s.points_n, np.float64),
    )
    return draws.draw(laws, number, s.key, stream, subject, k)


@part
def share(s: Any, subject: Any, k: Any) -> Any:
    """Weight of the `k`-th turn of a case."""
    return draws.lognormal_share(s.key, STREAM.SHARES, subject, k, s.turn_sd_log)


@part
def child_subject(parent: Any, j: Any) -> Any:
    """Name, for draws, of the `j`-th thing that came out of `parent`, as `sim.cases.child_subject`."""
    x = np.uint64(parent) * A + np.uint64(j) * B + C
    x = (x ^ (x >> S31)) * D
    return np.int64(((x ^ (x >> S32)) & MASK) | HIGH)
