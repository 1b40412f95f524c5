"""Learn which common words tell queries from other posts beside the groups of words, and what each is worth.

Groups hold what a person thought of. What is left shows in plain words as well ("my", "if", how a post begins), and
counting finds these: of each language the words, beginnings of words and pairs of words that lean most to one kind
of post in the seen sentences, weighed together on top of the points of the signs. `fit_query_points.py --write` puts
them into the table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from careapi.query_signs import GROUPS, LEARNED, UNSPACED, Words, marked
from scenarios.names import Language

WORDS = 300  # of a language
TIMES = 2  # that a word is found at least
RIDGE = 1.0
START, LONG = 4, 6  # letters of the beginnings that are counted too
_MIXED = re.compile(r"[\s!-\]_-~\x00]|.\^|[\U0001f000-\U0001faff]")  # no piece: spaces, signs, Latin letters
Floats = NDArray[np.float64]


def candidates(text: str, language: Language) -> set[str]:
    """Entries, as a table has them, that stand in a post."""
    whole = marked(text, language)
    return set(_pieces(whole) if language in UNSPACED else _words(whole))


def _pieces(whole: str) -> Iterator[str]:
    """Two or three letters in a row, where words are not parted."""
    for size in (2, 3):
        for place in range(len(whole) - size + 1):
            piece = whole[place : place + size].replace("\x01", "^")
            if not _MIXED.search(piece):
                yield piece


def _words(whole: str) -> Iterator[str]:
    """Words, beginnings of words, pairs of words, and words where a clause begins."""
    before = ""
    for word in re.split(r"[\s\x00]+", whole.replace("\x01", " ^ ")):
        if word.isalpha():
            yield f"{word} "
            if before:
                yield f"{before}{word} "
            if len(word) > START:
                yield word[:START]
            if len(word) > LONG:
                yield word[:LONG]
            before = f"{word} "
        elif word:
            before = "^" if word == "^" else ""


def leaning(found: list[set[str]], query: Floats) -> list[str]:
    """The entries that lean most to one kind of post, against what chance would do."""
    among: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for entries, wanted in zip(found, query, strict=True):
        among.update(entries)
        if wanted:
            asked.update(entries)
    share = float(query.mean())
    enough = [entry for entry, times in among.items() if times >= TIMES]
    return sorted(enough, key=lambda entry: (-abs(asked[entry] - among[entry] * share) / among[entry] ** 0.5, entry))[
        :WORDS
    ]


def presence(texts: Iterable[str], language: Language, entries: list[str]) -> Floats:
    """Whether each entry stands in each post (n, k), found as `judge` finds it."""
    words = Words.of(dict.fromkeys(GROUPS, ()), language, {"0": entries})
    place = {entry: k for k, entry in enumerate(words.points)}
    table = [
        {place[entry] for entry, group, _ in words.find(marked(text, language)) if group == LEARNED} for text in texts
    ]
    seen = np.zeros((len(table), len(entries)))
    for row, columns in enumerate(table):
        seen[row, list(columns)] = 1.0
    return seen
