"""How requests are let in: signatures, tokens of OAuth2 with their renewal, and budgets of requests."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from loadtests import templates
from loadtests.client import Answer, Client, NoAnswer
from loadtests.target_file import Auth, Bearer, Header, OAuth2, Signed
from scenarios.errors import ComponentError, Fault, InputError

EARLY_SHARE = 0.1  # of a token's life is left when a new one is asked for
USUAL_LIFE_S = 3600.0  # of a token that comes without a word about it
REFUSED = frozenset({400, 401, 403})  # RFC 6749 has 400 for most that is wrong, 401 for a client that is not known


def signed(secret: str, identity: str, at: str, body: bytes) -> dict[str, str]:
    """Headers of a delivery that is signed as Standard Webhooks are."""
    mark = hmac.digest(secret.encode(), f"{identity}.{at}.".encode() + body, "sha256")
    return {
        "webhook-id": identity,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mark).decode()}",
    }


class Budget:
    """Lets at most so many through in a second, evenly, in the order of their coming."""

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._gap_s, self._clock, self._next_s = 1.0 / per_s, clock, clock()

    async def take(self) -> float:
        """Wait for one's turn; seconds waited."""
        at_s = self._clock()
        turn_s = max(self._next_s, at_s)
        self._next_s = turn_s + self._gap_s
        if turn_s > at_s:
            await asyncio.sleep(turn_s - at_s)
        return turn_s - at_s


class Token(NamedTuple):
    """A token, and until when it is used by whatever clock it was asked for with."""

    text: str
    until_s: float


class TokenRefused(InputError):
    """The service that gives tokens knows neither the id nor the secret."""


class TokenAsked(NamedTuple):
    """How a token is asked for: an address with its path, headers, body."""

    origin: str
    path: str
    headers: dict[str, str]
    body: bytes


def asking(auth: OAuth2, base_url: str) -> TokenAsked:
    """The request for a token; an address without a host is one below `base_url`."""
    values = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
    values |= {name: templates.text(getattr(auth, name), {}) for name in ("client_id", "client_secret")}
    url = urlsplit(auth.token_url if "://" in auth.token_url else base_url.rstrip("/") + auth.token_url)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return TokenAsked(f"{url.scheme}://{url.netloc}", path, headers, urlencode(values).encode())


def given(auth: OAuth2, answer: Answer, asked_s: float) -> Token:
    """The token in an answer.

    Raises
    ------
    TokenRefused
        If id and secret are not taken.
    ComponentError
        If it is no answer with a token.
    """
    if answer.status in REFUSED:
        what = f"no token is to be had (HTTP {answer.status}); are id and secret right?"
        raise TokenRefused(None, [Fault(auth.token_url, what)])
    try:
        told = json.loads(answer.body)
        text, life_s = str(told["access_token"]), float(told.get("expires_in", USUAL_LIFE_S))
    except (ValueError, KeyError, TypeError) as fault:
        raise no_token(auth, f"{type(fault).__name__} {fault} in an answer with status {answer.status}") from None
    return Token(text, asked_s + life_s * (1.0 - EARLY_SHARE))


def no_token(auth: OAuth2, why: object) -> ComponentError:
    """The words for a token that cannot be had."""
    return ComponentError(f"{auth.token_url}: no token is to be had ({why}); is the service in order?")


def let_in(auth: Auth | None, values: Mapping[str, Any], body: bytes, token: str = "") -> dict[str, str]:
    """Headers by which a request is let in; `token` is that of OAuth2."""
    match auth:
        case Bearer(token=text):
            return {"Authorization": f"Bearer {templates.text(text, values)}"}
        case Header(name=header, value=value):
            return {header: templates.text(value, values)}
        case Signed(secret=secret):
            return signed(templates.text(secret, values), str(values["key"]), str(values["now_s"]), body)
        case OAuth2():
            return {"Authorization": f"Bearer {token}"}
    return {}


class Tokens:
    """The token of an OAuth2 client, asked for once for all who need it, and anew before it ends."""

    def __init__(self, auth: OAuth2, client: Client, base_url: str, clock: Callable[[], float]) -> None:
        self._auth, self._client, self._clock, self._base_url = auth, client, clock, base_url
        self._lock = asyncio.Lock()
        self._token = Token("", -float("inf"))

    async def token(self, refused: str = "") -> str:
        """A token that holds, and is not the one that was refused; raises `TokenRefused`, or `ComponentError`."""
        async with self._lock:
            if self._clock() >= self._token.until_s or self._token.text == refused:
                await self._ask()
            return self._token.text

    async def _ask(self) -> None:
        asked = asking(self._auth, self._base_url)
        asked_s = self._clock()
        try:
            async with Client(asked.origin, self._client.tls) as client:
                answer = await client.request("POST", asked.path, asked.headers, asked.body)
        except NoAnswer as why:
            raise no_token(self._auth, why) from None
        self._token = given(self._auth, answer, asked_s)
