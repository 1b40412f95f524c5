"""Whom to send to, and how: address, secrets, connections, what the sender may use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from scenarios.errors import Fault, InputError
from scenarios.storage import redact

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
HOOK = "{platform}"  # in a path: posts come in the form of their platform
PORTS = {"http": 80, "https": 443}
Connections = Literal["pool", "new"]
Way = Literal["auto", "lean", "session"]


@dataclass(frozen=True)
class Target:
    """A service that takes mentions.

    Attributes
    ----------
    url : str
        ``http://host:port`` or ``https://...``, with a path in front of that of the operation, if any.
    path : str
        Of the operation that takes mentions.
    secret : str
        Shared with the service; posts are signed with it. Empty: they are not signed.
    ca : Path, optional
        Certificates to trust beside those of the system.
    metrics_url : str, optional
        Where the server tells its metrics in Prometheus' text form.
    file : str, optional
        Target file that says what a post is there (`loadtests.templated`); else it is one of ours.
    """

    url: str
    path: str = "/v1/mentions"
    secret: str = field(default="", repr=False)
    ca: Path | None = None
    metrics_url: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        wrong = [Fault("--target", what) for what in _faults(self.url)]
        if self.file is None and (not self.path.startswith("/") or re.search(r"[\s{}]", self.path.replace(HOOK, ""))):
            what = f"is {self.path!r}; it begins with / and may hold {HOOK}, but no other braces or spaces"
            wrong.append(Fault("--path", what))
        if self.metrics_url is not None:
            wrong += [Fault("--metrics", what) for what in _no_address(self.metrics_url)]
        if wrong:
            raise InputError(None, wrong)

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or PORTS[parts.scheme]

    @property
    def netloc(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def full_path(self) -> str:
        return self.prefix + self.path

    @property
    def prefix(self) -> str:
        """What stands in front of every path."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return self.host in LOCAL

    def told(self) -> dict[str, Any]:
        """What may be written down of it."""
        return {"url": redact(self.url), "path": self.path, "signed": bool(self.secret), "file": self.file}

    def planned(self) -> dict[str, Any]:
        """What those who send are told of it, ready for JSON; the secret goes another way."""
        file, ca = self.file, self.ca
        if file is not None and Path(file).is_file():
            file = str(Path(file).absolute())
        return {"url": self.url, "path": self.path, "ca": None if ca is None else str(ca.absolute()), "file": file}


@dataclass(frozen=True)
class Options:
    """How to send.

    Attributes
    ----------
    workers : int
        Locust processes that send; 1: a single process, no master.
    connections : str
        ``pool`` keeps them open, ``new`` opens one a request.
    max_connections : int
        A worker's; what is due beyond is dropped, and counted.
    sender : str
        ``lean``: what needs no earlier answer; ``session``: through Locust's FastHttpSession, see `loadtests.flows`;
        ``auto``: lean where that is possible.
    timeout_s : float
        From the due time; then a row has failed.
    warm : int
        Connections that a worker opens ahead.
    """

    workers: int = 1
    connections: Connections = "pool"
    max_connections: int = 10_000
    timeout_s: float = 30.0
    warm: int = 32
    sender: Way = "auto"

    def __post_init__(self) -> None:
        wrong = []
        if self.workers < 1:
            wrong.append(Fault("--workers", f"is {self.workers}, should be 1 or more"))
        if self.max_connections < 1:
            wrong.append(Fault("--max-connections", f"is {self.max_connections}, should be 1 or more"))
        if not self.timeout_s > 0.0:
            wrong.append(Fault("--timeout", f"is {self.timeout_s:g}, should be above 0"))
        if wrong:
            raise InputError(None, wrong)


def _no_address(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return [f"is no address ({error}); write it like http://127.0.0.1:8000"]
    if parts.scheme not in PORTS or not parts.hostname:
        return ["is no address; write it like http://127.0.0.1:8000"]
    return []


def _faults(url: str) -> list[str]:
    if wrong := _no_address(url):
        return wrong
    parts = urlsplit(url)
    if parts.port == 0:
        wrong.append("has port 0, to which nobody listens")
    if parts.username is not None or parts.password is not None:
        wrong.append("holds a name or a password; give the secret in the environment instead")
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f\x7f]", url):
        wrong.append("should end with the path, without ? or # or spaces")
    return wrong
