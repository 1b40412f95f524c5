"""How true is the generator? ``python -m loadtests.bench``: sends on time, over TLS, and beside a stock Locust user.

    python -m loadtests.bench [--quick] [--json]

The generator has a processor of its own, the sink another. 5,000 sends a second with exponential gaps for 20 s,
bodies rendered and signed ahead, three times; 1,500 a second over TLS; Locust's FastHttpUser in a closed loop on the
same processor, and the open loop at twice its rate; as many requests as sessions may be asked for, in rows of a
customer, a conversation and a post. A run in which the generator waited for its processor for more
than 5 % of the time is void: it measures the machine. Exit code 1: a bar is missed; 4: void.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loadtests import sinks
from loadtests.bodies import probe
from loadtests.flows import MOST_PER_S
from loadtests.result import LoadResult
from loadtests.runner import replay
from loadtests.schedule import at_times
from loadtests.target import Options, Target
from loadtests.templated import target_of

BAR_LAG_S = 0.005
BAR_RATIO, TRIED_RATIO, TRIED_S = 1.5, 2.0, 5.0
VOID_SHARE = 0.05
USERS = 50
FAST = '''"""A stock user of Locust, in a closed loop, as fast as it can."""
from locust import FastHttpUser, constant, task


class Fast(FastHttpUser):
    wait_time = constant(0)

    @task
    def post(self):
        self.client.post({path!r}, data={body!r}, headers={{"Content-Type": "application/json"}})
'''

CHAIN = """name = "bench"
title = "The sink, as if it knew customers and conversations"
base_url = "{url}"

[operations.customer]
method = "POST"
path = "/customers"
body = {{ id = "{{author}}", name = "{{name}}" }}
take = {{ customer = "/accepted" }}

[operations.case]
method = "POST"
path = "/customers/{{customer}}/cases"
take = {{ case = "/accepted" }}

