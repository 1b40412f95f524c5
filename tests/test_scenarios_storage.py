"""Writing whole or not at all, hiding secrets, and the folder for what can be made again."""

import os
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import storage
from scenarios.errors import InputError
from scenarios.storage import cache_folder, redact, write_atomic


def test_bytes_and_writers_both_end_up_in_the_file(here: Path) -> None:
    write_atomic("a.bin", b"one")
    write_atomic(Path("b.bin"), lambda file: file.write(b"two"))
    assert (Path("a.bin").read_bytes(), Path("b.bin").read_bytes()) == (b"one", b"two")
    assert sorted(os.listdir()) == ["a.bin", "b.bin"]


@given(
    old=st.none() | st.binary(max_size=20),
    parts=st.lists(st.binary(max_size=20)),
    fails_after=st.integers(0, 5),
)
def test_a_file_holds_the_old_content_or_the_new_and_nothing_stays_beside_it(
    old: bytes | None, parts: list[bytes], fails_after: int
) -> None:
    def write(file: BinaryIO) -> None:
        for i, part in enumerate(parts):
            if i == fails_after:
                raise KeyboardInterrupt
            file.write(part)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        if old is not None:
            path.write_bytes(old)
        try:
            write_atomic(path, write)
            expected: bytes | None = b"".join(parts)
        except KeyboardInterrupt:
            expected = old
        assert (path.read_bytes() if path.exists() else None) == expected
        assert os.listdir(folder) == ([] if expected is None else ["f"])


def test_an_error_of_the_writer_comes_through_as_it_is(here: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"half")
        Path("not there").read_bytes()

    Path("a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        write_atomic("a", write)
    assert Path("a").read_bytes() == b"old"
    assert os.listdir() == ["a"]


def test_a_full_disk_is_told_and_leaves_nothing(here: Path) -> None:
    def write(file: BinaryIO) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="a cannot be written: no space left on device"):
        write_atomic("a", write)
    assert os.listdir() == []


def test_a_writer_is_not_seen_before_it_is_done(here: Path) -> None:
    Path("a").write_bytes(b"old")
    seen = []

    def write(file: BinaryIO) -> None:
        file.write(b"new")
        file.flush()
        seen.append(Path("a").read_bytes())

    write_atomic("a", write)
    assert (seen, Path("a").read_bytes()) == ([b"old"], b"new")


