"""Load results: sums that hold, times from the due time, histograms that merge, files that tell when damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.histogram import Histogram
from loadtests.result import COLUMNS, LATER, LoadResult, Outcome, load
from scenarios.errors import TraceError

NAN = math.nan


def result(**columns: Any) -> LoadResult:
    """Six rows, one of each outcome; `columns` replace those."""
    rows: dict[str, Any] = {
        "due_s": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        "sent_s": [NAN, 1.5, 2.0, 3.0, NAN, 5.0],
        "done_s": [NAN, 2.0, 4.0, 3.01, NAN, NAN],
        "outcome": list(Outcome),
    }
    rows |= columns
    n = len(rows["due_s"])
    filled = {name: rows.get(name, np.zeros(n)) for name in COLUMNS}
    return LoadResult(filled, {"phases": [{"name": "first", "from_s": 0.0, "to_s": 2.0}], "errors": []})


def test_every_row_is_counted_once() -> None:
    counts = result().counts()
    assert counts["rows"] == 6 == sum(counts[outcome.name.lower()] for outcome in Outcome)
    assert counts["sent"] + counts["abandoned"] + counts["dropped"] + counts["unsent"] == 6


def test_latency_counts_from_the_due_time_and_lag_and_service_make_it_up() -> None:
    found = result()
    assert found.latency_s[1] == 1.0
    assert (found.lag_s[1], found.service_s[1]) == (0.5, 0.5)
    assert np.isnan(found.latency_s[[0, 4, 5]]).all()


def test_what_was_shed_has_no_part_in_the_latency() -> None:
    times = result().histograms()
    assert times["latency"].count == 2  # answered and failed
    assert times["lag"].count == 4  # everything that was sent


def test_a_phase_counts_its_own_rows() -> None:
    phase, rest = result().to_dict()["phases"]
    assert (phase["name"], phase["rows"], phase["answered"]) == ("first", 2, 1)
    assert (rest["name"], rest["rows"]) == (LATER, 4)  # so phases make up the whole
    early = result(due_s=[0.0, 0.5, 1.0, 1.5, 1.6, 1.7]).to_dict()["phases"]
    assert [each["name"] for each in early] == ["first"]


def test_a_result_of_nothing_has_no_times() -> None:
    empty = result(due_s=[], sent_s=[], done_s=[], outcome=[])
    assert empty.summary()["latency_ms"]["p99"] is None
    assert empty.counts()["rows"] == 0


def test_a_stored_result_is_the_same_and_its_json_has_no_nan(tmp_path: Path) -> None:
    found = result()
    found.save(tmp_path / "load.npz")
    again = load(tmp_path / "load.npz")
    assert again.digest == found.digest
    assert again.summary() == found.summary()
    told = json.loads((tmp_path / "load.json").read_text("utf-8"), parse_constant=lambda word: pytest.fail(word))
    assert told["digest"] == found.digest
    assert Histogram.from_dict(told["histograms"]["latency"]).count == 2


def test_a_damaged_result_says_so(tmp_path: Path) -> None:
    path = tmp_path / "load.npz"
    result().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TraceError, match="run the load test again"):
        load(path)


def test_a_quantile_is_right_to_one_percent() -> None:
    times_s = np.random.default_rng(1).lognormal(-4.0, 1.5, 20_000)
    found = Histogram.of(times_s)
    for q in (0.01, 0.5, 0.9, 0.99, 0.999, 1.0):
        true = float(np.quantile(times_s, q, method="inverted_cdf"))
        assert true <= found.quantile_s(q) * (1 + 1e-9)
        assert found.quantile_s(q) <= true * 1.01 * (1 + 1e-9)
    assert found.mean_s == pytest.approx(float(times_s.mean()))


def test_merged_histograms_are_that_of_all() -> None:
    times_s = np.random.default_rng(2).exponential(0.1, 1000)
    merged = Histogram.of(times_s[:300]) + Histogram.from_dict(Histogram.of(times_s[300:]).to_dict())
    whole = Histogram.of(times_s)
    assert (merged.cells == whole.cells).all()
    assert merged.max_s == whole.max_s


def test_times_beyond_the_ends_stay_counted() -> None:
    found = Histogram.of([0.0, -1e-5, 1e9, NAN, math.inf])
    assert found.count == 3
    assert found.max_s == 1e9
    assert math.isnan(Histogram.empty().quantile_s(0.5))
