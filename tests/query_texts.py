"""Queries and other posts in every language, from two halves of the templates.

The rules in `careapi/query_rules.toml` were written from the half called seen. What they do on the
other half says what they do on posts that nobody looked at.
"""

from __future__ import annotations

import hashlib
import random

from scenarios.names import NEVER_CASES, Language, TextForm, Topic, code
from scenarios.text import _Dice, _fill, _templates  # the split is by template, which render does not tell

OTHERS = {*NEVER_CASES, Topic.PRAISE}


def is_seen(template: str) -> bool:
    """Whether the writers of the rules looked at this template: by a hash, so nobody chose."""
    return hashlib.sha256(template.encode()).digest()[0] % 2 == 0


def posts(language: Language, query: bool, seen: bool, n: int = 500) -> list[str]:
    """n posts that are queries, or that are not, each template of that half about equally often."""
    topics = [topic for topic in Topic if (topic not in OTHERS) == query]
    pairs = [_templates(language, topic) for topic in topics]
    chosen = [(texts, template) for texts, templates in pairs for template in templates if is_seen(template) == seen]
    rng = random.Random(f"posts in {language}, query {query}, seen {seen}")
    plain = code(TextForm.PLAIN)
    return [_fill(*chosen[k % len(chosen)], _Dice(rng.randrange(2**31) << 2 | plain)) for k in range(n)]
