"""Find the points of the rules that tell queries from other posts, and write them into the table.

    python tests/fit_query_points.py            prints the points
    python tests/fit_query_points.py --write    writes them into careapi/query_rules.toml
    python tests/fit_query_points.py --leave-out    how good they are on each set when fitted on the others

A logistic regression with a ridge over the signs of all seen sentences (`query_posts.py`), each language and
each kind of post with the same weight: the points are the same in all languages, only the words differ. Posts
that nobody has seen use words that the table lacks; so each sentence is taken three times with two words of
five forgotten at random, else the points would count on every word being known. Two decimals are kept.
"""

from __future__ import annotations

import json
import random
import re
import sys
import textwrap
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from learn_query_words import RIDGE as RIDGE_WORDS
from learn_query_words import candidates, leaning, presence
from query_posts import posts, seen, seen_sets

from careapi.queries import table
from careapi.query_signs import GROUPS, SIGNS, Words, signs_of
from scenarios.names import Language

TABLE = Path(__file__).parent.parent / "careapi" / "query_rules.toml"
NAMES = (*GROUPS, *SIGNS)
RIDGE = 2.0
ROUNDS, KNOWN = 3, 0.6  # times that each sentence is taken, share of the words that is known then
EACH = 100.0  # weight of a kind of post in a language
BLANK = "\u2423"  # where lines are not to be broken
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Posts of all seen sentences, each `ROUNDS` times with a part of the words forgotten."""

    signs: Floats  # (n, k)
    query: Floats  # (n,), 1 for a query
    weight: Floats  # (n,)
    origin: Floats  # (n,), the set of the sentence
    language: NDArray[np.str_]  # (n,)
    text: NDArray[np.object_]  # (n,)

    def where(self, rows: NDArray[np.bool_]) -> Sample:
        return Sample(*(getattr(self, field.name)[rows] for field in fields(self)))


def sample(rules: dict[str, Any]) -> Sample:
    """What the rules see in the seen sentences."""
    rows: list[tuple[list[float], float, float, float, str, str]] = []
    for language, turn in product(Language, range(ROUNDS)):
        words = Words.of(some(rules[language], random.Random(f"{language} {turn}")), language)
        for wanted in (True, False):
            sentences = seen(language, wanted)
            origin = [float(k) for k, part in enumerate(seen_sets(language, wanted)) for _ in part]
            weight = EACH / len(sentences) / ROUNDS
            for text, one in zip(posts(sentences, language, len(sentences)), origin, strict=True):
                signs = signs_of(text, language, words)
                rows.append(([float(signs[name]) for name in NAMES], float(wanted), weight, one, str(language), text))
    columns, query, weights, origins, languages, texts = zip(*rows, strict=True)
    return Sample(
        np.array(columns),
        np.array(query),
        np.array(weights),
        np.array(origins),
        np.array(languages),
        np.array(texts, object),
    )


def some(groups: dict[str, list[str]], rng: random.Random) -> dict[str, list[str]]:
    """The words that are known this time."""
    return {group: [entry for entry in entries if rng.random() < KNOWN] for group, entries in groups.items()}


def scored(signs: Floats, points: dict[str, float]) -> Floats:
    """Points (n,) of posts by their signs."""
    total: Floats = signs @ np.array([points[name] for name in NAMES]) + points["base"]
    return total


def learned(posts: Sample, points: dict[str, float], language: Language) -> dict[str, float]:
    """What the words of a language are worth on top of the points of the signs."""
    found = {text: candidates(text, language) for text in posts.text}
    entries = leaning([found[text] for text in posts.text], posts.query)
    present = presence(posts.text, language, entries)
    weight = posts.weight / posts.weight.mean() / ROUNDS
    ridge = np.full(len(entries), RIDGE_WORDS)
    worth = _newton(present, posts.query, weight, ridge, scored(posts.signs, points))
    return {entry: round(float(value), 1) + 0.0 for entry, value in zip(entries, worth, strict=True)}


def left_out(rules: dict[str, Any]) -> tuple[Floats, Floats, Floats]:
    """Points (n,) of the posts of each set by what fits the other sets, whether queries (n,), and weights (n,)."""
    every = sample(rules)
    score = np.zeros(len(every.query))
    for one in np.unique(every.origin):
        out = every.origin == one
        points = fitted(every.where(~out))
        score[out] = scored(every.signs[out], points)
        for language in Language:
            mine = every.language == language
            worth = learned(every.where(~out & mine), points, language)
            texts = every.text[out & mine]
            score[out & mine] += presence(texts, language, list(worth)) @ np.array(list(worth.values()))
    return score, every.query, every.weight


def compared(score: Floats, query: Floats, weight: Floats) -> list[tuple[float, float, float]]:
    """Thresholds with their precision and recall, among as many queries as others."""
    rows = []
    for threshold in np.arange(-1.0, 2.01, 0.1):
        right, wrong = (float(weight[(score >= threshold) & (query == kind)].sum()) for kind in (1.0, 0.0))
        rows.append((float(threshold), right / (right + wrong), right / float(weight[query == 1.0].sum())))
    return rows


def fitted(posts: Sample) -> dict[str, float]:
    """Points of the signs, and of a post without any."""
    ridge = np.full(len(NAMES) + 1, RIDGE)
    ridge[-1] = 1e-3
    ridge[NAMES.index("shared")] = 0.05  # few of the sentences are reposts, and none of them is a query
    design = np.column_stack([posts.signs, np.ones(len(posts.query))])
    points = _newton(design, posts.query, posts.weight, ridge, np.zeros(len(posts.query)))
    return {name: round(float(value), 2) + 0.0 for name, value in zip((*NAMES, "base"), points, strict=True)}


def _newton(design: Floats, query: Floats, weight: Floats, ridge: Floats, known: Floats) -> Floats:
    """Points by Newton's method: the likelihood is concave, so there is one best answer."""
    points = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-known - design @ points))
        slope = design.T @ (weight * (chance - query)) + ridge * points
        curve = (design.T * (weight * chance * (1.0 - chance))) @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        points -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return points


