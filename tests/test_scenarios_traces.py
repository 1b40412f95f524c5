"""Traces on disk: what is written is read again, and what is not whole is told so."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from scenarios.errors import InputError, TraceError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import PostKind
from scenarios.traces import COLUMNS, FORMAT, Trace, load


@pytest.fixture(scope="module")
def trace() -> Trace:
    phone = {"calls_per_h": 20, "lines": 4, "agents": 2}
    made = Scenario.model_validate({"name": "here", "title": "Here", "window_h": [0, 3], "phone": phone})
    return generate(made, seed=1)


@pytest.fixture
def path(trace: Trace, tmp_path: Path) -> Path:
    where = tmp_path / "trace.npz"
    trace.save(where)
    return where


def test_a_trace_comes_back_as_it_was_written(trace: Trace, path: Path) -> None:
    again = load(path)
    assert again.digest == trace.digest
    assert again.about == trace.about
    for name, kind in COLUMNS.items():
        assert again[name].dtype == kind
        assert np.array_equal(again[name], trace[name])


def test_an_empty_trace_comes_back_too(tmp_path: Path) -> None:
    empty = Trace({name: np.empty(0, dtype=kind) for name, kind in COLUMNS.items()}, {"seed": 1})
    empty.save(tmp_path / "empty.npz")
    again = load(tmp_path / "empty.npz")
    assert len(again) == 0
    assert again.digest == empty.digest


def test_what_is_said_about_a_trace_adds_up(trace: Trace) -> None:
    info = trace.info()
    assert json.loads(json.dumps(info)) == info
    assert info["rows"] == len(trace) == sum(info["kinds"].values())
    assert info["mentions"] == info["rows"] - info["kinds"][PostKind.CALL.value]
    assert info["cases"] == info["kinds"][PostKind.CASE.value] == trace.cases
    assert info["bytes_per_row"] <= 120
    assert info["scenario"] == "here"


def test_a_trace_is_frozen(trace: Trace) -> None:
    with pytest.raises(ValueError, match="read-only"):
        trace["time_s"][0] = 0.0
    with pytest.raises(TypeError):
        trace.columns["time_s"] = np.empty(0)  # type: ignore[index]


def test_the_digest_covers_every_column_and_where_it_is_from(trace: Trace) -> None:
    digests = {trace.digest}
    for name in COLUMNS:
        column = trace[name].copy()
        column[0] = not column[0] if column.dtype == np.bool_ else column[0] + 1
        digests.add(Trace({**trace.columns, name: column}, trace.about).digest)
    digests.add(Trace(trace.columns, {**trace.about, "seed": 2}).digest)
    assert len(digests) == len(COLUMNS) + 2


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"no such file.*ashcloud"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.9])
def test_a_flipped_byte_is_noticed(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    # Every byte of a zip file is data or says where data are, bar a few fields that nobody reads.
    for at in range(int(place * len(data)), int(place * len(data)) + 3):
        data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(TraceError, match="damaged"):
        load(path)


@pytest.mark.parametrize("kept", [0, 1, 100, -200])
def test_a_file_that_was_cut_off_is_noticed(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(TraceError, match="damaged or no trace"):
        load(path)


@pytest.mark.parametrize("text", [b"", b"hello", b"name = 'volcano'\n", b"PK\x03\x04" + bytes(50)])
def test_a_file_that_is_no_archive_is_no_trace(tmp_path: Path, text: bytes) -> None:
    other = tmp_path / "other.npz"
    other.write_bytes(text)
    with pytest.raises(TraceError, match="damaged or no trace"):
        load(other)


def test_an_archive_of_something_else_is_no_trace(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    with pytest.raises(TraceError, match="is no trace of ashcloud"):
        load(tmp_path / "other.npz")
    np.save(tmp_path / "one.npy", np.arange(3))
    with pytest.raises(TraceError, match="no trace"):
        load(tmp_path / "one.npy")


def rewritten(path: Path, **changes: object) -> Path:
    """The same archive with another head, or without a column (None)."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    head = json.loads(bytes(arrays["_head"]).decode())
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            head[name] = value
    arrays["_head"] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    np.savez(path, **arrays)
    return path


def test_a_trace_of_another_format_is_refused(path: Path) -> None:
    with pytest.raises(TraceError, match=f"format {FORMAT + 1}, this version reads format {FORMAT}"):
        load(rewritten(path, format=FORMAT + 1))


def test_a_trace_that_lacks_a_column_is_refused(path: Path) -> None:
    with pytest.raises(TraceError, match="lacks the columns tier"):
        load(rewritten(path, tier=None))


def test_a_trace_that_is_not_what_its_digest_says_is_refused(path: Path) -> None:
    with pytest.raises(TraceError, match="digest does not match"):
        load(rewritten(path, about={"seed": 9}))


def test_pickled_objects_are_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", _head=np.array([{"format": FORMAT}], dtype=object))
    with pytest.raises(TraceError):
        load(tmp_path / "evil.npz")


def test_a_folder_that_is_not_there_is_told(trace: Trace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        trace.save(tmp_path / "no" / "trace.npz")


def test_writing_again_replaces_the_file_and_leaves_nothing_beside_it(trace: Trace, path: Path) -> None:
    shutil.copy(path, path.with_name("copy.npz"))
    trace.save(path)
    assert load(path).digest == trace.digest
    assert {file.name for file in path.parent.iterdir()} == {"trace.npz", "copy.npz"}
