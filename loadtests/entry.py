"""How requests are let in: signatures, tokens of OAuth2 with their renewal, and budgets of requests."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from loadtests import templates
from loadtests.client import Client, NoAnswer
from loadtests.target_file import OAuth2
from scenarios.errors import ComponentError

EARLY_SHARE = 0.1  # of a token's life is left when a new one is asked for


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


class Tokens:
    """The token of an OAuth2 client, asked for once for all who need it, and anew before it ends."""

    def __init__(self, auth: OAuth2, client: Client, base_url: str, clock: Callable[[], float]) -> None:
        self._auth, self._client, self._clock = auth, client, clock
        self._base = urlsplit(base_url)
        self._lock = asyncio.Lock()
        self._token, self._until_s = "", -float("inf")

    async def token(self, refused: str = "") -> str:
        """A token that holds, and is not the one that was refused."""
        async with self._lock:
            if self._clock() >= self._until_s or self._token == refused:
                await self._ask()
            return self._token

    async def _ask(self) -> None:
        auth = self._auth
        values = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
        values |= {name: templates.text(getattr(auth, name), {}) for name in ("client_id", "client_secret")}
        url = urlsplit(auth.token_url)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        asked_s = self._clock()
        try:
            if url.netloc and url.netloc != self._base.netloc:
                async with Client(f"{url.scheme}://{url.netloc}") as other:
                    answer = await other.request("POST", url.path or "/", headers, urlencode(values).encode())
            else:
                path = url.path if url.netloc else auth.token_url
                answer = await self._client.request("POST", path, headers, urlencode(values).encode())
            told = json.loads(answer.body)
            self._token, life_s = str(told["access_token"]), float(told.get("expires_in", 3600.0))
        except (NoAnswer, ValueError, KeyError, TypeError) as fault:
            raise ComponentError(
                f"{auth.token_url}: no token is to be had ({fault}); are id and secret right?"
            ) from None
        self._until_s = asked_s + life_s * (1.0 - EARLY_SHARE)