def worded(worth: dict[str, float]) -> dict[str, list[str]]:
    """Entries by what they are worth, most first; those worth nothing are left out."""
    values = sorted({value for value in worth.values() if value}, reverse=True)
    return {str(value): sorted(entry for entry in worth if worth[entry] == value) for value in values}


def written(text: str, points: dict[str, float], words: dict[Language, dict[str, list[str]]]) -> str:
    """The text of a table with other points, and other learned words at its end."""
    lines = "".join(f"{name} = {value}\n" for name, value in sorted(points.items(), key=lambda pair: -pair[1]))
    text = re.sub(r"\[points\]\n(?:\w+ = .*\n)*", lambda _: f"[points]\n{lines}", text, count=1)
    tables = [_table(f"learned.{language}", entries) for language, entries in words.items()]
    return text.split("\n[learned.")[0].rstrip("\n") + "\n" + "".join(tables)


def _table(name: str, entries: dict[str, list[str]]) -> str:
    """A table of lists as it is written, lines of at most 118 letters."""
    lines = [f"\n[{name}]"]
    for key, texts in entries.items():
        whole = f'"{key}" = [{", ".join(quoted(text) for text in texts)}]'
        lines += textwrap.wrap(whole.replace(" ", BLANK).replace(f",{BLANK}", ", "), 118, subsequent_indent="    ")
    return "\n".join(lines).replace(BLANK, " ") + "\n"


def quoted(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def fit(rules: dict[str, Any]) -> tuple[dict[str, float], dict[Language, dict[str, list[str]]]]:
    """Points of the signs, and the learned words of each language."""
    every = sample(rules)
    points = fitted(every)
    words = {one: worded(learned(every.where(every.language == one), points, one)) for one in Language}
    return points, words


def main() -> None:
    if "--leave-out" in sys.argv[1:]:
        for threshold, precision, recall in compared(*left_out(table())):
            print(f"threshold {threshold:4.1f}  precision {precision:.3f}  recall {recall:.3f}")
        return
    points, words = fit(table())
    if "--write" in sys.argv[1:]:
        TABLE.write_text(written(TABLE.read_text("utf-8"), points, words), encoding="utf-8")
    for name, value in points.items():
        print(f"{name:18} {value:6.2f}")


if __name__ == "__main__":
    main()
