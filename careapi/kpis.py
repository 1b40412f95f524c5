"""How the desk is doing: the measures of the simulation, by the same names, on what the store knows.

The clock of a case starts when its first post was received, never when a platform says it was posted. As in
the simulation cases without an answer count as missed in every share and as never in every quantile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from careapi import board
from careapi.metrics import levels
from careapi.model import Status
from careapi.tx import Tx
from scenarios.names import Visibility
from sim.measures import MEASURES

ALL = "all"
IDS = (
    "mentions", "cases", "unanswered_share", "answered_within_promise_share", "answered_within_20min_share",
    "answered_within_60min_share", "first_response_mean_s", "first_response_p50_s", "first_response_p90_s",
    "resolution_mean_s", "resolved_share", "payment_eur",
)  # fmt: skip
"""Measures of `sim.measures` that a desk can take of itself; their definitions are there."""


@dataclass(frozen=True)
class _Seen:
    language: str
    promise_s: float
    response_s: float  # inf: not answered
    resolution_s: float  # inf: not resolved


def kpis(tx: Tx, window_s: float) -> dict[str, Any]:
    """Measures over the cases opened in the last `window_s` seconds, of all and by language, and the queues now."""
    since_s = tx.now_s - window_s
    by_language: dict[str, list[_Seen]] = defaultdict(list)
    for language, private, opened_s, reply_s, resolved_s, status in tx.rows(
        'SELECT lang, private, opened_s, first_reply_s, resolved_s, status FROM "case"'
        " WHERE opened_s >= ? AND coalesce(closed_reason, '') NOT IN ('merged', 'broadcast')", since_s,
    ):  # fmt: skip
        promise_s = tx.rules.promise_s[Visibility.PRIVATE if private else Visibility.PUBLIC]
        response_s = math.inf if reply_s is None else reply_s - opened_s
        done = status == Status.RESOLVED and resolved_s is not None
        seen = _Seen(language, promise_s, response_s, resolved_s - opened_s if done else math.inf)
        by_language[language].append(seen)
        by_language[ALL].append(seen)
    posts = {str(row[0]): int(row[1]) for row in tx.rows(
        "SELECT lang, count(*) FROM mention WHERE received_s >= ? GROUP BY lang", since_s)}  # fmt: skip
    paid = {str(row[0]): int(row[1]) / 100.0 for row in tx.rows(
        'SELECT c.lang, sum(p.amount_minor) FROM paylink p JOIN "case" c ON c.id = p.case_id'
        " WHERE p.state = 'paid' AND p.currency = 'EUR' AND c.opened_s >= ? GROUP BY c.lang", since_s)}  # fmt: skip
    posts[ALL], paid[ALL] = sum(posts.values()), sum(paid.values())
    queues = levels(tx)
    queues[ALL] = (sum(n for n, _ in queues.values()), max((oldest for _, oldest in queues.values()), default=0.0))
    stand = board.standing(tx, since_s)
    stand[ALL] = board.together(stand)
    names = [ALL, *sorted({*by_language, *posts, *queues, *stand} - {ALL})]
    return {
        "at_s": tx.now_s,
        "window_s": window_s,
        "by_language": {
            name: {
                "open": queues.get(name, (0, 0.0))[0],
                "oldest_wait_s": queues.get(name, (0, 0.0))[1],
                **board.told(stand.get(name, board.Standing())),
                **measured(by_language[name], posts.get(name, 0), paid.get(name, 0.0)),
            }
            for name in names
        },
        "definitions": {name: MEASURES[name].sentence for name in IDS},
    }


def measured(seen: list[_Seen], mentions: int, payment_eur: float) -> dict[str, float | None]:
    """The measures of some cases; None: not reached or not defined."""
    responses = [each.response_s for each in seen]
    answered = [value for value in responses if value < math.inf]
    resolved = [each.resolution_s for each in seen if each.resolution_s < math.inf]
    found = {
        "mentions": float(mentions),
        "cases": float(len(seen)),
        "unanswered_share": _share(len(responses) - len(answered), len(seen)),
        "answered_within_promise_share": _share(sum(e.response_s <= e.promise_s for e in seen), len(seen)),
        "answered_within_20min_share": _share(sum(value <= 1200.0 for value in responses), len(seen)),
        "answered_within_60min_share": _share(sum(value <= 3600.0 for value in responses), len(seen)),
        "first_response_mean_s": _share(sum(answered), len(answered)),
        "first_response_p50_s": _quantile(responses, 0.5),
        "first_response_p90_s": _quantile(responses, 0.9),
        "resolution_mean_s": _share(sum(resolved), len(resolved)),
        "resolved_share": _share(len(resolved), len(seen)),
        "payment_eur": payment_eur,
    }
    return {name: found[name] if math.isfinite(found[name]) else None for name in IDS}


def _share(part: float, of: int) -> float:
    return part / of if of else math.nan


def _quantile(values: list[float], p: float) -> float:
    """Smallest value that a share `p` of all does not exceed."""
    return sorted(values)[max(math.ceil(p * len(values) - 1e-9), 1) - 1] if values else math.nan
