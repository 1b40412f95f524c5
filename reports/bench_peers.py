"""The two models of the benchmark in other tools' words: SimPy as its guide would write it, SimPy lean, plain Python.

Each function plays all customers to the end. None of them knows a rule more than its model needs.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from reports.bench_models import Customers

NOBODY = -1
INF = float("inf")
Events = Generator[simpy.Event, Any, Any]


class Answer(NamedTuple):
    """What became of the customers.

    `wait_s` (n, tries) float64, nan for a try that never was; `agent` (n,) int64, the number of the one who
    served him, 0 if the tool has no numbers, -1 if nobody.
    """

    wait_s: NDArray[np.float64]
    agent: NDArray[np.int64]


class At(simpy.Event):
    """An event at an absolute time: now + (t - now) could round."""

    def __init__(self, env: simpy.Environment, time_s: float) -> None:
        self.env = env
        self.callbacks = []
        self._value = None
        self._ok = True
        self._defused = False
        heappush(env._queue, (time_s, 1, next(env._eid), self))  # type: ignore[misc]


def simpy_resource(c: Customers) -> Answer:
    """M/M/s+M as SimPy's guide does it: a process a customer, a `Resource`, the request or a time-out."""
    arrival, service, patience = c.arrival_s.tolist(), c.service_s.tolist(), c.patience_s[:, 0].tolist()
    env = simpy.Environment()
    servers = simpy.Resource(env, len(c.speaks))
    wait, agent = [0.0] * len(arrival), [NOBODY] * len(arrival)

    def customer(i: int) -> Events:
        begun = env.now
        with servers.request() as request:
            got: Any = yield request | env.timeout(patience[i])
            wait[i] = env.now - begun
            if request in got:
                agent[i] = 0
                yield env.timeout(service[i])

    def source() -> Events:
        for i, time in enumerate(arrival):
            yield At(env, time)
            env.process(customer(i))

    env.process(source())
    env.run()
    return _answer(wait, agent)


def simpy_lean(c: Customers) -> Answer:
    """The same without processes and conditions: callbacks on bare time-outs, a queue of one's own."""
    arrival, service, patience = c.arrival_s.tolist(), c.service_s.tolist(), c.patience_s[:, 0].tolist()
    n = len(arrival)
    env = simpy.Environment()
    wait, agent = [0.0] * n, [NOBODY] * n
    queue: deque[int] = deque()
    waits = bytearray(n)
    free, row = len(c.speaks), 0

    def start(i: int) -> None:
        agent[i] = 0
        wait[i] = env.now - arrival[i]
        simpy.Timeout(env, service[i]).callbacks.append(done)

    def done(_: Any) -> None:
        nonlocal free
        while queue:
            i = queue.popleft()
            if waits[i]:
                waits[i] = 0
                return start(i)
        free += 1

    def gives_up(event: Any) -> None:
        i = event.value
        if waits[i]:
            waits[i] = 0
            wait[i] = env.now - arrival[i]

    def arrive(_: Any) -> None:
        nonlocal free, row
        i = row
        row += 1
        if free:
            free -= 1
            start(i)
        else:
            waits[i] = 1
            queue.append(i)
            simpy.Timeout(env, patience[i], i).callbacks.append(gives_up)
        if row < n:
            At(env, arrival[row]).callbacks.append(arrive)

    At(env, arrival[0]).callbacks.append(arrive)
    env.run()
    return _answer(wait, agent)


def plain_loop(c: Customers) -> Answer:
    """The same without a library: arrivals from the sorted list, all else in a heap."""
    arrival, service, patience = c.arrival_s.tolist(), c.service_s.tolist(), c.patience_s[:, 0].tolist()
    n = len(arrival)
    wait, agent = [0.0] * n, [NOBODY] * n
    waits = bytearray(n)
    queue: deque[int] = deque()
    heap: list[tuple[float, int]] = []
    free, row = len(c.speaks), 0
    while row < n or heap:
        if row < n and (not heap or arrival[row] < heap[0][0]):
            now = arrival[row]
            if free:
                free -= 1
                agent[row] = 0
                heappush(heap, (now + service[row], NOBODY))
            else:
                waits[row] = 1
                queue.append(row)
                heappush(heap, (now + patience[row], row))
            row += 1
            continue
        now, i = heappop(heap)
        if i != NOBODY:  # patience ends
            if waits[i]:
                waits[i] = 0
                wait[i] = now - arrival[i]
            continue
        while queue:  # an agent is free
            i = queue.popleft()
            if waits[i]:
                waits[i] = 0
                agent[i], wait[i] = 0, now - arrival[i]
                heappush(heap, (now + service[i], NOBODY))
                break
        else:
            free += 1
    return _answer(wait, agent)


