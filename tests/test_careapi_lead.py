from __future__ import annotations

import math
from pathlib import Path

import pytest
from care_client import Client, play, post

from careapi.kpis import IDS, _quantile
from sim.measures import MEASURES
from sim.measures import _quantile as simulated


def test_the_desk_is_measured_by_the_words_of_the_simulation(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(*[post(str(n)) for n in range(1, 5)], post("5", lang="nl", text="RT @you: kijk"))
        for wait_s in (600.0, 1200.0):
            client.clock.now_s += wait_s
            case = await client.claim()
            body = {"agent": "a1", "text": "On its way", "then": "resolve"}
            await client.ask("POST", f"/v1/cases/{case['id']}/reply", body, key=f"k{wait_s}")
        told = (await client.get("/v1/kpis?window=7200")).json()
        english = told["by_language"]["en"]
        assert {name: english[name] for name in IDS} == {
            "mentions": 4.0, "cases": 4.0, "unanswered_share": 0.5, "answered_within_promise_share": 0.5,
            "answered_within_20min_share": 0.25, "answered_within_60min_share": 0.5, "first_response_mean_s": 1200.0,
            "first_response_p50_s": 1800.0, "first_response_p90_s": None, "resolution_mean_s": 1200.0,
            "resolved_share": 0.5, "payment_eur": 0.0,
        }  # fmt: skip
        assert (english["open"], english["oldest_wait_s"]) == (2, 1800.0)
        assert told["by_language"]["nl"]["mentions"] == 1.0
        assert told["by_language"]["nl"]["first_response_mean_s"] is None
        assert told["definitions"]["cases"] == MEASURES["cases"].sentence

    play(tmp_path, day)


@pytest.mark.parametrize("p", [0.5, 0.9])
@pytest.mark.parametrize("values", [[1.0], [3.0, 1.0, 2.0, math.inf], [float(n) for n in range(10)]])
def test_quantiles_are_those_of_the_simulation(values: list[float], p: float) -> None:
    import numpy as np

    assert _quantile(values, p) == simulated(np.array(values), p)


def test_a_crisis_changes_promises_languages_and_words(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        await client.bring(post("1"))
        body = {
            "agent": "lead1", "on": True, "open_cases": 2, "promise_s": {"public": 900.0}, "relaxed": ["nl"],
            "templates_only": True, "templates": ["All flights are cancelled"],
        }  # fmt: skip
        done = await client.ask("PUT", "/v1/crisis", body)
        assert (done.status_code, done.json()["on"], done.json()["advised"]) == (200, True, False)
        await client.bring(post("2", lang="nl", text="Waar is mijn koffer? Boeking XK4Q7Z"))
        assert (await client.get("/v1/crisis")).json()["advised"]
        first = await client.claim("a1", ["en"])
        assert (first["id"], first["due_s"]) == (2, client.clock() + 900.0)
        reply = {"agent": "a1", "text": "My own words"}
        assert (await client.ask("POST", "/v1/cases/2/reply", reply, key="k")).status_code == 409
        reply["text"] = "All flights are cancelled"
        assert (await client.ask("POST", "/v1/cases/2/reply", reply, key="k2")).status_code == 200
        await client.ask("PUT", "/v1/crisis", {"agent": "lead1", "on": False})
        await client.bring(post("3", lang="nl", text="Waar is mijn koffer? Boeking XK4Q7Z"))
        assert (await client.claim("a1", ["en"]))["id"] == 1
        audit = (await client.get("/v1/audit?actor=lead1")).json()["items"]
        assert [(each["kind"], each["data"]) for each in audit] == [("crisis", "on"), ("crisis", "off")]
        bad = await client.ask("PUT", "/v1/crisis", {"agent": "lead1", "on": True, "promise_s": {"public": -1.0}})
        assert bad.status_code == 422

    play(tmp_path, day)
