"""The pages as files and the session of a browser, without a browser."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from careapi.access import Access, Scope, Token, hashed
from careapi.pages import STATIC, SessionCookie, routes
from careapi.problems import Refused
from careapi.web import COOKIE

HERE = "http://testserver"
TOKEN = "all-of-it"
SAME = {"sec_fetch_site": "same-origin"}
PAGES = sorted(STATIC.glob("*.html"))


def encoded(headers: Mapping[str, str | bytes]) -> dict[bytes, bytes]:
    return {
        name.replace("_", "-").encode(): value if isinstance(value, bytes) else value.encode()
        for name, value in headers.items()
    }


class Client:
    """A browser of sorts: keeps cookies, follows nothing."""

    def __init__(self, app: FastAPI, at: str = HERE) -> None:
        self._inside = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=at)
        self.cookies = self._inside.cookies

    def get(self, path: str, **headers: str | bytes) -> httpx.Response:
        return asyncio.run(self._inside.get(path, headers=encoded(headers)))

    def post(
        self, path: str, data: dict[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return asyncio.run(self._inside.post(path, data=data, headers=encoded(headers or {})))


@pytest.fixture
def app() -> FastAPI:
    access = Access.for_development(TOKEN, "secret")
    access.tokens[hashed("looks-on")] = Token("wall", frozenset({Scope.VIEWER}))
    app = FastAPI(openapi_url=None)
    app.state.care = SimpleNamespace(access=access)
    app.include_router(routes)
    app.add_middleware(SessionCookie)
    app.add_exception_handler(Refused, refused)

    @app.api_route("/told", methods=["GET", "POST"])
    async def told(request: Request) -> str:
        return request.headers.get("authorization", "nothing")

    return app


async def refused(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refused)
    return Response(status_code=fault.status)


@pytest.fixture
def client(app: FastAPI) -> Client:
    return Client(app)


def sign_in(client: Client, token: str = TOKEN, to: str = "/desk") -> None:
    answer = client.post("/signin", data={"token": token, "to": to}, headers=SAME)
    assert answer.status_code == 303


def test_without_a_session_a_page_leads_to_where_one_signs_in(client: Client) -> None:
    answer = client.get("/desk")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?to=/desk")
    assert "the agent desk" in client.get("/signin?to=/desk").text


def test_signing_in_gives_a_cookie_that_no_script_reads_and_no_other_site_sends(client: Client) -> None:
    answer = client.post("/signin", data={"token": TOKEN, "to": "/desk"}, headers=SAME)
    assert answer.headers["location"] == "/desk"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
    assert client.get("/desk").status_code == 200


def test_over_tls_the_cookie_never_goes_in_the_clear(app: FastAPI) -> None:
    answer = Client(app, "https://testserver").post("/signin", data={"token": TOKEN}, headers=SAME)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_token_that_is_not_known_is_refused_in_words(client: Client) -> None:
    answer = client.post("/signin", data={"token": "wrong"}, headers=SAME)
    assert answer.status_code == 401
    assert "This token is not known." in answer.text
    assert "set-cookie" not in answer.headers


def test_a_token_without_the_scope_is_told_which_it_takes(client: Client) -> None:
    sign_in(client, "looks-on", "/")
    assert client.get("/").status_code == 200
    answer = client.get("/desk")
    assert answer.status_code == 403
    assert "agent:work" in answer.text


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(client: Client, to: str) -> None:
    answer = client.post("/signin", data={"token": TOKEN, "to": to}, headers=SAME)
    assert answer.headers["location"] == "/"
    assert to not in client.get(f"/signin?to={quote(to)}").text


@pytest.mark.parametrize(
    ("sent", "lent"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"origin": HERE}, True),
        ({"sec_fetch_site": "cross-site", "origin": HERE}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "http://testserver.evil.example"}, False),
        ({"origin": "http://testserver:81"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_a_cookie_changes_something_only_from_a_page_of_this_server(
    client: Client, sent: dict[str, str], lent: bool
) -> None:
    sign_in(client)
    assert client.post("/told", headers=sent).json() == (f"Bearer {TOKEN}" if lent else "nothing")
    assert client.get("/told").json() == f"Bearer {TOKEN}"


def test_a_token_of_the_request_itself_goes_before_the_cookie(client: Client) -> None:
    sign_in(client)
    assert client.get("/told", authorization="Bearer mine").json() == "Bearer mine"


@pytest.mark.parametrize("cookie", [b"", b"other=1", b"\xff\xfe", b'"', b"=;=;,", b"ashcloud_care_token"])
def test_a_cookie_that_is_none_lends_nothing(client: Client, cookie: bytes) -> None:
    assert client.get("/told", cookie=cookie).json() == "nothing"


def test_another_site_can_neither_sign_somebody_in_nor_out(client: Client) -> None:
    assert client.post("/signin", data={"token": TOKEN}, headers={"origin": "https://evil.example"}).status_code == 403
    sign_in(client)
    client.post("/signout", headers={"sec-fetch-site": "cross-site"})
    assert client.cookies.get(COOKIE) == TOKEN
    client.post("/signout", headers=SAME)
    assert client.cookies.get(COOKIE) is None


def test_a_form_that_is_too_large_signs_nobody_in(client: Client) -> None:
    assert client.post("/signin", data={"token": TOKEN, "to": "/" * 5000}, headers=SAME).status_code == 401


@pytest.mark.parametrize("path", ["/", "/desk", "/signin", "/static/base.css", "/static/desk.js"])
def test_nothing_from_elsewhere_runs_in_a_page(client: Client, path: str) -> None:
    sign_in(client)
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_files_are_sent_again_only_when_they_changed(client: Client) -> None:
    first = client.get("/static/desk.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert client.get("/static/desk.js", if_none_match=first.headers["etag"]).status_code == 304


@pytest.mark.parametrize("name", ["desk.html", "..%2Fpages.py", "%2e%2e/pages.py", "nothing.js"])
def test_only_files_of_the_pages_are_served(client: Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_has_no_script_or_style_of_its_own_and_names_no_other_host(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.search(r"<script(?![^>]*\bsrc=\"/static/)|<style|\bstyle=|\bon\w+=\"|https?://", text) is None
    for name in re.findall(r"/static/([\w.]+)", text):
        assert (STATIC / name).is_file(), name


def test_no_script_or_style_names_another_host() -> None:
    for path in STATIC.iterdir():
        if path.suffix in (".js", ".css"):
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "//" not in re.sub(r"//[^\n]*$", "", text, flags=re.M) or "http" not in text, path.name


def test_each_file_of_the_pages_stays_readable() -> None:
    for path in STATIC.iterdir():
        assert len(path.read_text("utf-8").splitlines()) <= 400, path.name
