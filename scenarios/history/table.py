"""A table that somebody exported: CSV in the ways that people write it, or a sheet of a workbook.

Cells stay text, with the line of the file that they come from; what they mean is for those who ask.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TextIO

from scenarios.errors import Fault, InputError

DELIMITERS = ";\t,|"
MAX_BYTES = 2_000_000_000
SHOWN = 40
WORDS = 10_000  # of a column with fewer different cells each is kept once
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
csv.field_size_limit(1_000_000)


@dataclass(frozen=True)
class Table:
    """Text by column, and where it came from.

    Attributes
    ----------
    path : Path
    columns : mapping of str to (rows,) list of str
        In the order of the file; cells are stripped, an empty one is "".
    lines : (rows,) list of int
        Line of the file, or row of the sheet, that each row begins in, from 1.
    delimiter : str
        What separates the cells; empty for a workbook.
    digest : str
        SHA-256 of the file's bytes, in hexadecimal.
    """

    path: Path
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    delimiter: str
    digest: str

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """How a fault names a row."""
        return f"line {self.lines[row]}"


def read_table(path: Path | str, keep: Callable[[str], bool] | None = None) -> Table:
    """Read a table with a header.

    Parameters
    ----------
    path : Path or str
        CSV with ``;``, ``,``, tab or ``|``, in UTF-8 (with or without a byte order mark), UTF-16 with one, or
        Windows-1252; or an xlsx workbook, of which the first sheet is read.
    keep : callable, optional
        Whether the cells of a column of this name are wanted; those of the others read as "", which saves
        memory. By default all are.

    Raises
    ------
    InputError
        If there is no such file, or with all lines that do not fit the header.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(path, [Fault("", f"has {size:,} bytes, more than the {MAX_BYTES:,} that are read")])
        content = path.read_bytes()
    except OSError as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise InputError(path, [Fault("", what)]) from None
    delimiter = ""
    if content.startswith(b"PK\x03\x04"):
        rows = _sheet(path, content)
    else:
        encoding = encoding_of(path, content)
        delimiter = _delimiter(_opened(content, encoding))
        rows = _lines(path, _opened(content, encoding), delimiter)
    return _table(path, rows, delimiter, hashlib.sha256(content).hexdigest(), keep)


def cell_shown(text: str) -> str:
    """A cell fit for a message: addresses hidden, cut where it is long."""
    text = ADDRESS.sub("<address>", text)
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def encoding_of(path: Path, content: bytes) -> str:
    """In which of the encodings that exports come in a text is; raises `InputError` if it is none."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                content.decode(encoding)
            except UnicodeDecodeError as error:
                raise InputError(path, [Fault("", f"is damaged: byte {error.start:,} is no {encoding}")]) from None
            return encoding
    if b"\x00" in content[:10_000]:
        raise InputError(path, [Fault("", "is no table: it has bytes that no text has; give a CSV or xlsx file")])
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _opened(content: bytes, encoding: str) -> TextIO:
    """The text, decoded as it is read: a copy as a whole would take four times the file."""
    return io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace", newline="")


def _delimiter(text: TextIO) -> str:
    """The sign that the header has most of, outside of quotes; in doubt the first one of `DELIMITERS`."""
    header = next((line for line in text if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)


Row = tuple[int, list[str]]


def _lines(path: Path, text: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter)
    begins = 1
    try:
        for cells in reader:
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(path, [Fault(f"line {begins}", f"cannot be read: {error}")]) from None


def _sheet(path: Path, content: bytes) -> Iterator[Row]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > MAX_BYTES:
            raise InputError(path, [Fault("", f"unpacks to {size:,} bytes, more than the {MAX_BYTES:,} that are read")])
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        book.close()
    except InputError:
        raise
    except Exception as error:  # a damaged archive makes openpyxl and zipfile raise nearly anything
        raise InputError(path, [Fault("", f"is damaged or no workbook ({type(error).__name__})")]) from None
    yield from enumerate(rows, 1)


def _cell(value: Any) -> str:
    """A cell of a sheet as text: times as ISO, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _table(
    path: Path, rows: Iterator[Row], delimiter: str, digest: str, keep: Callable[[str], bool] | None = None
) -> Table:
    filled = ((line, cells) for line, cells in rows if any(cells))
    line, header = next(filled, (0, []))
    if not header:
        raise InputError(path, [Fault("", "is empty; it should have a header and rows")])
    while header and not header[-1]:
        header.pop()
    faults = [
        Fault(f"line {line}", f"has the column {cell_shown(name)} twice")
        for i, name in enumerate(header)
        if name and name in header[:i]
    ]
    columns: list[list[str]] = [[] for _ in header]
    kept = [(i, columns[i], dict[str, str]()) for i, name in enumerate(header) if keep is None or keep(name)]
    lines: list[int] = []
    for line, cells in filled:
        if len(cells) > len(header) and any(cells[len(header) :]):
            faults.append(Fault(f"line {line}", f"has {len(cells)} cells, the header {len(header)}"))
            continue
        lines.append(line)
        for i, column, words in kept:
            cell = cells[i] if i < len(cells) else ""
            column.append(words.setdefault(cell, cell) if len(words) < WORDS else cell)
    if not lines and not faults:
        faults.append(Fault("", "has a header and no rows"))
    if faults:
        raise InputError(path, faults)
    wanted = {i for i, _, _ in kept}
    for i in range(len(header)):
        if i not in wanted:
            columns[i] = [""] * len(lines)
    named = {name or f"column {i + 1}": column for i, (name, column) in enumerate(zip(header, columns, strict=True))}
    return Table(path, named, lines, delimiter, digest)
