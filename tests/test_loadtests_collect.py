"""The books: whatever ends in whatever order, is lost or never told, every row is in exactly one column."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import schedule
from loadtests.chief import BOOKS, ROWS, Chief
from loadtests.collect import LOST, MOST_ERRORS, OTHER, Collector, Packer
from loadtests.result import Outcome
from loadtests.sender import Ended
from loadtests.work import SCHEDULE

TEN = schedule.at_times(np.arange(10.0), "ten")


def ended(place: int, at_s: float, outcome: Outcome = Outcome.ANSWERED, error: str = "") -> Ended:
    return Ended(place, at_s, at_s + 0.01, at_s + 0.02, 200, outcome, error, 10)


@given(
    rows=st.integers(1, 60), workers=st.integers(1, 4), told=st.integers(0, 60), lost=st.integers(-1, 3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_every_row_has_one_end_however_it_is_told(rows: int, workers: int, told: int, lost: int, seed: int) -> None:
    book = Collector(schedule.at_times(np.arange(float(rows)), "rows"), workers)
    dice = random.Random(seed)
    order = dice.sample(range(rows), min(told, rows))
    packers = [Packer(0.0) for _ in range(workers)]
    for row in order:
        outcome = dice.choice([o for o in Outcome if o is not Outcome.UNSENT])
        packers[row % workers].add(ended(row // workers, float(row), outcome, "no" if dice.random() < 0.3 else ""))
        if dice.random() < 0.4:
            book.add(row % workers, packers[row % workers].take())
    for worker, packer in enumerate(packers):
        if worker != lost:
            book.add(worker, packer.take())
    if 0 <= lost < workers:
        book.lose(lost, rows / 2.0)
    book.close()
    counts = np.bincount(book.columns()["outcome"], minlength=len(Outcome))
    assert counts.sum() == rows
    tally = book.tallies[0].to_dict()
    assert [tally[outcome.name.lower()] for outcome in Outcome] == counts.tolist()


def test_rows_come_to_their_places_with_their_errors() -> None:
    book = Collector(TEN, 2)
    first, second = Packer(100.0), Packer(200.0)
    first.add(ended(1, 103.0, Outcome.FAILED, "refused"))
    second.add(ended(0, 201.5, Outcome.FAILED, "reset"))
    second.add(ended(1, 203.0, Outcome.FAILED, "refused"))
    book.add(1, second.take())
    book.add(0, first.take())
    columns = book.columns()
    assert columns["outcome"].nonzero()[0].tolist() == [1, 2, 3]
    assert columns["sent_s"][[1, 2, 3]] == pytest.approx([1.5, 3.0, 3.0])
    assert [book.errors[place] for place in columns["error"][[1, 2, 3]]] == ["reset", "refused", "refused"]
    assert columns["error"][0] == -1


def test_of_a_lost_worker_what_was_due_is_abandoned_and_the_rest_unsent() -> None:
    book = Collector(TEN, 2)
    packer = Packer(0.0)
    packer.add(ended(0, 1.0))
    book.add(1, packer.take())
    assert book.lose(1, 5.5) == 4
    outcomes = book.columns()["outcome"][1::2].tolist()
    assert outcomes == [Outcome.ANSWERED, Outcome.ABANDONED, Outcome.ABANDONED, Outcome.UNSENT, Outcome.UNSENT]
    assert book.errors == [LOST]


def test_errors_without_end_are_put_together() -> None:
    packer = Packer(0.0)
    for place in range(MOST_ERRORS + 50):
        packer.add(ended(place, 1.0, Outcome.FAILED, f"error {place}"))
    assert len(packer.take()["errors"]) == MOST_ERRORS + 1
    packer.add(ended(0, 1.0, Outcome.FAILED, "yet another"))
    assert packer.take()["errors"] == []
    assert OTHER == "other errors"


def test_phases_are_counted_as_rows_end() -> None:
    phases = [{"name": "early", "from_s": 0.0, "to_s": 5.0}, {"name": "late", "from_s": 5.0, "to_s": 10.0}]
    book = Collector(schedule.Schedule(TEN.columns, {**TEN.about, "phases": phases}), 1)
    packer = Packer(0.0)
    for place in (0, 1, 7):
        packer.add(ended(place, float(place)))
    book.add(0, packer.take())
    assert [(tally.name, tally.to_dict()["answered"]) for tally in book.tallies] == [
        ("all", 3),
        ("early", 2),
        ("late", 1),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TEN.save(tmp_path / SCHEDULE)
    return tmp_path


def message(place: int) -> dict[str, object]:
    packer = Packer(0.0)
    packer.add(ended(place, 1.0))
    return {**packer.take(), "in_flight": 0, "handed": 1}


def test_parts_start_together_when_all_are_ready_or_lost(folder: Path) -> None:
    chief = Chief(folder, 3)
    assert not chief.ready(0)
    assert not chief.ready(1)
    assert chief.start_s is None
    assert chief.lost(2)  # the others need not wait for it
    assert chief.start_s is not None
    assert -0.7 < chief.at_s < 0.0


def test_a_part_that_was_given_up_is_not_listened_to_any_more(folder: Path) -> None:
    chief = Chief(folder, 2)
    chief.ready(0)
    chief.ready(1)
    chief.rows(0, message(0))
    chief.lost(0)
    chief.rows(0, message(1))  # it was only frozen
    chief.rows(1, message(0))
    chief.done(0, {"rows": 5})
    chief.done(1, {"rows": 5})
    assert chief.finished
    chief.write()
    with np.load(folder / ROWS) as rows:
        assert np.bincount(rows["outcome"], minlength=6).tolist() == [8, 2, 0, 0, 0, 0]
    books = json.loads((folder / BOOKS).read_text("utf-8"))
    assert [worker.get("lost", False) for worker in books["workers"]] == [True, False]
    assert books["workers"][0]["lost_rows"] == 4


def test_a_part_that_never_began_is_done_without_rows(folder: Path) -> None:
    chief = Chief(folder, 1)
    chief.done(0, {"rows": 10})
    assert chief.finished
    chief.write()
    with np.load(folder / ROWS) as rows:
        assert (rows["outcome"] == Outcome.UNSENT).all()
