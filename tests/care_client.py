"""The service in this process: an application on a store of its own, asked without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from careapi.access import Access
from careapi.app import create_app
from careapi.care import Care
from careapi.knobs import Knobs
from careapi.model import Rules
from careapi.platforms import Family
from careapi.signatures import sign
from careapi.store import Store
from careapi.stores import open_store

TOKEN, SECRET = "dev_token", "a secret"
START_S = 1_271_300_000.0
STORE = ""
"""The store of all applications, if it is not to be a SQLite file for each."""
QUERY = "Where is my bag? Booking XK4Q7Z"


class Clock:
    """Time that moves when it is told to."""

    def __init__(self, now_s: float = START_S) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def post(number: str = "1", **other: Any) -> dict[str, Any]:
    """A post in the generic form."""
    return {
        "platform": "generic", "external_id": number, "external_user": f"u{number}", "text": QUERY, "lang": "en",
        "public": True, "posted_at": "2010-04-15T03:00:00Z", **other,
    }  # fmt: skip


class Client:
    """Asks the application as a platform, as an agent or as anybody."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, clock: Clock) -> None:
        self.app, self.http, self.clock = app, http, clock

    @property
    def care(self) -> Care:
        care = self.app.state.care
        assert isinstance(care, Care)
        return care

    async def bring(self, *posts: object, url: str = "/v1/mentions", raw: bytes | None = None) -> httpx.Response:
        """Send a signed delivery in the generic form."""
        body = json.dumps({"mentions": posts}).encode() if raw is None else raw
        headers = sign(Family.STANDARD, SECRET.encode(), body, "msg_1", self.clock())
        return await self.http.post(url, content=body, headers=headers)

    async def ask(
        self, method: str, url: str, body: object = None, *, token: str = TOKEN, match: int | None = None,
        key: str | None = None, **headers: str,
    ) -> httpx.Response:  # fmt: skip
        """Send a request with a token, and with If-Match and Idempotency-Key where given."""
        sent = {"Authorization": f"Bearer {token}", **headers}
        if match is not None:
            sent["If-Match"] = f'"{match}"'
        if key is not None:
            sent["Idempotency-Key"] = key
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self.http.request(method, url, content=content, headers=sent)

    async def get(self, url: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", url, **more)

    async def claim(self, agent: str = "a1", langs: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """Claim a case that is there."""
        done = await self.ask("POST", "/v1/claims", {"agent": agent, "langs": langs or ["en"], "max": 100}, **more)
        assert done.status_code == 200, done.text
        case: dict[str, Any] = done.json()
        return case


@asynccontextmanager
async def running(
    path: Path, knobs: Knobs | None = None, rules: Rules | None = None, access: Access | None = None
) -> AsyncIterator[Client]:
    """A started application on a SQLite store at `path`, or on `STORE`, with a clock of its own."""
    clock = Clock()

    async def opener() -> Store:
        return await open_store(STORE or f"sqlite:{path}", rules, clock)

    app = create_app(opener, access or Access.for_development(TOKEN, SECRET), knobs, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://care") as http:
            yield Client(app, http, clock)


def play(path: Path, what: Callable[[Client], Awaitable[None]], **settings: Any) -> None:
    """Let something happen to an application, then see that its store is as it must be."""

    async def run() -> None:
        async with running(path / "care.db", **settings) as client:
            await what(client)
            assert await client.care.store.broken() == []

    asyncio.run(run())
