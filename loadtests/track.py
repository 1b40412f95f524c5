"""What the panel of a replay shows: made of what the chief tells, without Locust, at most twice a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from loadtests.health import late_words
from loadtests.histogram import Histogram

MOST = 400  # samples over the whole replay, so that a night fits into a page as an hour does
LEAST_S = 0.4  # of the chief's half seconds none is joined with the next
ENDS = ("answered", "failed", "shed", "dropped", "unsent", "abandoned")  # as `loadtests.result.Outcome`, in this order
COUNTS = ("due", "sent", "answered", "failed", "shed", "dropped", "in_flight")


class Track:
    """How a replay goes and went.

    Parameters
    ----------
    about : mapping
        As `loadtests.page.about` makes it: what is replayed, against what, how many rows, what lag is allowed.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about
        self._least_s = max(LEAST_S, float(about["span_s"]) / MOST)
        self._samples: list[dict[str, Any]] = []
        self._lag = Histogram.empty()
        self._server: dict[str, Any] = {"state": "not asked", "values": {}}
        self._verdict: dict[str, Any] | None = None
        self._status: Mapping[str, Any] | None = None
        self._ended, self._stopping = False, False
        self._made: dict[int, bytes] = {}

    def add(self, status: Mapping[str, Any], ended: bool = False) -> None:
        """Take in how it goes, see `loadtests.runner.Watch`; `ended`: nothing more will come."""
        self._status, self._ended = status, ended
        if status["at_s"] >= 0.0:
            self._sample(status)
        self._made.clear()

    def server(self, told: dict[str, Any]) -> None:
        """What waits at the server now, see `loadtests.backlog.Backlog.of`."""
        self._server = told
        self._made.clear()

    def stopping(self) -> None:
        """Somebody has asked for its end."""
        self._stopping = True
        self._made.clear()

    def judged(self, verdict: dict[str, Any]) -> None:
        """What was said of it at the end: a `loadtests.health.Verdict`, `status`, `headline`, `remarks`, and so on."""
        self._verdict = verdict
        self._made.clear()

    def told(self, since: int = 0) -> bytes:
        """All there is to show as JSON, with the samples from number `since` on; the last one may still change."""
        since = max(0, since)
        if since not in self._made:
            if len(self._made) >= MOST:
                self._made.clear()
            self._made[since] = msgspec.json.encode({**self._head(), "from": since, "samples": self._samples[since:]})
        return self._made[since]

    def table(self) -> list[dict[str, Any]]:
        """A row a phase that has begun, and one of all: counts by outcome, times in ms; None: not to be told."""
        if self._status is None:
            return []
        in_order = self._generator()["state"] != "not in order"
        whole, *phases = self._status["tallies"]
        phases += [self._status["later"]] if self._status["later"] else []
        shown = [tally for tally in phases if any(tally[name] for name in ENDS)]
        return [self._row(tally, in_order) for tally in (*shown, whole)]

    def _row(self, tally: Mapping[str, Any], in_order: bool) -> dict[str, Any]:
        latency, lag = Histogram.from_dict(tally["latency"]), Histogram.from_dict(tally["lag"])
        times = {f"p{100 * q:g}_ms": _ms(latency, q) if in_order else None for q in (0.5, 0.95, 0.99)}
        rows = self._about["rows_of"][tally["name"]]
        return {"name": tally["name"], "rows": rows, **{name: tally[name] for name in ENDS}, **times,
                "lag_ms": _ms(lag, 0.99)}  # fmt: skip

    def _head(self) -> dict[str, Any]:
        status = self._status
        stage = "ended" if self._ended else "stopping" if self._stopping else "running"
        return {
            "run": self._about,
            "stage": "waiting" if stage == "running" and (status is None or status["at_s"] < 0.0) else stage,
            "at_s": 0.0 if status is None else max(status["at_s"], 0.0),
            "totals": dict.fromkeys((*COUNTS, *ENDS, "lost"), 0) if status is None else _totals(status),
            "phases": self.table(),
            "generator": self._generator(),
            "server": self._server,
            "verdict": self._verdict,
        }

    def _generator(self) -> dict[str, Any]:
        """Whether it is in order: a third answer is that nobody can tell yet, or not here."""
        if self._verdict is not None:
            state = {"invalid": "not in order"}.get(self._verdict["state"], self._verdict["state"])
            return {"state": state, "reasons": self._verdict["reasons"], "unknown": self._verdict["unknown"]}
        status = self._status
        if status is None or not status["handed"]:
            return {"state": "nothing sent yet", "reasons": [], "unknown": []}
        reasons = [*_late(status["tallies"], float(self._about["max_lag_s"]))]
        if dropped := status["tallies"][0]["dropped"]:
            reasons.append(f"{dropped:,} rows were dropped, not sent")
        if status["lost"]:
            reasons.append(f"{status['lost']} of {self._about['workers']} workers are lost")
        return {"state": "not in order" if reasons else "in order so far", "reasons": reasons, "unknown": []}

    def _sample(self, status: Mapping[str, Any]) -> None:
        """Add a sample, or take it into the last one if that is too young: counts are sums so far, so none is lost."""
        lag = Histogram.from_dict(status["tallies"][0]["lag"])
        new = {"at_s": round(status["told_s"], 2), **_totals(status), "lag_ms": _ms(_since(lag, self._lag), 0.99),
               "server": self._server["values"] if self._server["state"] == "told" else None}  # fmt: skip
        self._lag = lag
        begun_s = self._samples[-2]["at_s"] if len(self._samples) > 1 else 0.0
        if self._samples and self._samples[-1]["at_s"] - begun_s < self._least_s:
            old = self._samples.pop()
            new["in_flight"] = max(new["in_flight"], old["in_flight"])
            new["lag_ms"] = max((lag for lag in (new["lag_ms"], old["lag_ms"]) if lag is not None), default=None)
        elif self._samples and self._samples[-1]["at_s"] == new["at_s"]:
            self._samples.pop()  # nobody has told anything since
        self._samples.append(new)


def _totals(status: Mapping[str, Any]) -> dict[str, int]:
    """Counts up to when all had told theirs; `sent` are the rows that were handed to the network, answered or not."""
    whole = status["tallies"][0]
    ended = {name: whole[name] for name in ENDS}
    return {"due": status["told_due"], "sent": status["handed"] - whole["dropped"], **ended,
            "in_flight": status["in_flight"], "lost": status["lost"]}  # fmt: skip


def _late(tallies: Sequence[Mapping[str, Any]], limit_s: float) -> list[str]:
    """Of all rows, else of the first phase in which they were late, as `loadtests.health` judges it at the end."""
    where = ["", *(f" in the phase {tally['name']}" for tally in tallies[1:])]
    lags = (Histogram.from_dict(tally["lag"]) for tally in tallies)
    return late_words(zip(where, lags, strict=True), limit_s)


def _since(now: Histogram, before: Histogram) -> Histogram:
    return Histogram(now.cells - before.cells, now.total_s - before.total_s, now.max_s)


def _ms(times: Histogram, q: float) -> float | None:
    return round(1e3 * times.quantile_s(q), 3) if times.count else None
