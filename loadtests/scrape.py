"""The server's own figures while it is under load: its metrics in Prometheus' text form, about once a second."""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.request
from typing import Any

from scenarios.storage import redact

EVERY_S = 1.0
TIMEOUT_S = 2.0
MOST_BYTES = 2_000_000
MOST_SERIES = 200
MOST_SAMPLES = 2000
_LINE = re.compile(r"([A-Za-z_:][\w:]*(?:\{[^}]*\})?)\s+(\S+)(?:\s+-?\d+)?$")
_LEFT_OUT = re.compile(r"_(?:bucket|created)(?:\{|$)")


class Scraper:
    """Asks for metrics in a thread of its own; without an address it does nothing."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.latest: tuple[int, dict[str, float] | None] = (0, None)  # how often it was asked, what it told last
        self._end = threading.Event()
        self._times_s: list[float] = []
        self._samples: list[dict[str, float]] = []
        self._asked, self._keep = 0, 1  # every so many samples are kept: fewer, the longer it lasts
        self._missed = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Scraper:
        if self.url:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self.url:
            self._thread.join(2.0 * TIMEOUT_S)

    def told(self, start_wall_s: float = 0.0) -> dict[str, Any]:
        """`times_s` since a moment of the epoch, `series` by name (None: not told then), `missed` (no answer)."""
        names = sorted({name for sample in self._samples for name in sample})[:MOST_SERIES]
        series = {name: [sample.get(name) for sample in self._samples] for name in names}
        times_s = [round(at_s - start_wall_s, 3) for at_s in self._times_s]
        url = None if self.url is None else redact(self.url)
        return {"url": url, "times_s": times_s, "series": series, "missed": self._missed}

    def _run(self) -> None:
        while not self._end.is_set():
            at_s = time.time()
            sample = None
            try:
                sample = read(self._ask())
                self.add(at_s, sample)
            except (OSError, ValueError, http.client.HTTPException):
                self._missed += 1
            self.latest = (self.latest[0] + 1, sample)
            self._end.wait(EVERY_S)

    def add(self, at_s: float, sample: dict[str, float]) -> None:
        """Keep a sample, if it is one of those that are kept; when there are too many, every second one goes."""
        if self._asked % self._keep == 0:
            self._samples.append(sample)
            self._times_s.append(at_s)
        self._asked += 1
        if len(self._samples) >= MOST_SAMPLES:
            self._samples, self._times_s = self._samples[::2], self._times_s[::2]
            self._keep *= 2

    def _ask(self) -> str:
        with urllib.request.urlopen(str(self.url), timeout=TIMEOUT_S) as answer:
            return bytes(answer.read(MOST_BYTES)).decode("utf-8", "replace")


def read(text: str) -> dict[str, float]:
    """Finite values by name and labels; buckets of histograms are left out."""
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match and not _LEFT_OUT.search(match[1]):
            try:
                value = float(match[2])
            except ValueError:
                continue
            if abs(value) < float("inf"):
                found[match[1]] = value
    return found
