"""The wallboard and the agent desk: plain files of this server, and the session that a browser has.

A browser cannot send ``Authorization`` with a page or an event stream, so signing in puts the token into a
cookie that no script can read and no other site can send (HttpOnly, SameSite=Strict). `SessionCookie` lends it to
each request that carries none; one that changes something must also come from a page of this server.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from careapi.access import Scope as Right
from careapi.problems import Refused
from careapi.web import COOKIE, AnyAgent, router, the

SESSION_S = 12 * 3600
STATIC = Path(__file__).parent / "static"
ROOMS = {"/": "the wallboard", "/desk": "the agent desk"}
MAX_FORM_BYTES = 4096
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    # Nothing from elsewhere, nothing inline: a post that found its way into a page could still not run.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MEDIA = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def _read(path: Path) -> tuple[str, bytes, str]:
    body = path.read_bytes()
    return MEDIA[path.suffix], body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


FILES = {path.name: _read(path) for path in sorted(STATIC.iterdir()) if path.suffix in MEDIA}


class Session(BaseModel):
    """Whose token this is and what it allows; `agent` is None if it is not bound to one agent."""

    name: str
    agent: str | None
    scopes: list[Right]


class SessionCookie:
    """Lends the cookie's token to requests without ``Authorization``; see the module."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the token if it may have it."""
        await self.app(_lent(scope) if scope["type"] == "http" else scope, receive, send)


def _lent(scope: Scope) -> Scope:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    cookies = [value for name, value in headers if name == b"cookie"]
    if not cookies or any(name == b"authorization" for name, _ in headers):
        return scope
    token = _token(cookies)
    if token is None or not (scope["method"] in SAFE or is_same_origin(headers)):
        return scope
    return {**scope, "headers": [*headers, (b"authorization", b"Bearer " + token.encode("latin-1"))]}


def _token(cookies: Iterable[bytes]) -> str | None:
    for each in cookies:
        try:
            found = SimpleCookie(each.decode("latin-1")).get(COOKIE)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return None


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the browser says that a page of this very server sent the request."""
    sent = dict(headers)
    site = sent.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin = urlsplit(sent.get(b"origin", b"").decode("latin-1"))
    return origin.scheme in ("http", "https") and origin.netloc.encode("latin-1") == sent.get(b"host")


routes = APIRouter(include_in_schema=False)


def _page(request: Request, room: str, file: str, *scopes: Right) -> Response:
    try:
        the(request).access.allow(request.headers.get("authorization"), *scopes)
    except Refused as refused:
        if refused.slug == "bad-token":
            return Response(status_code=303, headers={"Location": f"/signin?to={room}", **HEADERS})
        return _sign_in(room, refused.detail, refused.status)
    return _html((STATIC / file).read_bytes())


@routes.get("/")
async def wallboard(request: Request) -> Response:
    """Show the wallboard, or where one signs in."""
    return _page(request, "/", "wallboard.html", Right.VIEWER)


@routes.get("/desk")
async def desk(request: Request) -> Response:
    """Show the agent desk, or where one signs in."""
    return _page(request, "/desk", "desk.html", Right.WORK)


@routes.get("/docs")
async def reference() -> Response:
    """Show what the service answers, address by address, drawn from its own description."""
    return _html((STATIC / "reference.html").read_bytes())


@routes.get("/static/{name}")
async def static(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """Send a script, a style or a picture."""
    if name not in FILES:
        raise Refused("no-such-address")
    media, body, tag = FILES[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache", **HEADERS}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


@routes.get("/signin")
async def ask_for_token(to: str = "/") -> Response:
    """Ask for a token."""
    return _sign_in(to)


@routes.post("/signin")
async def sign_in(request: Request) -> Response:
    """Put a known token into the cookie, then go on to the page."""
    form = await _form(request)
    to, token = form.get("to", "/"), form.get("token", "").strip()
    if not is_same_origin(request.scope["headers"]):
        return _sign_in(to, "This form has to be sent from the page itself; try again here.", 403)
    try:
        the(request).access.allow(f"Bearer {token}")
    except Refused as refused:
        return _sign_in(
            to, "This token is not known." if refused.slug == "bad-token" else refused.detail, refused.status
        )
    answer = Response(status_code=303, headers={"Location": to if to in ROOMS else "/", **HEADERS})
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, SESSION_S, httponly=True, samesite="strict", secure=secure)
    return answer


@routes.post("/signout")
async def sign_out(request: Request) -> Response:
    """Forget the cookie."""
    answer = Response(status_code=303, headers={"Location": "/signin", **HEADERS})
    if is_same_origin(request.scope["headers"]):
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


session = router("session")


@session.get("/v1/session", response_model=Session)
async def whose(token: AnyAgent) -> Any:
    """Tell whose token this is and what it allows."""
    return {"name": token.name, "agent": token.agent, "scopes": sorted(token.scopes)}


def _html(body: bytes, status: int = 200) -> Response:
    return Response(body, status, {"Cache-Control": "no-store", **HEADERS}, "text/html")


def _sign_in(to: str, fault: str = "", status: int = 200) -> Response:
    to = to if to in ROOMS else "/"
    text = (STATIC / "signin.html").read_text("utf-8")
    said = f'<p class="fault" role="alert">{html.escape(fault)}</p>' if fault else ""
    for mark, value in {"TO": html.escape(to), "ROOM": ROOMS[to], "FAULT": said}.items():
        text = text.replace(f"<!--{mark}-->", value)
    return _html(text.encode(), status)


async def _form(request: Request) -> dict[str, str]:
    """Fields of a small form; what does not fit or cannot be read is left out."""
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        return {}
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
