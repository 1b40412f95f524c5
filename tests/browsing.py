"""The service on a port of this machine, and Chromium to look at its pages."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from careapi.access import Access
from careapi.app import create_app
from careapi.platforms import Family
from careapi.signatures import sign
from careapi.store import Store
from careapi.store_sqlite import SqliteStore

TOKEN, SECRET = "dev_token", "a secret"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Nothing that Chromium does by itself, and no name leads anywhere: what leaves this machine fails.
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
SOON_MS = 15_000.0


class Service:
    """A running service, asked by others than the browser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})

    def bring(self, number: str, **other: Any) -> int | None:
        """Bring a post, as a platform does; returns the case that it opened."""
        post = {
            "platform": "generic", "external_id": number, "external_user": "u1", "text": "Where is my bag? KL1770",
            "lang": "en", "public": True, "posted_at": "2010-04-15T03:00:00Z", **other,
        }  # fmt: skip
        body = json.dumps({"mentions": [post]}).encode()
        headers = sign(Family.STANDARD, SECRET.encode(), body, f"msg_{number}", time.time())
        done = self.http.post("/v1/mentions", content=body, headers=headers)
        assert done.status_code == 202, done.text
        case: int | None = done.json()["cases"][0]
        return case

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Ask as another agent would; returns what was answered."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        done = self.http.request(method, path, json=body, headers=sent)
        assert done.status_code < 300, done.text
        return done.json() if done.content else None


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """Serve a new store in a thread, until left."""

    async def opener() -> Store:
        return SqliteStore(folder / "care.db")

    app = create_app(opener, Access.for_development(TOKEN, SECRET))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="on", log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    service = Service(f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.01)
        yield service
    finally:
        service.http.close()
        app.state.care.hub.stop()
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium of the system, without a window; skips where there is none, unless it is the gate."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium here: the gate installs it")
        pytest.skip("no chromium here; install it to look at the pages")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """A browser with a session of its own; remembers what it asked for and what its pages complained of."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.asked: list[str] = []
        self.complaints: list[str] = []
        context.set_default_timeout(SOON_MS)
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda fault: self.complaints.append(str(fault.error)))

    def open(self, path: str) -> Page:
        """Open a page, signing in on the way, by keyboard."""
        page = self.context.new_page()
        page.goto(self.url + path)
        if "/signin" in page.url:
            expect(page.locator("#token")).to_be_focused()
            page.keyboard.type(TOKEN)
            page.keyboard.press("Enter")
            page.wait_for_url(self.url + path)
        return page

    @property
    def strangers(self) -> list[str]:
        """What was asked of others than this service."""
        return [asked for asked in self.asked if not asked.startswith(self.url + "/")]


def grave_faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical on a page as it stands."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run()")
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{each['id']}: {each['help']}: {node['html']}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
