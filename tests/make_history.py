"""Half-hourly counts of our own making, as a workforce tool exports them: ``python tests/make_history.py``.

Ten weeks in two languages with an ordinary week, busyness on two levels and a surge, over the night in which the
clocks are put back. Times are local, without an offset. What it was made with is here, for tests to find again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language, PostKind, code, members

FILE = Path(__file__).parent / "data" / "history.csv"
ZONE = ZoneInfo("Europe/Amsterdam")
WEEKS, STEP_S, SEED = 10, 1800, 20250901
HANDLING_MIN, WAIT_MIN, PATIENCE_MIN = 12.0, 20.0, 200.0
ENGLISH = {
    "hours": [0.5, 0.35, 0.25, 0.2, 0.2, 0.3, 0.5, 0.8, 1.0, 1.2, 1.4, 1.4, 1.4, 1.3, 1.3, 1.3, 1.4, 1.5, 1.6, 1.6,
              1.5, 1.3, 1.0, 0.7],
    "weekdays": [1.1, 1.0, 1.0, 1.0, 1.1, 0.95, 0.85],
}  # fmt: skip
DUTCH = {
    "hours": [0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.6, 1.2, 1.6, 1.7, 1.7, 1.6, 1.5, 1.5, 1.5, 1.4, 1.4, 1.3, 1.4, 1.5,
              1.3, 1.0, 0.6, 0.4],
    "weekdays": [1.2, 1.1, 1.05, 1.05, 1.1, 0.8, 0.7],
}  # fmt: skip
NOISE: Mapping[str, float] = {"day_sd": 0.12, "day_ar": 0.3, "hour_sd": 0.25, "hour_memory_h": 1.5}
SURGE: Mapping[str, float] = {"at_h": 400.0, "cases": 8.0, "rise_h": 3.0, "plateau_h": 4.0, "tau_h": 10.0}
CASES_PER_H = 40.0
LANGUAGES = {"en": 0.6, "nl": 0.4}


def truth(weeks: int = WEEKS, onset: str = "2025-09-08T00:00:00", per_h: float = CASES_PER_H) -> Scenario:
    """The scenario that the history is drawn from."""
    return Scenario.model_validate(
        {
            "name": "truth", "title": "What the history was made with", "onset_local": onset,
            "timezone": ZONE.key, "window_h": [0.0, 168.0 * weeks],
            "base": {"cases_per_h": per_h, "mentions_per_h": per_h, "noise": dict(NOISE),
                     "profiles": {"en": ENGLISH, "nl": DUTCH}},
            "mix": {"languages": LANGUAGES},
            "surges": [{"kind": "pulse", "mentions": SURGE["cases"], **SURGE}],
        }
    )  # fmt: skip


def contacts(scenario: Scenario, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Times of the contacts in seconds after 1970, ascending, and codes of their languages."""
    trace = generate(scenario, seed)
    mine = trace["kind"] == code(PostKind.CASE)
    return scenario.clock(0.0).timestamp() + trace["time_s"][mine], trace["language"][mine]


def table(scenario: Scenario, seed: int, step_s: int = STEP_S) -> str:
    """Counts by interval and language, with means of work and wait, and how many gave up."""
    rng = np.random.default_rng(seed)
    time_s, language = contacts(scenario, seed)
    begin, end = (scenario.clock(t).timestamp() for t in scenario.window_s)
    lines = ["Start;Language;Contacts;Handling_min;Wait_min;Abandoned"]
    codes = {str(word): code(word) for word in members(Language) if str(word) in LANGUAGES}
    place = ((time_s - begin) // step_s).astype(int)
    size = int((end - begin) // step_s)
    counts = {word: np.bincount(place[language == number], minlength=size) for word, number in codes.items()}
    for i in range(size):
        local = datetime.fromtimestamp(begin + i * step_s, ZONE)
        for word in codes:
            n = int(counts[word][i])
            patience, due = rng.exponential(PATIENCE_MIN, n), rng.exponential(WAIT_MIN, n)
            work = f"{rng.lognormal(np.log(HANDLING_MIN), 0.7, n).mean():.1f}".replace(".", ",") if n else ""
            wait = f"{np.minimum(patience, due).mean():.1f}".replace(".", ",") if n else ""
            lines.append(f"{local:%d-%m-%Y %H:%M};{word};{n};{work};{wait};{np.count_nonzero(patience < due)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(truth(), SEED), "utf-8")
    print(f"{FILE}: {FILE.stat().st_size:,} bytes", file=sys.stderr)
