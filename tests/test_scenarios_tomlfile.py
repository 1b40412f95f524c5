"""Reading one TOML file: all the ways in which it may not be one."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scenarios.errors import InputError
from scenarios.tomlfile import read_toml


def complaint(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        read_toml(path)
    return str(caught.value)


def test_a_file_becomes_a_table(here: Path) -> None:
    Path("a.toml").write_text('name = "a"\n[base]\nrate = 1.5\n', encoding="utf-8")
    assert read_toml("a.toml") == {"name": "a", "base": {"rate": 1.5}}


def test_a_byte_order_mark_and_windows_lines_are_welcome(here: Path) -> None:
    Path("a.toml").write_bytes(b'\xef\xbb\xbfname = "\xc3\xa9t\xc3\xa9"\r\nn = 1\r\n')
    assert read_toml("a.toml") == {"name": "été", "n": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "f.toml is empty"),
        (b" \n\n", "f.toml is empty"),
        (b"\xef\xbb\xbf", "f.toml is empty"),
        (b"a = 1\nb = \x00\n", "f.toml: line 2, byte 5 has a NUL byte; this is not a text file"),
        (
            b'a = 1\nb = "caf\xe9"\n',
            "f.toml: line 2, byte 9 has byte 0xe9, which is not UTF-8; save the file as UTF-8",
        ),
        (
            b'\xef\xbb\xbfb = "caf\xe9"\n',
            "f.toml: line 1, byte 12 has byte 0xe9, which is not UTF-8; save the file as UTF-8",
        ),
        ("a = 1".encode("utf-16"), "f.toml is UTF-16; save it as UTF-8"),
        (b"a = 1\na = 2\n", "f.toml: line 2, column 6: this key is written twice"),
        (b"a = 1\nb 2\n", "f.toml: line 2, column 3: expected '=' after a key in a key/value pair"),
        (b"a = 1\nb = [1,\n", "f.toml: line 3: invalid value; the file ends too early"),
        (b"a = " + b"[" * 100_000, "f.toml is nested too deeply"),
    ],
)
def test_what_is_not_toml_is_told_with_its_place(here: Path, content: bytes, said: str) -> None:
    Path("f.toml").write_bytes(content)
    assert complaint("f.toml").startswith(said)


def test_a_number_of_thousands_of_digits_is_a_fault_of_the_file(here: Path) -> None:
    Path("f.toml").write_text("a = " + "9" * 5000)
    assert complaint("f.toml").startswith("f.toml is not readable TOML: ")


@given(st.binary(max_size=60))
@example(b"a=0x\n")
@example(b"d = 2020-13-45\n")
def test_any_bytes_are_a_table_or_a_fault(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.toml"
        path.write_bytes(content)
        try:
            assert isinstance(read_toml(path), dict)
        except InputError as error:
            assert error.exit_code == 2
            assert str(error).startswith(f"{path}")


def test_a_missing_file_a_folder_and_a_broken_path_are_told_apart(here: Path) -> None:
    Path("folder").mkdir()
    Path("file").write_text("")
    Path("loop").symlink_to("loop")
    assert complaint("no.toml") == "no.toml does not exist"
    assert complaint("folder") == "folder is a folder; give the name of a file in it"
    assert complaint("file/a.toml").startswith("file/a.toml does not exist: a part of this path")
    assert complaint("a\0b.toml") == "a\\x00b.toml has a character that no file name may have"
    assert complaint("x" * 5000).endswith("cannot be read: file name too long")
    assert "cannot be read: " in complaint("loop")


def test_a_gigabyte_is_refused_unread(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("big.toml", "wb") as file:
        file.truncate(1_000_000_000)  # sparse: takes no room
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened"))
    assert complaint("big.toml") == "big.toml is too large: 1000.0 MB, at most 4 MB are read"


def test_a_file_that_grows_while_it_is_read_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("f.toml").write_text("a = 1\n" + "#" * 100)
    seen = os.stat("f.toml")
    small = os.stat_result([*seen[:6], 10, *seen[7:]])
    monkeypatch.setattr(Path, "stat", lambda _: small)
    monkeypatch.setattr("scenarios.tomlfile.MAX_BYTES", 50)
    assert "is too large" in complaint("f.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_pipes_and_devices_are_never_opened(here: Path) -> None:
    os.mkfifo("pipe.toml")
    assert complaint("pipe.toml") == "pipe.toml is not a regular file"
    assert complaint("/dev/null") == "/dev/null is not a regular file"


def test_an_unreadable_file_is_a_fault(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("f.toml").write_text("a = 1")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert complaint("f.toml") == "f.toml cannot be read: no permission"
