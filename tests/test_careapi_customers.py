from __future__ import annotations

import asyncio
from pathlib import Path

from care_client import QUERY, Client, play, post, running


def test_a_customer_is_seen_over_all_channels(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(
            post("1", external_user="ann", platform="vk"), post("2", external_user="ann7", platform="kakao"),
            post("3", external_user="ann7", platform="kakao", public=False),
        )  # fmt: skip
        body = {"agent": "a1", "customer_id": 2, "tier": "gold", "booking": "XK4Q7Z"}
        done = await client.ask("POST", "/v1/customers/1/link", body)
        assert (done.status_code, done.json()["tier"], done.json()["booking"]) == (200, "gold", "XK4Q7Z")
        assert [each["platform"] for each in done.json()["handles"]] == ["vk", "kakao"]
        case = (await client.get("/v1/cases/1")).json()
        assert sorted(each["id"] for each in case["customer"]["cases"]) == [1, 2, 3]
        assert (await client.ask("POST", "/v1/customers/1/link", {"agent": "a1", "customer_id": 9})).status_code == 404

    play(tmp_path, day)


def test_two_accounts_of_one_person_in_one_thread_become_one_case(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(
            post("1", external_user="ann"), post("2", external_user="ann2", parent_external_id="1"),
            post("3", external_user="ann2", parent_external_id="1", text="RT @you: look"),
        )  # fmt: skip
        assert (await client.claim())["id"] == 1
        done = await client.ask("POST", "/v1/customers/1/link", {"agent": "a1", "customer_id": 2})
        assert done.status_code == 200
        case = (await client.get("/v1/cases/1")).json()
        assert [each["external_id"] for each in case["posts"]] == ["1", "2", "3"]
        assert (await client.get("/v1/cases/2")).json()["closed_reason"] == "merged"

    play(tmp_path, day)


def test_without_customer_data_cases_go_on(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        await client.ask("PUT", "/v1/faults", {"crm": "down"})
        gone = await client.get("/v1/customers/1")
        assert (gone.status_code, gone.headers["retry-after"]) == (503, "1")
        case = await client.get("/v1/cases/1")
        assert (case.status_code, case.json()["customer"]) == (200, None)
        await client.ask("PUT", "/v1/faults", {"crm": "slow", "delay_s": 0.05})
        began_s = asyncio.get_running_loop().time()
        assert (await client.get("/v1/customers/1")).status_code == 200
        assert asyncio.get_running_loop().time() - began_s >= 0.05

    play(tmp_path, day)


def test_erasing_leaves_no_text_and_no_name_in_the_bytes_of_the_store(tmp_path: Path) -> None:
    words = ("zebra crossing", "Annabel", "annabel77", "apologies dear", "window seat wish", "purple umbrella")

    async def play_it() -> None:
        async with running(tmp_path / "care.db") as client:
            own = {"external_user": "annabel77", "name": "Annabel", "text": f"{QUERY} zebra crossing"}
            await client.bring(post("1", **own), post("2", **own, public=False), post("3"))
            case = await client.claim()
            body = {"agent": "a1", "text": "apologies dear", "then": "keep"}
            assert (await client.ask("POST", f"/v1/cases/{case['id']}/reply", body, key="k")).status_code == 200
            body = {"agent": "a1", "text": "window seat wish", "case_id": case["id"]}
            await client.ask("POST", "/v1/flights/KL1234/2010-04-16/notices", body, key="k")
            body = {"agent": "a1", "kind": "lost", "description": "purple umbrella", "case_id": case["id"]}
            await client.ask("POST", "/v1/lost-items", body, key="k")
            told = (await client.get("/v1/customers/1/export")).text
            assert [word for word in words if word not in told] == []
            late = client.ask("POST", f"/v1/cases/{case['id']}/reply", {"agent": "a1", "text": words[3]}, key="k2")
            erased, replied = await asyncio.gather(client.ask("POST", "/v1/customers/1/erase"), late)
            assert erased.status_code == 200 and replied.status_code in (200, 409)
            left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
            assert [word for word in words if word.encode() in left] == []
            assert (await client.get("/v1/kpis")).json()["by_language"]["all"]["cases"] == 3.0
            again = await client.bring(post("9", **own))
            assert again.json()["cases"] == [4]
            assert (await client.get("/v1/customers/1")).json()["handles"][0]["name"] == ""
            assert await client.care.store.broken() == []

    asyncio.run(play_it())
