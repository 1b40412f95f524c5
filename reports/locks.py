"""One process at a time in a run folder. The system lets go of a lock when its process dies, however it dies."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from scenarios.errors import RunError

NAME = ".lock"


class Lock:
    """A lock on a folder, held from its making to `release`.

    Raises
    ------
    RunError
        If another process holds it, which is named, or if the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        try:
            self._handle = _held(path, folder)
        except OSError as error:
            raise RunError(f"{folder}: cannot be written to: {(error.strerror or str(error)).lower()}") from None
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"process {os.getpid()} on {socket.gethostname()}".encode())

    def release(self, folder: Path) -> None:
        """Let go of it; the folder may have another name now."""
        with suppress(OSError):
            (folder / NAME).unlink()
        os.close(self._handle)


def _held(path: Path, folder: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
        except OSError:
            holder = os.pread(handle, 200, 0).decode(errors="replace") if hasattr(os, "pread") else ""
            os.close(handle)
            raise RunError(
                f"{folder}: {holder or 'another process'} is at work in it; wait for its end, or stop it"
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        os.close(handle)  # whoever held it has removed it meanwhile


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
