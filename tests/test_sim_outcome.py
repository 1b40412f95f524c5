"""An outcome on disk: comes back as it was, or says what is wrong with it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_outcome import by_hand, weekend

from scenarios.errors import InputError, RunError
from sim.outcome import CASES, TABLES, Outcome, load


def small(**about: Any) -> Outcome:
    return by_hand(
        cases=[{"posted_s": 1.0, "first_reply_s": 2.5, "pay_eur": 120.0}, {"posted_s": 3.0}],
        turns=[{"case": 0, "queued_s": 1.0, "start_s": 2.0, "end_s": 2.5}],
        staff=[{"on_s": 0.0, "off_s": 9.0}],
        **about,
    )


def rewritten(path: Path, **arrays: Any) -> None:
    """The same file with some arrays put in place of others; None leaves one out."""
    with np.load(path) as stored:
        rows = {**{name: stored[name] for name in stored.files}, **arrays}
    np.savez(path, **{name: array for name, array in rows.items() if array is not None})


def head(path: Path, **changes: Any) -> Any:
    """The head of a file, changed."""
    with np.load(path) as stored:
        now = {**json.loads(bytes(stored["_head"]).decode()), **changes}
    return np.frombuffer(json.dumps(now).encode(), dtype=np.uint8)


def npy(array: Any) -> bytes:
    """A file of numpy's that holds one array and no names."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    outcome, _ = weekend(seed=1, hours=30.0)
    outcome.save(tmp_path / "outcome.npz")
    again = load(tmp_path / "outcome.npz")
    assert again.digest == outcome.digest
    assert again.differences(outcome) == []
    assert dict(again.about) == dict(outcome.about)
    for table, kinds in TABLES.items():
        assert {name: column.dtype for name, column in getattr(again, table).items()} == {
            name: np.dtype(kind) for name, kind in kinds.items()
        }


def test_an_outcome_without_rows_can_be_saved(tmp_path: Path) -> None:
    by_hand().save(tmp_path / "empty.npz")
    assert load(tmp_path / "empty.npz").cases["state"].size == 0


def test_columns_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        small().cases["posted_s"][0] = 7.0


def test_the_digest_is_that_of_rows_and_origin() -> None:
    assert small().digest == small().digest
    assert small(seed=2).digest != small().digest
    assert by_hand([{"posted_s": 1.0}]).digest != by_hand([{"posted_s": 2.0}]).digest


def test_differences_name_the_columns() -> None:
    one = small()
    cases = {name: one.cases[name].copy() for name in CASES}
    cases["first_reply_s"][0] = 2.75
    cases["state"][1] = 0
    other = Outcome(cases, one.turns, one.staff, one.shifts, one.extra, one.suppressed, one.plan, one.about)
    assert one.differences(other) == ["cases.first_reply_s", "cases.state"]
    assert one.differences(small(seed=9)) == []  # the rows are the same


def test_another_number_of_rows_is_a_difference() -> None:
    assert "cases.posted_s" in by_hand([{}]).differences(by_hand([{}, {}]))


def test_a_missing_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.npz: no such file"):
        load(tmp_path / "none.npz")


def test_another_format_says_which_one_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "outcome.npz"
    small().save(path)
    rewritten(path, _head=head(path, format=99))
    with pytest.raises(RunError, match="is of format 99, this version reads 2; run it anew"):
        load(path)


def test_a_changed_row_does_not_go_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "outcome.npz"
    small().save(path)
    rewritten(path, **{"cases.posted_s": np.array([1.0, 4.0])})
    with pytest.raises(RunError, match="its digest does not match"):
        load(path)


def test_a_changed_origin_does_not_go_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "outcome.npz"
    small().save(path)
    rewritten(path, _head=head(path, about={**small().about, "seed": 2}))
    with pytest.raises(RunError, match="its digest does not match"):
        load(path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no zip at all"),
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: path.write_bytes(path.read_bytes()[:100] + b"\0" * 50 + path.read_bytes()[150:]),
        lambda path: rewritten(path, _head=None),
        lambda path: rewritten(path, _head=np.frombuffer(b"[1, 2]", dtype=np.uint8)),
        lambda path: rewritten(path, _head=np.frombuffer(b"{", dtype=np.uint8)),
        lambda path: rewritten(path, _head=np.frombuffer(b'{"format": 1}', dtype=np.uint8)),
        lambda path: rewritten(path, **{"turns.wait_s": None}),
        lambda path: rewritten(path, **{"turns.wait_s": np.array(["a"])}),
        lambda path: path.write_bytes(npy(np.zeros(3))),
    ],
    ids=["empty", "text", "cut", "zeros", "no head", "list", "broken head", "bare head", "column", "letters", "npy"],
)  # fmt: skip
def test_a_damaged_file_is_an_error_of_the_user(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "outcome.npz"
    small().save(path)
    spoil(path)
    with pytest.raises(RunError, match=r"outcome\.npz: is (damaged|of format)"):
        load(path)


def test_a_folder_that_is_not_there_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        small().save(tmp_path / "nowhere" / "outcome.npz")
