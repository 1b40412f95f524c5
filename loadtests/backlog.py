"""Which of a server's own series tell what waits there, and what they say now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scenarios.errors import Fault, InputError

OPTION = "--backlog"
# The reference service's own names for what waits in it; of each the sum over its labels.
KNOWN = {
    "care_inflight": "requests in hand",
    "care_writes_waiting": "writes waiting",
    "care_open_cases": "cases waiting",
}
_NAME = re.compile(r"[A-Za-z_:][\w:]*(?:\{[^{}]*\})?")
State = Literal["no metrics", "not asked", "not known", "silent", "told"]


@dataclass(frozen=True)
class Backlog:
    """The series that tell what waits at a server.

    Attributes
    ----------
    chosen : sequence of str
        Names of series: with labels that one alone, without labels the sum of all that have the name. Empty:
        those of the reference service.
    """

    chosen: Sequence[str] = ()

    def __post_init__(self) -> None:
        wrong = [name for name in self.chosen if not _NAME.fullmatch(name)]
        if wrong:
            what = 'is no name of a series; write it as the service does, such as queue_length or jobs{state="new"}'
            raise InputError(None, [Fault(f"{OPTION} {name}", what) for name in wrong])

    def of(self, url: str | None, attempts: int, sample: Mapping[str, float] | None) -> dict[str, Any]:
        """What a sample tells, ready for JSON: a `state`, and `values` by name.

        Parameters
        ----------
        url : str or None
            Where the server tells its metrics.
        attempts : int
            How often it was asked.
        sample : mapping of str to float, or None
            What it told last, see `loadtests.scrape.read`; None: nothing.
        """
        names = dict.fromkeys(self.chosen) or KNOWN
        found = {
            label or name: value for name, label in names.items() if (value := _value(sample or {}, name)) is not None
        }
        state: State = "told"
        if url is None:
            state = "no metrics"
        elif sample is None:
            state = "silent" if attempts else "not asked"
        elif not found:
            state = "not known"
        return {"state": state, "values": found if state == "told" else {}, "asked": attempts}


def _value(sample: Mapping[str, float], name: str) -> float | None:
    """Of one series, or of all that have a name; None if there are none."""
    if name in sample:
        return sample[name]
    parts = [value for series, value in sample.items() if series.partition("{")[0] == name]
    return sum(parts) if parts else None
