"""Tables in the ways that people export them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from scenarios.errors import InputError
from scenarios.history.table import Table, cell_shown, read_table

TEXT = "created;language\n2025-12-05 06:00;nl\n\n2025-12-05 06:05;de\n"


def read(tmp_path: Path, content: bytes) -> Table:
    path = tmp_path / "tickets.csv"
    path.write_bytes(content)
    return read_table(path)


def faults(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_reads_the_same_however_it_is_written(delimiter: str, encoding: str, end: str, tmp_path: Path) -> None:
    text = TEXT.replace("nl", "né").replace(";", delimiter).replace("\n", end)
    table = read(tmp_path, text.encode(encoding))
    assert dict(table.columns) == {"created": ["2025-12-05 06:00", "2025-12-05 06:05"], "language": ["né", "de"]}
    assert list(table.lines) == [2, 4]
    assert table.delimiter == delimiter


def test_a_cell_may_hold_what_separates_and_several_lines(tmp_path: Path) -> None:
    table = read(tmp_path, b'a,b\n"x, y","one\ntwo"\n3,4\n')
    assert table.columns["a"] == ["x, y", "3"]
    assert list(table.lines) == [2, 4]


def test_a_workbook_reads_like_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("created", "n", None), (datetime(2025, 12, 5, 6, 0), 12.5, None), (None, 3.0, None)]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert dict(table.columns) == {"created": ["2025-12-05 06:00:00", ""], "n": ["12.5", "3"]}
    assert list(table.lines) == [2, 3]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode()).digest != read(tmp_path, TEXT.replace(";", ",").encode()).digest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a;b\n", "has a header and no rows"),
        (b"a;a\n1;2\n", "line 1 has the column 'a' twice"),
        (b"a;b\n1;2;3\n\n4;5;6\n", "line 4 has 3 cells, the header 2"),
        (b"PK\x03\x04 nothing", "is damaged or no workbook"),
        (b"\x00\x01\x02", "is no table"),
        (b"\xff\xfea\x00b", "is damaged"),
    ],
)
def test_what_is_no_table_is_said(content: bytes, words: str, tmp_path: Path) -> None:
    assert words in faults(tmp_path, content)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, b"a;a\n1;2;3\n1;2\n1;2;9\n")
    assert told.count("\n") == 2
    assert "line 2" in told and "line 4" in told


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv")


def test_addresses_are_hidden_in_messages() -> None:
    assert cell_shown("write to jan.k@example.org now") == "'write to <address> now'"
    assert cell_shown("x" * 100) == repr("x" * 40 + "...")
