"""A December of our own making: a storm in three languages, the desk that met it, and its tickets.

The tickets are rows as a help desk would export them: every case that there was, also those that customers
opened again because they had waited too long.
"""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import tomli_w

from scenarios.generate import generate
from scenarios.history.actual import COLUMNS, Actual
from scenarios.model import Scenario
from scenarios.names import NONE, Language, Platform, PostKind, Topic, Visibility, code, members
from scenarios.traces import Trace
from sim import compiled
from sim.desk import Desk
from sim.outcome import CaseState, Outcome
from sim.staff import recorded

DAYS = 3
LANGUAGES = {"en": 0.5, "nl": 0.35, "de": 0.15}


@cache
def storm() -> Scenario:
    """Three days, the second of which brings three times the cases of an ordinary one."""
    week = Scenario.load("quiet_week")
    data = week.model_dump(mode="json", by_alias=True)
    data |= {
        "name": "december", "title": "A storm in December", "onset_local": "2025-12-05T00:00:00",
        "window_h": [0.0, 24.0 * DAYS],
        "base": {**data["base"], "cases_per_h": 20.0, "mentions_per_h": 60.0},
        "mix": {"languages": LANGUAGES},
        "surges": [{"kind": "pulse", "at_h": 30.0, "mentions": 2.0, "cases": 2.0, "rise_h": 1.0, "plateau_h": 4.0,
                    "tau_h": 3.0}],
    }  # fmt: skip
    return Scenario.model_validate(data)


def desk(share: float = 1.0) -> Desk:
    """Nobody triages; a share of the heads of each shift is there."""

    def shifts(early: int, late: int, night: int) -> list[dict[str, object]]:
        hours = (("early", "06:00", early), ("late", "14:00", late), ("night", "22:00", night))
        return [
            {"name": name, "start": start, "heads": round(heads * share), "length_h": 8.0, "days_on": 7}
            for name, start, heads in hours
        ]

    return Desk.model_validate(
        {
            "name": "december", "title": "The desk of December", "triage": {"mode": "none"},
            "pools": [
                {"name": "dutch", "languages": {"nl": 1.0, "en": 1.0}, "shifts": shifts(5, 5, 5)},
                {"name": "german", "languages": {"de": 1.0, "en": 1.0}, "shifts": shifts(5, 5, 5)},
            ],
        }
    )  # fmt: skip


def happened(seed: int, floor: Desk | None = None, scenario: Scenario | None = None) -> tuple[Trace, Outcome]:
    """The posts of December and what its desk made of them, re-contacts and all."""
    scenario = scenario or storm()
    trace = generate(scenario, seed)
    return trace, compiled.run(scenario, floor or desk(), trace, 1_000 + seed)


def actual_of(trace: Trace, outcome: Outcome) -> Actual:
    """What became of the cases of the trace, as an import would have it."""
    n = trace.cases
    cases = {name: column[:n] for name, column in outcome.cases.items()}
    columns = {
        "first_reply_s": cases["first_reply_s"],
        "closed_s": cases["closed_s"],
        "left_s": np.where(cases["state"] == CaseState.GAVE_UP, cases["left_s"], np.inf),
        "handling_s": np.where(np.isfinite(cases["closed_s"]), cases["work_s"], np.nan),
        "agent": np.full(n, NONE),
    }
    about = {"trace": trace.digest, "source": "0" * 64, "known": list(COLUMNS), "version": "test"}
    return Actual(columns, about)


def one_more_run(seed: int, floor: Desk, scenario: Scenario | None = None) -> tuple[Trace, Actual]:
    """A past that really is one more run of the model, to the letter."""
    scenario = scenario or storm()
    trace = recorded.posts(generate(scenario, seed))
    days = recorded.behaviour(scenario, trace)
    outcome = compiled.run(days, recorded.staff(floor), trace, 1_000 + seed)
    return trace, actual_of(trace, outcome)


def write_tickets(path: Path, outcome: Outcome, scenario: Scenario | None = None) -> int:
    """Write the cases of an outcome as a table of tickets in UTC; returns their number."""
    scenario = scenario or storm()
    onset = scenario.clock(0.0, "UTC")

    def clock(t_s: float) -> str:
        return (onset + timedelta(seconds=float(t_s))).isoformat() if np.isfinite(t_s) else ""

    cases = outcome.cases
    order = np.argsort(cases["posted_s"], kind="stable")
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["ticket", "created", "first_reply", "closed", "left", "language", "platform", "visibility",
                        "topic", "handling_s", "author"])  # fmt: skip
        for i in order:
            gave_up = cases["state"][i] == CaseState.GAVE_UP
            table.writerow([
                f"T{i}", clock(cases["posted_s"][i]), clock(cases["first_reply_s"][i]), clock(cases["closed_s"][i]),
                clock(cases["left_s"][i]) if gave_up else "",
                members(Language)[cases["language"][i]], members(Platform)[cases["platform"][i]],
                members(Visibility)[cases["visibility"][i]], members(Topic)[cases["topic"][i]],
                f"{cases['work_s'][i]:.1f}" if np.isfinite(cases["closed_s"][i]) else "", f"person{i}@example.org",
            ])  # fmt: skip
    return int(order.size)


def write_past(folder: Path, seed: int = 1) -> None:
    """Write a past and the desk that met it as the files that the guides name."""
    trace, actual = one_more_run(seed, desk())
    trace.save(folder / "december.npz")
    actual.save(folder / "december.actual.npz")
    write_desk(folder / "december.toml", desk())
    write_tickets(folder / "tickets.csv", happened(seed)[1])
    write_schedule(folder / "schedule.csv")
    (folder / "agents.csv").write_text("agent;languages\ndutch.early0@example.org;nl\n", "utf-8")


def write_desk(path: Path, floor: Desk) -> None:
    """Write a desk as a file."""
    content = floor.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    path.write_text(tomli_w.dumps(content), "utf-8")


def write_schedule(path: Path, days: int = DAYS, before: int = 1, share: float = 1.0) -> None:
    """Write who was at `desk` as a table: an agent, his shift, in local time; from a day before on."""
    first = date(2025, 12, 5) - timedelta(days=before)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["agent", "start", "end", "activity", "languages"])
        for pool in desk(share).pools:
            for shift in pool.shifts:
                for head in range(shift.heads):
                    for day in range(days + before):
                        hour = int(shift.start[:2])
                        start = datetime.combine(first + timedelta(days=day), time(hour))
                        end = start + timedelta(hours=shift.length_h)
                        who = f"{pool.name}.{shift.name}{head}@example.org"
                        table.writerow([who, start, end, "Social media", " ".join(pool.languages)])


def write_storm(path: Path) -> Path:
    """Write the scenario as a file; returns its path."""
    content = storm().model_dump(mode="json", by_alias=True, exclude_none=True)
    path.write_text(tomli_w.dumps(content), "utf-8")
    return path


def cases_of(trace: Trace) -> int:
    """Rows that open a case."""
    return int(np.count_nonzero(trace["kind"] == code(PostKind.CASE)))
