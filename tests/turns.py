"""Whose turn it is when several processes share the tests: many at once, or one that needs the machine for itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # where there is none, tests are not shared out so finely
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def turn(folder: Path, alone: bool) -> Iterator[None]:
    """Wait for one's turn and hold it; `folder` is the same for all processes of a run of tests.

    Whoever comes takes the gate first. Who needs to be alone keeps it until he is done, so that those who come
    later wait behind him, and he waits only for those who are inside already.
    """
    if fcntl is None:
        yield
        return
    with open(folder / "gate", "a") as gate, open(folder / "room", "a") as room:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield  # closing the files lets go of both
