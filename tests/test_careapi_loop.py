from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from care_client import SECRET, Client, play, post

from careapi import payments
from careapi.knobs import Faults
from careapi.signatures import sign_payment


async def paid(client: Client, number: str, kind: str, ref: str, at_s: float) -> httpx.Response:
    """Say what the payment provider says."""
    body = json.dumps(
        {"id": f"evt_{number}", "type": f"payment.{kind}", "created": int(at_s), "data": {"ref": ref}}
    ).encode()
    return await client.http.post(
        "/hooks/pay", content=body, headers=sign_payment(SECRET.encode(), body, client.clock())
    )


async def linked(client: Client, key: str, lasts_s: float = 3600.0) -> dict[str, Any]:
    body = {"agent": "a1", "amount_minor": 4200, "lasts_s": lasts_s}
    done = await client.ask("POST", "/v1/cases/1/paylinks", body, key=key)
    assert done.status_code == 201, done.text
    link: dict[str, Any] = done.json()
    return link


def test_a_payment_link_ends_the_same_in_whatever_order_the_reports_come(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        start_s = client.clock()
        reports = [("failed", 10.0), ("expired", 50.0), ("paid", 60.0)]
        ends = set()
        for n, order in enumerate(itertools.permutations([("make", 0.0), *reports])):
            key = f"k{n}"
            ref = await payments.order(Faults(), "development 1", key)  # as the provider knows it before we do
            for step in order:
                if step[0] == "make":
                    link = await linked(client, key)
                else:
                    told = await paid(client, f"{n}{step[0]}", step[0], ref, start_s + step[1])
                    again = await paid(client, f"{n}{step[0]}", step[0], ref, start_s + step[1])
                    assert (told.json()["duplicate"], again.json()["duplicate"]) == (False, True)
            link = (await client.get(f"/v1/paylinks/{link['id']}")).json()
            ends.add((link["state"], link["paid_s"], link["refund_check"]))
        assert ends == {("paid", start_s + 60.0, True)}

    play(tmp_path, day)


def test_a_link_that_nobody_pays_expires(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        link = await linked(client, "k", 1800.0)
        assert (link["state"], link["expires_s"]) == ("open", client.clock() + 1800.0)
        client.clock.now_s += 1800.0
        async with asyncio.timeout(10.0):
            while (await client.get("/v1/paylinks/1")).json()["state"] != "expired":
                await asyncio.sleep(0.01)
        late = await paid(client, "1", "paid", link["provider_ref"], client.clock())
        assert late.status_code == 200
        link = (await client.get("/v1/paylinks/1")).json()
        assert (link["state"], link["refund_check"]) == ("paid", False)  # in the very second in which it ended

    play(tmp_path, day)


def test_a_provider_that_fails_leaves_no_link_and_duplicates_do_no_harm(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await client.ask("PUT", "/v1/faults", {"payments": "failing"})
        done = await client.ask("POST", "/v1/cases/1/paylinks", {"agent": "a1", "amount_minor": 1}, key="k")
        assert (done.status_code, done.json()["type"]) == (502, "urn:ashcloud:care:payment-provider")
        await client.ask("PUT", "/v1/faults", {"payments": "duplicate"})
        link = await linked(client, "k")
        await paid(client, "1", "paid", link["provider_ref"], client.clock())
        events = (await client.get("/v1/cases/1/events")).json()["items"]
        assert [each["data"] for each in events if each["kind"] == "payment"] == [f"{link['id']} paid"]

    play(tmp_path, day)


def test_a_provider_that_fails_a_share_of_the_orders_fails_the_same_ones_again(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await client.ask("PUT", "/v1/faults", {"payments_failing": 0.3})

        async def refused() -> list[bool]:
            done = [
                await client.ask("POST", "/v1/cases/1/paylinks", {"agent": "a1", "amount_minor": 1}, key=f"k{n}")
                for n in range(60)
            ]
            assert {each.status_code for each in done} == {201, 502}
            return [each.status_code == 502 for each in done]

        first = await refused()
        assert await refused() == first
        # Five standard errors of a share of 30 % among 60.
        assert np.mean(first) == pytest.approx(0.3, abs=5.0 * (0.21 / 60) ** 0.5)

    play(tmp_path, day)


def test_shares_of_orders_are_hit_and_each_kind_chooses_its_own() -> None:
    refs = [f"pay_{n}" for n in range(20_000)]
    some = Faults(payments_slow=0.5, payments_failing=0.1, payments_duplicate=0.02)
    hit = {how: np.array([some.payment(how, ref) for ref in refs]) for how in ("slow", "failing", "duplicate")}
    for how, share in (("slow", 0.5), ("failing", 0.1), ("duplicate", 0.02), ("both", 0.05)):
        found = hit["slow"] & hit["failing"] if how == "both" else hit[how]
        assert found.mean() == pytest.approx(share, abs=5.0 * (share * (1.0 - share) / len(refs)) ** 0.5)
    assert not any(Faults().payment("failing", ref) for ref in refs)
    assert all(Faults(payments="failing").payment("failing", ref) for ref in refs)
    assert all(Faults(payments_failing=1.0).payment("failing", ref) for ref in refs)


@pytest.mark.parametrize("header", [None, "", "t=1,v1=00", "t=\u00b2,v1=x", "v1=x", "t=1271300000,v1=\u00e9", "t=,v1="])
def test_a_payment_that_is_not_signed_is_refused(header: str | None, tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        headers = {} if header is None else {b"payment-signature": header.encode()}
        done = await client.http.post("/hooks/pay", content=b"{}", headers=headers)
        assert done.status_code == 401
        body = b'{"id":"e","type":"payment.paid","created":1,"data":{"ref":"r"}}'
        old = sign_payment(SECRET.encode(), body, client.clock() - 301.0)
        assert (await client.http.post("/hooks/pay", content=body, headers=old)).status_code == 401
        good = sign_payment(SECRET.encode(), body, client.clock())
        assert (await client.http.post("/hooks/pay", content=body + b" ", headers=good)).status_code == 401
        bad = b'{"id":"e","type":"payment.kept","created":1,"data":{"ref":"r"}}'
        good = sign_payment(SECRET.encode(), bad, client.clock())
        assert (await client.http.post("/hooks/pay", content=bad, headers=good)).status_code == 422

    play(tmp_path, day)


def test_the_crew_reads_notices_and_says_so(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        address = "/v1/flights/KL1234/2010-04-16/notices"
        for seat in ("12A", "3C"):
            body = {"agent": "a1", "text": f"The bag of {seat} is late", "seat": seat, "case_id": 1}
            assert (await client.ask("POST", address, body)).status_code == 201
        seats = [each["seat"] for each in (await client.get(address)).json()["items"]]
        assert seats == ["12A", "3C"]
        seen = [await client.ask("POST", "/v1/notices/1/ack", {"agent": who}) for who in ("purser1", "purser2")]
        assert [each.json()["seen_by"] for each in seen] == ["purser1", "purser1"]
        seats = [each["seat"] for each in (await client.get(address)).json()["items"]]
        assert seats == ["3C", "12A"]
        assert [each["seat"] for each in (await client.get("/v1/cases/1")).json()["notices"]] == ["12A", "3C"]
        assert (await client.get("/v1/flights/KL1/2010-13-01/notices")).status_code == 422

    play(tmp_path, day)


def test_what_was_lost_is_matched_with_what_was_found_once(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        things = [("lost", 1), ("found", None), ("found", None), ("lost", None)]
        for kind, case in things:
            body = {"agent": "a1", "kind": kind, "description": "a red scarf", "case_id": case, "seat": "12A"}
            assert (await client.ask("POST", "/v1/lost-items", body)).status_code == 201
        assert len((await client.get("/v1/lost-items?kind=found&matched=false")).json()["items"]) == 2

        async def match(one: int, other: int) -> int:
            body = {"agent": "a1", "other_id": other}
            return (await client.ask("POST", f"/v1/lost-items/{one}/match", body)).status_code

        assert [await match(1, 4), await match(1, 2), await match(2, 1), await match(3, 1)] == [409, 200, 200, 409]
        assert [each["matched_id"] for each in (await client.get("/v1/lost-items")).json()["items"]] == [
            2, 1, None, None,
        ]  # fmt: skip

    play(tmp_path, day)
