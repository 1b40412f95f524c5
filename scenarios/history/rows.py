"""Cells of a table by what they are: times, lengths, members and codes, with all that is wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Fault, InputError
from scenarios.history.cells import FloatArray, Moments, moments, seconds
from scenarios.history.columns import Map, members_of
from scenarios.history.table import Table
from scenarios.names import NONE

IntArray = NDArray[np.int64]
UNITS = (("_s", 1.0), ("_min", 60.0))


class Rows:
    """A table read through a map. Faults are gathered; `check` raises them, in the order of the lines."""

    def __init__(self, table: Table, given: Map, zone: ZoneInfo) -> None:
        self.table, self.map, self.zone = table, given, zone
        self.faults: list[Fault] = []

    def __len__(self) -> int:
        return len(self.table)

    def need(self, *whats: str) -> None:
        """Raise `InputError` if there is no column for any of these things."""
        self.faults += self.map.need(self.table, whats)
        self.check()

    def check(self) -> None:
        """Raise `InputError` with all that is wrong, if anything is."""
        if self.faults:
            raise InputError(self.table.path, sorted(self.faults, key=_line))

    def name(self, what: str) -> str | None:
        """Name of the column of a thing; None if there is none."""
        return self.map.find(self.table, what)

    def texts(self, what: str) -> Sequence[str] | None:
        """Cells of a thing; None if it has no column."""
        name = self.name(what)
        return None if name is None else self.table.columns[name]

    def fault(self, row: int, what: str, words: str) -> None:
        """Note what is wrong with a thing in a row."""
        self.faults.append(Fault(f"{self.table.place(row)}, {self.name(what) or what}", words))

    def moments(self, what: str, empty: str = "") -> Moments:
        """Clock times; with `empty` that is what is said of a row without one."""
        texts = self.texts(what)
        read = moments(texts if texts is not None else [""] * len(self), self.zone, self.map.dates)
        for row, words in read.faults:
            self.fault(row, what, words)
        if empty:
            wrong = {row for row, _ in read.faults}
            for row in np.flatnonzero(np.isnan(read.utc_s)).tolist():
                if row not in wrong:
                    self.fault(row, what, empty)
        return read

    def lengths(self, what: str) -> FloatArray | None:
        """(rows,) seconds of a length that has its unit in its name, as handling_min; None without a column."""
        for ending, unit_s in UNITS:
            texts = self.texts(what + ending)
            if texts is None:
                continue
            out = np.full(len(self), np.nan)
            known = {"": np.nan}  # the same cells come again and again
            for row, text in enumerate(texts):
                if text not in known:
                    try:
                        known[text] = seconds(text, unit_s, self.table.delimiter != ",")
                    except ValueError as error:
                        self.fault(row, what + ending, str(error))
                        continue
                out[row] = known[text]
            return out
        return None

    def members(self, what: str, kind: type[StrEnum], default: StrEnum) -> NDArray[Any]:
        """(rows,) codes of members; see `members_of`."""
        codes, faults = members_of(self.table, self.map, what, kind, default)
        self.faults += faults
        return codes

    def numbers(self, what: str, order: IntArray) -> IntArray:
        """(rows,) numbers by first appearance in `order` of equal words; a row without a word has its own."""
        texts = self.texts(what)
        out = np.empty(len(self), dtype=np.int64)
        known: dict[str, int] = {}
        for n, row in enumerate(order.tolist()):
            text = texts[row] if texts is not None else ""
            out[row] = known.setdefault(text, n) if text else n
        _, numbers = np.unique(out, return_inverse=True)
        return numbers.astype(np.int64)

    def codes(self, what: str) -> IntArray:
        """(rows,) numbers by first appearance in the file of equal words; NONE where there is none."""
        texts = self.texts(what)
        if texts is None:
            return np.full(len(self), NONE, dtype=np.int64)
        known: dict[str, int] = {}
        return np.array([known.setdefault(text, len(known)) if text else NONE for text in texts], dtype=np.int64)


def _line(fault: Fault) -> int:
    digits = fault.place.removeprefix("line ").split(",")[0]
    return int(digits) if digits.isdigit() else 0
