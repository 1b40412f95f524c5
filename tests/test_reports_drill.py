"""A drill told: what is answered beside the simulation, what is refused, and of a late drill nothing."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import TINY, TINY_DESK
from load_peer import LOCALHOST, peer
from rich.console import Console

from loadtests.agents import End, Worked
from loadtests.chances import Chances
from loadtests.drilled import Drilled
from loadtests.floor import State
from loadtests.ledger import Spans
from loadtests.schedule import of_traces
from reports import drafts, drill, drill_beside, drill_files, drill_question, drill_tables, drill_target, runs
from reports.console import Terminal
from reports.drill import DrillAnswer, DrillQuestion
from reports.drill_beside import Beside, Lane, Series
from reports.drill_figure import answered_share
from reports.drill_live import DrillScreen
from reports.drill_paired import Paired
from scenarios import library
from scenarios.errors import ComponentError, Fault, InputError, RunError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language, Topic
from sim.desk import Desk
from sim.intervals import intervals
from sim.outcome import TurnKind, TurnState
from sim.replicate import size_u

INF = float("inf")
CLOCK = Series(
    np.array([0.0, 1.0, 2.0]), Lane(np.array([1.0, 2.0]), np.array([0.5, np.nan])),
    Lane(np.array([0.0, 3.0]), np.array([0.25, 1.0])),
)  # fmt: skip
DONE = Worked(claims=3, ends=Counter({End.REPLIED: 3}))
COUNT = {"answered": 3, "nothing": 1, "failed": 0, "shed": 0, "p99_s": 0.777, "errors": {"HTTP 500": 2}}


def answer(lag_s: float = 0.01, first_s: tuple[float, ...] = (60.0, 180.0, INF), **other: Any) -> DrillAnswer:
    """Three cases: two in English, one in Dutch."""
    told = Drilled(
        number=np.arange(3), first_response_s=np.array(first_s), states=(State.DONE, State.DONE, State.WAITING),
        posts=5, failed_posts=0, lag_p99_s=lag_s, agents=(("a-1", DONE),), operations={"reply": COUNT},
        recontacts=1, escalated=0, languages=(Language.EN, Language.EN, Language.NL), window_s=(0.0, 7200.0),
        waits=Spans.made([(0, 0.0, 60.0), (1, 60.0, 200.0), (2, 300.0, INF)]), **other,
    )  # fmt: skip
    question = DrillQuestion("quiet_week", "klm_2015", None)
    beside = Beside(
        np.array([120.0, INF, 240.0]),
        {Language.NL: 1},
        CLOCK if lag_s < 0.25 else replace(CLOCK, drilled=None),
        Paired(1, 1, 1, -60.0),
    )
    return DrillAnswer(question, told, beside, 1, "")


def printed(told: DrillAnswer) -> str:
    file = io.StringIO()
    drill_tables.drill(Console(file=file, width=120), told)
    return file.getvalue()


def test_waits_are_told_by_language_beside_the_simulation() -> None:
    told = answer()
    assert told.code == 0
    assert told.headline == "2 of 3 cases were answered, half of them within 2.0 min; the simulation says 3.0 min."
    rows = {row["language"]: row for row in told.rows()}
    assert [(name, row["cases"], row["answered"], row["waiting"], row["first_response_p50_s"],
             row["first_response_p90_s"]) for name, row in rows.items()] == [
        ("en", 2, 2, 0, 120.0, 168.0), ("nl", 1, 0, 1, None, None), ("all", 3, 2, 1, 120.0, 168.0),
    ]  # fmt: skip
    assert [(name, row["simulated_answered"], row["simulated_waiting"], row["simulated_first_response_p50_s"],
             row["simulated_first_response_p90_s"]) for name, row in rows.items()] == [
        ("en", 1, 0, 120.0, 120.0), ("nl", 1, 1, 240.0, 240.0), ("all", 2, 1, 180.0, 228.0),
    ]  # fmt: skip
    assert told.to_dict()["by_clock"] == {
        "from_h": [0.0, 1.0], "to_h": [1.0, 2.0], "waiting": [1.0, 2.0], "occupancy": [0.5, None],
        "simulated_waiting": [0.0, 3.0], "simulated_occupancy": [0.25, 1.0],
    }  # fmt: skip
    assert "777.0" in printed(told)
    assert all(len(line) <= 80 for line in printed(told).splitlines()[2:])
    slow, failed = told.remarks()
    assert slow.startswith("requests of agents took up to 8 min on the clock of the scenario (p99)")  # 0.777 s * 600
    assert failed == "2 reply requests: HTTP 500"
    slower = replace(told, question=replace(told.question, speed=60.0), drilled=replace(told.drilled, unseen=1))
    assert slower.remarks()[0] == "1 of 3 cases were taken for chatter, so no agent saw them"
    assert len(slower.remarks()) == 2
    lost = replace(told, drilled=replace(told.drilled, agents=(("a-1", replace(DONE, aside=2)),)))
    assert lost.remarks()[0] == "2 of 3 claims were of posts that ask nothing, and were put aside"
    table = drill_files.content(told)[drill_files.CASES].decode().splitlines()
    assert table[0] == "case,language,state,first_response_s,simulated_first_response_s"
    assert table[1:] == ["0,en,done,60.000,120.000", "1,en,done,180.000,", "2,nl,waiting,,240.000"]


def test_of_a_drill_that_was_late_no_time_of_the_service_is_told() -> None:
    told = answer(lag_s=0.4)
    assert told.code == 4
    assert told.headline.startswith("The drill is invalid: 1 % of its posts were 400 ms late or more")
    assert "777" not in printed(told) and printed(told).split().count("2.0") == 2  # which is simulated
    figures = json.loads(drill_files.content(told)[drill_files.RESULT])
    assert figures["first_response_p50_s"] is None and figures["first_response_mean_s"] is None
    assert {row["first_response_p50_s"] for row in figures["languages"]} == {None}
    assert figures["operations"]["reply"]["p99_s"] is None
    assert figures["by_clock"]["waiting"] is figures["by_clock"]["occupancy"] is None
    assert drill_files.content(told)[drill_files.CASES].decode().splitlines()[1] == "0,en,done,,120.000"
    assert "The drill was late" in drill_files.content(told)["drill.svg"].decode()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (answer(status="interrupted"), 130),
        (replace(answer(lag_s=0.4), checked="not so: every query has a case"), 3),
        (answer(status="at the limit"), 0),
        (answer(first_s=(INF, INF, INF)), 3),
        (answer(status="failed", why="no token"), 3),
        (replace(answer(), mishaps=({"name": "kill", "began_s": 1.0, "ended_s": None, "error": "gone"},)), 3),
    ],
)
def test_the_exit_code_says_how_it_ended(told: DrillAnswer, code: int) -> None:
    assert told.code == code


def test_of_a_drill_that_was_ended_early_no_wait_is_held_against_the_simulation() -> None:
    assert answer(status="at the limit").headline == "2 of 3 cases were answered."


def test_one_is_no_plural() -> None:
    told = answer()
    told = replace(told, drilled=replace(told.drilled, operations={"reply": COUNT | {"errors": {"HTTP 500": 1}}}))
    assert "1 reply request: HTTP 500" in told.remarks()
    assert "2 reply requests: HTTP 500" in answer().remarks()


def test_the_curve_counts_those_never_answered_among_all() -> None:
    shares = answered_share(np.array([60.0, 180.0, INF]), np.array([0.0, 60.0, 200.0]))
    assert shares == pytest.approx([0.0, 100.0 / 3.0, 200.0 / 3.0])


def test_a_host_elsewhere_and_missing_secrets_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASHCLOUD_TOKEN", raising=False)
    monkeypatch.setenv("ASHCLOUD_SECRET", "s")
    question = DrillQuestion("quiet_week", "klm_2015", "http://care.example:8080", hours=1.0)
    with pytest.raises(InputError) as caught:
        drill.ask(question, None, Terminal())
    assert [fault.what for fault in caught.value.faults] == [
        "is not on this machine; if it is yours, say --i-own-this-host and --max-requests N",
        "reads ASHCLOUD_TOKEN from the environment, which is not set",
    ]


def test_a_speed_that_conversations_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="or replay with `ashcloud load`"):
        drill.ask(DrillQuestion("quiet_week", "klm_2015", None, speed=1e6, hours=8.0), None, Terminal())


@pytest.mark.parametrize(
    ("behaviour", "fault", "said"),
    [
        ("signed-other", InputError, "answers 401: the secret is not the one that the service has"),
        ("status-404", InputError, r"\(post\): answers 404: there is no such path"),
        ("ssh", ComponentError, "what answers there is not HTTP"),
    ],
)
def test_a_target_is_looked_at_before_anybody_begins(
    behaviour: str, fault: type[Exception], said: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASHCLOUD_SECRET", "s")
    monkeypatch.setenv("ASHCLOUD_TOKEN", "t")
    with peer(behaviour) as server, pytest.raises(fault, match=said):
        drill.ask(DrillQuestion("quiet_week", "klm_2015", server.url, hours=1.0), None, Terminal())
    with pytest.raises(ComponentError, match="nobody listens there"):
        drill.ask(DrillQuestion("quiet_week", "klm_2015", server.url, hours=1.0), None, Terminal())
    assert list(here.iterdir()) == []


def test_the_name_in_a_certificate_is_looked_at_and_one_may_be_trusted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASHCLOUD_SECRET", "s")
    monkeypatch.setenv("ASHCLOUD_TOKEN", "t")
    with peer(certificate=LOCALHOST) as server:
        Path("theirs.toml").write_text(f'extends = "ashcloud"\nname = "theirs"\nbase_url = "{server.url}"\n')
        asked = DrillQuestion("quiet_week", "klm_2015", "theirs.toml")
        with pytest.raises(InputError, match="has a certificate that does not hold"):
            drill_target.look(asked, drill_target.found(asked)[0])
        trusting = replace(asked, ca=LOCALHOST)
        file, tls = drill_target.found(trusting)
        drill_target.look(trusting, file)
        assert tls is not None


def test_hours_are_given_one_way_and_only_a_service_of_ours_is_broken() -> None:
    with pytest.raises(InputError) as caught:
        DrillQuestion("tiny", "d", "http://127.0.0.1:1", hours=1.0, to_h=2.0, faults=True, disturb_service="kill@1s")
    assert [fault.place for fault in caught.value.faults] == ["--hours", "--faults", "--disturb-service"]


ASKED = DrillQuestion(TINY, TINY_DESK, None, from_h=1.0, to_h=3.0, seed=3)


def test_a_part_of_a_scenario_has_the_posts_that_a_load_test_sends() -> None:
    planned = drill_question.plan(ASKED)
    scenario = library.load(TINY)
    schedule = of_traces([generate(scenario, 3, 0, size_u("likely", 3, 0))], ASKED.speed, 1.0, 3.0)
    assert planned.span_s == (3600.0, 3 * 3600.0)
    assert (planned.due_s == 3600.0 + schedule["due_s"] * ASKED.speed).all()
    assert (planned.trace["text"] == schedule["text"]).all()
    # Nobody reads in a drill, so nobody does beside it; every case is known at once.
    assert (planned.outcome.turns["kind"] == TurnKind.ANSWER).all()
    assert (planned.outcome.cases["seen_s"] == planned.outcome.cases["posted_s"]).all()
    assert {agent.aside_s for agent in planned.agents} == {30.0}  # as the desk reads
    assert {agent.code.rpartition("-")[0] for agent in planned.agents} == {"english", "dutch"}


def test_a_dry_run_says_what_would_be_played_and_is_expected() -> None:
    planned = drill_question.plan(ASKED)
    told = drill_question.dry_run(ASKED, planned)
    assert (told["from_h"], told["to_h"], told["seconds"]) == (1.0, 3.0, 12.0)
    assert (told["posts"], told["cases"], told["agents"]) == (len(planned.trace), planned.trace.cases, 7)
    per_s = np.histogram(planned.due_s, np.arange(3600.0, 10800.0 + 600.0, 600.0))[0]
    assert per_s.max() <= told["peak_per_s"] <= 2 * per_s.max()  # a second that begins with a post meets two of these
    assert told["requests"] >= told["posts"] + 3 * told["simulated_answered"]
    file = io.StringIO()
    drill_tables.dry_run(Console(file=file, width=100), told)
    assert f"{told['cases']:,}; simulated: {told['simulated_answered']:,} answered" in file.getvalue()
    assert file.getvalue().endswith("nothing was sent\n")


def test_faults_slow_work_and_hold_posts_only_if_they_are_played() -> None:
    crm = str(Path(TINY).with_name("tiny_crm.toml"))
    quiet, broken = (
        drill_question.plan(DrillQuestion(crm, TINY_DESK, None, seed=3, faults=faults)) for faults in (False, True)
    )
    assert [mishap.name for mishap in broken.mishaps] == ["crm down", "crm slow"] and quiet.mishaps == ()
    for planned, factor in ((quiet, 1.0), (broken, 1.8)):
        assert Chances(planned.played, 3).slowed(Topic.INFO, 3600.0) == factor
    assert (quiet.trace["time_s"] == broken.trace["time_s"]).all()
    assert quiet.outcome.cases["work_s"].sum() < broken.outcome.cases["work_s"].sum()


def test_who_waits_and_who_works_is_laid_out_by_the_clock() -> None:
    planned = drill_question.plan(ASKED)
    hour = Worked(stretches=[(3600.0, 7200.0)], busy=[(3600.0, 3900.0), (4000.0, 4300.0)])
    told = replace(
        answer().drilled, window_s=(3600.0, 7200.0), agents=(("a", hour), ("b", Worked())),
        number=np.arange(2), languages=(Language.EN, Language.NL), first_response_s=np.array([400.0, INF]),
        waits=Spans.made([(0, 3600.0, 4000.0), (1, 3700.0, INF)]),
    )  # fmt: skip
    beside = drill_beside.beside(planned.outcome, planned.trace, told, valid=True)
    clock = beside.by_clock
    assert clock.edges_h[0] == 1.0 and clock.edges_h[-1] == 2.0 and clock.edges_h.size == 61
    assert clock.drilled is not None
    at_s = 3600.0 * clock.edges_h[:-1]
    expected = (at_s < 4000.0).astype(float) + (at_s >= 3700.0)
    assert (clock.drilled.waiting == expected).all()
    assert clock.drilled.occupancy.mean() == pytest.approx(600.0 / 3600.0)
    assert clock.drilled.occupancy[0] == 1.0 and clock.drilled.occupancy[-1] == 0.0
    minutes = intervals(planned.outcome, step_s=60.0, until_s=7200.0)
    assert (clock.simulated.waiting == minutes.backlog).all()
    assert clock.simulated.occupancy == pytest.approx(minutes.busy / minutes.staffed)
    assert beside.paired.cases + beside.paired.only_service == 1
    # What the simulation answers after the drill was ended is no answer beside it.
    replied = planned.outcome.cases["first_reply_s"][:2] <= 7200.0
    assert (np.isfinite(beside.first_response_s) == replied).all()
    turns = planned.outcome.turns
    open_then = (turns["queued_s"] <= 7200.0) & ((turns["end_s"] > 7200.0) | (turns["state"] >= TurnState.WAITING))
    assert sum(beside.waiting.values()) == np.count_nonzero(open_then) > 0


def test_a_folder_of_a_drill_is_no_run(here: Path) -> None:
    with drafts.Draft(Path("kept"), "drill", datetime.now()) as draft:
        drill_files.store(draft, drill_question.plan(ASKED), replace(answer(), question=ASKED, started="2026"))
        folder = draft.finish(latest=False)
    with pytest.raises(RunError, match="is a drill, not a run"):
        runs.load(folder)
    told = json.loads((folder / "manifest.json").read_bytes())
    assert (told["kind"], told["status"], told["settings"]["from_h"], told["scenario"]["copies"]) == (
        "drill", "finished", 1.0, ["scenario.toml"],
    )  # fmt: skip
    assert runs.read_value(Scenario, folder / "scenario.json").name == "tiny"
    assert runs.read_value(Desk, folder / "desk.json").name == "tiny_desk"


def test_progress_is_told_on_the_clock_of_the_scenario() -> None:
    screen = DrillScreen(Terminal(), (3600.0, 7200.0), 1.0, lambda: True)
    told = {"scenario_s": 5400.0, "posts": 1200, "replies": 7, "waiting": 3, "failed": 0, "at_work": 2, "there": 4}
    assert screen.line(told) == "drill: 0.5 of 2.0 h, 1,200 posts, 7 replies, 3 waiting, 0 requests failed"
    assert screen.table({**told, "scenario_s": 9e9}).title == "drill: 2.0 of 2.0 h"
    assert screen.stopped() == "interrupted"


def test_a_full_disk_loses_nothing_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_files, "mkdtemp", lambda prefix: str(tmp_path))
    fault = drill_files.rescued(answer(), InputError(Path("kept"), [Fault("", "no space left on device")]))
    assert f"what was measured is kept in {tmp_path}" in str(fault) and "no space left" in str(fault)
    whole = drill_files.content(answer())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: whole[name] for name in (drill_files.RESULT, drill_files.CASES)
    }
    monkeypatch.setattr(drill_files, "write_atomic", _full)
    first = InputError(Path("kept"), [Fault("", "no space left on device")])
    assert drill_files.rescued(answer(), first) is first


def _full(path: Path, data: bytes) -> None:
    raise InputError(path, [Fault("", "no space left on device")])
