from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from care_client import Client, play, post

from careapi.presence import OFFER_S, PEACE_S


async def signed_in(client: Client, agent: str, presence: str = "online", **other: Any) -> dict[str, Any]:
    body = {"presence": presence, "langs": ["en"], "capacity": 2, "mode": "push", **other}
    done = await client.ask("PUT", f"/v1/agents/{agent}/presence", body)
    assert done.status_code == 200, done.text
    told: dict[str, Any] = done.json()
    return told


async def offers(client: Client, agent: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"/v1/offers?agent={agent}")).json()["items"]
    return found


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(20.0):
        while not await true():
            await asyncio.sleep(0.01)


def test_cases_are_offered_to_free_hands_in_turn(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await signed_in(client, "a1")
        await signed_in(client, "a2")
        await signed_in(client, "a3", langs=["nl"])
        await client.bring(*[post(str(n)) for n in range(1, 6)])
        await until(lambda: offers(client, "a2"))
        assert [each["case_id"] for each in await offers(client, "a1")] == [1, 3]
        assert [each["case_id"] for each in await offers(client, "a2")] == [2, 4]
        assert await offers(client, "a3") == []
        took = await client.ask("POST", "/v1/offers/1/accept", {"agent": "a1"})
        assert (took.json()["id"], took.json()["agent"], took.headers["etag"]) == (1, "a1", '"3"')
        assert (await client.ask("POST", "/v1/offers/1/accept", {"agent": "a1"})).status_code == 409
        assert (await client.ask("POST", "/v1/offers/2/accept", {"agent": "a1"})).status_code == 409
        assert (await client.get("/v1/agents/a1/presence")).json()["held"] == [1, 3]

    play(tmp_path, day)


def test_a_declined_case_goes_to_the_next_with_its_age(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        before = (await client.get("/v1/cases/1")).json()
        await signed_in(client, "a1")
        await until(lambda: offers(client, "a1"))
        declined = await client.ask("POST", "/v1/offers/1/decline", {"agent": "a1"})
        assert (declined.json()["status"], declined.json()["due_s"]) == ("open", before["due_s"])
        await signed_in(client, "a2")
        await until(lambda: offers(client, "a2"))
        assert await offers(client, "a1") == []
        await signed_in(client, "a2", "offline")  # gives it back as well
        client.clock.now_s += PEACE_S
        await until(lambda: offers(client, "a1"))
        after = (await client.get("/v1/cases/1")).json()
        assert (after["due_s"], after["waiting_since_s"]) == (before["due_s"], before["waiting_since_s"])

    play(tmp_path, day)


def test_a_case_that_turns_out_to_be_part_of_another_is_offered_no_more(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("0", external_user="u1"), post("2", external_user="u1", parent_external_id="1"))
        await signed_in(client, "a1")
        await until(lambda: offers(client, "a1"))
        assert [each["case_id"] for each in await offers(client, "a1")] == [1, 2]
        await client.bring(post("1", external_user="u1", parent_external_id="0"))  # what post 2 answers
        gone = (await client.get("/v1/cases/2")).json()
        assert (gone["status"], gone["closed_reason"], gone["merged_into"]) == ("resolved", "merged", 1)
        assert [each["case_id"] for each in await offers(client, "a1")] == [1]

    play(tmp_path, day)


def test_who_does_not_answer_an_offer_is_away(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await signed_in(client, "a1")
        await until(lambda: offers(client, "a1"))
        client.clock.now_s += OFFER_S

        async def away() -> bool:
            return bool((await client.get("/v1/agents/a1/presence")).json()["presence"] == "away")

        await until(away)
        case = (await client.get("/v1/cases/1")).json()
        assert (case["status"], case["agent"]) == ("open", None)
        assert (await client.ask("POST", "/v1/offers/1/accept", {"agent": "a1"})).status_code == 409
        kinds = [each["kind"] for each in (await client.get("/v1/cases/1/events")).json()["items"]]
        assert kinds == ["opened", "assigned", "offered", "offer_ended", "released"]

    play(tmp_path, day)


def test_an_agent_who_signed_in_claims_what_he_speaks_and_can_hold(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(*[post(str(n)) for n in range(1, 5)])
        assert (await client.ask("POST", "/v1/claims", {"agent": "a1"})).status_code == 409
        await signed_in(client, "a1", mode="pull")
        told = [(await client.ask("POST", "/v1/claims", {"agent": "a1"})).status_code for _ in range(3)]
        assert told == [200, 200, 204]
        for _ in range(3):  # heard of in time, he keeps what he has
            client.clock.now_s += 1500.0
            assert (await signed_in(client, "a1", mode="pull"))["held"] == [1, 2]
        assert (await signed_in(client, "a1", "offline"))["held"] == []

    play(tmp_path, day)


def test_cases_are_tagged_and_counted(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(*[post(str(n)) for n in range(1, 4)])
        for case in (1, 2):
            body = {"agent": "a1", "topic": "baggage", "stage": "enjoy"}
            assert (await client.ask("POST", f"/v1/cases/{case}/tags", body)).json()["topic"] == "baggage"
        ticket = {"agent": "a1", "department": "bags", "title": "Labels come off", "text": "Three this week"}
        assert (await client.ask("POST", "/v1/cases/1/tickets", ticket)).status_code == 201
        rows = (await client.get("/v1/insights")).json()["items"]
        assert [(each["topic"], each["stage"], each["cases"], each["tickets"]) for each in rows] == [
            ("baggage", "enjoy", 2, 1), ("untagged", "untagged", 1, 0),
        ]  # fmt: skip
        table = (await client.get("/v1/insights?format=csv")).text.splitlines()
        assert table[0].startswith("topic,stage,lang,cases") and table[1].startswith("baggage,enjoy,en,2")
        assert [each["id"] for each in (await client.get("/v1/tickets?state=open")).json()["items"]] == [1]
        for _ in range(2):
            assert (await client.ask("POST", "/v1/tickets/1/done", {"agent": "a2"})).json()["state"] == "done"
        assert (await client.get("/v1/tickets?state=open")).json()["items"] == []

    play(tmp_path, day)


def test_a_broadcast_answers_all_who_wait_for_the_same_and_stops_no_clock(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        for start in range(0, 250, 50):
            await client.bring(*[post(str(n)) for n in range(start, start + 50)])
        await client.bring(post("nl", lang="nl", text="Waar is mijn koffer? Boeking XK4Q7Z"))
        held = await client.claim("a1", ["en"])
        body = {"agent": "lead1", "texts": {"en": "No flights today", "de": "Heute keine Flüge"}, "close": True}
        done = await client.ask("POST", "/v1/broadcasts", body, key="k")
        assert done.status_code == 201
        assert [(each["lang"], each["closed"]) for each in done.json()["items"]] == [("de", 0), ("en", 249)]
        again = await client.ask("POST", "/v1/broadcasts", body, key="k")
        assert [each["id"] for each in again.json()["items"]] == [each["id"] for each in done.json()["items"]]
        left = (await client.get("/v1/cases?status=open")).json()["items"]
        assert [each["lang"] for each in left] == ["nl"]
        assert (await client.get(f"/v1/cases/{held['id']}")).json()["status"] == "assigned"
        assert (await client.get("/v1/kpis")).json()["by_language"]["en"]["unanswered_share"] == 1.0

    play(tmp_path, day)


def test_a_person_corrects_what_a_post_was_taken_for(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1", text="RT @you: look"), post("2"))
        spam = await client.ask("POST", "/v1/mentions/2/kind", {"agent": "a1", "kind": "spam"})
        assert (spam.json()["kind"], spam.json()["label"], spam.json()["case_id"]) == ("query", "spam", 1)
        query = await client.ask("POST", "/v1/mentions/1/kind", {"agent": "a1", "kind": "query"})
        assert query.json()["case_id"] == 2
        assert [each["id"] for each in (await client.get("/v1/mentions?kind=spam")).json()["items"]] == [2]
        assert (await client.ask("POST", "/v1/mentions/9/kind", {"agent": "a1", "kind": "spam"})).status_code == 404

    play(tmp_path, day)


def test_replies_stay_here_while_the_platform_does_not_take_them_then_go_in_order(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.ask("PUT", "/v1/faults", {"platform": "held"})
        await client.bring(post("1"))
        await client.claim()
        for n in range(3):
            body = {"agent": "a1", "text": f"Answer {n}", "then": "keep"}
            await client.ask("POST", "/v1/cases/1/reply", body, key=f"k{n}")
        told = (await client.get("/v1/cases/1")).json()["replies"]
        assert [each["delivered_s"] for each in told] == [None, None, None]
        await client.ask("PUT", "/v1/faults", {})

        async def gone() -> bool:
            replies = (await client.get("/v1/cases/1")).json()["replies"]
            return all(each["delivered_s"] == client.clock() for each in replies)

        await until(gone)

    play(tmp_path, day)


def test_replies_to_one_platform_stay_here_while_those_to_others_go_out(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        told = await client.ask("PUT", "/v1/faults", {"platforms": ["x", "instagram", "x"]})
        assert (told.json()["platform"], told.json()["platforms"]) == ("ok", ["x", "instagram"])
        await client.bring(post("1", platform="x"), post("2", platform="facebook", external_user="other"))
        for case in (1, 2):
            await client.claim()
            body = {"agent": "a1", "text": "An answer", "then": "keep"}
            assert (await client.ask("POST", f"/v1/cases/{case}/reply", body, key=f"k{case}")).status_code == 200

        async def gone(case: int) -> bool:
            replies = (await client.get(f"/v1/cases/{case}")).json()["replies"]
            return all(each["delivered_s"] is not None for each in replies)

        await until(lambda: gone(2))
        assert not await gone(1)
        assert (await client.ask("PUT", "/v1/faults", {"platforms": ["fax"]})).status_code == 422
        await client.ask("PUT", "/v1/faults", {})
        await until(lambda: gone(1))
        notes = [
            each["data"]
            for each in (await client.get("/v1/audit?limit=50")).json()["items"]
            if each["kind"] == "faults"
        ]
        assert notes == ["platforms=x+instagram", ""]

    play(tmp_path, day)
