"""A calibrated scenario as a TOML file that people read: values with their errors, and what is assumed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from scenarios.checks import check
from scenarios.history.calibrate import Calibrated
from scenarios.history.durations import FittedLaw
from scenarios.model import Scenario

WIDE = 110


def toml_of(done: Calibrated) -> bytes:
    """The scenario as a file, checked to be read as the same."""
    scenario = done.scenario
    data = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    data |= {"window_h": list(scenario.window_h), "timezone": scenario.timezone}
    data["base"] = scenario.base.model_dump(mode="json")
    text = "\n".join(_lines(done, data)) + "\n"
    again = check(Scenario, tomllib.loads(text), Path(f"{scenario.name}.toml"))
    if again != scenario:
        raise AssertionError("a scenario that was written does not read as the same")
    return text.encode()


def _lines(done: Calibrated, data: dict[str, Any]) -> list[str]:
    errors, base = done.errors, data["base"]
    out = [
        f"# Fitted by `ashcloud calibrate` to {done.history.rows:,} rows of history.",
        f"# +- is one standard error, over {errors.draws} histories drawn from what was fitted.",
    ]
    out += [_line(key, data[key]) for key in ("name", "title", "story", "sources", "timezone") if key in data]
    out.append(f"onset_local = {data['onset_local']}")
    out += [_line("window_h", data["window_h"]), "", "[base]"]
    out.append(f"{_line('cases_per_h', base['cases_per_h'])} # +- {errors.cases_per_h:.2g}")
    out.append(_line("mentions_per_h", base["mentions_per_h"]))
    out.append(f"{_line('hours', base['hours'])} # of all, +- {_typical(errors.hours)}")
    out.append(f"{_line('weekdays', base['weekdays'])} # from Monday, +- {_typical(errors.weekdays)}")
    out += [_line("week", base["week"])] if base["week"] else []
    out += ["", "[base.noise]"]
    noise = done.scenario.base.noise.model_dump()
    out += [f"{_line(key, value)} # +- {errors.noise[key]:.2g}" for key, value in noise.items()]
    for language, profile in base.get("profiles", {}).items():
        out += ["", f"[base.profiles.{language}]", *(_line(key, x) for key, x in profile.items() if x is not None)]
    for i, surge in enumerate(data.get("surges", [])):
        out += ["", "[[surges]]", *_surge(done, i, surge)]
    if data.get("mix"):
        out += ["", "[mix]", *(_line(key, value) for key, value in data["mix"].items())]
    out += ["", "[behaviour]", *_behaviour(done, data.get("behaviour", {}))]
    for row in data.get("assumed", []):
        out += ["", "[[assumed]]", *(_line(key, value) for key, value in row.items())]
    return out


def _surge(done: Calibrated, place: int, surge: Mapping[str, Any]) -> list[str]:
    """Lines of a surge, with the errors of the pulse that it is."""
    found = _which(done, place)
    said = dict(zip(("at_h", "rise_h", "plateau_h", "tau_h", "cases"), done.errors.pulses[found], strict=True))
    at = done.fit.pulses[found].at_h * 3600.0 + done.fit.series.start_s
    out = [f"# began {_clock(at, done)}"]
    for key, value in surge.items():
        error = f" # +- {said[key]:.2g}" if key in said else ""
        out.append(_line(key, value) + error)
    return out


def _which(done: Calibrated, place: int) -> int:
    """Number of the pulse of the fit that a surge of the scenario is."""
    onset = done.scenario.clock(0.0).timestamp()
    at_h = (onset - done.fit.series.start_s) / 3600.0 + getattr(done.scenario.surges[place], "at_h", 0.0)
    return int(np.argmin([abs(each.at_h - at_h) for each in done.fit.pulses]))


def _clock(utc_s: float, done: Calibrated) -> str:
    return f"{datetime.fromtimestamp(utc_s, done.fit.series.zone):%Y-%m-%d %H:%M}"


def _behaviour(done: Calibrated, data: Mapping[str, Any]) -> list[str]:
    out = []
    for key, value in data.items():
        law = {"handling_min": done.handling, "patience_h": done.patience}.get(key)
        if law is not None:
            out.append(f"# {_told(law)}")
        if key == "handling_min":
            out += [_line(f"{key}.{topic}", each) for topic, each in value.items()]
        elif key in ("after_abandoned", "after_blocked"):
            out += [f"{key} = [", *(f"  {_value(row)}," for row in value), "]"]
        else:
            out.append(_line(key, value))
    return out


def _told(law: FittedLaw) -> str:
    errors = ", ".join(f"{name} +- {error:.2g}" for name, error in law.errors.items())
    return f"{law.ended:,} of {law.n:,} came to an end; {errors}; at most {law.gap:.1%} off"


def _typical(errors: Sequence[float] | np.ndarray[Any, Any]) -> str:
    return f"{float(np.median(np.asarray(errors))):.2g}"


def _line(key: str, value: Any) -> str:
    whole = f"{key} = {_value(value)}"
    if len(whole) <= WIDE or not isinstance(value, list):
        return whole
    rows, row = [], ""
    for each in value:
        text = f"{_value(each)}, "
        if len(row) + len(text) > WIDE:
            rows.append(row.rstrip())
            row = ""
        row += text
    return "\n".join([f"{key} = [", *(f"  {each}" for each in [*rows, row.rstrip()]), "]"])


def _value(value: Any) -> str:
    """A value in one line of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    return "[" + ", ".join(_value(each) for each in value) + "]"
