"""What the folder of a load test, or of a drill, says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from reports.manifest import DRILL, FORMAT, LOAD, NAME, Source
from scenarios.laws import Frozen
from scenarios.storage import write_atomic


class _Played(Frozen):
    """What both say; see `reports.manifest.Manifest`."""

    format: int = FORMAT
    command: str
    settings: dict[str, Any]
    exit_code: int
    started: str
    ended: str
    versions: dict[str, str]
    python: str
    platform: str
    cores: int

    def save(self, folder: Path) -> None:
        """Write it into the folder, whole or not at all."""
        write_atomic(folder / NAME, self.model_dump_json(indent=1).encode() + b"\n")


class LoadManifest(_Played):
    """Of a load test; `scenario` is None if a trace file was replayed."""

    kind: Literal["load"] = LOAD
    status: Literal["finished", "interrupted", "aborted"]
    scenario: Source | None
    trace: str | None
    result: str


class DrillManifest(_Played):
    """Of a drill; `trace` is the digest of the posts that were played, `outcome` that of the simulation beside it."""

    kind: Literal["drill"] = DRILL
    status: Literal["finished", "interrupted", "at the limit", "failed"]
    scenario: Source
    desk: Source
    trace: str
    outcome: str
