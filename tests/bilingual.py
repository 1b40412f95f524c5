"""The callers of the bilingual call centre on their own: how much it matters whose patience is kept.

ContactCenters gives a caller one patience, with which he also calls again; in ashcloud patience is drawn
afresh for each wait. This little simulation plays a day both ways with the same numbers, so that the
difference of the two is known much better than either.
"""

from __future__ import annotations

import heapq
from collections import deque

import numpy as np

TRIES = 8
CLOSING_MIN = 540.0
FREE, PATIENCE, CALL = 0, 1, 2
HEADS = (7, 7, 4)  # first language, second language, both


def week(rng: np.random.Generator) -> tuple[dict[str, float], dict[str, float]]:
    """Counts of a week with patience kept and with patience drawn afresh, by name as printed."""
    kept: dict[str, float] = {}
    fresh: dict[str, float] = {}
    for _ in range(5):
        callers = _callers(rng)
        for sums, afresh in ((kept, False), (fresh, True)):
            for name, value in _Day(callers, afresh).play().items():
                sums[name] = sums.get(name, 0.0) + value
    return kept, fresh


def _callers(rng: np.random.Generator) -> list[tuple[float, int, float, list[float], list[float], list[float]]]:
    """Minute, language, work, patience of each try, whether he calls again, and which free agent he gets."""
    rows = []
    for language, (low, high) in enumerate(((3.0, 7.0), (4.0, 6.0))):
        first = rng.uniform(0.0, 60.0, rng.poisson(100.0))
        times = np.concatenate([first, rng.uniform(60.0, CLOSING_MIN, rng.poisson(400.0))])
        n = times.size
        draws = (
            rng.uniform(low, high, n), rng.exponential(2.0, (n, TRIES)), rng.random((n, TRIES)), rng.random((n, TRIES))
        )  # fmt: skip
        rows += list(zip(times.tolist(), [language] * n, *(column.tolist() for column in draws), strict=True))
    return sorted(rows)


class _Day:
    def __init__(self, callers: list[tuple[float, int, float, list[float], list[float], list[float]]], afresh: bool):
        self.callers, self.afresh = callers, afresh
        self.events = [(row[0], CALL, i, 0) for i, row in enumerate(callers)]
        heapq.heapify(self.events)
        self.free = list(HEADS)
        self.queue: tuple[deque[tuple[float, int, int]], ...] = (deque(), deque())
        self.waiting: dict[int, int] = {}  # caller to the number of his try
        self.waited = [0.0] * len(callers)
        self.found: dict[str, float] = {}

    def play(self) -> dict[str, float]:
        while self.events:
            now, kind, who, number = heapq.heappop(self.events)
            if kind == CALL and now < CLOSING_MIN:
                self.call(now, who, number)
            elif kind == FREE:
                self.free[who] += 1
                if now < CLOSING_MIN:
                    self.next(now, who)
            elif kind == PATIENCE and self.waiting.get(who) == number and now < CLOSING_MIN:
                self.leave(now, who, number)
        return self.found

    def count(self, what: str, who: int) -> None:
        name = f"{what}_{('english', 'spanish')[self.callers[who][1]]}"
        self.found[name] = self.found.get(name, 0.0) + 1.0

    def call(self, now: float, who: int, number: int) -> None:
        _, language, _, patience, _, choice = self.callers[who]
        self.count("arrivals", who)
        if number:
            self.count("retrials", who)
        able = self.free[language] + self.free[2]
        if able:
            own = choice[number % TRIES] * able < self.free[language]
            self.start(now, who, language if own else 2)
            return
        self.queue[language].append((now, who, number))
        self.waiting[who] = number
        lasts = patience[number % TRIES] if self.afresh else patience[0]
        heapq.heappush(self.events, (now + lasts, PATIENCE, who, number))

    def leave(self, now: float, who: int, number: int) -> None:
        _, language, _, _, again, _ = self.callers[who]
        del self.waiting[who]
        since = next(since for since, each, _ in self.queue[language] if each == who)
        self.queue[language].remove((since, who, number))
        self.waited[who] += now - since
        self.count("abandoned", who)
        if again[number % TRIES] < 0.75:
            heapq.heappush(self.events, (now + 20.0, CALL, who, number + 1))

    def next(self, now: float, group: int) -> None:
        lines = [self.queue[language] for language in (range(2) if group == 2 else (group,)) if self.queue[language]]
        if lines:
            line = min(lines)
            since, who, _ = line.popleft()
            del self.waiting[who]
            self.waited[who] += now - since
            self.start(now, who, group)

    def start(self, now: float, who: int, group: int) -> None:
        self.free[group] -= 1
        heapq.heappush(self.events, (now + self.callers[who][2], FREE, group, 0))
        self.count("served", who)
        if self.waited[who] < 1.0:
            self.count("in_target", who)
