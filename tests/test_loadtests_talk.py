"""Operations against services of other shapes: a stub of Chatwoot, OAuth2, budgets, services that shed or fail."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from stubs import Asked, Chatwoot, Keeping, Reply, serving

from loadtests import target_file
from loadtests.answers import Done
from loadtests.client import Client
from loadtests.operations import Operation
from loadtests.result import Outcome
from loadtests.talk import Talk
from loadtests.target_file import TargetFile
from scenarios.errors import InputError

POST: dict[str, Any] = {"method": "POST", "path": "/posts", "body": {"text": "{text}"}, "take": {"message": "/id"}}
CUSTOMER = {"author": "a-7", "handle": "@a7", "name": "Anna", "language": "nl", "platform": "x", "followers": 3}
TEXT = {"text": 'Hoe "snel"?\n{geen plek}', "post": "p-1", "public": True, "posted_at": "2010-04-15T06:00:00Z"}


def made(**changes: Any) -> dict[str, Any]:
    return {"name": "t", "title": "T", "base_url": "http://x", "operations": {"post": POST}, **changes}


T = TypeVar("T")


def talked(
    answer: Callable[[Asked], Reply], file: dict[str, Any] | TargetFile, what: Callable[[Talk], Awaitable[T]]
) -> T:
    async def go() -> T:
        async with serving(answer) as url:
            table = file.model_dump() if isinstance(file, TargetFile) else file
            checked = TargetFile.model_validate({**table, "base_url": url})
            async with Client(url) as client:
                return await what(Talk(checked, client, "run"))

    return asyncio.run(go())


async def one_post(talk: Talk) -> Done:
    return await talk.do(Operation.POST, {**CUSTOMER, **TEXT})


def test_a_customer_of_chatwoot_writes_and_reads_what_an_agent_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    chatwoot = Chatwoot()
    file = target_file.load("chatwoot")
    file = file.model_copy(update={"values": {**file.values, "inbox": "inbox-1"}})

    async def day(talk: Talk) -> list[Done]:
        known: dict[str, Any] = {**CUSTOMER, **TEXT}
        done = []
        for operation in (Operation.CUSTOMER, Operation.CASE, Operation.POST):
            done.append(await talk.do(operation, known))
            known |= done[-1].taken
        agent: dict[str, Any] = {"agent": "ag-1", "agent_token": "agent-token", "languages": ["nl"], "capacity": 1}
        for operation in (Operation.CLAIM, Operation.READ, Operation.REPLY, Operation.CLAIM):
            done.append(await talk.do(operation, {**agent, "text": "Over een uur.", "last": "wait"}))
            agent |= done[-1].taken
        done.append(await talk.do(Operation.REPLIES, known))
        return done

    done = talked(chatwoot, file, day)
    assert [each.outcome for each in done] == [Outcome.ANSWERED] * 8
    assert chatwoot.contacts == {"source-1": "a-7"}
    assert [(m["content"], m["message_type"]) for m in chatwoot.messages] == [(TEXT["text"], 0), ("Over een uur.", 1)]
    assert [each.nothing for each in done] == [False] * 6 + [True, False], "the second claim finds nothing"
    assert [m["content"] for m in done[-1].taken["replies"]] == [TEXT["text"], "Over een uur."]


def test_a_wrong_token_of_an_agent_is_a_failure_and_said() -> None:
    file = target_file.load("chatwoot")

    async def claim(talk: Talk) -> Done:
        return await talk.do(Operation.CLAIM, {"agent": "a", "agent_token": "no", "languages": [], "capacity": 1})

    done = talked(Chatwoot(), file, claim)
    assert (done.outcome, done.status, done.error) == (Outcome.FAILED, 401, "HTTP 401")


@pytest.mark.parametrize(
    ("reply", "outcome", "retry_s"),
    [
        ((429, None), Outcome.SHED, 1.0),
        ((429, None, {"Retry-After": "7"}), Outcome.SHED, 7.0),
        ((503, None, {"Retry-After": "2"}), Outcome.SHED, 2.0),
        ((503, None), Outcome.FAILED, 0.0),
        ((500, None), Outcome.FAILED, 0.0),
        ((200, {"id": 5}), Outcome.ANSWERED, 0.0),
        ((200, {"other": 5}), Outcome.FAILED, 0.0),
        ((200, b"<html>"), Outcome.FAILED, 0.0),
    ],
)
def test_shed_is_apart_from_failed(reply: Reply, outcome: Outcome, retry_s: float) -> None:
    async def asked(talk: Talk) -> tuple[Done, dict[str, Any]]:
        return await one_post(talk), talk.to_dict()["post"]

    done, counted = talked(lambda asked: reply, made(), asked)
    assert (done.outcome, done.retry_s) == (outcome, retry_s)
    assert counted[outcome.name.lower()] == 1
    assert sum(counted[name] for name in ("answered", "failed", "shed", "nothing")) == 1


def test_a_text_stays_one_text_whatever_is_in_it() -> None:
    operations = {"post": {**POST, "path": "/c/{author}/posts", "headers": {"X-Of": "{handle}"}}}

    async def asked(talk: Talk) -> Done:
        return await talk.do(Operation.POST, {**CUSTOMER, **TEXT, "author": "../a/b?x=1"})

    talked(service := Keeping((200, {"id": 1})), made(operations=operations), asked)
    assert service.asked[0].json == {"text": TEXT["text"]}
    assert service.asked[0].path == "/c/..%2Fa%2Fb%3Fx%3D1/posts"
    assert service.asked[0].headers["x-of"] == "@a7"


def test_a_form_is_sent_as_a_form() -> None:
    operations = {"post": {"method": "POST", "path": "/p", "form": {"text": "{text}", "lang": "{language}"}}}
    talked(service := Keeping((200, {})), made(operations=operations), one_post)
    assert service.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert service.asked[0].body.decode() == "text=Hoe+%22snel%22%3F%0A%7Bgeen+plek%7D&lang=nl"


class TokenService:
    """Gives tokens that live for a while, and takes posts with the last of them only."""

    def __init__(self, life_s: float = 3600.0) -> None:
        self.given, self.posts, self.life_s = 0, 0, life_s

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            if b"client_secret=s3cret" not in asked.body or b"grant_type=client_credentials" not in asked.body:
                return 401, {"error": "invalid_client"}
            self.given += 1
            return 200, {"access_token": f"token-{self.given}", "expires_in": self.life_s}
        if asked.headers.get("authorization") != f"Bearer token-{self.given}":
            return 401, {"error": "expired"}
        self.posts += 1
        return 200, {"id": self.posts}


OAUTH = {"kind": "oauth2", "token_url": "/token", "client_id": "me", "client_secret": "{env:CARE_SECRET}"}


def test_a_token_is_asked_for_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARE_SECRET", "s3cret")
    service = TokenService()

    async def several(talk: Talk) -> list[Done]:
        return list(await asyncio.gather(*(one_post(talk) for _ in range(20))))

    done = talked(service, made(auth={"default": OAUTH}), several)
    assert {each.outcome for each in done} == {Outcome.ANSWERED}
    assert (service.given, service.posts) == (1, 20)


def test_a_token_is_asked_for_anew_before_it_ends_and_when_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARE_SECRET", "s3cret")
    service, at = TokenService(life_s=100.0), [0.0]

    async def over_time(talk: Talk) -> list[int]:
        given = []
        for later in (0.0, 80.0, 91.0):  # a tenth of its life is kept in hand
            at[0] = later
            await one_post(talk)
            given.append(service.given)
        service.given += 1  # the service forgets the token it gave
        assert (await one_post(talk)).outcome is Outcome.ANSWERED
        return given

    async def clocked(talk: Talk) -> list[int]:
        return await over_time(Talk(talk.file, talk._client, "run", clock=lambda: at[0]))

    assert talked(service, made(auth={"default": OAUTH}), clocked) == [1, 1, 2]


def test_a_wrong_client_secret_is_said_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARE_SECRET", "wrong-hunter2")
    with pytest.raises(InputError, match="/token: no token is to be had") as error:
        talked(TokenService(), made(auth={"default": OAUTH}), one_post)
    assert "hunter2" not in str(error.value)


def test_a_budget_holds_requests_back_and_counts_for_how_long() -> None:
    async def many(talk: Talk) -> tuple[float, float]:
        begun = time.monotonic()
        await asyncio.gather(*(one_post(talk) for _ in range(11)))
        return time.monotonic() - begun, talk.counts[Operation.POST].held_s

    operations = {"post": {**POST, "budget_per_s": 50.0}}
    took_s, held_s = talked(lambda asked: (200, {"id": 1}), made(operations=operations), many)
    assert took_s >= 0.2  # ten gaps of 20 ms
    assert held_s > 0.2  # 1.1 s in all if none of the eleven begins late


def test_nobody_there_and_an_answer_that_never_comes_are_failures() -> None:
    async def nobody() -> Done:
        async with Client("http://127.0.0.1:9") as client:
            return await one_post(Talk(TargetFile.model_validate(made()), client, "run"))

    assert asyncio.run(nobody()).error == "connection refused"

    async def silent() -> Done:
        left = asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            await writer.wait_closed()
            left.set()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        async with server:
            async with Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
                file = made(operations={"post": {**POST, "timeout_s": 0.05}})
                done = await one_post(Talk(TargetFile.model_validate(file), client, "run"))
            await left.wait()
            return done

    assert asyncio.run(silent()).error == "no answer in time"


def test_a_signed_post_is_signed_over_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    from careapi import signatures
    from careapi.platforms import Family

    monkeypatch.setenv("ASHCLOUD_SECRET", "s3cret")
    monkeypatch.setenv("ASHCLOUD_TOKEN", "token")
    file = target_file.load("ashcloud")

    async def post(talk: Talk) -> Done:
        return await talk.do(Operation.POST, {**CUSTOMER, **TEXT, "parent": None})

    talked(service := Keeping((202, {})), file, post)
    headers = {k.encode(): v.encode() for k, v in service.asked[0].headers.items()}
    assert signatures.signed(Family.STANDARD, b"s3cret", headers, service.asked[0].body, time.time())
    assert not signatures.signed(Family.STANDARD, b"other", headers, service.asked[0].body, time.time())
    (mention,) = json.loads(service.asked[0].body)["mentions"]
    assert (mention["public"], mention["followers"], "parent_external_id" in mention) == (True, 3, False)


def test_the_files_of_the_library_are_right() -> None:
    assert target_file.names() == ["ashcloud", "chatwoot"]
    for name in target_file.names():
        assert target_file.load(name).name == name
    assert target_file.load("ashcloud").needs == ["ASHCLOUD_SECRET", "ASHCLOUD_TOKEN"]


def test_a_file_may_extend_one_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('extends = "chatwoot"\nname = "ours"\n[values]\ninbox = "abc"\n')
    assert target_file.load(path).values == {"account": "1", "inbox": "abc"}


@pytest.mark.parametrize(
    ("reply", "taken"),
    [
        ((202, {"cases": [7]}), {"opened": 7}),
        ((202, {"cases": [None]}), {}),
        ((202, {"cases": []}), {}),
        ((202, b"no JSON"), {}),
    ],
)
def test_what_may_be_there_is_remembered_if_it_is(reply: Reply, taken: dict[str, Any]) -> None:
    file = made(operations={"post": {**POST, "take": {}, "maybe": {"opened": "/cases/0"}}})
    done = talked(Keeping(reply), file, one_post)
    assert (done.outcome, done.taken) == (Outcome.ANSWERED, taken)


def test_a_post_is_brought_again_later_and_later_until_somebody_listens() -> None:
    slept: list[float] = []

    async def post(talk: Talk) -> Done:
        return await talk.surely(Operation.POST, {**CUSTOMER, **TEXT}, within_s=2.0)

    def falls_over(asked: Asked) -> Reply:
        slept.append(time.monotonic())
        return 500, None

    file = made(operations={"post": {**POST, "headers": {"Idempotency-Key": "{key}"}}})
    done = talked(falls_over, file, post)
    assert done.status == 500
    assert 1 < len(slept) <= 4  # at once, and after 0.25, 0.5 and 1 s; the next would be beyond two
    without = made(operations={"post": POST})
    slept.clear()
    assert talked(falls_over, without, post).status == 500
    assert len(slept) == 1  # what may have been taken, and cannot be told from another, is not sent twice
