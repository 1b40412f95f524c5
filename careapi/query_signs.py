"""What is seen in a post that may be a query: words of the groups of a table, and signs of any language.

A sign is a number: how many different entries of a group stand in the post (no more than the table
counts), or whether something is there. What they are worth is not decided here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scenarios.names import Language

GROUPS = (
    "desk", "service", "fault", "ask", "request", "own", "you", "need", "trouble", "spoilt", "thanks",
    "crowd", "story", "news",
)  # fmt: skip
"""Groups of words, in every language."""

PAIRS = (
    ("desk", "service"), ("service", "fault"), ("own", "service"), ("own", "fault"), ("ask", "need"), ("own", "need"),
    ("own", "trouble"), ("own", "ask"), ("you", "trouble"), ("need", "trouble"),
)  # fmt: skip
SIGNS = (
    "question", "question_own", "question_need", "question_service", "question_desk", "question_ask", "question_crowd",
    "question_bare", *(f"{one}_{other}" for one, other in PAIRS), "amazed", "quoted", "booking", "flight", "seat",
    "money", "shared", "account", "exclaimed",
)  # fmt: skip
"""Signs beside the groups; two names joined say that both are there, `question_` that it is in the question."""

MOST = 3
LEARNED = "learned"
"""The group of the entries that have points of their own: the sign of this name is their sum."""

UNSPACED = frozenset({Language.ZH, Language.JA, Language.KO, Language.TH})
"""Languages in which an entry may stand anywhere, not only where a word begins."""

_BOOKING = re.compile(
    r"(?<![A-Za-z0-9@#])(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]{0,5}[0-9]|[A-Z]{6})(?![A-Z]{2}[0-9]{4})[A-Z0-9]{6}(?![A-Za-z0-9])"
)
_FLIGHT = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2} ?[0-9]{2,4}(?![0-9])")
_SEAT = re.compile(r"(?<![A-Za-z0-9])[1-9][0-9]?[A-K](?![A-Za-z0-9])")
_MONEY = re.compile(
    r"[€$£¥₩₽฿₺] ?[0-9]|[0-9] ?(?:[€$£¥₩₽฿₺欧円元]|eur|usd|gbp|kr\b|dollar|ユーロ|유로|ยูโร|บาท|евро|руб)", re.IGNORECASE
)
_ACCOUNT = re.compile(r"@\w{3,}")
_LINK = re.compile(r"https?://\S+|\bwww\.\S+|pic\.twitter\S+")
_PLAIN = str.maketrans({
    "İ": "i", "？": "? ", "！": "! ", "。": ". ", "，": ", ", "、": ", ", "；": "; ", "：": ": ", "…": ". ",
    "’": "'", "‘": "'", "¿": " ", "¡": " ", "؟": "?", "\n": ". ", "\u00a0": " ", "\u202f": " ",
})  # fmt: skip
_QUOTED = re.compile('[«“„「『"][^»”“」』"]{8,}[»”“」』"]')
_AMAZED = re.compile(r"\? ?!|! ?\?")
_EDGE = re.compile(r"\b")
_BEGIN = re.compile(r"[\x00\x01](?=[^\s])")
_CLAUSE = re.compile(r"(^|[.,!?;:(–—-]\s+|[\U0001f000-\U0001faff]\s*)(?=\S)")
_GREETED = re.compile(r"^(?:[@＠]\w+[\s,:]*)+")
_END = re.compile(r"[.!?]+(?:\s|$)")


@dataclass(frozen=True)
class Words:
    """Entries of a language, as `marked` marks texts, by how they begin: so a post is read once, not once an entry.

    `by_start` holds the entries of each beginning of `keys` letters, the longest that an entry has, `loose` those that
    are shorter or may stand inside a word; `points` what each learned entry is worth.
    """

    keys: tuple[int, int]
    by_start: Mapping[str, tuple[tuple[str, str], ...]]
    loose: tuple[tuple[str, str], ...]
    points: Mapping[str, float]

    @classmethod
    def of(
        cls, table: Mapping[str, Sequence[str]], language: Language, learned: Mapping[str, Sequence[str]] | None = None
    ) -> Words:
        keys = (2, 3) if language in UNSPACED else (3, 5)
        pairs = [(_entry(text, language), group) for group in GROUPS for text in table[group]]
        points = {_entry(text, language): float(worth) for worth, texts in (learned or {}).items() for text in texts}
        pairs += [(entry, LEARNED) for entry in points]
        by_start: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for entry, group in pairs:
            if len(entry) >= keys[0] and (language in UNSPACED or entry[0] in "\x00\x01"):
                by_start[entry[: keys[len(entry) >= keys[1]]]].append((entry, group))
        kept = {pair for some in by_start.values() for pair in some}
        loose = tuple(pair for pair in pairs if pair not in kept)
        return cls(keys, {start: tuple(found) for start, found in by_start.items()}, loose, points)

    def find(self, whole: str) -> Iterator[tuple[str, str, int]]:
        """Entry, group and place of whatever stands in a marked text."""
        short, long = self.keys
        by_start = self.by_start
        everywhere = range(len(whole) - short + 1)
        for place in everywhere if short == 2 else [found.start() for found in _BEGIN.finditer(whole)]:
            for start in (whole[place : place + short], whole[place : place + long]):
                for entry, group in by_start.get(start, ()):
                    if whole.startswith(entry, place):
                        yield entry, group, place
        for entry, group in self.loose:
            place = whole.find(entry)
            while place >= 0:
                yield entry, group, place
                place = whole.find(entry, place + 1)


def _entry(text: str, language: Language) -> str:
    """An entry as it stands in a marked text.

    `^` is where a clause begins, `*` anywhere, even inside a word; a space at the end asks for a whole word.
    """
    first, bare = text.startswith("^"), text.lstrip("^*")
    if language in UNSPACED:
        return ("\x01" if first else "") + bare.translate(_PLAIN)
    found = _EDGE.sub("\x00", bare.strip())
    found = found if bare.endswith(" ") else found.removesuffix("\x00")
    return ("\x01" if first else "") + (found.removeprefix("\x00") if text.startswith("*") else found)


def marked(text: str, language: Language) -> str:
    """Small letters, with marks where clauses and, but for unspaced languages, words begin and end."""
    small = _GREETED.sub("", text.translate(_PLAIN).lower())
    small = _CLAUSE.sub("\\1\x01", small) + " "
    return small if language in UNSPACED else _EDGE.sub("\x00", small)


def signs_of(text: str, language: Language, words: Words) -> dict[str, float]:
    """Signs of a post by name: those of `GROUPS` from 0 to `MOST`, `learned` in points, the others 0 or 1."""
    bare = _LINK.sub(" ", text)
    whole = marked(bare, language)
    found: dict[str, set[str]] = {group: set() for group in (*GROUPS, LEARNED)}
    asked: set[str] = set()
    spans = _questions(whole)
    for entry, group, place in words.find(whole):
        found[group].add(entry)
        if any(start <= place < end for start, end in spans):
            asked.add(group)
    if found["spoilt"]:
        found["thanks"].clear()  # "not happy" is no praise, but something went wrong
        found["fault"] |= found["spoilt"]
    has = {group for group in GROUPS if found[group]}
    shared = text.startswith("RT @")
    signs: dict[str, float] = {group: min(len(found[group]), MOST) for group in GROUPS}
    signs[LEARNED] = sum(words.points[entry] for entry in sorted(found[LEARNED]))
    return signs | _together(has, asked, bool(spans)) | {
        "amazed": bool(_AMAZED.search(whole)),
        "quoted": bool(_QUOTED.search(text)),
        "booking": bool(_BOOKING.search(bare)),
        "flight": bool(_FLIGHT.search(bare)),
        "seat": bool(_SEAT.search(bare)),
        "money": bool(_MONEY.search(bare)),
        "shared": shared,
        "account": not shared and bool(_ACCOUNT.search(_GREETED.sub("", bare))),
        "exclaimed": "!" in whole,
    }  # fmt: skip


def _together(has: set[str], asked: set[str], question: bool) -> dict[str, float]:
    """Signs of a question and what is in it, and of two groups that are both there."""
    return {
        "question": question,
        "question_own": not asked.isdisjoint({"own", "you"}),
        "question_need": "need" in asked,
        "question_service": "service" in asked,
        "question_desk": "desk" in asked,
        "question_ask": "ask" in asked,
        "question_crowd": not asked.isdisjoint({"crowd", "story"}),
        "question_bare": question and asked.isdisjoint({"own", "you", "need", "service", "desk"}),
        **{f"{one}_{other}": one in has and other in has for one, other in PAIRS},
    }


def _questions(whole: str) -> list[tuple[int, int]]:
    """Where sentences that end in a question mark begin and end."""
    if "?" not in whole:
        return []
    spans, start = [], 0
    for end in _END.finditer(whole):
        if "?" in end.group():
            spans.append((start, end.end()))
        start = end.end()
    return spans or [(0, len(whole))]
