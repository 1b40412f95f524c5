"""Which posts are queries: points for signs and words, from one table (`query_rules.toml`).

A query opens a case; any other post is stored and shown, no more. A direct message is always a
query: nobody writes to an airline in private without wanting something of it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from scenarios.names import Language, Visibility

UNSPACED = frozenset({Language.ZH, Language.JA, Language.KO, Language.TH})
"""Languages in which an entry may stand anywhere, not only where a word begins."""

_BOOKING = re.compile(r"(?<![A-Za-z0-9@])(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]{0,5}[0-9]|[A-Z]{6})[A-Z0-9]{6}(?![A-Za-z0-9])")
_FLIGHT = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2} ?[0-9]{2,4}(?![0-9])")
_WORD = re.compile(r"\b(?=\w)")
_ACCOUNT = re.compile(r"@\w{3,}")


@dataclass(frozen=True)
class Verdict:
    """How many points a post has, and whether that makes it a query."""

    score: float
    query: bool


@dataclass(frozen=True)
class _Group:
    points: float
    most: int
    entries: tuple[str, ...]


@dataclass(frozen=True)
class _Rules:
    threshold: float
    signs: dict[str, float]
    languages: dict[Language, tuple[_Group, ...]]


@cache
def _rules() -> _Rules:
    table = tomllib.loads((resources.files("careapi") / "query_rules.toml").read_text(encoding="utf-8"))
    groups = table["groups"]
    return _Rules(
        threshold=table["threshold"],
        signs=table["signs"],
        languages={
            language: tuple(_group(language, table[language][name], **law) for name, law in groups.items())
            for language in Language
        },
    )


def _group(language: Language, entries: list[str], points: float, most: int) -> _Group:
    return _Group(points, most, tuple(_marked(entry, language) for entry in entries))


def _marked(text: str, language: Language) -> str:
    """Small letters, with a mark where a word begins, so that a plain search finds beginnings of words only."""
    small = text.replace("İ", "i").lower()  # the small letter of the Turkish capital would be two characters
    return small if language in UNSPACED else _WORD.sub("\x00", small)


def judge(text: str, language: Language, visibility: Visibility) -> Verdict:
    """Say whether a post is a query.

    Parameters
    ----------
    text : str
        What was posted.
    language : Language
        The language whose words are looked for.
    visibility : Visibility
        A private post is a query whatever it says.

    Returns
    -------
    verdict : Verdict
        The points, and whether they reach the threshold of the table (or the post is private).

    Notes
    -----
    Linear in the length of the text; some 20 us for a post of 100 characters.
    """
    rules = _rules()
    score = _signs(text, rules.signs)
    marked = _marked(text + " ", language)
    for group in rules.languages[language]:
        found = sum(entry in marked for entry in group.entries)
        score += group.points * min(found, group.most)
    return Verdict(score, visibility is Visibility.PRIVATE or score >= rules.threshold)


def _signs(text: str, points: dict[str, float]) -> float:
    shared = text.startswith("RT @")
    return (
        points["question_mark"] * ("?" in text or "？" in text)
        + points["booking"] * bool(_BOOKING.search(text))
        + points["flight"] * bool(_FLIGHT.search(text))
        + points["shared"] * shared
        + points["account"] * (not shared and bool(_ACCOUNT.search(text)))
    )
