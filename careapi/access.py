"""Who may do what: tokens with scopes, kept as hashes, and the secrets by which senders sign.

A file in TOML names them; without one a token and a secret for development are drawn, which `serve` prints.
"""

from __future__ import annotations

import hashlib
import os
import secrets as chance
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from careapi.platforms import Family
from careapi.problems import Refused
from scenarios.checks import check
from scenarios.tomlfile import read_toml

TOKEN_VARIABLE, SECRET_VARIABLE = "ASHCLOUD_TOKEN", "ASHCLOUD_SECRET"


class Scope(StrEnum):
    """What a token allows; none of them includes another."""

    VIEWER = "viewer"
    WORK = "agent:work"
    CRM = "agent:crm"
    PAY = "agent:pay"
    CREW = "crew"
    LEAD = "lead"
    PRIVACY = "privacy"
    ADMIN = "admin"


@dataclass(frozen=True)
class Token:
    """A known token: its name for the audit, what it allows, whose it is, how often it may ask."""

    name: str
    scopes: frozenset[Scope]
    agent: str | None = None
    rate_per_s: float | None = None


@dataclass
class _Bucket:
    level: float
    at_s: float


@dataclass
class Access:
    """Tokens by the hash of their letters, and secrets by way of signing; an empty secret opens nothing."""

    tokens: dict[bytes, Token]
    secrets: dict[Family, bytes]
    payment_secret: bytes
    verify_token: bytes
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    @classmethod
    def for_development(cls, token: str, secret: str) -> Access:
        """One token that allows everything, one secret for all who sign."""
        known = {hashed(token): Token("development", frozenset(Scope))}
        mark = secret.encode()
        return cls(known, dict.fromkeys(Family, mark), mark, mark)

    @classmethod
    def load(cls, path: Path) -> Access:
        """Read a file of tokens and secrets; raises `InputError` with all that is wrong in it."""
        file = check(_File, read_toml(path), path)
        tokens = {
            bytes.fromhex(each.sha256): Token(each.name, frozenset(each.scopes), each.agent, each.rate_per_s)
            for each in file.tokens
        }
        shared = {family: getattr(file.secrets, family.value).encode() for family in Family}
        return cls(tokens, shared, file.secrets.pay.encode(), file.secrets.verify_token.encode())

    def allow(self, authorization: str | None, *any_of: Scope) -> Token:
        """The token of an ``Authorization`` header, if it allows one of these.

        Raises
        ------
        Refused
            ``bad-token``, ``not-allowed`` or ``too-many``.
        """
        kind, _, letters = (authorization or "").partition(" ")
        token = self.tokens.get(hashed(letters.strip())) if kind.lower() == "bearer" else None
        if token is None:
            raise Refused("bad-token")
        if any_of and not token.scopes.intersection(any_of):
            raise Refused("not-allowed", f"this takes the scope {' or '.join(any_of)}")
        if token.rate_per_s is not None and not self._take(token.name, token.rate_per_s):
            raise Refused("too-many", f"{token.name} may ask {token.rate_per_s:g} times a second")
        return token

    def _take(self, name: str, rate_per_s: float) -> bool:
        """A bucket that holds one second's worth, at least one."""
        now_s, most = self.clock(), max(rate_per_s, 1.0)
        bucket = self._buckets.setdefault(name, _Bucket(most, now_s))
        bucket.level = min(most, bucket.level + (now_s - bucket.at_s) * rate_per_s)
        bucket.at_s = now_s
        if bucket.level < 1.0:
            return False
        bucket.level -= 1.0
        return True


def hashed(letters: str) -> bytes:
    """How a token is kept."""
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).digest()


def drawn() -> tuple[str, str]:
    """A token and a secret for development: those of the environment, else new ones."""
    token = os.environ.get(TOKEN_VARIABLE) or f"dev_{chance.token_urlsafe(18)}"
    return token, os.environ.get(SECRET_VARIABLE) or chance.token_urlsafe(24)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Token(_Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    agent: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=1e6)] | None = None


class _Secrets(_Strict):
    x: str = ""
    meta: str = ""
    standard: str = ""
    pay: str = ""
    verify_token: str = ""


class _File(_Strict):
    tokens: Annotated[list[_Token], Field(min_length=1)]
    secrets: _Secrets = _Secrets()
