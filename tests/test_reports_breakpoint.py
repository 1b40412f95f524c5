"""What a search for the breaking point says: words, table, figure, JSON, exit codes."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from rich.console import Console
from seats import OnPaper

from loadtests.breakpoint import Found, Plan
from loadtests.rates import Broken, Rates, Timing, find
from loadtests.steps import Criteria, Limits
from loadtests.target import Options, Target
from reports import breakpoint, breakpoint_figure
from reports.breakpoint import BreakAnswer, BreakQuestion
from reports.breakpoint_words import lines
from scenarios.errors import InputError

QUICK = Timing(0.5, 2.0, samples=0, rest_s=0.0, spacing="even", surge_s=2.0, watched_s=10.0)
TARGET = Target("http://127.0.0.1:8000", secret="hunter2")


def answer(service: OnPaper, **plan: float) -> BreakAnswer:
    asked = Plan(**{"guess_per_s": 200.0, "start_share": 0.1, **plan})  # type: ignore[arg-type]
    rates = Rates(service, QUICK, Criteria(), Limits(), seed=1)
    question = BreakQuestion(TARGET, Options(), asked, QUICK)
    return BreakAnswer(question, find(rates, asked, seed=1), rates.sent, datetime(2026, 1, 1, tzinfo=UTC))


FOUND = answer(OnPaper(8, 0.04))
LATE = answer(OnPaper(8, 0.04, lag_s=0.006))


def printed(told: BreakAnswer) -> str:
    file = io.StringIO()
    breakpoint.draw(Console(file=file, width=100), told)
    return file.getvalue()


def test_the_first_line_is_the_capacity() -> None:
    first, kept, failed, recovery, law = lines(FOUND.broken)
    found = FOUND.broken.found
    assert first == f"Capacity between {found.low_per_s:.3g} and {found.high_per_s:.3g} requests/s."
    assert kept == f"It kept up 4 times at {found.low_per_s:.3g}/s, with a p99 of 40 ms at most."
    assert re.match(r"It failed 4 times at 20\d/s: backlog growing by \d\.\d requests a second\.", failed)
    assert re.match(
        r"After 2 s at 25\d/s it was itself again, its p99 below 60 ms, after \d\.\d s at 98\.\d/s\.", recovery
    )
    assert re.match(r"Scalability law over \d\d levels: contention", law)


def test_every_step_has_a_row_with_its_reason() -> None:
    table = printed(FOUND)
    assert len(re.findall(r"^(climb|bisect|confirm) ", table, re.M)) == len(FOUND.broken.found.steps)
    assert "backlog growing by" in table
    assert "Capacity between" in table


def test_an_invalid_search_prints_nothing_as_the_service_s() -> None:
    table = printed(LATE)
    rows = [line for line in table.splitlines() if line.startswith("climb")]
    assert [row.split()[:4] for row in rows] == [["climb", "20", "void", "6.0"]] * 3
    assert "Invalid, the generator was not up to it: nothing is known of the service." in table
    told = json.loads(breakpoint.files(LATE)["breakpoint.json"])
    assert (told["status"], told["usl"], told["recovery"]) == ("invalid", None, None)
    assert {step["p99_s"] for step in told["steps"]} == {None}


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        (FOUND, 0, "Capacity between"),
        (LATE, 4, "Invalid, the generator was not up to it"),
        (answer(OnPaper(8, 0.04), most_per_s=100.0), 0, "Capacity of 100 requests/s or more."),
        (answer(OnPaper(8, 0.04, waiting=-1), least_per_s=15.0), 1, "Capacity below 16 requests/s."),
        (answer(OnPaper(8, 0.04), rounds=0), 1, "Not settled: it kept up at"),
    ],
)
def test_the_exit_code_and_the_headline_go_together(told: BreakAnswer, code: int, said: str) -> None:
    assert told.code == code
    assert next(lines(told.broken)).startswith(said)


def test_an_interrupted_search_says_how_far_it_came() -> None:
    found = replace(FOUND.broken.found, status="interrupted", high_per_s=None, why="interrupted; the steps are kept")
    told = replace(FOUND, broken=Broken(found, None))
    assert told.code == 130
    assert next(lines(told.broken)) == f"Interrupted: it kept up at {found.low_per_s:.3g}/s."


@pytest.mark.parametrize("steps", [0, 5])
def test_a_search_whose_process_died_is_told_and_kept_with_exit_code_3(steps: int) -> None:
    done = FOUND.broken.found.steps[:steps]
    low = done[-1].step.asked_per_s if done else None
    told = replace(FOUND, broken=Broken(Found("failed", low, None, done, "sending process 0 ended by itself"), None))
    assert told.code == 3
    first, why, *_ = lines(told.broken)
    assert first == f"Broken off: {'nothing is known yet' if low is None else f'it kept up at {low:.3g}/s'}."
    assert why == "Sending process 0 ended by itself."
    assert len(json.loads(breakpoint.files(told)["breakpoint.json"])["steps"]) == steps


def test_how_often_it_kept_up_counts_no_failure_at_that_rate_and_the_other_way_round() -> None:
    found = FOUND.broken.found
    low, high = (
        next(j for j in found.steps if j.step.asked_per_s == end) for end in (found.low_per_s, found.high_per_s)
    )
    odd = (replace(low, verdict="fail"), replace(high, verdict="pass"))
    told = Broken(replace(found, steps=(*odd, *found.steps)), None)
    assert list(lines(told))[1:3] == list(lines(FOUND.broken))[1:3]


def test_the_secret_is_not_written_down() -> None:
    assert all(b"hunter2" not in content for content in breakpoint.files(FOUND).values())
    assert json.loads(breakpoint.files(FOUND)["breakpoint.json"])["target"]["signed"] is True


def test_the_staircase_shows_every_step_and_the_gap() -> None:
    found = FOUND.broken.found
    ax = breakpoint_figure.draw_staircase(Figure().subplots(), found.steps, found.low_per_s, found.high_per_s)
    marks = {line.get_label(): len(line.get_xdata()) for line in ax.lines}  # type: ignore[arg-type]
    assert marks == {
        "kept up": sum(j.verdict == "pass" for j in found.steps),
        "failed": sum(j.verdict == "fail" for j in found.steps),
    }
    (gap,) = [patch for patch in ax.patches if patch.get_label() == "capacity"]
    box = gap.get_path().get_extents(gap.get_patch_transform())
    assert (box.y0, box.y1) == (found.low_per_s, found.high_per_s)


def test_the_figure_of_an_invalid_search_shows_no_answers() -> None:
    drawing = breakpoint_figure.drawn(LATE.broken.found)
    assert drawing.title.startswith("Invalid")
    assert "scalability law" not in drawing.wide
    assert "scalability law" in breakpoint_figure.drawn(FOUND.broken.found).wide


def test_a_host_elsewhere_needs_the_owner_s_word_and_a_limit() -> None:
    away = Target("http://care.example:8000")
    with pytest.raises(InputError, match=r"care\.example is not on this machine"):
        BreakQuestion(away, Options(), Plan(100.0), mine=True)
    with pytest.raises(InputError):
        BreakQuestion(away, Options(), Plan(100.0), most_requests=1000)
    BreakQuestion(away, Options(), Plan(100.0), mine=True, most_requests=1000)


def test_a_target_with_a_budget_is_not_searched(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    told = '[operations.post]\nmethod = "POST"\npath = "/posts"\nbody = { text = "{text}" }\n'
    file.write_text(f'name = "ours"\ntitle = "Ours"\nbase_url = "http://127.0.0.1:1"\n\n{told}')
    words: dict[str, Any] = {
        "url": str(file),
        "serve": False,
        "path": "/v1/mentions",
        "workers": 1,
        "connections": "pool",
        "timeout_s": 10.0,
        "guess": 100.0,
        "start_pct": 10.0,
        "slo_p99_ms": None,
        "precision_pct": 5.0,
        "window_s": 30.0,
        "warm_up_s": 5.0,
        "spacing": "even",
        "confirmations": 3,
        "no_recovery": True,
        "most_per_s": None,
        "most_requests": None,
        "mine": False,
        "seed": 1,
    }
    assert breakpoint.question("", **words).target.path == "/posts"
    file.write_text(file.read_text() + "budget_per_s = 50\n")
    with pytest.raises(InputError, match=r"operations\.post\.budget_per_s is 50, so no step above it"):
        breakpoint.question("", **words)