def simpy_skills(c: Customers) -> Answer:
    """The multi-skill surge on SimPy: a process a customer, queues of one's own, as no resource has skills."""
    arrival, service, language = c.arrival_s.tolist(), c.service_s.tolist(), c.language.tolist()
    patience, back, returns = c.patience_s.tolist(), c.back_s.tolist(), c.returns.tolist()
    skills, speaks = _skills(c), c.speaks.tolist()
    rank = np.where(c.urgent, 0, 1).tolist()
    tries = len(patience[0])
    env = simpy.Environment()
    wait = [[float("nan")] * tries for _ in arrival]
    agent = [NOBODY] * len(arrival)
    # Of each rank and language: customer -> (since when, what wakes him); the order is that of joining.
    queues: list[list[OrderedDict[int, tuple[float, Any]]]] = [[OrderedDict() for _ in speaks[0]] for _ in range(2)]
    idle = OrderedDict.fromkeys(range(len(speaks)))  # the longest idle first

    def release(a: int) -> None:
        for by_language in queues:
            best: tuple[float, int, OrderedDict[int, tuple[float, Any]]] | None = None
            for spoken in skills[a]:
                queue = by_language[spoken]
                if queue:
                    i = next(iter(queue))
                    if best is None or queue[i][0] < best[0]:
                        best = (queue[i][0], i, queue)
            if best is not None:
                best[2].pop(best[1])[1].succeed(a)
                return
        idle[a] = None

    def customer(i: int) -> Events:
        queue, spoken = queues[rank[i]][language[i]], language[i]
        for k in range(tries):
            begun = env.now
            a = next((a for a in idle if speaks[a][spoken]), None)
            if a is not None:
                del idle[a]
                wait[i][k] = 0.0
            else:
                call = env.event()
                queue[i] = (begun, call)
                got: Any = yield call | env.timeout(patience[i][k])
                wait[i][k] = env.now - begun
                if call in got:
                    a = call.value
                else:
                    del queue[i]
            if a is not None:
                agent[i] = a
                yield env.timeout(service[i])
                release(a)
                return
            if not returns[i][k]:
                return
            yield env.timeout(back[i][k])

    def source() -> Events:
        for i, time in enumerate(arrival):
            yield At(env, time)
            env.process(customer(i))

    env.process(source())
    env.run()
    return _answer(wait, agent)


def loop_skills(c: Customers) -> Answer:
    """The multi-skill surge without a library."""
    arrival, service, language = c.arrival_s.tolist(), c.service_s.tolist(), c.language.tolist()
    patience, back, returns = c.patience_s.tolist(), c.back_s.tolist(), c.returns.tolist()
    skills, speaks = _skills(c), c.speaks.tolist()
    rank = np.where(c.urgent, 0, 1).tolist()
    n, tries = len(arrival), len(patience[0])
    wait = [[float("nan")] * tries for _ in arrival]
    agent, attempt = [NOBODY] * n, [0] * n
    queues: list[list[OrderedDict[int, float]]] = [[OrderedDict() for _ in speaks[0]] for _ in range(2)]
    idle = OrderedDict.fromkeys(range(len(speaks)))
    heap: list[tuple[float, int, int, int]] = []  # (time, number of the event, kind, agent or customer)
    done, back_again = -1, -2  # kinds; from 0 on: the end of patience in so many-th a try
    row = events = 0

    def arrive(now: float, i: int) -> None:
        nonlocal events
        events += 1
        for a in idle:
            if speaks[a][language[i]]:
                del idle[a]
                wait[i][attempt[i]], agent[i] = 0.0, a
                heappush(heap, (now + service[i], events, done, a))
                return
        queues[rank[i]][language[i]][i] = now
        heappush(heap, (now + patience[i][attempt[i]], events, attempt[i], i))

    def release(now: float, a: int) -> None:
        nonlocal events
        for by_language in queues:
            best, first, at = INF, NOBODY, by_language[0]
            for spoken in skills[a]:
                queue = by_language[spoken]
                if queue:
                    i = next(iter(queue))
                    if queue[i] < best:
                        best, first, at = queue[i], i, queue
            if first != NOBODY:
                del at[first]
                wait[first][attempt[first]], agent[first] = now - best, a
                events += 1
                heappush(heap, (now + service[first], events, done, a))
                return
        idle[a] = None

    while row < n or heap:
        if row < n and (not heap or arrival[row] < heap[0][0]):
            arrive(arrival[row], row)
            row += 1
            continue
        now, _, kind, i = heappop(heap)
        if kind == done:
            release(now, i)
        elif kind == back_again:
            attempt[i] += 1
            arrive(now, i)
        elif attempt[i] == kind and i in queues[rank[i]][language[i]]:
            wait[i][kind] = now - queues[rank[i]][language[i]].pop(i)
            if returns[i][kind]:
                events += 1
                heappush(heap, (now + back[i][kind], events, back_again, i))
    return _answer(wait, agent)


def _skills(c: Customers) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in c.speaks]


def _answer(wait: list[Any], agent: list[int]) -> Answer:
    waits = np.array(wait)
    return Answer(waits.reshape(len(wait), -1), np.array(agent, dtype=np.int64))
