"""Fills a store from a scenario: the posts of a trace, as if they had come until now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from careapi.model import Mention, Receipt, StoreError
from careapi.store import Store
from careapi.tx import Tx
from scenarios import library
from scenarios.generate import generate
from scenarios.names import PostKind, Visibility, code
from scenarios.traces import Trace
from scenarios.wire import post_of

CHUNK = 64


class SeedClock:
    """The time of the posts while a store is seeded, then that of the machine."""

    def __init__(self) -> None:
        self.at_s: float | None = None

    def __call__(self) -> float:
        """Seconds of the Unix clock."""
        return time.time() if self.at_s is None else self.at_s


@dataclass(frozen=True)
class Seeded:
    """What was put into a store."""

    scenario: str
    mentions: int
    cases: int
    duplicates: int


async def seed(
    store: Store, clock: SeedClock, scenario: str, seed: int = 1, hours: float | None = None,
    watch: Callable[[float], None] = lambda share: None,
) -> Seeded:  # fmt: skip
    """Put the posts of a scenario into an empty store.

    Parameters
    ----------
    store : Store
        Opened with `clock`.
    hours : float, optional
        Only the first hours of the window.
    watch : callable
        Told the share that is done.

    Raises
    ------
    StoreError
        If the store holds posts already.
    ScenarioError, InputError
        If the scenario is not usable.
    """
    if await store.read(_has_posts):
        raise StoreError("the store holds posts already; seed a new one")
    trace = generate(library.load(scenario), seed, 0, None, hours)
    onset_s = time.time() - float(trace.about["window_s"][1])
    cases: set[int] = set()
    taken = duplicates = 0
    rows = np.flatnonzero(trace["kind"] != code(PostKind.CALL))
    for start in range(0, rows.size, CHUNK):
        part = rows[start : start + CHUNK]
        clock.at_s = onset_s + float(trace["time_s"][part[-1]])
        for told in await store.add_mentions([mention(trace, int(row), onset_s) for row in part]):
            if not isinstance(told, Receipt):
                raise told
            taken, duplicates = taken + (not told.duplicate), duplicates + told.duplicate
            cases |= {told.case_id} if told.case_id is not None else set()
        watch((start + part.size) / rows.size)
    clock.at_s = None
    return Seeded(scenario, taken, len(cases), duplicates)


def mention(trace: Trace, row: int, onset_s: float) -> Mention:
    """A row of a trace as a post that was read."""
    post = post_of(trace, row, onset_s)
    return Mention(
        platform=post.platform, external_id=post.external_id, external_user=post.author, text=post.text,
        language=post.language, visibility=Visibility.PUBLIC if post.public else Visibility.PRIVATE,
        posted_s=post.posted_s, name=post.name, parent_external_id=post.parent,
    )  # fmt: skip


def _has_posts(tx: Tx) -> bool:
    return tx.row("SELECT id FROM mention LIMIT 1") is not None
