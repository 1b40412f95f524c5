"""One TOML file from disk, with every way in which it may not be one told in a sentence."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from scenarios.errors import Fault, InputError

MAX_BYTES = 4_000_000


def read_toml(path: Path | str) -> dict[str, Any]:
    """Read a TOML file of at most 4 MB in UTF-8, with or without a byte order mark.

    Raises
    ------
    InputError
        If it is missing, not a regular file (a folder, a device, a pipe: never opened), too
        large (never read), empty, not UTF-8 or not TOML; with line and column where there are.
    """
    path = Path(path)
    content = _content(path)
    text = _text(path, content)
    if not text.strip():
        raise _fault(path, "", "is empty")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _fault(path, *_syntax(str(error), text)) from None
    except RecursionError:
        raise _fault(path, "", "is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise _fault(path, "", f"is not readable TOML: {error}") from None


def _content(path: Path) -> bytes:
    try:
        seen = path.stat()
        if stat.S_ISDIR(seen.st_mode):
            raise _fault(path, "", "is a folder; give the name of a file in it")
        if not stat.S_ISREG(seen.st_mode):
            raise _fault(path, "", "is not a regular file")
        if seen.st_size > MAX_BYTES:
            raise _too_large(path, seen.st_size)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _fault(path, "", "does not exist") from None
    except NotADirectoryError:
        raise _fault(path, "", "does not exist: a part of this path is a file, not a folder") from None
    except PermissionError:
        raise _fault(path, "", "cannot be read: no permission") from None
    except OSError as error:
        raise _fault(path, "", f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        raise _fault(path, "", "has a character that no file name may have") from None
    if len(content) > MAX_BYTES:
        raise _too_large(path, len(content))
    return content


def _text(path: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(path, "", "is UTF-16; save it as UTF-8")
    nul = content.find(b"\0")
    if nul >= 0:
        raise _fault(path, _line(content, nul), "has a NUL byte; this is not a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = len(content) - len(error.object) + error.start
        what = f"has byte 0x{content[offset]:02x}, which is not UTF-8; save the file as UTF-8"
        raise _fault(path, _line(content, offset), what) from None


def _line(content: bytes, offset: int) -> str:
    before = content[:offset].split(b"\n")
    return f"line {len(before)}, byte {len(before[-1]) + 1}"


def _syntax(message: str, text: str) -> tuple[str, str]:
    """Split what tomllib says into the place and the sentence."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if not found:
        return "", f"is not TOML: {message}"
    what = found[1] if found[1].startswith("Cannot") else found[1][:1].lower() + found[1][1:]
    if what == "Cannot overwrite a value":
        what = "this key is written twice"
    if found[2] is None:
        return f"line {text.count(chr(10)) + 1}", f"{what}; the file ends too early"
    return f"line {found[2]}, column {found[3]}", what


def _too_large(path: Path, size: int) -> InputError:
    megabytes = size / 1e6
    return _fault(path, "", f"is too large: {megabytes:.1f} MB, at most {MAX_BYTES / 1e6:g} MB are read")


def _fault(path: Path, place: str, what: str) -> InputError:
    return InputError(path, [Fault(place, what)])
