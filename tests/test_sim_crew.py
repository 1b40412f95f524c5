"""Doing the same job several times: in order, here or in processes, whatever happens to those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.errors import DeskError
from sim.crew import Processes, Threads, Tick, Watch, WorkersLostError, each
from sim.executors import Executor


class Recorder(Watch):
    """Remembers what it hears, and stops after so many finished pieces."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.shares: list[float] = []
        self.notices: list[str] = []
        self.finished = 0
        self.stop_after = stop_after

    def progress(self, share: float, finished: int) -> None:
        self.shares.append(share)
        self.finished = max(self.finished, finished)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def stopped(self) -> bool:
        return self.stop_after is not None and self.finished >= self.stop_after


@dataclass(frozen=True)
class Square:
    """A job that says how far it is."""

    def __call__(self, place: int, tick: Tick) -> int:
        tick(0.5)
        return place * place


@dataclass(frozen=True)
class Endless:
    """A job whose pieces after the first never end by themselves."""

    def __call__(self, place: int, tick: Tick) -> int:
        while place > 0:
            tick(0.5)
        return place


@dataclass(frozen=True)
class Refused:
    """A job whose second piece is the user's fault."""

    def __call__(self, place: int, tick: Tick) -> int:
        if place == 1:
            raise DeskError("nobody speaks Thai")
        return place


@dataclass(frozen=True)
class Dying:
    """A job whose third piece ends its own process, as often as told."""

    folder: Path
    times: int

    def __call__(self, place: int, tick: Tick) -> int:
        if place == 2:
            deaths = len(list(self.folder.iterdir()))
            if deaths < self.times:
                (self.folder / str(deaths)).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return place


WHERE = (Threads(1), Threads(3), Processes(3))


@pytest.mark.parametrize("executor", WHERE, ids=str)
def test_results_come_in_order_wherever_the_work_is_done(executor: Executor) -> None:
    watch = Recorder()
    assert list(each(Square(), 7, executor, watch)) == [0, 1, 4, 9, 16, 25, 36]
    assert watch.shares[-1] == 1.0
    assert watch.finished == 7
    assert watch.shares == sorted(watch.shares)


@pytest.mark.parametrize("executor", WHERE, ids=str)
def test_each_result_is_told_of_once_as_soon_as_it_is_there(executor: Executor) -> None:
    told: list[int] = []
    for number, _ in enumerate(each(Square(), 7, executor, Watch(), told.extend)):
        assert number**2 in told
    assert sorted(told) == [0, 1, 4, 9, 16, 25, 36]


def test_quick_pieces_go_out_in_blocks() -> None:
    done: list[int] = []
    results = list(each(Square(), 400, Threads(2), Watch(), lambda block: done.append(len(block))))
    assert results == [place * place for place in range(400)]
    # The first four go one by one; then a quarter of what is left each time, as each takes no time at all.
    assert len(done) < 40 and max(done) > 50


@pytest.mark.parametrize("executor", WHERE, ids=str)
def test_who_has_had_enough_gets_what_has_finished(executor: Executor) -> None:
    assert list(each(Endless(), 4, executor, Recorder(stop_after=1))) == [0]


@dataclass(frozen=True)
class LastFirst:
    """A job whose first piece never ends by itself, so that the second one finishes out of order."""

    def __call__(self, place: int, tick: Tick) -> int:
        while place == 0:
            tick(0.5)
        return place


class Impatient(Recorder):
    """Presses Ctrl-C for the second time as soon as something has finished."""

    def progress(self, share: float, finished: int) -> None:
        if finished:
            raise KeyboardInterrupt


@pytest.mark.parametrize("executor", WHERE[1:], ids=str)
def test_what_finished_out_of_order_is_handed_over_before_an_interrupt_goes_on(executor: Executor) -> None:
    results = each(LastFirst(), 2, executor, Impatient())
    assert next(results) == 1
    with pytest.raises(KeyboardInterrupt):
        next(results)


@pytest.mark.parametrize("executor", WHERE, ids=str)
def test_what_a_piece_raises_comes_through(executor: Executor) -> None:
    with pytest.raises(DeskError, match="nobody speaks Thai"):
        list(each(Refused(), 5, executor, Watch()))


def test_a_process_that_dies_is_replaced_and_no_result_is_lost(tmp_path: Path) -> None:
    watch = Recorder()
    assert list(each(Dying(tmp_path, 3), 6, Processes(4), watch)) == [0, 1, 2, 3, 4, 5]
    assert len(watch.notices) == 3
    assert watch.notices[0].startswith("a worker process was ended from outside;")
    assert watch.notices[0].endswith("in 2 processes")
    assert watch.notices[2].endswith("in 1 process")


def test_processes_that_die_again_and_again_are_a_failed_component(tmp_path: Path) -> None:
    with pytest.raises(WorkersLostError, match=r"4 times.*--workers 1") as caught:
        list(each(Dying(tmp_path, 99), 3, Processes(2), Watch()))
    assert caught.value.exit_code == 3


def test_what_has_finished_is_handed_over_before_it_fails(tmp_path: Path) -> None:
    results = each(Dying(tmp_path, 99), 5, Processes(2), Watch())
    assert {next(results), next(results)} == {0, 1}
    with pytest.raises(WorkersLostError, match=r"of 5 runs are not done"):
        list(results)


@pytest.mark.parametrize("executor", WHERE[1:], ids=str)
def test_leaving_the_loop_ends_the_workers(executor: Executor) -> None:
    results = each(Endless(), 3, executor, Watch())
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # returns only when they have ended


HEAVY = """
from sim.crew import Processes, WorkersLostError, each
from test_sim_crew import Heavy, Recorder

if __name__ == "__main__":
    try:
        list(each(Heavy(b"x" * 1_000_000), 500, Processes(2), Recorder()))
    except WorkersLostError:
        print("lost")
"""


@dataclass(frozen=True)
class Heavy:
    """A job that is larger than any pipe, and whose processes die."""

    load: bytes

    def __call__(self, place: int, tick: Tick) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return place


@pytest.mark.slow
def test_a_parent_whose_processes_died_over_a_heavy_job_can_end(tmp_path: Path) -> None:
    # Sent with each piece, the job once filled the pipe to processes that had ended, and the parent hung.
    script = tmp_path / "heavy.py"
    script.write_text(HEAVY, "utf-8")
    path = os.pathsep.join(filter(None, (*map(str, Path(__file__).parents[:2]), os.environ.get("PYTHONPATH"))))
    surroundings = {**os.environ, "PYTHONPATH": path}
    told = subprocess.run([sys.executable, str(script)], env=surroundings, capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stdout) == (0, "lost\n"), told.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("executor", WHERE, ids=str)
def test_a_signal_that_comes_while_a_result_is_stored_is_heard(executor: Executor) -> None:
    # Ignored for that moment it was lost, and the sweep went on as if nobody had asked it to stop.
    heard: list[int] = []

    def store(results: Sequence[int]) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        assert list(each(Square(), 3, executor, Watch(), store)) == [0, 1, 4]
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT] * 3
