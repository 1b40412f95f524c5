"""What became of a trace's cases: kept beside it, and never taken for that of another trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small import post, trace

from scenarios.errors import TraceError
from scenarios.history.actual import COLUMNS, Actual, beside, load
from scenarios.traces import Trace

POSTS = trace([post(0), post(3), post(9)])


def actual(of: Trace = POSTS) -> Actual:
    columns = {
        "first_reply_s": [600.0, np.inf, 900.0],
        "closed_s": [600.0, 1200.0, np.inf],
        "left_s": [np.inf, 1200.0, np.inf],
        "handling_s": [300.0, np.nan, np.nan],
        "agent": [0, -1, 1],
    }
    about = {"trace": of.digest, "source": "ab", "known": ["first_reply_s"], "version": "test"}
    return Actual({name: np.array(column) for name, column in columns.items()}, about)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = beside(tmp_path / "december.npz")
    actual().save(path)
    again = load(path, POSTS)
    assert path.name == "december.actual.npz"
    assert again.digest == actual().digest
    assert all(np.array_equal(again[name], actual()[name], equal_nan=True) for name in COLUMNS if name != "agent")
    assert again.knows("first_reply_s") and not again.knows("left_s")


def test_the_actual_of_another_trace_is_refused(tmp_path: Path) -> None:
    actual().save(tmp_path / "a.npz")
    with pytest.raises(TraceError, match="belongs to the trace"):
        load(tmp_path / "a.npz", trace([post(0), post(3), post(10)]))


def test_a_missing_file_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="trace import"):
        load(tmp_path / "none.npz", POSTS)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    actual().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TraceError, match="is damaged"):
        load(path, POSTS)


def test_a_trace_is_no_actual(tmp_path: Path) -> None:
    POSTS.save(tmp_path / "a.npz")
    with pytest.raises(TraceError, match="does not hold what became"):
        load(tmp_path / "a.npz", POSTS)


@pytest.mark.parametrize(
    ("change", "words"),
    [("format", "is of format 9"), ("digest", "its digest does not match"), ("column", "lacks the columns left_s")],
)
def test_what_does_not_fit_is_named(change: str, words: str, tmp_path: Path) -> None:
    value = actual()
    head = {"format": 9 if change == "format" else 1, "digest": value.digest, "about": dict(value.about)}
    if change == "digest":
        head["digest"] = "0" * 64
    columns = {n: c for n, c in value.columns.items() if change != "column" or n != "left_s"}
    text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", allow_pickle=False, _actual=text, **columns)
    with pytest.raises(TraceError, match=words):
        load(tmp_path / "a.npz", POSTS)
