from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from care_client import post, running

from careapi.board import KEPT_S, SAMPLE_S, Backlog
from careapi.routes_lead import _events


def test_the_board_tells_who_is_late_in_hand_and_answered(tmp_path: Path) -> None:
    async def day() -> None:
        async with running(tmp_path / "care.db") as client:
            assert (await client.get("/v1/kpis")).json()["by_language"]["all"]["next_due_in_s"] is None
            await client.bring(post("1"), post("2"), post("3", lang="de", text="Wo ist mein Koffer? Buchung XK4Q7Z"))
            client.clock.now_s += 600.0
            await client.claim()
            done = await client.ask("POST", "/v1/cases/1/reply", {"agent": "a1", "text": "On its way"}, key="k")
            assert done.status_code == 200
            await client.claim("a2", ["de"])
            told = (await client.get("/v1/kpis?window=3600")).json()["by_language"]
            # Two cases wait 3,600 s at most; one of the three was answered, which decides one promise of three.
            assert (told["en"]["overdue"], told["en"]["next_due_in_s"], told["en"]["answered"]) == (0, 3000.0, 1)
            assert (told["de"]["in_hand"], told["de"]["next_due_in_s"]) == (1, None)
            assert (told["all"]["in_hand"], told["all"]["open"], told["all"]["promise_kept_share"]) == (1, 1, 1.0)
            client.clock.now_s += 3001.0
            told = (await client.get("/v1/kpis?window=7200")).json()["by_language"]
            assert (told["en"]["overdue"], told["en"]["next_due_in_s"]) == (1, -1.0)
            assert told["all"]["promise_kept_share"] == 1 / 3  # the one in hand is late as well

    asyncio.run(day())


def test_the_stream_tells_the_language_of_a_case(tmp_path: Path) -> None:
    async def day() -> None:
        async with running(tmp_path / "care.db") as client:
            await client.bring(post("1"))
            told = _events(client.care, 0)
            assert await anext(told) == b"retry: 2000\n\n"
            assert b'"lang":"en"' in await anext(told)

    asyncio.run(day())


def test_the_line_of_the_backlog_holds_an_hour() -> None:
    backlog = Backlog()
    for n in range(1000):
        now_s = 2.0 * n
        if backlog.is_due(now_s):
            backlog.add((now_s, n))
    points = backlog.told()
    assert len(points) == 200 and all(b - a == SAMPLE_S for (a, _), (b, _) in pairwise(points))
    for n in range(1000):
        backlog.add((2000.0 + SAMPLE_S * n, n))
    points = backlog.told()
    assert points[-1][0] - points[0][0] == KEPT_S