def test_two_writers_at_once_leave_one_whole_file(here: Path) -> None:
    contents = [bytes([65 + i]) * 100_000 for i in range(4)]
    threads = [threading.Thread(target=write_atomic, args=("a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Path("a").read_bytes() in contents
    assert os.listdir() == ["a"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no/such/a", "no/such/a cannot be written: the folder no/such does not exist; make it first"),
        ("file/a", "file/a cannot be written: the folder file does not exist; make it first"),
        ("folder", "folder is a folder; give the name of a file"),
        ("", ". is a folder; give the name of a file"),
        ("/dev/null", "/dev/null is not a regular file; give the name of a file"),
        ("a\0b", "a\\x00b has a character that no file name may have"),
        ("x" * 5000, "file name too long"),
    ],
)
def test_where_nothing_can_be_written_is_told(here: Path, path: str, said: str) -> None:
    Path("file").write_text("")
    Path("folder").mkdir()
    with pytest.raises(InputError) as caught:
        write_atomic(path, b"x")
    assert said in str(caught.value)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert sorted(os.listdir()) == ["file", "folder"]


def test_a_read_only_folder_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("scenarios.storage.os.open", denied)
    with pytest.raises(InputError, match=r"a cannot be written: no permission to write in \."):
        write_atomic("a", b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits and links")
def test_permissions_and_links_stay_as_they_were(here: Path) -> None:
    write_atomic("new", b"x")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(os.stat("new").st_mode) == 0o666 & ~umask
    Path("real").write_bytes(b"old")
    os.chmod("real", 0o640)
    Path("link").symlink_to("real")
    write_atomic("link", b"new")
    assert Path("link").is_symlink()
    assert Path("real").read_bytes() == b"new"
    assert stat.S_IMODE(os.stat("real").st_mode) == 0o640


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://care:hunter2@db/care", "postgres://care:***@db/care"),
        ("postgresql+asyncpg://u:p@ss:w@db:5432/x", "postgresql+asyncpg://u:***@db:5432/x"),
        ("redis://:secret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("postgres://u:a/b@db/x", "postgres://u:***@db/x"),
        (
            "run --url 'https://u:p@a/' --to https://v:q@b/",
            "run --url 'https://u:***@a/' --to https://v:***@b/",
        ),
        ("https://h/x?token=abc&hour=3", "https://h/x?token=***&hour=3"),
        ("https://h/x?hour=3&api_key=abc#top", "https://h/x?hour=3&api_key=***#top"),
        ("https://h/x?X-Amz-Signature=1f&password=p;client_secret=s", None),
        ("https://h/#access_token=abc", "https://h/#access_token=***"),
        ("http://127.0.0.1:8080/users/@klm", "http://127.0.0.1:8080/users/@klm"),
        ("http://[::1]:8080/@klm", "http://[::1]:8080/@klm"),
        ("https://h/x?monkey=1&tokens=2&hour=3", "https://h/x?monkey=1&tokens=2&hour=3"),
        ("mail a@b.c: at 10:30 @desk", "mail a@b.c: at 10:30 @desk"),
        ("", ""),
    ],
)
def test_secrets_are_hidden_and_the_rest_stays(text: str, shown: str | None) -> None:
    expected = shown if shown is not None else "https://h/x?X-Amz-Signature=***&password=***;client_secret=***"
    assert redact(text) == expected


WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='/?#"<>@:[ '), min_size=1)
SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='/?#"<> '), max_size=30)


@given(user=WORD, secret=SECRET, before=st.text(max_size=5), after=st.text(max_size=9))
def test_no_password_of_a_url_gets_through(user: str, secret: str, before: str, after: str) -> None:
    url = f"{before} https://{user}:XYZZY{secret}@host/{after}"
    assert "XYZZY" not in redact(url)
    assert redact(redact(url)) == redact(url)


@given(st.text(st.sampled_from("abk:/@?&#=.-_ token*"), max_size=60))
def test_hiding_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_hiding_is_linear_in_the_text() -> None:
    # Quadratic work on a million letters would take hours; the suite would not end.
    for text in ("a" * 1_000_000, "a://" * 250_000, "&a_" * 300_000, "a://b:" + "c" * 1_000_000):
        assert redact(text) == text


# --- the cache folder ---------------------------------------------------------------------------


def test_the_cache_folder_is_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "ashcloud"
    assert (tmp_path / "cache" / "ashcloud").is_dir()
    assert os.listdir(tmp_path / "cache" / "ashcloud") == []


@pytest.mark.parametrize("named", ["", "relative/folder"])
def test_the_cache_folder_is_in_the_home_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert cache_folder().is_relative_to(tmp_path)


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose home is a file; temporary files go to the folder returned."""
    (tmp_path / "home").write_text("a file, not a folder")
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    storage._folder_of_this_process.cache_clear()
    return tmp_path / "tmp"


def test_without_a_home_the_cache_is_a_folder_of_ones_own_among_temporary_files(homeless: Path) -> None:
    folder = cache_folder()
    assert folder.parent == homeless
    assert cache_folder() == folder
    assert not folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits and links")
@pytest.mark.parametrize("trap", ["open to all", "link"])
def test_a_cache_that_others_could_write_to_is_not_used(homeless: Path, trap: str) -> None:
    laid = cache_folder()
    laid.rmdir()
    if trap == "link":
        (homeless / "elsewhere").mkdir(mode=0o700)
        laid.symlink_to(homeless / "elsewhere")
    else:
        laid.mkdir()
        laid.chmod(0o777)
    folder = cache_folder()
    assert folder != laid
    assert folder == cache_folder()
    assert not folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
