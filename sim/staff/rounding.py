"""Good shifts at once: the programme in fractions, rounded.

An integer programme over a week or more seldom gets far in seconds by itself. Its fractions are found at once; they
are rounded, filled up where heads are missing, and what nobody needs is dropped. The solver then begins with that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
UP = (0.0, 0.3, 0.5)  # added to a fraction before it is rounded down


def rounded(fractions: FloatArray, wanted: IntArray, covers: IntArray, hours: FloatArray) -> IntArray:
    """(kinds,) int64: the fractions rounded and filled in a few ways, the one with the fewest hours.

    Parameters
    ----------
    fractions : (kinds,) float64
        How often each shift is taken, in fractions; zeros if that is not known.
    wanted, covers, hours
        As for `filled`.
    """
    starts = [np.floor(fractions + up + 1e-9).astype(np.int64) for up in UP]
    tried = [filled(counts, wanted, covers, hours) for counts in starts]
    return min(tried, key=lambda counts: float(hours @ counts))


def filled(counts: IntArray, wanted: IntArray, covers: IntArray, hours: FloatArray) -> IntArray:
    """Counts with shifts added until nothing more can be covered, then without those that nobody needs.

    Parameters
    ----------
    counts : (kinds,) int64
        To begin with; not changed.
    wanted : (intervals,) int64
    covers : (kinds, intervals) int64
        1 where a shift is at work.
    hours : (kinds,) float64
        Paid.

    Notes
    -----
    The shift that covers most missing heads for each paid hour comes first: the answer is good, not the best.
    """
    out, have = counts.copy(), counts @ covers
    table = covers.astype(np.float32)
    while True:
        gain = table @ (have < wanted).astype(np.float32) / hours
        best = int(gain.argmax())
        if gain[best] <= 0.0:
            break
        out[best] += 1
        have = have + covers[best]
    for k in sorted(np.flatnonzero(out).tolist(), key=lambda k: -hours[k]):
        while out[k] and np.all((have - covers[k] >= wanted) | (covers[k] == 0)):
            out[k] -= 1
            have = have - covers[k]
    return out
