from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from care_client import SECRET, TOKEN, Client, play, post

from careapi.access import Access, Scope, Token, hashed
from careapi.guards import MOST_STREAMS
from careapi.knobs import Knobs
from careapi.platforms import Family
from careapi.signatures import sign


def test_a_post_is_taken_in_claimed_answered_and_closed(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        taken = await client.bring(post("1"), post("2", text="RT @you: look"))
        assert (taken.status_code, taken.json()) == (
            202, {"accepted": 2, "duplicates": 0, "rejected": [], "cases": [1, None]},
        )  # fmt: skip
        again = await client.bring(post("1"))
        assert (again.status_code, again.json()["duplicates"]) == (202, 1)
        case = await client.claim()
        assert (case["id"], case["agent"], case["status"]) == (1, "a1", "assigned")
        done = await client.ask("POST", "/v1/cases/1/reply", {"agent": "a1", "text": "On its way"}, key="k1")
        assert (done.status_code, done.json()["case"]["status"]) == (200, "waiting_customer")
        version = done.json()["case"]["version"]
        assert done.headers["etag"] == f'"{version}"'
        closed = await client.ask("POST", "/v1/cases/1/resolve", {"agent": "a1"}, match=version)
        assert closed.json()["status"] == "resolved"
        read = (await client.get("/v1/cases/1")).json()
        assert [each["text"] for each in read["replies"]] == ["On its way"]
        assert [each["external_id"] for each in read["posts"]] == ["1"]
        assert read["first_reply_s"] == client.clock()
        kinds = [each["kind"] for each in (await client.get("/v1/cases/1/events")).json()["items"]]
        assert kinds == ["opened", "assigned", "replied", "waiting", "resolved"]

    play(tmp_path, day)


def test_the_same_request_with_its_key_is_done_once(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"), post("2"))
        first, second = await client.claim(key="k"), await client.claim(key="k")
        assert first == second
        body = {"agent": "a1", "text": "On its way"}
        told = await asyncio.gather(*[client.ask("POST", "/v1/cases/1/reply", body, key="r") for _ in range(20)])
        assert {each.status_code for each in told} == {200}
        assert len({each.content for each in told}) == 1
        assert sum("idempotent-replayed" in each.headers for each in told) == 19
        assert len((await client.get("/v1/cases/1")).json()["replies"]) == 1
        other = await client.ask("POST", "/v1/cases/1/reply", {**body, "text": "Another"}, key="r")
        assert (other.status_code, other.json()["type"]) == (409, "urn:ashcloud:care:key-reused")

    play(tmp_path, day)


def test_a_stale_or_missing_version_changes_nothing(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        case = await client.claim()
        for way in ("release", "transfer", "resolve", "merge"):
            body: dict[str, Any] = {"agent": "a1"}
            body |= {"to_lang": "nl"} if way == "transfer" else {"into": 2} if way == "merge" else {}
            missing = await client.ask("POST", f"/v1/cases/1/{way}", body)
            assert missing.status_code == 428, way
            if way != "merge":
                stale = await client.ask("POST", f"/v1/cases/1/{way}", body, match=case["version"] - 1)
                assert stale.status_code == 409, way
                other = await client.ask("POST", f"/v1/cases/1/{way}", {**body, "agent": "a2"}, match=case["version"])
                assert other.status_code == 409, way
        assert (await client.get("/v1/cases/1")).json()["version"] == case["version"]
        assert (await client.ask("POST", "/v1/cases/9/release", {"agent": "a1"}, match=1)).status_code == 404

    play(tmp_path, day)


def test_a_case_is_passed_on_given_back_opened_again_and_joined(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"), post("2", external_user="u1"))
        case = await client.claim()
        moved = (
            await client.ask("POST", "/v1/cases/1/transfer", {"agent": "a1", "to_lang": "nl"}, match=case["version"])
        ).json()
        assert (moved["lang"], moved["status"], moved["due_s"]) == ("nl", "open", case["due_s"])
        case = await client.claim("a2", ["nl"])
        given = await client.ask(
            "POST", "/v1/cases/1/transfer", {"agent": "a2", "to_agent": "a3"}, match=case["version"]
        )
        assert (given.json()["agent"], given.json()["status"]) == ("a3", "assigned")
        back = await client.ask("POST", "/v1/cases/1/release", {"agent": "a3"}, match=given.json()["version"])
        assert (back.json()["status"], back.json()["due_s"]) == ("open", case["due_s"])
        joined = await client.ask("POST", "/v1/cases/1/merge", {"agent": "a1", "into": 2}, match=back.json()["version"])
        assert (joined.status_code, joined.json()["id"]) == (200, 2)
        both = (await client.get("/v1/cases/2")).json()
        assert [each["external_id"] for each in both["posts"]] == ["1", "2"]
        again = await client.ask("POST", "/v1/cases/1/reopen", {"agent": "a1"}, match=0)
        assert again.status_code == 409
        version = (await client.get("/v1/cases/1")).json()["version"]
        opened = await client.ask("POST", "/v1/cases/1/reopen", {"agent": "a1"}, match=version)
        assert (opened.json()["status"], opened.json()["resolved_s"]) == ("open", None)

    play(tmp_path, day)


def test_a_case_tells_what_was_said_and_done_in_those_joined_to_it(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(*[post(str(n), external_user="u1") for n in (1, 2, 3)])
        case = await client.claim()
        said = {"agent": "a1", "text": "One moment.", "then": "keep"}
        assert (await client.ask("POST", "/v1/cases/1/reply", said, key="k")).status_code == 200
        ticket = {"agent": "a1", "department": "ground", "title": "Signs", "text": "None at gate C6."}
        assert (await client.ask("POST", "/v1/cases/1/tickets", ticket)).status_code == 201
        for gone, into in ((1, 2), (2, 3)):  # the first reaches the third by way of the second
            version = (await client.get(f"/v1/cases/{gone}")).json()["version"]
            done = await client.ask("POST", f"/v1/cases/{gone}/merge", {"agent": "a1", "into": into}, match=version)
            assert done.status_code == 200, done.text
        whole = (await client.get("/v1/cases/3")).json()
        assert [each["external_id"] for each in whole["posts"]] == ["1", "2", "3"]
        assert [each["text"] for each in whole["replies"]] == ["One moment."]
        assert [each["title"] for each in whole["tickets"]] == ["Signs"]
        assert case["id"] == 1

    play(tmp_path, day)


def test_lists_are_read_page_by_page(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(*[post(str(n)) for n in range(7)])
        found: list[int] = []
        after = 0
        while after is not None:
            page = (await client.get(f"/v1/cases?status=open&lang=en&limit=3&after={after}")).json()
            found += [each["id"] for each in page["items"]]
            after = page["next"]
        assert found == [1, 2, 3, 4, 5, 6, 7]
        assert (await client.get("/v1/cases?lang=nl")).json() == {"items": [], "next": None}
        assert len((await client.get("/v1/mentions?kind=query&after=4")).json()["items"]) == 3

    play(tmp_path, day)


def test_an_agent_who_waits_is_woken_by_a_post(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        async def waiting(agent: str, languages: list[str]) -> int:
            body = {"agent": agent, "langs": languages, "max": 5}
            return (await client.ask("POST", "/v1/claims?wait=20", body)).status_code

        tasks = [asyncio.create_task(waiting(f"a{n}", ["en"])) for n in range(3)]
        tasks.append(asyncio.create_task(waiting("a9", ["nl"])))
        while len(client.care.hub._waiters) < 4:
            await asyncio.sleep(0.001)
        await client.bring(post("1"), post("2"), post("3"))
        async with asyncio.timeout(5.0):
            assert await asyncio.gather(*tasks[:3]) == [200, 200, 200]
            client.care.hub.stop()
            assert await tasks[3] == 204

    play(tmp_path, day)


def test_a_wait_that_is_over_is_answered_with_nothing(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        done = await client.ask("POST", "/v1/claims?wait=0.05", {"agent": "a1", "langs": ["en"]}, key="k")
        assert (done.status_code, done.content) == (204, b"")
        await client.bring(post("1"))
        assert (await client.claim(key="k"))["id"] == 1  # nothing was kept under the key: it can be used again

    play(tmp_path, day)


def test_tokens_allow_what_their_scopes_say(tmp_path: Path) -> None:
    access = Access.for_development(TOKEN, SECRET)
    access.tokens[hashed("looks")] = Token("wall", frozenset({Scope.VIEWER}))
    access.tokens[hashed("works")] = Token("desk", frozenset({Scope.WORK}), agent="a1", rate_per_s=3.0)
    access.clock = lambda: 0.0

    async def day(client: Client) -> None:
        await client.bring(post("1"))
        body = {"agent": "a2", "langs": ["en"]}
        assert (await client.get("/v1/cases", token="looks")).status_code == 200
        assert (await client.ask("POST", "/v1/claims", body, token="looks")).status_code == 403
        assert (await client.ask("POST", "/v1/claims", body, token="works")).status_code == 403
        for bad in ("", "nobody", "dev_tok\u00e9n"):
            refused = await client.http.get("/v1/cases", headers={b"Authorization": f"Bearer {bad}".encode()})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        told = [(await client.get("/v1/cases", token="works")).status_code for _ in range(4)]
        assert told == [200, 200, 429, 429]

    play(tmp_path, day, access=access)


@pytest.mark.parametrize("platform", ["x", "facebook"])
def test_platforms_are_challenged_in_their_own_way(platform: str, tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        if platform == "x":
            told = await client.http.get("/hooks/x", params={"crc_token": "abc"})
            assert told.json() == {
                "response_token": sign(Family.X, SECRET.encode(), b"abc")["x-twitter-webhooks-signature"]
            }
            assert (await client.http.get("/hooks/x")).status_code == 422
            return
        asked = {"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "42"}
        assert (await client.http.get("/hooks/meta", params=asked)).text == "42"
        wrong = {**asked, "hub.verify_token": "no"}
        assert (await client.http.get("/hooks/meta", params=wrong)).status_code == 403

    play(tmp_path, day)


def test_the_service_tells_how_it_is(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        assert (await client.http.get("/healthz")).json() == {"status": "ok"}
        assert (await client.http.get("/readyz")).status_code == 200
        text = (await client.http.get("/metrics")).text
        assert 'care_open_cases{lang="en"} 1.0' in text
        assert 'care_requests_total{kind="intake",status="202"} 1.0' in text
        told = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("care_commit"))
        assert float(told["care_commit_jobs_sum"]) >= float(told["care_commit_jobs_count"]) > 0.0
        assert told["care_commit_seconds_count"] == told["care_commit_jobs_count"]
        assert 0.0 < float(told["care_commit_seconds_sum"]) < 60.0
        page = (await client.http.get("/docs")).text
        assert "/openapi.json" in page and "://" not in page
        assert (await client.http.get("/openapi.json")).json()["info"]["title"] == "ashcloud care service"

    play(tmp_path, day)


def test_a_full_disk_is_503_reads_go_on_and_it_is_over_when_there_is_space(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        full = await client.ask("PUT", "/v1/faults", {"disk": "full"})
        assert full.status_code == 200
        refused = await client.bring(post("2"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert (await client.get("/v1/cases/1")).status_code == 200
        assert (await client.http.get("/readyz")).status_code == 503
        await client.ask("PUT", "/v1/faults", {})
        assert (await client.bring(post("2"))).status_code == 202
        assert (await client.http.get("/readyz")).status_code == 200

    play(tmp_path, day)


def test_the_first_to_be_turned_away_are_those_who_only_look(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        async with asyncio.timeout(20.0):
            slow = [asyncio.create_task(client.bring(post(str(n)))) for n in range(8)]
            while client.app.state.gate.inflight < 8:
                await asyncio.sleep(0.001)
            look = await client.get("/v1/cases")
            more = await client.bring(post("77"))
            assert (look.status_code, look.json()["type"]) == (503, "urn:ashcloud:care:overloaded")
            assert look.headers["retry-after"] == "1"
            assert more.status_code == 202
            assert {each.status_code for each in await asyncio.gather(*slow)} == {202}
        assert (await client.get("/v1/cases")).status_code == 200

    play(tmp_path, day, knobs=Knobs(max_inflight=10, commit_delay_s=0.2))


def test_there_are_only_so_many_streams(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        client.app.state.gate.streams = MOST_STREAMS
        refused = await client.get("/v1/events")
        assert (refused.status_code, refused.json()["detail"]) == (503, "too many streams")
        assert "care_streams 200.0" in (await client.http.get("/metrics")).text
        assert (await client.get("/v1/cases")).status_code == 200

    play(tmp_path, day)


def test_what_takes_too_long_is_given_up_and_the_place_is_free_again(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await client.ask("PUT", "/v1/faults", {"crm": "slow", "delay_s": 30.0})
        slow = await client.get("/v1/customers/1")
        assert (slow.status_code, slow.headers["retry-after"]) == (503, "1")
        assert client.app.state.gate.inflight == 0

    play(tmp_path, day, knobs=Knobs(timeout_s=0.2))
