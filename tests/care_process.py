"""The service as a process of its own on 127.0.0.1, asked over sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from care_client import SECRET, TOKEN

from careapi.platforms import Family
from careapi.signatures import sign

HOST_ENV = {**os.environ, "ASHCLOUD_TOKEN": TOKEN, "ASHCLOUD_SECRET": SECRET}
AUTH = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Service:
    """A running one."""

    process: subprocess.Popen[str]
    url: str
    told: dict[str, Any]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, how: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=20)


@contextmanager
def started(store: Path | str, *options: str, port: int = 0) -> Iterator[Service]:
    """Start ``ashcloud serve`` on a store, killed at the end if it still lives."""
    url = store if isinstance(store, str) else f"sqlite:{store}"
    words = [sys.executable, "-m", "ashcloud", "serve", "--store", url, "--port", str(port), "--json", *options]
    root = Path(__file__).parent.parent
    with subprocess.Popen(words, cwd=root, env=HOST_ENV, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"it did not start: exit code {process.wait(timeout=20)}"
            told = json.loads(line)
            yield Service(process, told["url"], told)
        finally:
            process.kill()


def signed(*posts: object) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a delivery, signed now."""
    import time

    body = json.dumps({"mentions": posts}).encode()
    return body, sign(Family.STANDARD, SECRET.encode(), body, "msg_1", time.time())


def bring(http: httpx.Client, *posts: object) -> httpx.Response:
    """Send a delivery."""
    body, headers = signed(*posts)
    return http.post("/v1/mentions", content=body, headers=headers)
