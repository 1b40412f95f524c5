"""Where bytes go: writing a file whole or not at all, the cache folder, secrets kept out of both."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from scenarios.errors import Fault, InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_USER_INFO = re.compile(
    r"""(?<![A-Za-z0-9+.\-])(?P<head>[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@?\#"<>\[]*):
        (?: [^\s/?\#"<>]*             # a well-formed password, up to the last @ before the path
          | (?!\d+/)[^\s"<>@]{0,200} )  # one with a raw slash in it; host:8080/ is no password
        @""",
    re.VERBOSE,
)
_SECRET_PARAMETER = re.compile(
    r"""(?P<head>[?&;\#] (?:[\w.%\-]{0,64}[_.\-])?
        (?:token|password|passwd|secret|api_?key|key|signature|sig) =)
        [^\s&;\#"'<>]+""",
    re.VERBOSE | re.IGNORECASE,
)


def write_atomic(path: Path | str, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Parameters
    ----------
    path : Path or str
        The file; a symbolic link is followed, an existing file keeps its permissions.
    content : bytes or callable
        The bytes, or a function that writes them to the open binary file it is given.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to, if the disk is full, or if `path` is a
        folder or a device. Whatever else `content` raises comes through; nothing is left behind.

    Notes
    -----
    Written to a file beside it, flushed to disk, then renamed. Only a killed process or a power
    cut leaves that file, named ``.ashcloud-*.part``.
    """
    path = Path(path)
    try:
        target = Path(os.path.realpath(path))
        part = target.with_name(f".ashcloud-{os.urandom(8).hex()}.part")
        mode = _mode_of(target)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from None
    try:
        with open(handle, "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(part, mode)
        _put(part, target, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise _cannot_write(path, error) from None
        raise


def _mode_of(target: Path) -> int | None:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise ValueError("is not a regular file; give the name of a file")
    return stat.S_IMODE(mode)


def _put(part: Path, target: Path, shown: Path) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        raise _cannot_write(shown, error) from None
    with contextlib.suppress(OSError):  # not every system lets a folder be flushed
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _cannot_write(path: Path, error: OSError | ValueError) -> InputError:
    if isinstance(error, IsADirectoryError):
        what = "is a folder; give the name of a file"
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        what = f"cannot be written: the folder {path.parent} does not exist; make it first"
    elif isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        what = f"cannot be written: no permission to write in {path.parent}"
    elif isinstance(error, OSError):
        what = f"cannot be written: {(error.strerror or str(error)).lower()}"
    else:
        what = "has a character that no file name may have" if "null" in str(error) else str(error)
    return InputError(path, [Fault("", what)])


def redact(text: str) -> str:
    """Hide the passwords of URLs and the secret parameters of their queries behind ``***``.

    ``postgres://care:hunter2@db/care`` becomes ``postgres://care:***@db/care``, and
    ``?token=abc&hour=3`` becomes ``?token=***&hour=3``; parameters are those whose name is or ends
    in token, password, secret, key or signature. Doing it twice changes nothing more.
    """
    return _SECRET_PARAMETER.sub(r"\g<head>***", _USER_INFO.sub(r"\g<head>:***@", text))


def cache_folder() -> Path:
    """Return the folder for what can be made again (compiled code), and make it if need be.

    ``$XDG_CACHE_HOME/ashcloud`` where that is set, else the cache folder that the system gives a
    user. Where it cannot be written to, a folder of this user's own among the temporary files:
    compiled code is loaded from here, so nobody else may be able to write to it.
    """
    for folder in _users_folders():
        if _is_writable(folder):
            return folder
    shared = Path(tempfile.gettempdir()) / f"ashcloud-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    if _is_writable(shared) and _is_only_ours(shared):
        return shared
    return _folder_of_this_process()


def _users_folders() -> list[Path]:
    found: list[Path] = []
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        found.append(Path(named) / "ashcloud")
    with contextlib.suppress(RuntimeError):  # a user without a home
        home = Path.home()
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
            found.append(Path(local) / "ashcloud" / "Cache")
        elif sys.platform == "darwin":
            found.append(home / "Library" / "Caches" / "ashcloud")
        else:
            found.append(home / ".cache" / "ashcloud")
    return found


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, ValueError):
        return False


def _is_only_ours(folder: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return True
    seen = folder.lstat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid() and not seen.st_mode & others


@functools.cache
def _folder_of_this_process() -> Path:
    return Path(tempfile.mkdtemp(prefix="ashcloud-"))
