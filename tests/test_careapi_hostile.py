"""What nobody should send, and what comes twice or in the wrong order: refused or put right, never a failure."""

from __future__ import annotations

import asyncio
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from care_client import QUERY, SECRET, TOKEN, Client, play, post, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careapi.model import Rules
from careapi.platforms import FAMILY, Family
from careapi.signatures import sign
from scenarios.names import Platform

DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "nothing": b"", "not UTF-8": b'{"agent":"\xff\xfe"}', "half a letter": b'{"agent":"\\ud800","text":"\\udfff"}',
    "NaN": b'{"agent":"a1","amount_minor":NaN,"max":NaN}', "infinite": b'{"agent":"a1","lasts_s":1e999}',
    "deep": b'{"agent":' + DEEP + b"}", "zero character": b'{"agent":"a\\u0000b","text":"\\u0000"}',
    "8 MB": b'{"agent":"' + b"a" * 8_000_000 + b'"}', "a list": b"[]", "null": b"null",
    "unknown": b'{"agent":"a1","x":1}',
    "huge number": b'{"agent":"a1","into":' + b"9" * 400 + b"}", "a number for a word": b'{"agent":1,"text":2}',
    "SQL": b'{"agent":"\'; DROP TABLE mention; --"}',
}  # fmt: skip


def addresses(client: Client) -> list[tuple[str, str]]:
    """Every address that takes a body, with numbers in the place of its parts."""
    parts = {"{flight}": "KL1234", "{date}": "2010-04-15", "{platform}": "vk"}
    found = []
    for path, methods in client.app.openapi()["paths"].items():
        for part, value in parts.items():
            path = path.replace(part, value)
        while "{" in path:
            path = path[: path.index("{")] + "1" + path[path.index("}") + 1 :]
        found += [(method.upper(), path) for method, told in methods.items() if "requestBody" in told]
    return found