[operations.post]
method = "POST"
path = "/customers/{{customer}}/cases/{{case}}/posts"
body = {{ id = "{{post}}", text = "{{text}}" }}
"""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rate_per_s: float = 5000.0
    tls_per_s: float = 1500.0
    seconds: float = 20.0
    runs: int = 3


QUICK = Size(seconds=5.0, runs=1)


def cores() -> tuple[set[int], list[int]]:
    """A processor for the sink and one for the generator; nothing to choose where there is only one."""
    free = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return ({free[0]}, [free[1]]) if len(free) > 1 else (set(), [])


def poisson(rate_per_s: float, seconds: float, seed: int) -> Any:
    """Exponential gaps, as callers come who do not know of each other."""
    gaps = np.random.default_rng(seed).exponential(1.0 / rate_per_s, int(rate_per_s * seconds))
    return at_times(np.cumsum(gaps), "bench")


def facts(result: LoadResult) -> dict[str, Any]:
    """What a run says."""
    lag = result.histograms()["lag"]
    worker = result.about["workers"][0]
    waited = worker["waited_s"]
    share = None if waited is None else waited / worker["wall_s"]
    span_s = float(np.nanmax(result["done_s"], initial=result["due_s"][-1]))
    return {
        "rows": len(result),
        "answered": result.counts()["answered"],
        "per_s": result.counts()["answered"] / span_s,
        "lag_p50_ms": 1e3 * lag.quantile_s(0.5),
        "lag_p99_ms": 1e3 * lag.quantile_s(0.99),
        "lag_max_ms": 1e3 * lag.max_s,
        "cpu": worker["cpu_s"] / worker["wall_s"],
        "waited": share,
        "void": share is not None and share > VOID_SHARE,
    }


def sends(url: str, rate_per_s: float, size: Size, ca: Path | None = None) -> list[dict[str, Any]]:
    """Some runs at a rate, each with chance of its own."""
    _, mine = cores()
    target = Target(url, secret="bench", ca=ca)
    options = Options(max_connections=2000)
    return [
        facts(replay(poisson(rate_per_s, size.seconds, seed), target, options, pinned=mine))
        for seed in range(1, size.runs + 1)
    ]


def in_sessions(url: str, size: Size, folder: Path) -> list[dict[str, Any]]:
    """Some runs at 1 % below the most that is not refused, each row by an author of his own: three requests."""
    _, mine = cores()
    file = folder / "chain.toml"
    file.write_text(CHAIN.format(url=url), "utf-8")
    rows = at_times(np.arange(0.0, size.seconds, 1.01 * 3.0 / MOST_PER_S), "bench")
    return [facts(replay(rows, target_of(str(file)), Options(), pinned=mine)) for _ in range(size.runs)]


def fast_user(url: str, seconds: float, folder: Path) -> float:
    """Requests a second of Locust's FastHttpUser in a closed loop, on the generator's processor."""
    target = Target(url)
    body = probe(target, 0.0).partition(b"\r\n\r\n")[2]
    locustfile = folder / "fast.py"
    locustfile.write_text(FAST.format(path=target.path, body=body + b" " * 300), "utf-8")
    words = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", url, "-u", str(USERS), "-r",
             str(USERS), "--run-time", f"{seconds:.0f}s", "--csv", "fast", "--only-summary"]  # fmt: skip
    log = folder / "fast.log"
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        _, mine = cores()
        if mine:
            os.sched_setaffinity(process.pid, set(mine))
        process.wait(seconds + 60.0)
    with (folder / "fast_stats.csv").open(encoding="utf-8") as file:
        return float(list(csv.DictReader(file))[-1]["Requests/s"])


def bench(size: Size) -> dict[str, Any]:
    """All measurements and whether the bars are held; None: not measured, or void."""
    theirs, _ = cores()
    with tempfile.TemporaryDirectory(prefix="ashcloud-bench-") as made:
        folder = Path(made)
        words = sinks.built(folder)
        with sinks.running(words, theirs) as port:
            url = f"http://127.0.0.1:{port}"
            plain = sends(url, size.rate_per_s, size)
            fast_per_s = fast_user(url, max(size.seconds / 2.0, 5.0), folder)
            above = sends(url, TRIED_RATIO * fast_per_s, Size(seconds=TRIED_S, runs=size.runs))
            sessions = in_sessions(url, size, folder)
        pair = sinks.certificate(folder)
        tls = []
        if pair is not None:
            with sinks.running([sys.executable, "-m", "loadtests.sinks", *map(str, pair)], theirs) as port:
                tls = sends(f"https://127.0.0.1:{port}", size.tls_per_s, size, pair[0])
    return {
        "sink": "C" if len(words) == 1 else "Python",
        "plain": plain,
        "tls": tls,
        "above": above,
        "sessions": sessions,
        "fast_http_user_per_s": fast_per_s,
        "bars": bars(plain, tls, above, fast_per_s, sessions),
    }


def bars(
    plain: list[dict[str, Any]], tls: list[dict[str, Any]], above: list[dict[str, Any]], fast_per_s: float,
    sessions: list[dict[str, Any]],
) -> dict[str, bool | None]:  # fmt: skip
    """Whether each bar is held; None if every run that says something about it is void."""
    rates = [run["per_s"] for run in above if not run["void"]]
    ratio = None if not rates else statistics.median(rates) / fast_per_s >= BAR_RATIO
    on_time = {"plain_on_time": plain, "tls_on_time": tls, "sessions_on_time": sessions}
    return {**{name: _on_time(runs) for name, runs in on_time.items()}, "faster_than_fast_http_user": ratio}


def _on_time(runs: list[dict[str, Any]]) -> bool | None:
    kept = [run for run in runs if not run["void"]]
    if not kept:
        return None
    whole = all(run["answered"] == run["rows"] for run in kept)
    return whole and 1e-3 * statistics.median(run["lag_p99_ms"] for run in kept) < BAR_LAG_S


def show(found: dict[str, Any]) -> str:
    """The table."""
    lines = [f"{'':28}{'rows':>9}{'sends/s':>9}{'lag p50':>10}{'p99':>10}{'max':>10}{'cpu':>6}{'waited':>8}"]
    kinds = {
        "open loop": "plain", "open loop, TLS": "tls", "open loop, twice the below": "above",
        "sessions, rows of three": "sessions",
    }  # fmt: skip
    for name, runs in ((name, found[kind]) for name, kind in kinds.items()):
        for run in runs:
            waited = "?" if run["waited"] is None else f"{run['waited']:.1%}"
            times = "".join(f"{run[f'lag_{each}_ms']:>7.2f} ms" for each in ("p50", "p99", "max"))
            void = "  void" if run["void"] else ""
            lines.append(f"{name:28}{run['rows']:>9,}{run['per_s']:>9,.0f}{times}{run['cpu']:>6.0%}{waited:>8}{void}")
    lines.append(f"{'FastHttpUser, closed loop':28}{'':>9}{found['fast_http_user_per_s']:>9,.0f}")
    words = {True: "held", False: "missed", None: "void"}
    lines += [f"{name.replace('_', ' ')}: {words[held]}" for name, held in found["bars"].items()]
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description="Measure the generator of loads.")
    parser.add_argument("--quick", action="store_true", help="one run of 5 s each")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(words)
    found = bench(QUICK if asked.quick else Size())
    print(json.dumps(found, indent=1) if asked.json else show(found))
    held = found["bars"].values()
    return 1 if False in held else 4 if None in held else 0


if __name__ == "__main__":
    sys.exit(main())
