"""Who leads a replay, without Locust: gives out parts, starts them together, keeps the books, says how it goes."""

from __future__ import annotations

import json
import time
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.collect import Collector
from loadtests.result import COLUMNS
from loadtests.schedule import load
from loadtests.work import SCHEDULE

ROWS, BOOKS = "rows.npz", "books.json"
LEAD_S = 0.6  # from the word to go until the first row

now = time.monotonic


class Stage(Enum):
    """How far a part is."""

    WAITING = 0
    READY = 1
    RUNNING = 2
    DONE = 3
    LOST = 4


class Chief:
    """Keeps the books of a replay with a number of parts, of which each may have all rows of its authors.

    Attributes
    ----------
    start_s : float or None
        When the first moment of the schedule is, by the clock of `time.monotonic`; None until all parts are ready.
    start_wall_s : float
        The same in seconds since the epoch, 0 until then.
    """

    def __init__(self, folder: Path, parts: int, by_author: bool = False) -> None:
        self._folder = folder
        self._collector = Collector(load(folder / SCHEDULE), parts, by_author)
        self._stages = [Stage.WAITING] * parts
        self._spent: list[dict[str, Any]] = [{} for _ in range(parts)]
        self._flying, self._handed, self._told_s = [0] * parts, [0] * parts, [0.0] * parts
        self.start_s: float | None = None
        self.start_wall_s = 0.0
        self.halted = False
        self._end_s: float | None = None

    def ready(self, part: int) -> bool:
        """A part is ready; whether all are now, so that they can be told to start at `start_s`."""
        if self._stages[part] is Stage.WAITING:
            self._stages[part] = Stage.READY
        return self._go()

    def _go(self) -> bool:
        if self.start_s is not None or Stage.WAITING in self._stages or Stage.READY not in self._stages:
            return False
        self._stages = [Stage.RUNNING if stage is Stage.READY else stage for stage in self._stages]
        self.start_s, self.start_wall_s = now() + LEAD_S, time.time() + LEAD_S
        return True

    def rows(self, part: int, message: dict[str, Any]) -> None:
        """Rows of a part have ended. Of one that was given up nothing more is taken: its rows are booked."""
        if self._stages[part] in (Stage.LOST, Stage.DONE):
            return
        self._collector.add(part, message)
        self._flying[part], self._handed[part] = message["in_flight"], message["handed"]
        self._told_s[part] = self.at_s

    def done(self, part: int, spent: dict[str, Any]) -> None:
        """A part has told all of its rows."""
        if self._stages[part] is not Stage.LOST:
            self._stages[part], self._spent[part], self._flying[part] = Stage.DONE, spent, 0

    def lost(self, part: int) -> bool:
        """A part is gone; its rows are booked as lost. Whether the others can be told to start now."""
        if self._stages[part] in (Stage.DONE, Stage.LOST):
            return False
        self._stages[part], self._flying[part] = Stage.LOST, 0
        rows = self._collector.lose(part, self.at_s)
        self._handed[part] = self._collector.begun(part)
        self._spent[part] = {"lost": True, "lost_at_s": round(max(self.at_s, 0.0), 3), "lost_rows": rows}
        return self._go()

    @property
    def at_s(self) -> float:
        """Seconds since the start; below 0 before it. Once the books are closed it stands still."""
        if self._end_s is not None:
            return self._end_s
        return -LEAD_S if self.start_s is None else now() - self.start_s

    @property
    def finished(self) -> bool:
        return all(stage in (Stage.DONE, Stage.LOST) for stage in self._stages)

    @property
    def due(self) -> int:
        """Rows that were due by now."""
        return self._collector.due(self.at_s) if self.start_s is not None else 0

    def status(self) -> dict[str, Any]:
        """How it goes, ready for JSON; `tallies` are those of `loadtests.collect.Tally`, that of all first.

        `due` is at least `handed`: rows that were taken up when they were due, or may have been at a worker that was
        lost. Those have an end or are `in_flight`, but for rows that a stop in sessions leaves unsent. `later` is
        the tally of the rows that are due in no phase, None where there are none. `told_s` is until when all parts
        have told theirs, `told_due` what was due by then.
        """
        at_s, due, later = self.at_s, self.due, self._collector.later
        parts = zip(self._told_s, self._stages, strict=True)
        told_s = min([at_s, *(told_s for told_s, stage in parts if stage is Stage.RUNNING)])
        return {
            "at_s": round(at_s, 3),
            "due": due,
            "told_s": round(told_s, 3),
            "told_due": self._collector.due(told_s) if self.start_s is not None else 0,
            "handed": sum(self._handed),
            "in_flight": sum(self._flying),
            "lost": self._stages.count(Stage.LOST),
            "tallies": [tally.to_dict() for tally in self._collector.tallies],
            "later": None if later is None else later.to_dict(),
        }

    def write(self) -> None:
        """Close the books and write them into the folder."""
        self._end_s = self.at_s
        self._collector.close()
        columns = self._collector.columns()
        with (self._folder / ROWS).open("wb") as file:
            np.savez(file, **{name: columns[name] for name in COLUMNS})  # type: ignore[arg-type]
        books = {
            "errors": self._collector.errors,
            "workers": [{"number": number, **spent} for number, spent in enumerate(self._spent)],
            "start_wall_s": self.start_wall_s,
            "due": self.due,
            "handed": sum(self._handed),
        }
        (self._folder / BOOKS).write_text(json.dumps(books), "utf-8")
