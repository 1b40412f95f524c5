"""Measures the service on two cores: the service on one, its client and PostgreSQL on the other.

``python -m careapi.bench``. Four kinds of requests, in turns: a GET that does nothing behind the same guards, the
durable intake of one signed post a request (on SQLite every commit is on the disk, so on PostgreSQL), claims with
a backlog. After each run the store is opened and counted: what was acknowledged is there, once. Exit code 1 if a
bar is missed, 3 if a run was broken.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from careapi.bench_runs import Broken, Kind, Plan, Row, measure
from careapi.pg_cluster import cluster, programs


@dataclass(frozen=True)
class Bar:
    """What a figure should at least be."""

    name: str
    value: float
    least: float

    @property
    def holds(self) -> bool:
        """Whether it is."""
        return self.value >= self.least


def bars(rows: Mapping[Kind, Row]) -> list[Bar]:
    """What the service has to reach, of what was measured."""
    rates = {kind: row.rate_per_s for kind, row in rows.items()}
    found = [
        Bar("intake on SQLite a second", rates[Kind.SQLITE], 1000.0),
        Bar("intake on SQLite as a share of a GET that does nothing", rates[Kind.SQLITE] / rates[Kind.NOOP], 0.3),
        Bar("claims on SQLite a second", rates[Kind.CLAIMS], 800.0),
    ]
    if Kind.POSTGRES in rates:
        found.append(Bar("intake on PostgreSQL a second", rates[Kind.POSTGRES], 800.0))
    return found


def table(rows: Mapping[Kind, Row], checked: list[Bar]) -> str:
    """The result as text."""
    lines = [f"{'':32}{'requests/s':>11}{'(of rounds)':>15}{'p50 ms':>8}{'p99 ms':>8}{'CPU us':>8}"]
    for kind, row in rows.items():
        rates = sorted(each.rate_per_s for each in row.loads)
        span = f"{rates[0]:.0f}-{rates[-1]:.0f}"
        lines.append(
            f"{kind:32}{row.rate_per_s:11.0f}{span:>15}{row.wait_ms(0.5):8.1f}{row.wait_ms(0.99):8.1f}"
            f"{statistics.median(row.cpu_us):8.0f}"
        )
    lines.append("")
    lines += [
        f"{'holds ' if bar.holds else 'MISSED'} {bar.name}: {bar.value:.4g}, at least {bar.least:g}" for bar in checked
    ]
    return "\n".join(lines)


def plain(rows: Mapping[Kind, Row], checked: list[Bar]) -> dict[str, Any]:
    """The result for machines."""

    def row(each: Row) -> dict[str, Any]:
        cpu_us = statistics.median(each.cpu_us)
        return {
            "per_s": each.rate_per_s, "of_rounds": [one.rate_per_s for one in each.loads],
            "p50_ms": each.wait_ms(0.5), "p99_ms": each.wait_ms(0.99), "cpu_us": None if math.isnan(cpu_us) else cpu_us,
        }  # fmt: skip

    return {
        "rows": {kind.name.lower(): row(each) for kind, each in rows.items()},
        "bars": [{"name": b.name, "value": b.value, "least": b.least, "holds": b.holds} for b in checked],
    }


def parser() -> argparse.ArgumentParser:
    """The options."""
    about = argparse.ArgumentParser(prog="python -m careapi.bench", description="Measure the care service.")
    about.add_argument("--seconds", type=float, default=4.0, help="length of a run (default: 4)")
    about.add_argument("--rounds", type=int, default=3, help="runs of each kind, in turns (default: 3)")
    about.add_argument("--connections", type=int, default=64, help="requests under way at once (default: 64)")
    about.add_argument("--cases", type=int, default=60_000, help="open cases behind the claims (default: 60000)")
    about.add_argument("--postgres", metavar="URL", help="an empty database; default: a server that is thrown away")
    about.add_argument("--json", action="store_true", help="print the result as JSON")
    return about


def pinned() -> int | None:
    """Keep this process, and what it starts, to one core; returns the core that is left to the service."""
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(mine) < 2:
        _say("there are not two cores to choose from: service, client and database share what there is")
        return None
    os.sched_setaffinity(0, {mine[1]})
    return mine[0]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the bars hold."""
    asked, where = parser().parse_args(arguments), programs()
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    core = pinned()
    try:
        with tempfile.TemporaryDirectory() as folder:
            own = cluster(where) if where and not asked.postgres else nullcontext()
            with own as server:
                url = asked.postgres or (server.dsn if server else None)
                if url is None:
                    _say("no PostgreSQL is installed here: left out")
                plan = Plan(asked.seconds, asked.rounds, asked.connections, asked.cases, url, core)
                rows = measure(plan, Path(folder), _say)
    except Broken as fault:
        _say(str(fault))
        return 3
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
    checked = bars(rows)
    print(json.dumps(plain(rows, checked)) if asked.json else table(rows, checked))
    return 0 if all(bar.holds for bar in checked) else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
