"""Which column of an exported table is what, and which of its words mean what: a map, as a TOML file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from scenarios import files
from scenarios.errors import Fault, InputError
from scenarios.history.cells import Dates
from scenarios.history.table import Table, cell_shown
from scenarios.laws import Frozen
from scenarios.model import ZoneName
from scenarios.names import Language, Platform, Topic, code

FOLDER = Path(__file__).with_name("maps")

ALSO: Mapping[type[StrEnum], Mapping[str, StrEnum]] = MappingProxyType(
    {
        Language: {
            "english": Language.EN, "dutch": Language.NL, "nederlands": Language.NL, "spanish": Language.ES,
            "espanol": Language.ES, "portuguese": Language.PT, "german": Language.DE, "deutsch": Language.DE,
            "french": Language.FR, "francais": Language.FR, "italian": Language.IT, "chinese": Language.ZH,
            "russian": Language.RU, "turkish": Language.TR, "japanese": Language.JA, "korean": Language.KO,
            "norwegian": Language.NO, "nb": Language.NO, "nn": Language.NO, "thai": Language.TH,
        },
        Platform: {
            "twitter": Platform.X, "facebook messenger": Platform.MESSENGER, "fb": Platform.FACEBOOK,
            "weibo": Platform.GENERIC, "email": Platform.GENERIC, "e mail": Platform.GENERIC, "web": Platform.GENERIC,
            "chat": Platform.GENERIC, "kakaotalk": Platform.KAKAO, "vkontakte": Platform.VK,
        },
        Topic: {},
    }
)  # fmt: skip
"""Other words for members, plain as `plain` makes them."""


def _many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Map(Frozen):
    """How to read somebody's tables.

    Times without an offset are meant in `zone`; people read the result in `local`, by default the same.
    `columns` names the column, or several of which the first that is there counts, of each thing; capitals,
    spaces and underscores make no difference. `values` says for words of a column what they mean, `other` what
    all words mean that are not named, `defaults` what an empty cell or a missing column means.
    """

    title: str = ""
    zone: ZoneName = "UTC"
    local: ZoneName | None = None
    dates: Dates = "day_first"
    columns: dict[str, Annotated[tuple[str, ...], BeforeValidator(_many)]] = Field(default={})
    values: dict[str, dict[str, str]] = Field(default={})
    other: dict[str, str] = Field(default={})
    defaults: dict[str, str] = Field(default={})

    @classmethod
    def load(cls, name_or_path: str | Path) -> Map:
        """The map of this name (genesys, plain, zendesk), or in this file; raises `InputError`."""
        return files.load(cls, name_or_path, FOLDER, "map")

    def find(self, table: Table, what: str) -> str | None:
        """Name of the column that holds a thing; None if the table has none."""
        there = {plain(name): name for name in table.columns}
        wanted = (*self.columns.get(what, ()), what)
        return next((there[plain(name)] for name in wanted if plain(name) in there), None)

    def keeps(self, whats: Iterable[str]) -> Callable[[str], bool]:
        """Whether a column of a name may hold one of these things."""
        wanted = {plain(name) for what in whats for name in (*self.columns.get(what, ()), what)}
        return lambda name: plain(name) in wanted

    def need(self, table: Table, whats: Iterable[str]) -> list[Fault]:
        """A fault for each thing that the table has no column for."""
        listed = ", ".join(cell_shown(name) for name in table.columns)
        return [
            Fault(what, f'has no column; the file has {listed}. Name it in the map: [columns] {what} = "..."')
            for what in whats
            if self.find(table, what) is None
        ]


def plain(word: str) -> str:
    """A word without capitals, accents in common use, and signs between its parts."""
    bare = word.casefold().translate(str.maketrans("áàâäãçéèêëíîïñóôöõúûü", "aaaaaceeeeiiinoooouuu"))
    return re.sub(r"[\s_\-/.]+", " ", bare).strip()


def members_of(
    table: Table, given: Map, what: str, kind: type[StrEnum], default: StrEnum
) -> tuple[NDArray[Any], list[Fault]]:
    """Codes of the members that the words of a column mean, and a fault for each word that means none.

    Parameters
    ----------
    what : str
        The thing, such as language; the map says which column holds it.
    kind : StrEnum
    default : StrEnum
        For empty cells and a missing column, unless the map has another.

    Returns
    -------
    codes : (rows,) int8
    faults : list of Fault
        All words together, each with the number of its rows.
    """
    faults: list[Fault] = []
    words = {plain(member): member for member in kind} | dict(ALSO.get(kind, {}))
    for word, meant in given.values.get(what, {}).items():
        member = _member(kind, meant, f"values.{what}.{word}", faults)
        words[plain(word)] = member or default
    empty = _given(kind, given.defaults.get(what), f"defaults.{what}", faults) or default
    other = _given(kind, given.other.get(what), f"other.{what}", faults)
    name = given.find(table, what)
    if name is None:
        return np.full(len(table), code(empty), dtype=np.int8), faults
    out, unknown = np.empty(len(table), dtype=np.int8), dict[str, list[int]]()
    known: dict[str, StrEnum | None] = {"": empty}
    for row, text in enumerate(table.columns[name]):
        if text not in known:
            known[text] = _meant(words, text, kind) or other
        member = known[text]
        if member is None:
            unknown.setdefault(text, []).append(row)
        out[row] = code(member or empty)
    for text, rows in unknown.items():
        faults.append(Fault(table.place(rows[0]), _unknown(what, text, len(rows), kind)))
    return out, faults


def _unknown(what: str, text: str, rows: int, kind: type[StrEnum]) -> str:
    word = cell_shown(text)
    in_rows = "1 row" if rows == 1 else f"{rows:,} rows"
    return (
        f"has the {what} {word} ({in_rows}), which is none of {', '.join(kind)}; say in the map what it means: "
        f'[values.{what}] {word} = "...", or [other] {what} = "..." for all such words'
    )


def _meant(words: Mapping[str, StrEnum], text: str, kind: type[StrEnum]) -> StrEnum | None:
    word = plain(text)
    if word in words:
        return words[word]
    return words.get(word.split(" ")[0]) if kind is Language and len(word) in (5, 7) else None  # en-US, zh-Hans


def _given(kind: type[StrEnum], word: str | None, place: str, faults: list[Fault]) -> StrEnum | None:
    return None if word is None else _member(kind, word, place, faults)


def _member(kind: type[StrEnum], word: str, place: str, faults: list[Fault]) -> StrEnum | None:
    if word in list(kind):
        return kind(word)
    faults.append(Fault(f"the map's {place}", f"is {cell_shown(word)}, should be one of {', '.join(kind)}"))
    return None


def raise_all(path: Path, faults: Sequence[Fault]) -> None:
    """Raise what is wrong, if anything is."""
    if faults:
        raise InputError(path, faults)
