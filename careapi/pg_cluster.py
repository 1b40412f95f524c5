"""A PostgreSQL server of one's own, for tests and benchmarks: made in a folder, thrown away at the end.

It is an installed PostgreSQL, run as user `postgres` if we are root, reached by a socket in its folder. What it
commits goes to the disk, as in earnest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Server:
    """A running server; `control` is the command that stops and starts it, empty if it is not ours."""

    dsn: str
    control: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))

    def restart(self) -> None:
        """Stop the server, breaking all connections, and start it again."""
        _quietly([*self.control, "-m", "fast", "-w", "restart"])


def programs() -> Path | None:
    """The folder of the programs of the newest PostgreSQL that is installed here, or None."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


@contextmanager
def cluster(where: Path) -> Iterator[Server]:
    """Run a new server for the length of the block.

    Parameters
    ----------
    where : Path
        The folder of `initdb` and `pg_ctl`; see `programs`.
    """
    folder = Path(tempfile.mkdtemp(prefix="ashcloud-pg-", dir="/tmp"))  # short: the path of a socket is limited
    who: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        who = ["runuser", "-u", "postgres", "--"]
    data = ["-D", str(folder / "data")]
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=120"
    control = [*who, str(where / "pg_ctl"), *data, "-l", str(folder / "log"), "-o", options]
    init = [*who, str(where / "initdb"), *data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    try:
        _quietly([*init, "--no-sync"])
        _quietly([*control, "-w", "start"])
        yield Server(f"postgresql://postgres@/postgres?host={folder}", control)
    finally:
        subprocess.run([*control, "-m", "immediate", "-w", "stop"], check=False, capture_output=True, cwd="/tmp")
        shutil.rmtree(folder, ignore_errors=True)


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/tmp")  # a folder that `postgres` may enter
