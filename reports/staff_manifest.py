"""What the folder of a staffing plan says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reports.manifest import FORMAT, NAME, Source
from scenarios.laws import Frozen, NonNegative
from scenarios.storage import write_atomic
from sim.staff.worlds_advice import MOST_WORLDS

STAFF: Literal["staff"] = "staff"


class StaffSettings(Frozen):
    """What was asked for beside scenario, desk and promises.

    `per` is whether promises hold for each language as well as for all; `budget` the time for the search, in words;
    `size` that of the surges; `miss_eur` the price of a missed case, an assumption; `baselines` the number of days on
    which usual ways to staff are played, 0: not at all; `worlds` that of the worlds drawn from the assumed ranges at
    most, 0: none; `roster` the rules of a roster, None: no roster is made; `roster_heads` whether it has as many agents
    as it takes or at most the desk's own heads in each pool.
    """

    per: Literal["language", "all"] = "language"
    budget: str = "1m"
    seed: int = 1
    hours: float | None = None
    size: Literal["likely", "low", "high"] = "likely"
    miss_eur: NonNegative = 10.0
    baselines: Annotated[int, Field(ge=0)] = 8
    worlds: Annotated[int, Field(ge=0)] = MOST_WORLDS
    roster: str | None = None
    roster_heads: Literal["any", "own"] = "any"


class StaffManifest(Frozen):
    """See `reports.manifest.Manifest`."""

    kind: Literal["staff"] = STAFF
    format: int = FORMAT
    status: Literal["finished", "interrupted"]
    command: str
    scenario: Source
    desk: Source
    plan: str | None
    promises: tuple[str, ...]
    settings: StaffSettings
    started: str
    ended: str
    seconds: float
    versions: dict[str, str]
    python: str
    platform: str
    cores: int

    def save(self, folder: Path) -> None:
        """Write it into the folder, whole or not at all."""
        write_atomic(folder / NAME, self.model_dump_json(indent=1).encode() + b"\n")
