"""Locust's page for a load test: opened before anything is sent, told the verdict, open for reading until Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from loadtests.backlog import OPTION, Backlog
from loadtests.page import Page
from reports.console import Terminal
from reports.load import LoadAnswer
from scenarios.errors import Fault, InputError


@contextmanager
def opened(port: int | None, series: Sequence[str], lag_ms: float, terminal: Terminal) -> Iterator[Page | None]:
    """The page at a port, its address said at once; None without one.

    Raises
    ------
    InputError
        If the port is not to be had, or a series has no such name.
    """
    if port is None:
        if series:
            raise InputError(None, [Fault(OPTION, "is for the page; say --web too")])
        yield None
        return
    with Page(port, Backlog(tuple(series)), lag_ms / 1e3) as page:
        terminal.say(f"page: {page.panel_url} (Locust's own: {page.url}/)")
        yield page


def read(page: Page, answer: LoadAnswer, terminal: Terminal) -> None:
    """Show the verdict, and stay open until Ctrl-C; whoever has ended the run by Ctrl-C has had enough."""
    page.judged(verdict(answer))
    if answer.result.about["status"] == "interrupted" and not page.stopped:
        return
    with terminal.held() as asked:
        terminal.say(f"the results are kept; the page stays open at {page.panel_url} until Ctrl-C")
        page.read(asked)


def verdict(answer: LoadAnswer) -> dict[str, Any]:
    """What was said of the run, ready for JSON, see `loadtests.track.Track.judged`."""
    return {
        **answer.verdict.to_dict(),
        "status": answer.result.about["status"],
        "headline": answer.headline,
        "remarks": answer.remarks(),
        "exit_code": answer.code,
        "folder": str(answer.folder),
    }
