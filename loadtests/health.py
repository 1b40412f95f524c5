"""Was the generator itself in order? Asked before anything is said about the server.

A generator that waits for the processor sends late and reads answers late, and each of its own delays looks
like one of the server. The kernel tells how long a process was ready to run but did not (`schedstat`), and
whether its group was held back (`cpu.stat`). Where it does not tell, that is a third answer, never "in order".
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from loadtests.histogram import Histogram
from loadtests.result import LoadResult, Outcome
from loadtests.terms import BEYOND

LAG_P99_S = 0.010
PHASE_ROWS = 100  # of fewer the last percent is no row
WAITED_SHARE_A_S = 10.0  # for each second of lag that is allowed: 10 % at 10 ms
HELD_BACK_SHARE = 0.01
State = Literal["in order", "invalid", "not measurable"]


@dataclass(frozen=True)
class Spent:
    """What a process has used of the machine since it was begun to be measured; None: not measurable here."""

    wall_s: float
    cpu_s: float
    waited_s: float | None
    held_back_s: float | None

    def to_dict(self) -> dict[str, Any]:
        return {name: None if value is None else round(value, 6) for name, value in vars(self).items()}


class Meter:
    """Measures its own process from `start` on."""

    def __init__(self, proc: Path = Path("/proc/self"), group: Path | None = None) -> None:
        self._proc = proc
        self._group = _group_of(proc) if group is None else group
        self.start()

    def start(self) -> None:
        self._from = self._read()

    def spent(self) -> Spent:
        wall, cpu, waited, held = (
            None if end is None or begin is None else end - begin
            for begin, end in zip(self._from, self._read(), strict=True)
        )
        return Spent(wall or 0.0, cpu or 0.0, waited, held)

    def _read(self) -> tuple[float, float, float | None, float | None]:
        return time.monotonic(), time.process_time(), _waited_s(self._proc), _held_back_s(self._group)


def _waited_s(proc: Path) -> float | None:
    try:
        return int((proc / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _held_back_s(group: Path | None) -> float | None:
    if group is None:
        return None
    try:
        told = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if "throttled_usec" in told:
        return int(told["throttled_usec"]) / 1e6
    return int(told["throttled_time"]) / 1e9 if "throttled_time" in told else None


def _group_of(proc: Path) -> Path | None:
    """Folder of the control group that shares out the processor, of version 2 or 1."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = [line.split(":", 2) for line in (proc / "cgroup").read_text().splitlines()]
    except OSError:
        return None
    for number, names, path in lines:
        places = [root, root / path.lstrip("/")] if number == "0" else [root / "cpu" / path.lstrip("/"), root / "cpu"]
        if number != "0" and "cpu" not in names.split(","):
            continue
        for place in reversed(places):
            if (place / "cpu.stat").is_file():
                return place
    return None


@dataclass(frozen=True)
class Verdict:
    """Whether what was measured says something about the server; `reasons` are sentences."""

    state: State
    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return self.state != "invalid"

    def to_dict(self) -> dict[str, Any]:
        return {"state": self.state, "reasons": list(self.reasons), "unknown": list(self.unknown)}


def judge(result: LoadResult) -> Verdict:
    """Say whether the generator was in order.

    It was not if 1 % of the rows, of all or of a phase of a hundred rows or more, were sent more than a limit
    late, any was dropped for want of a connection, a worker was lost, waited for a processor for more than 1 %
    of the time for each millisecond of the limit, or was held back by its group for more than 1 % of the time.
    The limit is the `max_lag_s` that the result was made with, else 10 ms.
    """
    lag_p99_s = float(result.about.get("max_lag_s", LAG_P99_S))
    reasons = _late(result, lag_p99_s)
    errors = result.about.get("errors", ())
    beyond = np.isin(result["error"], [i for i, text in enumerate(errors) if text.endswith(BEYOND)])
    if over := int(np.count_nonzero(beyond)):
        reasons.append(f"{over:,} rows were {BEYOND} and not sent; ask for less, or lower --speed")
    if dropped := int(np.count_nonzero((result["outcome"] == Outcome.DROPPED) & ~beyond)):
        reasons.append(f"{dropped:,} rows were dropped, as no connection was left; raise --max-connections")
    workers: Sequence[dict[str, Any]] = result.about.get("workers", [])
    reasons += [f"worker {w['number']} was lost with {w['lost_rows']:,} rows" for w in workers if w.get("lost")]
    present = [w for w in workers if not w.get("lost")]
    waited_share = WAITED_SHARE_A_S * lag_p99_s
    reasons += [text for w in present for text in _starved(w, waited_share)]
    unknown = []
    if not present or any(w.get("waited_s") is None for w in present):
        unknown.append("whether it waited for the processor")
    if not present or any(w.get("held_back_s") is None for w in present):
        unknown.append("whether its group was held back")
    state: State = "invalid" if reasons else "not measurable" if unknown else "in order"
    return Verdict(state, tuple(reasons), tuple(unknown))


def late(lags: Iterable[tuple[str, Histogram]], lag_p99_s: float) -> tuple[str, float] | None:
    """Name of the first part that was late, and the lag that its latest 1 % had; None if none was.

    The first part is all rows; of the others, phases, those with fewer than a hundred rows are not asked. A
    short peak drowns in a long night.
    """
    for place, (name, lag) in enumerate(lags):
        late_s = lag.quantile_s(0.99)
        if lag.count >= (PHASE_ROWS if place else 1) and late_s > lag_p99_s:
            return name, late_s
    return None


def late_words(lags: Iterable[tuple[str, Histogram]], lag_p99_s: float) -> list[str]:
    """What to say of the part that `late` names, which is called as it stands in the sentence; nothing if none was."""
    found = late(lags, lag_p99_s)
    if found is None:
        return []
    words, late_s = found
    return [f"1 % of the rows were sent {1e3 * late_s:.1f} ms late or more{words}, above {1e3 * lag_p99_s:g} ms"]


def _late(result: LoadResult, lag_p99_s: float) -> list[str]:
    parts = [("", np.ones(len(result), dtype=bool))]
    parts += [(f" in the phase {p['name']}", result.between(p["from_s"], p["to_s"])) for p in result.about["phases"]]
    return late_words(((words, Histogram.of(result.lag_s[where])) for words, where in parts), lag_p99_s)


def _starved(worker: dict[str, Any], waited_share: float) -> list[str]:
    wall_s = worker.get("wall_s") or math.inf
    out = []
    for name, limit, words in (
        ("waited_s", waited_share, "waited for a processor"),
        ("held_back_s", HELD_BACK_SHARE, "was held back by its control group"),
    ):
        value = worker.get(name)
        if value is not None and value / wall_s > limit:
            out.append(f"worker {worker['number']} {words} for {value / wall_s:.1%} of the time, above {limit:.0%}")
    return out
