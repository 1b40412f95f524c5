"""Find the points of the rules that tell queries from other posts, and write them into the table.

    python tests/fit_query_points.py            prints the points
    python tests/fit_query_points.py --write    writes them into careapi/query_rules.toml

A logistic regression with a ridge over the signs of all seen sentences (`query_posts.py`), each language and
each kind of post with the same weight: the points are the same in all languages, only the words differ. Posts
that nobody has seen use words that the table lacks; so each sentence is taken three times with two words of
five forgotten at random, else the points would count on every word being known. Two decimals are kept.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from query_posts import posts, seen

from careapi.queries import table
from careapi.query_signs import GROUPS, SIGNS, Words, signs_of
from scenarios.names import Language

TABLE = Path(__file__).parent.parent / "careapi" / "query_rules.toml"
NAMES = (*GROUPS, *SIGNS)
RIDGE = 2.0
ROUNDS, KNOWN = 3, 0.6  # times that each sentence is taken, share of the words that is known then
EACH = 100.0  # weight of a kind of post in a language
Floats = NDArray[np.float64]


def sample(rules: dict[str, Any]) -> tuple[Floats, Floats, Floats]:
    """Signs (n, k), whether a query (n,), and weights (n,) of all seen sentences, a part of the words forgotten."""
    rows: list[list[float]] = []
    query: list[float] = []
    weight: list[float] = []
    for language in Language:
        for turn in range(ROUNDS):
            words = Words.of(some(rules[language], random.Random(f"{language} {turn}")), language)
            for wanted in (True, False):
                sentences = seen(language, wanted)
                for text in posts(sentences, language, len(sentences)):
                    signs = signs_of(text, language, words)
                    rows.append([float(signs[name]) for name in NAMES])
                    query.append(float(wanted))
                    weight.append(EACH / len(sentences) / ROUNDS)
    return np.array(rows), np.array(query), np.array(weight)


def some(groups: dict[str, list[str]], rng: random.Random) -> dict[str, list[str]]:
    """The words that are known this time."""
    return {group: [entry for entry in entries if rng.random() < KNOWN] for group, entries in groups.items()}


def fitted(signs: Floats, query: Floats, weight: Floats) -> dict[str, float]:
    """Points by Newton's method: the likelihood is concave, so there is one best answer."""
    design = np.column_stack([signs, np.ones(len(query))])
    ridge = np.full(design.shape[1], RIDGE)
    ridge[-1] = 1e-3
    ridge[NAMES.index("shared")] = 0.05  # few of the sentences are reposts, and none of them is a query
    points = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-design @ points))
        slope = design.T @ (weight * (chance - query)) + ridge * points
        curve = (design.T * (weight * chance * (1.0 - chance))) @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        points -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return {name: round(float(value), 2) + 0.0 for name, value in zip((*NAMES, "base"), points, strict=True)}


def written(text: str, points: dict[str, float]) -> str:
    """The text of a table with other points."""
    lines = "".join(f"{name} = {value}\n" for name, value in sorted(points.items(), key=lambda pair: -pair[1]))
    return re.sub(r"\[points\]\n(?:\w+ = .*\n)*", lambda _: f"[points]\n{lines}", text, count=1)


def main() -> None:
    points = fitted(*sample(table()))
    if "--write" in sys.argv[1:]:
        TABLE.write_text(written(TABLE.read_text("utf-8"), points), encoding="utf-8")
    for name, value in points.items():
        print(f"{name:18} {value:6.2f}")


if __name__ == "__main__":
    main()
