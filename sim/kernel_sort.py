"""Putting what is released in the order of its places, in the compiled engine."""

from __future__ import annotations

from typing import Any

from sim.codecache import part


@part
def sort_by_place(keys: Any, arrivals: Any, numbers: Any, n: Any) -> Any:
    """Sort the first `n` of three columns by key, then arrival, then number; numbers differ."""
    for at in range(n // 2 - 1, -1, -1):
        _sink(keys, arrivals, numbers, at, n)
    for last in range(n - 1, 0, -1):  # the last of those that are left goes to their end
        _swap(keys, arrivals, numbers, 0, last)
        _sink(keys, arrivals, numbers, 0, last)


@part
def _sink(keys: Any, arrivals: Any, numbers: Any, at: Any, n: Any) -> Any:
    while 2 * at + 1 < n:
        below = 2 * at + 1
        if below + 1 < n and _before(keys, arrivals, numbers, below, below + 1):
            below += 1
        if not _before(keys, arrivals, numbers, at, below):
            break
        _swap(keys, arrivals, numbers, at, below)
        at = below


@part
def _before(keys: Any, arrivals: Any, numbers: Any, one: Any, other: Any) -> Any:
    if keys[one] != keys[other]:
        return keys[one] < keys[other]
    if arrivals[one] != arrivals[other]:
        return arrivals[one] < arrivals[other]
    return numbers[one] < numbers[other]


@part
def _swap(keys: Any, arrivals: Any, numbers: Any, one: Any, other: Any) -> Any:
    keys[one], keys[other] = keys[other], keys[one]
    arrivals[one], arrivals[other] = arrivals[other], arrivals[one]
    numbers[one], numbers[other] = numbers[other], numbers[one]
