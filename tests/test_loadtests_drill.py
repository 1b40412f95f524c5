"""Simulated customers and agents: by hand on a service of nothing but notes, by the simulation, and for real."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from care_client import SECRET, TOKEN
from care_process import started

from loadtests import target_file
from loadtests.agents import REPLIES, UNKNOWN_S, Duty, Worked, work
from loadtests.answers import Done
from loadtests.chances import Chances
from loadtests.customers import live
from loadtests.drill import check, play
from loadtests.floor import CaseOf, Clock, Floor, State
from loadtests.operations import Operation
from loadtests.result import Outcome
from scenarios import library
from scenarios.errors import InputError
from scenarios.generate import generate
from scenarios.laws import Constant
from scenarios.model import Scenario
from scenarios.names import Language, Platform, Topic
from sim.engines import engine
from sim.outcome import TurnKind, TurnState

DATA = Path(__file__).parent / "data"
TINY = library.load(DATA / "tiny.toml")
FAST = 36_000.0  # an hour in a tenth of a second
HOUR_S, MINUTE_S = 3600.0, 60.0


class Notes:
    """A service that notes what is asked, and gives out what it is told to."""

    def __init__(self, has: set[Operation], claims: list[dict[str, Any]] | None = None) -> None:
        self._has, self._claims = has, claims or []
        self.asked: list[tuple[Operation, dict[str, Any]]] = []
        self.on: Callable[[Operation, dict[str, Any]], None] = lambda operation, values: None

    def has(self, operation: Operation) -> bool:
        return operation in self._has

    async def do(self, operation: Operation, values: dict[str, Any], spare: bool = False) -> Done:
        self.asked.append((operation, dict(values)))
        self.on(operation, values)
        if operation is Operation.CLAIM:
            if not self._claims:
                return Done(Outcome.ANSWERED, 204, nothing=True)
            return Done(Outcome.ANSWERED, 200, taken=self._claims.pop(0))
        return Done(Outcome.ANSWERED, 200)

    async def surely(
        self, operation: Operation, values: dict[str, Any], within_s: float = 0.0, spare: bool = False
    ) -> Done:
        return await self.do(operation, values)

    @contextmanager
    def spared(self, number: int) -> Iterator[None]:
        yield

    def of(self, operation: Operation) -> list[dict[str, Any]]:
        return [values for each, values in self.asked if each is operation]


QUIET: dict[str, Any] = {
    "recontact": {"probability": 0.0},
    "back_office": {"share": 0.0},
    "silent_share": 0.0,
    "patience_h": "endless",
    "after_abandoned": (),
}


def behaving(**changes: Any) -> Scenario:
    """The tiny scenario with customers who do what is named and nothing else."""
    table = TINY.model_dump(by_alias=True)
    return Scenario.model_validate({**table, "behaviour": {**table["behaviour"], **QUIET, **changes}})


def lived(
    scenario: Scenario, hours: float, turns_s: tuple[float, ...] = (60.0,), answers_h: tuple[float, ...] = ()
) -> tuple[CaseOf, Notes]:
    """A customer who is answered after so many hours each, counted from the start."""

    async def go() -> tuple[CaseOf, Notes]:
        notes, chances = Notes({Operation.POST}), Chances(scenario, 1)
        chances.warm()
        floor = Floor(notes, chances, Clock(0.0, FAST), "r")  # type: ignore[arg-type]
        values = floor.customer(7, Language.NL, Platform.X, 3) | {"public": False, "post": "r-0"}
        floor.clock = Clock(0.0, FAST)
        case = CaseOf(0, Topic.REBOOKING, Language.NL, values, 0.0, list(turns_s))
        floor.cases[0] = case

        async def answer() -> None:
            for at_h in answers_h:
                await floor.clock.until(at_h * HOUR_S)
                floor.replied(case)

        await asyncio.gather(live(floor, case, hours * HOUR_S), answer())
        return case, notes

    return asyncio.run(go())


def test_a_customer_who_is_answered_in_all_his_turns_is_done() -> None:
    thinking = behaving(think_min=Constant(value=30.0))
    case, notes = lived(thinking, 10.0, (60.0, 60.0), (1.0, 3.0))
    assert (case.state, case.replies) == (State.DONE, 2)
    assert case.first_reply_s is not None and HOUR_S <= case.first_reply_s < 3.0 * HOUR_S
    (post,) = notes.of(Operation.POST)  # he wrote on after the first answer
    assert (post["parent"], post["language"]) == ("r-0", "nl")


def test_a_customer_loses_patience_and_leaves_without_a_word() -> None:
    case, notes = lived(behaving(patience_h=Constant(value=2.0), silent_share=1.0), 10.0)
    assert (case.state, notes.asked) == (State.SILENT, [])


def test_a_customer_who_gives_up_aloud_goes_public_once_and_waits_again() -> None:
    onward = ({"to": "public", "probability": 1.0, "delay_min": Constant(value=6.0)},)
    loud = behaving(patience_h=Constant(value=2.0), after_abandoned=onward, max_attempts=2)
    case, notes = lived(loud, 30.0)
    (post,) = notes.of(Operation.POST)
    assert (post["public"], case.escalated, case.state) == (True, True, State.GAVE_UP)


def test_a_customer_writes_again_while_he_waits() -> None:
    again = behaving(recontact={"after_h": 1.0, "probability": 0.8, "gap_min": Constant(value=60.0)})
    chances, expected = Chances(again, 1), 0
    while chances.writes_again_s(0, expected) < np.inf:
        expected += 1
    # After an hour he may, and then writes every hour, as long as he is drawn to; three hours are to spare.
    case, notes = lived(again, expected + 4.0)
    assert len(notes.of(Operation.POST)) == expected > 0
    assert (case.state, case.posts) == (State.WAITING, expected + 1)


def worked(
    notes: Notes, cases: list[CaseOf], languages: dict[Language, float], scenario: Scenario | None = None
) -> tuple[Worked, Floor]:
    """An agent at the desk for two hours."""

    async def go() -> tuple[Worked, Floor]:
        floor = Floor(notes, Chances(scenario or behaving(), 1), Clock(0.0, FAST / 4), "r")  # type: ignore[arg-type]
        for case in cases:
            floor.cases[case.number] = case
            floor._of_post[f"r-{case.number}"] = case.number
        done = Worked()
        await work(floor, Duty("ag1", languages, ((0.0, 2.0 * HOUR_S),)), done)
        return done, floor

    return asyncio.run(go())


def a_case(number: int, language: Language, topic: Topic = Topic.INFO, turns_s: tuple[float, ...] = (600.0,)) -> CaseOf:
    values = {"post": f"r-{number}", "flight": "KL1001", "day": "2015-06-01"}
    return CaseOf(number, topic, language, values, 0.0, list(turns_s))


def claims(*numbers: int) -> list[dict[str, Any]]:
    return [{"case": 100 + number, "post": f"r-{number}"} for number in numbers]


BASIC = {Operation.CLAIM, Operation.REPLY, Operation.ON_DUTY, Operation.OFF_DUTY}


def test_an_agent_works_as_long_as_the_case_takes_and_answers_in_its_language() -> None:
    notes = Notes(BASIC, claims(0, 1))
    first, second = a_case(0, Language.NL, turns_s=(600.0, 300.0)), a_case(1, Language.EN)
    done, _ = worked(notes, [first, second], {Language.NL: 2.0, Language.EN: 1.0})
    assert done.turns == 2
    assert done.busy_s == pytest.approx(600.0 / 2.0 + 600.0)  # twice as fast in Dutch
    replies = notes.of(Operation.REPLY)
    assert [(r["case"], r["text"], r["last"]) for r in replies] == [
        (100, REPLIES[Language.NL], "wait"), (101, REPLIES[Language.EN], "resolve"),
    ]  # fmt: skip
    assert first.replies == second.replies == 1


def test_an_agent_comes_on_duty_claims_in_his_languages_and_goes_off() -> None:
    notes = Notes(BASIC)
    worked(notes, [], {Language.NL: 1.0, Language.EN: 0.8})
    assert notes.asked[0][0] is Operation.ON_DUTY and notes.asked[-1][0] is Operation.OFF_DUTY
    assert notes.of(Operation.CLAIM)[0]["languages"] == ["nl", "en"]


def test_a_case_in_a_language_he_does_not_speak_is_passed_on() -> None:
    notes = Notes({*BASIC, Operation.TRANSFER}, claims(0))
    done, _ = worked(notes, [a_case(0, Language.JA)], {Language.NL: 1.0})
    assert (done.transfers, done.turns) == (1, 0)
    assert notes.of(Operation.TRANSFER)[0]["to_language"] == "ja"


def test_what_none_of_our_customers_asked_is_looked_at_and_put_aside() -> None:
    notes = Notes(BASIC, [{"case": 7, "post": "of-somebody-else"}])
    done, _ = worked(notes, [], {Language.NL: 1.0})
    assert (done.claims, done.aside, done.turns) == (1, 1, 1)
    assert done.busy_s == UNKNOWN_S
    assert notes.of(Operation.REPLY)[0]["last"] == "resolve"


def test_the_last_turn_may_need_a_payment_link_and_the_crew_a_notice() -> None:
    notes = Notes({*BASIC, Operation.PAYMENT_LINK, Operation.CREW_NOTICE}, claims(0, 1, 2))
    cases = [
        a_case(0, Language.NL, Topic.REBOOKING), a_case(1, Language.NL, Topic.ASSISTANCE), a_case(2, Language.NL),
    ]  # fmt: skip
    done, _ = worked(notes, cases, {Language.NL: 1.0}, behaving(payment_share=1.0, payment_eur=120.0))
    assert (done.turns, done.links, done.notices) == (3, 1, 1)
    assert notes.of(Operation.PAYMENT_LINK)[0]["amount_minor"] == 12_000
    assert notes.of(Operation.CREW_NOTICE)[0]["flight"] == "KL1001"


def test_work_and_turns_are_those_of_the_simulation() -> None:
    from sim import library as desks

    desk = desks.load(DATA / "tiny_desk.toml")
    trace = generate(TINY, 3, 0, None, None)
    turns = engine("reference")(TINY, desk, trace, 3).turns
    chances = Chances(TINY, 3)
    work_of = {
        int(case): chances.turns_s(list(Topic)[topic], int(case))
        for case, topic, kind in zip(trace["case"], trace["topic"], trace["kind"], strict=True)
        if kind == 0
    }
    done = (turns["kind"] == TurnKind.ANSWER) & (turns["state"] == TurnState.DONE)
    pairs = [
        (end - start, work_of[case][k])
        for case, k, start, end in zip(*(turns[n][done] for n in ("case", "k", "start_s", "end_s")), strict=True)
        if case in work_of and k < len(work_of[case])
    ]
    # Posts that customers write while they wait add a tenth of the work to a few turns.
    same = [abs(a - b) <= 1e-6 * b for a, b in pairs]
    assert len(pairs) > 100 and np.mean(same) > 0.8
    assert all(a >= b * (1.0 - 1e-9) for a, b in pairs)


@pytest.mark.parametrize(
    ("speed", "said"), [(0.0, "should be above 0"), (1e7, "posts are due in one second, at most 500")]
)
def test_a_speed_that_cannot_be_held_is_refused(speed: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(generate(TINY, 1, 0, None, None), speed)


def test_the_speed_that_is_named_in_its_place_can_be_held() -> None:
    trace = generate(TINY, 1, 0, None, None)
    with pytest.raises(InputError) as caught:
        check(trace, 1e7)
    named = float(str(caught.value).partition("take ")[2].partition(" or less")[0])
    check(trace, named)
    with pytest.raises(InputError):
        check(trace, 1.01 * named)


@pytest.mark.slow
def test_two_hours_of_a_small_airline_against_the_real_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASHCLOUD_TOKEN", TOKEN)
    monkeypatch.setenv("ASHCLOUD_SECRET", SECRET)
    trace = generate(TINY, 1, 0, None, 2.0)
    speaks = {Language.EN: 1.0, Language.NL: 1.0}
    duties = [Duty(f"ag{i}", speaks, ((-HOUR_S, 2.0 * HOUR_S),)) for i in range(12)]
    with started(tmp_path / "care.db") as service:
        file = target_file.load("ashcloud").model_copy(update={"base_url": service.url})
        told = play(trace, TINY, duties, file, speed=1200.0, drain_h=1.0)
    opened = int(np.count_nonzero(trace["kind"] == 0))
    assert (told.number.size, told.failed_posts, told.posts) == (opened, 0, len(trace["time_s"]))
    assert {name: count["failed"] for name, count in told.operations.items() if count["failed"]} == {}
    figures = told.to_dict()
    # 63 cases of twenty minutes are 21 hours of work, and twelve agents have 36: most are answered, even if each
    # request takes a scenario minute because the machine is busy.
    assert figures["answered"] >= 0.6 * opened
    assert figures["turns"] == told.operations["reply"]["answered"] >= figures["answered"]
    words = [sys.executable, "-m", "ashcloud", "care", "check", "--store", f"sqlite:{tmp_path / 'care.db'}"]
    checked = subprocess.run(words, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
