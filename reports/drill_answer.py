"""What came of a drill, told beside the simulation: the finding, a line for each language, the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.drilled import Drilled
from loadtests.operations import Operation
from reports.drill_beside import Beside
from reports.drill_question import DrillQuestion
from scenarios.generate import made_by

FloatArray = NDArray[np.float64]
SLOW_MIN = 1.0  # scenario minutes that a request of an agent may take before it shows in the waits


@dataclass(frozen=True)
class DrillAnswer:
    """What came out.

    Attributes
    ----------
    beside : Beside
        What the simulation says of the same cases.
    agents : int
        Who was at the desk at any time.
    mishaps : tuple of mapping
        What went wrong on purpose, see `loadtests.mischief.Mischief.told`.
    checked : str
        What `ashcloud care check` says of the store of a service that was started; empty: all holds, or not ours.
    """

    question: DrillQuestion
    drilled: Drilled
    beside: Beside
    agents: int
    checked: str
    trace: str = ""
    started: str = ""
    mishaps: tuple[Mapping[str, Any], ...] = ()
    folder: Path | None = None

    @property
    def valid(self) -> bool:
        """Whether the drill itself was in time."""
        return self.drilled.lag_p99_s <= self.question.max_lag_s

    @property
    def code(self) -> int:
        """Exit code: 3 store broken or something failed, 130 interrupted, 4 late, 3 nobody was answered, else 0."""
        failed = self.drilled.status == "failed" or any(each["error"] for each in self.mishaps)
        if self.checked or failed:
            return 3
        if self.drilled.status == "interrupted":
            return 130
        if not self.valid:
            return 4
        nobody = self.drilled.number.size > 0 and not np.isfinite(self.drilled.first_response_s).any()
        return 3 if nobody else 0

    @property
    def headline(self) -> str:
        """The one sentence."""
        told = self.drilled
        if not self.valid:
            late = f"1 % of its posts were {1e3 * told.lag_p99_s:,.0f} ms late or more"
            return f"The drill is invalid: {late}, so nothing is said about the service; take a lower --speed."
        answered = int(np.isfinite(told.first_response_s).sum())
        words = f"{answered:,} of {told.number.size:,} cases were answered"
        first, simulated = (_quantile(each, 0.5) for each in (told.first_response_s, self.beside.first_response_s))
        if first is None or simulated is None or told.status != "finished":  # cut off, the waits are none to compare
            return f"{words}."
        return f"{words}, half of them within {first / 60.0:,.1f} min; the simulation says {simulated / 60.0:,.1f} min."

    @property
    def difference(self) -> str:
        """Whether the service answers later than the simulation; empty: that cannot be told."""
        return self.beside.paired.words if self.valid and self.drilled.status == "finished" else ""

    def remarks(self) -> list[str]:
        """All else there is to hear."""
        told, out = self.drilled, []
        if told.status != "finished":
            why = f" ({told.why})" if told.why else ""
            at = f"{told.status} of requests" if told.status == "at the limit" else told.status
            out.append(f"it was ended, {at}{why}; what was done until then is kept")
        if told.unseen:
            out.append(f"{told.unseen:,} of {told.number.size:,} cases were taken for chatter, so no agent saw them")
        if told.aside:
            out.append(f"{told.aside:,} of {told.claims:,} claims were of posts that ask nothing, and were put aside")
        if self.valid and (slow_min := self._slowest_min()) > SLOW_MIN:
            out.append(
                f"requests of agents took up to {slow_min:,.0f} min on the clock of the scenario (p99): "
                "to compare waits with the simulation, take a lower --speed"
            )
        if left := told.ends["left"]:
            out.append(f"{left:,} of {told.claims:,} claims ended in neither an answer nor a hand-back")
        out += [f"{n:,} {name} request{'s' * (n != 1)}: {why}" for name, count in told.operations.items()
                for why, n in count["errors"].items()]  # fmt: skip
        out += [f"{each['name']}: {each['error']}" for each in self.mishaps if each["error"]]
        if self.checked:
            out.append(f"care check: {self.checked}")
        return out

    def _slowest_min(self) -> float:
        """The slowest of what an agent does in each turn, p99, in scenario minutes."""
        each_turn = (Operation.CLAIM, Operation.READ, Operation.REPLY)
        counts = [self.drilled.operations[name] for name in each_turn if name in self.drilled.operations]
        return max((count["p99_s"] or 0.0 for count in counts), default=0.0) * self.question.speed / 60.0

    def rows(self) -> Iterator[dict[str, Any]]:
        """A line for each language with cases, and one of all.

        Waits of the first response are those of the answered; cases that wait count at the end of the drill, those in
        hand included.
        """
        told, simulated_s = self.drilled, self.beside.first_response_s
        of = np.array([str(language) for language in told.languages])
        at_the_end = told.waits.of[np.isinf(told.waits.until_s)]
        waiting = of[np.isin(told.number, at_the_end)].tolist()
        expected = {str(language): number for language, number in self.beside.waiting.items()}
        for name in (*sorted({*of.tolist(), *expected}), "all"):
            here = np.ones(of.size, dtype=bool) if name == "all" else of == name
            yield {
                "language": name,
                "cases": int(here.sum()),
                "answered": int(np.isfinite(told.first_response_s[here]).sum()),
                "waiting": len(waiting) if name == "all" else waiting.count(name),
                **_waits(told.first_response_s[here] if self.valid else np.zeros(0), ""),
                "simulated_answered": int(np.isfinite(simulated_s[here]).sum()),
                "simulated_waiting": sum(expected.values()) if name == "all" else expected.get(name, 0),
                **_waits(simulated_s[here], "simulated_"),
            }

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        told = self.drilled.to_dict()
        if not self.valid:
            told |= {"first_response_mean_s": None, "first_response_p50_s": None}
            told["operations"] = {
                name: {**count, "p50_s": None, "p99_s": None} for name, count in told["operations"].items()
            }
        return {
            "headline": self.headline,
            "exit_code": self.code,
            "valid": self.valid,
            **self.question.settings(),
            "trace": self.trace,
            "agents": self.agents,
            **told,
            "languages": list(self.rows()),
            "difference": self.difference or None,
            "case_by_case": self.beside.paired.to_dict() if self.valid else None,
            "by_clock": self.beside.by_clock.to_dict(),
            "mishaps": [dict(each) for each in self.mishaps],
            "check": self.checked or None,
            "version": made_by(),
        }


def _waits(times_s: FloatArray, prefix: str) -> dict[str, float | None]:
    return {f"{prefix}first_response_p{round(100 * p)}_s": _quantile(times_s, p) for p in (0.5, 0.9)}


def _quantile(times_s: FloatArray, p: float) -> float | None:
    """Of those that were answered; None if none was."""
    answered = times_s[np.isfinite(times_s)]
    return float(np.quantile(answered, p)) if answered.size else None
