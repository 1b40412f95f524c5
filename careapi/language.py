"""Which of the fourteen languages a post is in, for platforms that do not tell.

By script first; among languages in Latin letters by frequent words, rare letters and ends of words, from
one table (`languages.toml`). A post always gets a language, because a queue that nobody serves is worse
than the wrong one: what says nothing at all (a sticker, a number) is English.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources

from scenarios.names import Language

DEFAULT = Language.EN
LONG = 5  # letters from which a word is hardly one of another language by chance
_TOLD = {
    **{language.value: language for language in Language},
    "nb": Language.NO, "nn": Language.NO, "zh-cn": Language.ZH, "zh-tw": Language.ZH,
}  # fmt: skip
_SCRIPTS = (
    ("kana", re.compile("[\u3040-\u30ff\uff66-\uff9d]")),
    ("han", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("hangul", re.compile("[\uac00-\ud7a3\u1100-\u11ff]")),
    ("thai", re.compile("[\u0e01-\u0e5b]")),
    ("cyrillic", re.compile("[\u0400-\u04ff]")),
    ("latin", re.compile("[A-Za-z\u00c0-\u024f]")),
)
_WEIGHT = {"kana": 2.0, "han": 3.0, "hangul": 2.5, "thai": 1.0, "cyrillic": 1.0, "latin": 1.0}
_OWN = {"hangul": Language.KO, "thai": Language.TH, "cyrillic": Language.RU}
_NOT_WORDS = re.compile(r"https?://\S+|[@#]\w+|[a-z0-9]*[0-9][a-z0-9]*")
_WORDS = re.compile(r"[a-z\u00df-\u024f]+(?:['’-][a-z\u00df-\u024f]+)*")


@dataclass(frozen=True)
class _Table:
    words: dict[str, dict[Language, float]]
    letters: dict[str, dict[Language, float]]
    ends: dict[str, tuple[Language, ...]]


@cache
def _table() -> _Table:
    raw = tomllib.loads((resources.files("careapi") / "languages.toml").read_text(encoding="utf-8"))
    return _Table(
        words=_shared({Language(name): set(words.split()) for name, words in raw["words"].items()}, 1.0),
        letters=_shared({Language(name): set(letters) for name, letters in raw["letters"].items()}, 1.0),
        ends={
            end: tuple(Language(name) for name, ends in raw["ends"].items() if end in ends)
            for end in {end for ends in raw["ends"].values() for end in ends}
        },
    )


def _shared(owners: dict[Language, set[str]], points: float) -> dict[str, dict[Language, float]]:
    """Points of an entry for each language that has it: the fewer have it, the more it tells."""
    having: dict[str, list[Language]] = defaultdict(list)
    for language, entries in owners.items():
        for entry in entries:
            having[entry].append(language)
    return {entry: dict.fromkeys(which, points / len(which)) for entry, which in having.items()}


def language_of(text: str, told: str | None = None) -> Language:
    """Say in which language a post is.

    Parameters
    ----------
    text : str
    told : str, optional
        What the platform says, as a tag such as ``en`` or ``zh-TW``; one that is none of the fourteen
        (``und`` among them) leaves it to the text.

    Returns
    -------
    language : Language
        English if there is nothing to go by.
    """
    if told is not None and (known := _TOLD.get(told.lower())) is not None:
        return known
    small = _NOT_WORDS.sub(" ", text.replace("İ", "i").lower())
    if small.isascii():
        return _latin(small)
    weights = {name: _WEIGHT[name] * len(script.findall(small)) for name, script in _SCRIPTS}
    if (east := weights["han"] + weights["kana"]) > 0:
        weights["han"], weights["kana"] = (0.0, east) if weights["kana"] >= 0.15 * east else (east, 0.0)
    script = max(weights, key=lambda name: weights[name])
    if script == "latin" or weights[script] == 0:
        return _latin(small)
    return _OWN.get(script) or (Language.JA if script == "kana" else Language.ZH)


def _latin(small: str) -> Language:
    table = _table()
    score: dict[Language, float] = defaultdict(float)
    for word in _WORDS.findall(small):
        for language, points in table.words.get(word.replace("’", "'"), {}).items():
            score[language] += points if len(word) < LONG else 1.5 * points
        for size in (2, 3, 4, 5):
            if len(word) > size + 1:
                for language in table.ends.get(word[-size:], ()):
                    score[language] += 0.3
    for letter in small:
        if letter > "\x7f":
            for language, points in table.letters.get(letter, {}).items():
                score[language] += points
    return max(score, key=lambda language: score[language], default=DEFAULT)
