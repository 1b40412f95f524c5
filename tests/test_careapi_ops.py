from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from care_client import Client, play, post

from careapi import views
from careapi.logs import LOG, JsonLines
from careapi.model import Receipt


def test_a_queue_of_writes_that_grows_too_long_turns_everybody_away_and_loses_nothing(tmp_path: Path) -> None:
    async def day(client: Client) -> None:
        turned = await client.ask("PUT", "/v1/knobs", {"most_waiting": 20, "commit_delay_s": 0.2, "max_inflight": 1000})
        assert turned.json()["most_waiting"] == 20
        first = [asyncio.create_task(client.bring(post(str(n)))) for n in range(100)]
        async with asyncio.timeout(20.0):
            while client.care.store.waiting() <= 20:
                await asyncio.sleep(0.001)
        later = [asyncio.create_task(client.bring(post(str(n)))) for n in range(100, 200)]
        told = await asyncio.gather(*first, *later)
        taken = [n for n, each in enumerate(told) if each.status_code == 202]
        away = [each for each in told if each.status_code == 503]
        assert len(taken) + len(away) == 200 and len(taken) >= 21 and away
        assert {each.json()["detail"] for each in away} == {"too many writes waiting"}
        assert all(each.headers["retry-after"] == "1" for each in away)
        await client.ask("PUT", "/v1/knobs", {"commit_delay_s": 0.0})
        kept = (await client.get("/v1/mentions?limit=200")).json()["items"]
        assert sorted(int(each["external_id"]) for each in kept) == taken

    play(tmp_path, day)


def test_our_own_failure_is_a_problem_and_the_log_has_no_words_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    def broken(*_: object) -> None:
        raise KeyError("where is my bag, asks Ann")

    handler = Kept()
    handler.setFormatter(JsonLines())
    monkeypatch.setattr(LOG, "handlers", [handler])
    monkeypatch.setattr(LOG, "propagate", False)
    monkeypatch.setattr(views, "cases", broken)

    async def day(client: Client) -> None:
        failed = await client.get("/v1/cases")
        assert (failed.status_code, failed.json()["type"]) == (500, "urn:ashcloud:care:internal")
        assert "bag" not in failed.text

    play(tmp_path, day)
    (line,) = [each for each in lines if '"failed"' in each]
    told = json.loads(line)
    assert (told["level"], told["path"], told["error"]) == ("error", "/v1/cases", "KeyError")
    assert any("test_careapi_ops.py" in place for place in told["places"])
    assert "bag" not in line and "Ann" not in line


def test_one_post_that_the_store_cannot_keep_is_named_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def day(client: Client) -> None:
        keep = client.care.store.add_mentions

        async def poisoned(mentions: object) -> list[Receipt | Exception]:
            told = await keep(mentions)  # type: ignore[arg-type]
            return [ValueError("poison"), *told[1:]]

        monkeypatch.setattr(client.care.store, "add_mentions", poisoned)
        done = await client.bring(post("1"), post("2"))
        assert (done.status_code, done.json()["accepted"]) == (202, 1)
        assert done.json()["rejected"] == [{"place": 0, "why": "it cannot be stored"}]

    play(tmp_path, day)
