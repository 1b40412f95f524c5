"""Who speaks which languages, by the words for agents that a table uses."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

from scenarios.errors import Fault
from scenarios.history.columns import ALSO, Map, plain
from scenarios.history.rows import Rows
from scenarios.history.table import cell_shown, read_table
from scenarios.names import Language

Skills = dict[str, set[Language]]
NO_LANGUAGE = "none"  # what a map says of a word that is a skill, but no language
PARTS = re.compile(r"[;,/|+&\n]|\band\b")


def read_skills(path: Path | str, given: Map) -> Skills:
    """Languages by agent from a table with the columns agent and languages; an agent may have several rows.

    Raises
    ------
    InputError
        With all that is wrong in the table.
    """
    rows = Rows(read_table(path, given.keeps(("agent", "languages", "language"))), given, ZoneInfo(given.zone))
    rows.need("agent", "languages" if rows.name("language") is None else "language")
    known = spoken(rows)
    rows.check()
    return known


def spoken(rows: Rows) -> Skills:
    """Languages by agent that the rows of a table name; what names none is a fault, all words together."""
    what = "languages" if rows.name("languages") is not None else "language"
    texts, agents = rows.texts(what), rows.texts("agent") or ()
    out: Skills = {}
    if texts is None:
        return out
    words = _words(rows)
    cells: dict[str, tuple[set[Language], list[str]]] = {}
    unknown: dict[str, list[int]] = {}
    for row, (agent, text) in enumerate(zip(agents, texts, strict=True)):
        if text not in cells:
            cells[text] = _read(text, words)
        out.setdefault(plain(agent), set()).update(cells[text][0])
        for word in cells[text][1]:
            unknown.setdefault(word, []).append(row)
    for word, at in unknown.items():
        shown = cell_shown(word)
        rows.fault(at[0], what, f"has {shown} ({len(at):,} rows), which is no language; say in the map what it means: "
                   f'[values.languages] {shown} = "nl", or "{NO_LANGUAGE}"')  # fmt: skip
    return out


def _words(rows: Rows) -> dict[str, Language | None]:
    words: dict[str, Language | None] = {plain(each): each for each in Language}
    words |= {word: Language(meant) for word, meant in ALSO[Language].items()}
    for table in ("language", "languages"):
        for word, meant in rows.map.values.get(table, {}).items():
            if meant != NO_LANGUAGE and meant not in list(Language):
                what = f"is {cell_shown(meant)}, should be one of {', '.join(Language)}, or {NO_LANGUAGE}"
                rows.faults.append(Fault(f"the map's values.{table}.{word}", what))
                continue
            words[plain(word)] = None if meant == NO_LANGUAGE else Language(meant)
    return words


def _read(text: str, words: dict[str, Language | None]) -> tuple[set[Language], list[str]]:
    """Languages in a cell, and the words that are none."""
    found: set[Language] = set()
    unknown: list[str] = []
    for part in (each.strip() for each in PARTS.split(text)):
        whole = [part] if plain(part) in words else part.split()
        for word in whole:
            short = plain(word).split(" ")[0]  # nl-NL
            if plain(word) in words or short in words:
                meant = words.get(plain(word), words.get(short))
                if meant is not None:
                    found.add(meant)
            else:
                unknown.append(word)
    return found, unknown
