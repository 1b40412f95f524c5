"""Queries and other posts in every language, as sentences with slots.

*Seen* are those that the rules of `careapi/query_rules.toml` were written and fitted with: our own sentences,
and sets that were fresh once. *Fresh* are the sets that were written after the rules were frozen: what they do on
them says what they do on posts that nobody looked at.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from scenarios.names import NEVER_CASES, Language, TextForm, Topic, code
from scenarios.text import _Dice, _fill, _texts  # slots are filled as in any post of ours

DATA = Path(__file__).parent / "data"
STARTS = (0, 25, 51, 77, 103, 129, 155)  # where the sets begin that were fresh once
FRESH = (8, 9)  # numbers of the sets
OTHERS = {*NEVER_CASES, Topic.PRAISE}


@cache
def _file(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def fresh(number: int, language: Language, query: bool) -> list[str]:
    """Sentences of a set that nobody looked at when the rules were written."""
    return list(_file(f"query_posts_fresh_{number}.toml")[language]["queries" if query else "others"])


def seen(language: Language, query: bool) -> list[str]:
    """Sentences that the rules were written with."""
    texts = _texts(language)
    own = [text for topic in Topic for text in texts.topics[topic] if (topic not in OTHERS) == query]
    own += [] if query else texts.chatter_info
    return own + list(_file("query_posts_seen.toml")[language]["queries" if query else "others"])


def seen_sets(language: Language, query: bool) -> list[list[str]]:
    """The seen sentences, a list for each set they were written in: our own posts first."""
    later = list(_file("query_posts_seen.toml")[language]["queries" if query else "others"])
    own = seen(language, query)[: -len(later)]
    return [own, *(later[a:b] for a, b in pairwise((*STARTS, len(later))))]


def posts(sentences: list[str], language: Language, n: int) -> list[str]:
    """n posts, each sentence about equally often, with other slots each time."""
    rng = random.Random(f"{n} posts in {language}")
    plain = code(TextForm.PLAIN)
    draws = (_Dice(rng.randrange(2**31) << 2 | plain) for _ in range(n))
    return [_fill(_texts(language), sentences[k % len(sentences)], dice) for k, dice in enumerate(draws)]
