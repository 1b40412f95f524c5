"""What the folder of a load test says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from reports.manifest import FORMAT, LOAD, NAME, Source
from scenarios.laws import Frozen
from scenarios.storage import write_atomic


class LoadManifest(Frozen):
    """See `reports.manifest.Manifest`; `scenario` is None if a trace file was replayed."""

    kind: Literal["load"] = LOAD
    format: int = FORMAT
    status: Literal["finished", "interrupted", "aborted"]
    command: str
    scenario: Source | None
    trace: str | None
    settings: dict[str, Any]
    result: str
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