def test_bad_bytes_are_refused_at_every_address_and_never_a_failure(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        for method, path in addresses(client):
            for name, body in BODIES.items():
                headers = {
                    **sign(Family.STANDARD, SECRET.encode(), body, "m", client.clock()), "If-Match": '"1"',
                    "Idempotency-Key": "k", "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}",
                }  # fmt: skip
                told = await client.http.request(method, path, content=body, headers=headers)
                assert 400 <= told.status_code < 500, (method, path, name, told.status_code, told.text[:200])
                assert told.headers["content-type"] == "application/problem+json", (method, path, name)
                assert told.json()["type"].startswith("urn:ashcloud:care:")
                if name == "8 MB":
                    assert told.status_code == 413

    play(tmp_path, day)


@pytest.mark.parametrize(
    "change", [{"lang": "xx"}, {"platform": "myspace"}, {"text": "a\0b"}, {"posted_at": "yesterday"}, {"public": "no"}]
)
def test_a_post_that_cannot_be_kept_is_named_and_the_others_are_kept(change: dict[str, Any], tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        alone = await client.bring({**post("1"), **change})
        assert (alone.status_code, alone.json()["type"]) == (422, "urn:ashcloud:care:nothing-kept")
        among = await client.bring(post("1"), {**post("2"), **change}, post("3"))
        assert (among.status_code, among.json()["accepted"]) == (202, 2)
        assert [each["place"] for each in among.json()["rejected"]] == [1]

    play(tmp_path, day)


@pytest.mark.parametrize("platform", sorted(Platform))
def test_what_is_not_signed_as_it_should_be_is_refused_and_leaves_nothing(platform: str, tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        body = json.dumps({"mentions": [post("1", platform=platform)]}).encode()
        family = FAMILY[Platform(platform)]
        good = sign(family, SECRET.encode(), body, "msg_1", client.clock())
        for name, value in good.items():
            for bad in (None, b"", value.encode()[:-1], b"\xff\xfe\xe9", "sha256=\u00e9".encode(), b"x" * 5000):
                sent = [(key.encode(), text.encode()) for key, text in good.items() if key != name]
                sent += [] if bad is None else [(name.encode(), bad)]
                told = await client.http.post(f"/hooks/{platform}", content=body, headers=sent)
                assert told.status_code == 401, (name, bad)
        forged = sign(family, b"another", body, "msg_1", client.clock())
        assert (await client.http.post(f"/hooks/{platform}", content=body, headers=forged)).status_code == 401
        assert (await client.http.post(f"/hooks/{platform}", content=body + b" ", headers=good)).status_code == 401
        assert (await client.get("/v1/mentions")).json()["items"] == []

    play(tmp_path, day)


def test_odd_headers_and_queries_are_refused_and_never_a_failure(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await client.claim()
        odd = [b"\xff", "\u00e9".encode(), b"x" * 300, b'"1" "2"', b"-1", b"9" * 40]
        for name in (b"If-Match", b"Idempotency-Key", b"Last-Event-ID", b"Content-Length-Of", b"Authorization"):
            for value in odd:
                headers = [(b"Authorization", f"Bearer {TOKEN}".encode()), (b"Content-Type", b"application/json")]
                headers = [each for each in headers if each[0] != name] + [(name, value)]
                told = await client.http.post("/v1/cases/1/release", content=b'{"agent":"a9"}', headers=headers)
                assert 400 <= told.status_code < 500, (name, value, told.text)
        for query in ("after=-1", "after=%00", "limit=9e9", "status=%ff", "lang=xx", "after=" + "9" * 50):
            assert (await client.get(f"/v1/cases?{query}")).status_code == 422, query
        for path in ("/v1/cases/0", "/v1/cases/%00", "/v1/cases/" + "9" * 40, "/v1/cases/-1"):
            assert (await client.get(path)).status_code in (404, 422), path

    play(tmp_path, day)


def test_words_of_a_database_are_words(tmp_path: Path) -> None:
    words = ["'; DROP TABLE mention; --", '" OR 1=1', 'Robert\'); DELETE FROM "case";', "%s %(x)s {x} $1 ?"]

    async def day(client: Client) -> None:
        await client.bring(*[post(str(n), text=f"{QUERY} {text}") for n, text in enumerate(words)])
        told = (await client.get("/v1/mentions")).json()["items"]
        assert [each["text"] for each in told] == [f"{QUERY} {text}" for text in words]

    play(tmp_path, day)


thread = [
    post("1", external_user="ann", text="RT @you: look"), post("2", external_user="bob", parent_external_id="1"),
    post("3", external_user="ann", parent_external_id="2"), post("4", external_user="bob", parent_external_id="3"),
    post("5", external_user="ann", public=False), post("6", external_user="eve", text="RT @you: look"),
]  # fmt: skip


async def _ends(order: list[int], cuts: list[int]) -> object:
    """Deliver posts in an order, cut into deliveries; what is there at the end."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder) / "care.db") as client:
            for start, stop in zip([0, *cuts], [*cuts, len(order)], strict=True):
                if start < stop:
                    told = await client.bring(*[thread[n] for n in order[start:stop]])
                    assert told.status_code == 202
            posts = (await client.get("/v1/mentions")).json()["items"]
            cases = {each["id"]: each for each in (await client.get("/v1/cases")).json()["items"]}
            assert await client.care.store.broken() == []
            found = []
            for each in posts:
                case = cases.get(each["case_id"])
                same = sorted(
                    one["external_id"] for one in posts if each["case_id"] and one["case_id"] == each["case_id"]
                )
                kept = case and (case["thread"], case["status"], case["due_s"], case["private"])
                found.append((each["external_id"], kept, same))
            return sorted(found)


@cache
def in_order() -> object:
    return asyncio.run(_ends(list(range(len(thread))), []))


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.permutations([*range(len(thread)), 0, 2, 4]), st.lists(st.integers(0, 9), max_size=4).map(sorted))
def test_deliveries_in_any_order_and_twice_end_in_the_same_state(order: list[int], cuts: list[int]) -> None:
    assert asyncio.run(_ends(order, cuts)) == in_order()


def test_fifty_agents_drain_a_backlog_and_nobody_gets_a_case_twice(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        for start in range(0, 1500, 100):
            assert (await client.bring(*[post(str(n)) for n in range(start, start + 100)])).status_code == 202

        async def drain(agent: str) -> list[int]:
            taken = []
            body = {"agent": agent, "langs": ["en", "nl"], "max": 1000}
            while (told := await client.ask("POST", "/v1/claims", body)).status_code == 200:
                taken.append(told.json()["id"])
            assert told.status_code == 204
            return taken

        async with asyncio.timeout(60.0):
            taken = [case for each in await asyncio.gather(*[drain(f"a{n}") for n in range(50)]) for case in each]
        assert sorted(taken) == list(range(1, 1501))

    play(tmp_path, day)


def test_a_case_whose_agent_vanished_goes_back_with_its_age(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        before = await client.claim("a1")
        client.clock.now_s += 60.0
        waiting = asyncio.create_task(client.ask("POST", "/v1/claims?wait=20", {"agent": "a2", "langs": ["en"]}))
        async with asyncio.timeout(10.0):
            after = (await waiting).json()
        assert (after["id"], after["agent"]) == (1, "a2")
        assert (after["due_s"], after["waiting_since_s"]) == (before["due_s"], before["waiting_since_s"])

    play(tmp_path, day, rules=Rules(lease_s=60.0))
