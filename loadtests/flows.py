"""Which way a replay sends a target file: lean, or in sessions where a post hangs on what was answered before.

The lean way knows no answers: it holds many thousands of requests a second. A session plays customer, conversation
and post one after the other, in a greenlet a row, and holds far less; what is more than it can hold is refused here,
before anything is sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests import target_file, templates
from loadtests.operations import GIVEN, Operation
from loadtests.schedule import Schedule
from loadtests.target import Options, Target
from loadtests.target_file import OAuth2, TargetFile
from loadtests.templated import Templated
from loadtests.terms import beyond
from scenarios.errors import Fault, InputError

MOST_PER_S = 500.0
"""Requests a second that a worker holds. Alone on a processor it begins 4,000 a second within 1 ms (99 %); but after a
stall all greenlets wake at once, and what is due then waits for them: with 500 a second and a stall of 2 s 0.6 ms of
lag (99 %, at most 31), with 1,000 11 ms, where a replay is invalid from 10 ms on. On a machine shared with other work
500 a second were 4 ms late, 1,000 far more. `loadtests.bench` measures it."""

FIRST = (Operation.CUSTOMER, Operation.CASE)
CHAIN = (*FIRST, Operation.POST)
MOST_WORKERS = 64  # looked at, to say how many would do


def not_lean(file: TargetFile) -> Iterator[Fault]:
    """Why posts of a file cannot be sent the lean way; nothing if they can."""
    request = file.operations[Operation.POST]
    known = {*GIVEN[Operation.POST], *file.values}
    parts = [request.path, request.query, request.headers, request.body, request.form]
    used = {place for part in parts for _, place in templates.places(part)}
    if earlier := sorted(place for place in used - known if not place.startswith(templates.ENVIRONMENT)):
        yield Fault("operations.post", f"needs {{{earlier[0]}}} of an earlier answer, which the lean way does not read")
    if isinstance(file.auth.get(request.auth), OAuth2):
        yield Fault(f"auth.{request.auth}", "is oauth2, whose tokens the lean way does not renew")


def chosen(target: Target, options: Options) -> Options:
    """Options with `sender` settled: as it was named, else lean where that is possible.

    Raises
    ------
    InputError
        If the way that was named cannot send this.
    """
    why = [] if target.file is None else list(not_lean(target_file.load(target.file)))
    if options.sender == "auto":
        return replace(options, sender="session" if why else "lean")
    if options.sender == "lean" and why:
        raise InputError(
            target.file, [Fault(each.place, f"{each.what}; send it with --sender session") for each in why]
        )
    if options.sender == "session" and target.file is None:
        what = "is session, which plays target files; name one, or leave it out"
        raise InputError(None, [Fault("--sender", what)])
    return options


def lean_alone(target: Target, what: str) -> None:
    """Hold that the lean way can send it, where there is no other; raises `InputError`."""
    if target.file is None:
        return
    said = f"{what} sends the lean way alone, play a shape such as ramp:5,50,60s with `ashcloud load`"
    if why := [Fault(each.place, f"{each.what}; {said}") for each in not_lean(target_file.load(target.file))]:
        raise InputError(target.file, why)


def fitted(schedule: Schedule, target: Target, options: Options) -> Options:
    """As `chosen`, and nothing is asked of sessions that they cannot hold.

    Raises
    ------
    InputError
        If more requests are due in a second than the workers hold, or options do not go with sessions.
    """
    options = chosen(target, options)
    if options.sender == "lean" or target.file is None:
        return options
    file = target_file.load(target.file)
    wrong = []
    if options.connections == "new":
        wrong.append(Fault("--connections", "is new, but sessions keep theirs open; take pool"))
    held = [name for name in CHAIN if name in file.operations and file.operations[name].budget_per_s is not None]
    if held and options.workers > 1:
        what = f"is {options.workers}, but one worker alone can hold the budget_per_s of {', '.join(held)}; take 1"
        wrong.append(Fault("--workers", what))
    needed = requests(schedule, target, options)
    if (peak := _peak(schedule, needed, options.workers)) > MOST_PER_S:
        wrong.append(_too_fast(schedule, needed, options.workers, peak))
    if wrong:
        raise InputError(None, wrong)
    return options


def firsts(schedule: Schedule, file: TargetFile) -> dict[Operation, NDArray[np.int64]]:
    """Rows at which each operation is due: an author is made known by his first row, a conversation opened by its."""
    who = schedule.authors()
    thread = who * (int(schedule["case"].max(initial=0)) + 2) + schedule["case"] + 1
    found = {
        operation: np.sort(np.unique(keys, return_index=True)[1])
        for operation, keys in zip(FIRST, (who, thread), strict=True)
        if operation in file.operations
    }
    return {**found, Operation.POST: np.arange(len(schedule))}


def requests(schedule: Schedule, target: Target, options: Options) -> NDArray[np.int64]:
    """(n,) How many requests each row takes: the one that it is the first of, and in a session those before its post.

    Where one fails, the next row tries it again, but the row that failed has made fewer: so no more are made in
    all, but for tokens and what is asked again with a new one.
    """
    if target.file is None or options.sender == "lean":
        return np.diff(schedule["request"], prepend=-1).astype(np.int64)
    needed = np.zeros(len(schedule), dtype=np.int64)
    file = target_file.load(target.file)
    for rows in firsts(schedule, file).values():
        needed[rows] += 1
    return needed


def mean_bytes(schedule: Schedule, target: Target, posts: Sequence[Mapping[str, Any]]) -> float:
    """Bytes of a request on average, judged by what some posts say; what was to be taken has a stand-in."""
    assert target.file is not None
    total, number = 0.0, 0
    for operation, rows in firsts(schedule, target_file.load(target.file)).items():
        request = Templated(target, operation)
        total += rows.size * float(np.mean([len(request.made(post)) for post in posts]))
        number += rows.size
    return total / number


def beyond_budgets(schedule: Schedule, target: Target, options: Options) -> Iterator[Fault]:
    """Operations that are due more often than their budget allows."""
    if target.file is None:
        return
    file = target_file.load(target.file)
    for operation, rows in firsts(schedule, file).items():
        per_s = file.operations[operation].budget_per_s
        if options.sender == "lean" and operation is not Operation.POST:
            continue
        if per_s is not None and (over := int(np.count_nonzero(beyond(schedule["due_s"][rows], per_s)))):
            what = f"allows {per_s:g} {operation}s a second, and {over:,} of {rows.size:,} rows are due beyond that"
            yield Fault(f"--target {target.file}", f"{what}; lower --speed or --times, or raise budget_per_s")


def peak_per_s(due_s: NDArray[np.float64], needed: NDArray[np.int64]) -> float:
    """Most requests in any second, if each row makes its own when it is due."""
    before = np.concatenate(([0], np.cumsum(needed)))
    ends = np.searchsorted(due_s, due_s + 1.0, side="left")
    return float((before[ends] - before[:-1]).max(initial=0))


def _peak(schedule: Schedule, needed: NDArray[np.int64], workers: int) -> float:
    """Of the worker that has most to do."""
    shares = [schedule.of_part(part, workers, by_author=True) for part in range(workers)]
    return max(peak_per_s(schedule["due_s"][rows], needed[rows]) for rows in shares)


def _too_fast(schedule: Schedule, needed: NDArray[np.int64], workers: int, peak: float) -> Fault:
    enough = range(math.ceil(workers * peak / MOST_PER_S), MOST_WORKERS + 1)
    more = next((n for n in enough if n > workers and _peak(schedule, needed, n) <= MOST_PER_S), None)
    what, remedy = "", "send fewer a second"
    if schedule.about["traces"]:  # a shape has rates of its own
        speed = float(schedule.about["speed"])
        slower = float(f"{speed * MOST_PER_S / peak:.3g}")  # three digits, written as they may be typed
        what, remedy = f"is {speed:g}, so that ", f"lower it to about {slower:.15g}, or send fewer"
    if more is not None:
        remedy = f"take --workers {more}, or {remedy}"
    what += (
        f"{peak:,.0f} requests are due in one second at one worker, which holds {MOST_PER_S:g} in sessions; {remedy}"
    )
    return Fault("--speed" if schedule.about["traces"] else str(schedule.about["scenario"]), what)
