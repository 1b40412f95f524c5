"""What a control room wants to see beside the measures: who is late now, who is in hand, how the queue went."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from careapi.model import Status
from careapi.tx import Tx
from scenarios.names import Visibility

SAMPLE_S = 10.0
KEPT_S = 3600.0


class Backlog:
    """How many cases waited, every ten seconds of the last hour, since this process began."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque(maxlen=int(KEPT_S / SAMPLE_S) + 1)

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for the next sample."""
        return not self._points or now_s - self._points[-1][0] >= SAMPLE_S

    def add(self, sample: tuple[float, int]) -> None:
        """Keep a sample: its time, and how many waited."""
        self._points.append(sample)

    def told(self) -> list[tuple[float, int]]:
        """The samples as JSON has them, the oldest first."""
        return list(self._points)


def sample(tx: Tx) -> tuple[float, int]:
    """How many cases wait now."""
    row = tx.row("SELECT count(*) FROM \"case\" WHERE status = 'open'")
    assert row is not None
    return tx.now_s, int(row[0])


@dataclass
class Standing:
    """How some cases stand.

    Attributes
    ----------
    overdue : int
        Wait beyond their promise.
    next_due_in_s : float
        Until the next promise of those who wait ends, below 0 if one has; inf if nobody waits.
    in_hand : int
        With an agent.
    answered, kept : int
        Had their first answer in the window, and those of them within the promise.
    missed : int
        Without an answer, and their promise is over.
    """

    overdue: int = 0
    next_due_in_s: float = math.inf
    in_hand: int = 0
    answered: int = 0
    kept: int = 0
    missed: int = 0


def standing(tx: Tx, since_s: float) -> dict[str, Standing]:
    """How the cases stand by language; the window is from `since_s` to now."""
    found: dict[str, Standing] = defaultdict(Standing)
    for lang, status, number, late, due_s, missed in tx.rows(
        'SELECT lang, status, count(*), sum(CASE WHEN due_s < ? THEN 1 ELSE 0 END), min(due_s),'
        ' sum(CASE WHEN due_s < ? AND first_reply_s IS NULL THEN 1 ELSE 0 END) FROM "case"'
        " WHERE status IN ('open', 'assigned') GROUP BY lang, status", tx.now_s, tx.now_s,
    ):  # fmt: skip
        of = found[str(lang)]
        of.missed += int(missed)
        if status == Status.OPEN:
            of.overdue, of.next_due_in_s = int(late), due_s - tx.now_s
        else:
            of.in_hand = int(number)
    public_s, private_s = (tx.rules.promise_s[kind] for kind in (Visibility.PUBLIC, Visibility.PRIVATE))
    for lang, private, number, kept_public, kept_private in tx.rows(
        "SELECT lang, private, count(*), sum(CASE WHEN first_reply_s - opened_s <= ? THEN 1 ELSE 0 END),"
        ' sum(CASE WHEN first_reply_s - opened_s <= ? THEN 1 ELSE 0 END) FROM "case" WHERE first_reply_s >= ?'
        " GROUP BY lang, private", public_s, private_s, since_s,
    ):  # fmt: skip
        found[str(lang)].answered += int(number)
        found[str(lang)].kept += int(kept_private if private else kept_public)
    return dict(found)


def together(by_language: dict[str, Standing]) -> Standing:
    """The same of all languages."""
    all_of_them = Standing()
    for each in by_language.values():
        all_of_them.next_due_in_s = min(all_of_them.next_due_in_s, each.next_due_in_s)
        for name in ("overdue", "in_hand", "answered", "kept", "missed"):
            setattr(all_of_them, name, getattr(all_of_them, name) + getattr(each, name))
    return all_of_them


def told(stand: Standing) -> dict[str, float | None]:
    """How cases stand as JSON has it; the share of promises kept is of those answered in the window or missed."""
    decided = stand.answered + stand.missed
    return {
        "overdue": stand.overdue,
        "next_due_in_s": stand.next_due_in_s if stand.next_due_in_s < math.inf else None,
        "in_hand": stand.in_hand,
        "answered": stand.answered,
        "promise_kept_share": stand.kept / decided if decided else None,
    }


def languages(tx: Tx, case_ids: set[int]) -> dict[int, str]:
    """The language of each of these cases."""
    if not case_ids:
        return {}
    marks = ", ".join("?" * len(case_ids))
    return {
        int(row[0]): str(row[1]) for row in tx.rows(f'SELECT id, lang FROM "case" WHERE id IN ({marks})', *case_ids)
    }
