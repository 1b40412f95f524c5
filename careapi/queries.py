"""Which posts are queries: points for signs and words, from one table (`query_rules.toml`).

A query opens a case; any other post is stored and shown, no more. Every sign that is seen in a post (see
`careapi/query_signs.py`) is worth its points; the sum is the logarithm of the odds that this is a query,
among as many queries as others. `docs/detection.md` says how good that is, and how the points were found.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from careapi.query_signs import LEARNED, Words, signs_of
from scenarios.names import Language, Visibility


@dataclass(frozen=True)
class Verdict:
    """How many points a post has, and whether that makes it a query."""

    score: float
    query: bool


@dataclass(frozen=True)
class _Rules:
    threshold: float
    always_direct: bool
    direct: float
    base: float
    points: dict[str, float]
    words: dict[Language, Words]


def table() -> dict[str, Any]:
    """The table of rules as it is written."""
    return tomllib.loads((resources.files("careapi") / "query_rules.toml").read_text(encoding="utf-8"))


@cache
def _rules() -> _Rules:
    rules = table()
    points = dict(rules["points"])
    return _Rules(
        threshold=rules["threshold"],
        always_direct={"always": True, "scored": False}[rules["direct_messages"]],
        direct=rules["direct"],
        base=points.pop("base"),
        points=points | {LEARNED: 1.0},
        words={language: Words.of(rules[language], language, rules["learned"][language]) for language in Language},
    )


def judge(text: str, language: Language, visibility: Visibility) -> Verdict:
    """Say whether a post is a query.

    Parameters
    ----------
    text : str
        What was posted.
    language : Language
        The language whose words are looked for.
    visibility : Visibility
        A private post has some points more, or is a query whatever it says: as the table has it.

    Returns
    -------
    verdict : Verdict
        The points, and whether they reach the threshold of the table.

    Notes
    -----
    Linear in the length of the text; some 60 us for a post of 100 characters.
    """
    rules = _rules()
    signs = signs_of(text, language, rules.words[language])
    private = visibility is Visibility.PRIVATE
    score = rules.base + sum(rules.points[name] * value for name, value in signs.items() if value)
    score += rules.direct * private
    return Verdict(round(score, 3), (private and rules.always_direct) or score >= rules.threshold)
