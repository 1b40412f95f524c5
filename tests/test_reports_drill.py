"""A drill told: what is answered beside the simulation, what is refused, and of a late drill nothing."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from load_peer import LOCALHOST, peer
from rich.console import Console

from loadtests.agents import End, Worked
from loadtests.drilled import Drilled
from loadtests.floor import State
from reports import drill, drill_tables, drill_target
from reports.console import Terminal
from reports.drill import DrillAnswer, DrillQuestion
from reports.drill_figure import answered_share
from scenarios.errors import ComponentError, InputError
from scenarios.names import Language

INF = float("inf")
DONE = Worked(claims=3, ends=Counter({End.REPLIED: 3}))
COUNT = {"answered": 3, "nothing": 1, "failed": 0, "shed": 0, "p99_s": 0.777, "errors": {"HTTP 500": 2}}


def answer(lag_s: float = 0.01, first_s: tuple[float, ...] = (60.0, 180.0, INF), **other: Any) -> DrillAnswer:
    """Three cases: two in English, one in Dutch."""
    told = Drilled(
        number=np.arange(3), first_response_s=np.array(first_s), states=(State.DONE, State.DONE, State.WAITING),
        posts=5, failed_posts=0, lag_p99_s=lag_s, agents=(("a-1", DONE),), operations={"reply": COUNT},
        recontacts=1, escalated=0, languages=(Language.EN, Language.EN, Language.NL), **other,
    )  # fmt: skip
    question = DrillQuestion("quiet_week", "klm_2015", None)
    return DrillAnswer(question, told, np.array([120.0, INF, 240.0]), 1, "")


def printed(told: DrillAnswer) -> str:
    file = io.StringIO()
    drill_tables.drill(Console(file=file, width=120), told)
    return file.getvalue()


def test_waits_are_told_by_language_beside_the_simulation() -> None:
    told = answer()
    assert told.code == 0
    assert told.headline == "2 of 3 cases were answered, half of them within 2.0 min; the simulation says 3.0 min."
    rows = {row["language"]: row for row in told.rows()}
    assert [(name, row["cases"], row["answered"], row["first_response_p50_s"], row["simulated_answered"],
             row["simulated_first_response_p50_s"]) for name, row in rows.items()] == [
        ("en", 2, 2, 120.0, 1, 120.0), ("nl", 1, 0, None, 1, 240.0), ("all", 3, 2, 120.0, 2, 180.0),
    ]  # fmt: skip
    assert "777.0" in printed(told)
    assert told.remarks() == ["2 reply requests: HTTP 500"]
    table = drill.content(told)[drill.CASES].decode().splitlines()
    assert table[0] == "case,language,state,first_response_s,simulated_first_response_s"
    assert table[1:] == ["0,en,done,60.000,120.000", "1,en,done,180.000,", "2,nl,waiting,,240.000"]


def test_of_a_drill_that_was_late_no_time_of_the_service_is_told() -> None:
    told = answer(lag_s=0.4)
    assert told.code == 4
    assert told.headline.startswith("The drill is invalid: 1 % of its posts were 400 ms late or more")
    assert "777" not in printed(told) and printed(told).count("2.0 min") == 1  # which is simulated
    figures = json.loads(drill.content(told)[drill.RESULT])
    assert figures["first_response_p50_s"] is None and figures["first_response_mean_s"] is None
    assert {row["first_response_p50_s"] for row in figures["languages"]} == {None}
    assert figures["operations"]["reply"]["p99_s"] is None
    assert drill.content(told)[drill.CASES].decode().splitlines()[1] == "0,en,done,,120.000"
    assert "The drill was late" in drill.content(told)[drill.FIGURE].decode()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (answer(status="interrupted"), 130),
        (replace(answer(lag_s=0.4), checked="not so: every query has a case"), 3),
        (answer(status="at the limit"), 0),
        (answer(first_s=(INF, INF, INF)), 3),
    ],
)
def test_the_exit_code_says_how_it_ended(told: DrillAnswer, code: int) -> None:
    assert told.code == code


def test_of_a_drill_that_was_ended_early_no_wait_is_held_against_the_simulation() -> None:
    assert answer(status="at the limit").headline == "2 of 3 cases were answered."


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
