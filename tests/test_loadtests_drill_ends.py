"""How a drill ends: each claim in one of four ways, nothing left in anybody's hands, and at once where nobody lets
it in."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from care_client import SECRET, TOKEN
from care_stub import CareStub
from load_peer import peer
from stubs import Asked, Chatwoot, Reply, serving

from loadtests import drill, target_file
from loadtests.agents import Duty
from loadtests.drill import play
from loadtests.drilled import Drilled
from loadtests.posting import Posting, Prepared
from scenarios import library
from scenarios.errors import ComponentError, InputError
from scenarios.generate import generate
from scenarios.names import Language

DATA = Path(__file__).parent / "data"
TINY = library.load(DATA / "tiny.toml")
SPEED, HOUR_S = 7200.0, 3600.0
SLOW = 300.0  # a case is at work for a second, so it still is when the end has come
SPEAKS = {Language.EN: 1.0, Language.NL: 1.0}


class Until:
    """Looks on, and ends the drill when it has seen enough."""

    def __init__(self, enough: Callable[[Mapping[str, Any]], bool]) -> None:
        self._enough, self._stop = enough, False

    def status(self, status: Mapping[str, Any]) -> None:
        self._stop = self._stop or self._enough(status)

    def stopped(self) -> str:
        return "interrupted" if self._stop else ""


def drilled(
    service: Callable[[Asked], Reply], speaks: Mapping[Language, float] = SPEAKS, speed: float = SPEED, **how: Any
) -> Drilled:
    """An hour of the tiny scenario and one more to work off, with eight agents, half of whom leave in the middle."""
    duties = [
        Duty(f"ag{i}", speaks, ((-HOUR_S, HOUR_S * (1 - i % 2)),), finishes=i % 4 < 2) for i in range(8)
    ]  # fmt: skip

    async def go() -> Drilled:
        async with serving(service) as url:
            file = target_file.load("ashcloud").model_copy(update={"base_url": url})
            return await asyncio.to_thread(play, generate(TINY, 1, 0, None, 1.0), TINY, duties, file, speed, 1.0, **how)

    return asyncio.run(go())


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASHCLOUD_TOKEN", TOKEN)
    monkeypatch.setenv("ASHCLOUD_SECRET", SECRET)


def test_whoever_leaves_with_a_case_in_hand_finishes_it_or_hands_it_back() -> None:
    service = CareStub()
    told = drilled(service)
    assert service.held == []
    assert told.claims == sum(told.ends.values()) > 0
    assert told.ends["left"] == 0
    acknowledged = Counter(what for what, _ in service.done)
    assert told.ends["replied"] == acknowledged["reply"] > 0
    assert told.ends["handed_back"] == acknowledged["release"] > 0
    assert told.unseen == 0
    waits = told.waits
    assert (waits.until_s >= waits.from_s).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_claim_has_one_end_whatever_the_service_does(seed: int) -> None:
    chance = random.Random(seed)

    def fails(what: str) -> int | None:
        return chance.choice([500, 503, 409]) if what != "/v1/mentions" and chance.random() < 0.2 else None

    service = CareStub(fails)
    told = drilled(service)
    assert told.claims == sum(told.ends.values()) > 0
    # What nobody holds in the service was answered, passed on or handed back; all else is told as left.
    acknowledged = Counter(what for what, _ in service.done)
    assert told.ends["replied"] == acknowledged["reply"]
    assert told.ends["handed_back"] == acknowledged["release"]
    assert len(service.held) <= told.ends["left"]


def test_a_case_that_cannot_be_passed_on_is_handed_back() -> None:
    service = CareStub(lambda what: 403 if what.endswith("/transfer") else None, deaf=True)
    told = drilled(service, {Language.NL: 1.0}, watch=Until(lambda status: ("release", 0) in service.done))
    assert service.held == []
    assert told.operations["transfer"]["failed"] > 0
    assert told.ends["handed_back"] > 0 and told.ends["left"] == 0 == told.ends["transferred"]


def test_cases_that_the_service_takes_for_chatter_are_counted() -> None:
    told = drilled(CareStub(blind=True), watch=Until(lambda status: status["posts"] >= 20))
    assert told.unseen == told.number.size > 0


def test_ctrl_c_hands_back_what_is_in_hand() -> None:
    service = CareStub()
    told = drilled(service, speed=SLOW, watch=Until(lambda status: status["at_work"] > 2))
    assert told.status == "interrupted"
    assert service.held == []
    assert told.ends["handed_back"] > 0 and told.ends["left"] == 0


def test_what_somebody_wrote_to_meanwhile_is_read_anew_and_handed_back() -> None:
    once = iter([409])
    service = CareStub(lambda what: next(once, None) if what.endswith("/release") else None)
    told = drilled(service, speed=SLOW, watch=Until(lambda status: status["at_work"] > 2))
    assert service.held == [] and told.ends["left"] == 0
    assert told.operations["release"]["errors"].keys() == {"HTTP 409"}
    assert told.ends["handed_back"] == told.operations["release"]["answered"] > 0


def test_a_limit_that_is_met_before_anybody_looks_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "LOOK_S", 60.0)  # the two hours are over in one second
    told = drilled(CareStub(), most_requests=25)
    assert told.status == "at the limit"
    assert told.unseen == 0 < told.number.size  # who could not write was taken for nothing


@pytest.mark.parametrize("most", [25, 60])
def test_at_the_limit_there_are_requests_left_to_hand_back(most: int) -> None:
    service = CareStub()
    told = drilled(service, most_requests=most)
    assert (told.status, told.ends["left"]) == ("at the limit", 0)
    assert service.held == [] and service.asked <= most


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("/v1/claims", 401, r"/v1/claims \(claim\): answers 401: the token or the secret is not one"),
        ("/v1/cases/reply", 403, r"reply \(reply\): answers 403"),
        ("/v1/mentions", 404, r"mentions \(post\): answers 404: there is no such path"),
    ],
)
def test_a_drill_that_is_not_let_in_ends_at_once(what: str, status: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        drilled(CareStub(lambda asked: status if asked == what else None))


def test_what_went_well_once_and_is_refused_later_is_counted() -> None:
    times = iter(range(10_000))
    told = drilled(CareStub(lambda what: 401 if what == "/v1/claims" and next(times) > 5 else None))
    assert told.status == "finished"
    assert told.operations["claim"]["errors"].keys() == {"HTTP 401"}


@pytest.mark.parametrize("behaviour", ["garbled", "ssh"])
def test_what_does_not_speak_http_is_told_at_once(behaviour: str) -> None:
    with peer(behaviour) as other:
        file = target_file.load("ashcloud").model_copy(update={"base_url": other.url})
        with pytest.raises(ComponentError, match="what answers there is not HTTP"):
            play(generate(TINY, 1, 0, None, 1.0), TINY, [Duty("ag", SPEAKS, ((0.0, HOUR_S),))], file, 600.0)


def test_a_service_of_another_kind_is_asked_only_what_its_file_names() -> None:
    chatwoot, asked = Chatwoot(), list[str]()
    file = target_file.load("chatwoot")
    file = file.model_copy(update={"values": {**file.values, "inbox": chatwoot.inbox}})

    def noting(request: Asked) -> Reply:
        asked.append(f"{request.method} {request.path.partition('?')[0]}")
        return chatwoot(request)

    duties = [Duty(f"ag{i}", SPEAKS, ((-HOUR_S, 2 * HOUR_S),), token=chatwoot.token) for i in range(3)]

    async def go() -> Drilled:
        async with serving(noting) as url:
            there = file.model_copy(update={"base_url": url})
            return await asyncio.to_thread(play, generate(TINY, 1, 0, None, 1.0), TINY, duties, there, SPEED, 2.0)

    told = asyncio.run(go())
    named = [f"{each.method} {re.sub('{[a-z]+}', '[^/]+', each.path)}" for each in file.operations.values()]
    assert all(any(re.fullmatch(one, request) for one in named) for request in asked)
    assert told.status == "finished" and told.to_dict()["answered"] > 0
    assert told.claims == sum(told.ends.values()) > 0 and told.unseen is None


def test_a_wrong_token_of_an_agent_ends_it_at_once() -> None:
    file = target_file.load("chatwoot")
    file = file.model_copy(update={"values": {**file.values, "inbox": "inbox-1"}})
    duties = [Duty("ag", SPEAKS, ((-HOUR_S, HOUR_S),), token="wrong")]

    async def go() -> Drilled:
        async with serving(Chatwoot()) as url:
            there = file.model_copy(update={"base_url": url})
            return await asyncio.to_thread(play, generate(TINY, 1, 0, None, 0.5), TINY, duties, there, SPEED)

    with pytest.raises(InputError, match=r"\(claim\): answers 401"):
        asyncio.run(go())


def test_a_post_that_falls_over_is_seen_by_whoever_looks_at_the_drill() -> None:
    async def go() -> str:
        async def write(*_: Any) -> None:
            raise ComponentError("no token is to be had")

        async def until(_: float) -> None: ...

        posting = object.__new__(Posting)
        clock = SimpleNamespace(until=until, now_s=0.0, speed=1.0)
        posting._floor = SimpleNamespace(cases={}, write=write, clock=clock)  # type: ignore[assignment]
        posting._posts = [Prepared(0.0, {}, "Hello", True, "p", None, None, None)]
        posting.lives, posting.lags_s, posting.sending, posting.posts, posting.failed = [], [], set(), 0, 0
        await posting.all()
        await asyncio.wait(posting.sending)
        await asyncio.sleep(0)  # for its callbacks
        return drill._fallen(posting.sending)

    assert asyncio.run(go()) == "no token is to be had"
