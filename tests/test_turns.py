"""Tests that need the machine for themselves get it, soon, and nobody waits for nobody."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO

import pytest
from turns import turn

fcntl = pytest.importorskip("fcntl")


def test_many_are_inside_at_once(tmp_path: Path) -> None:
    both_inside = threading.Barrier(2, timeout=30)

    def go() -> None:
        with turn(tmp_path, alone=False):
            both_inside.wait()

    other = threading.Thread(target=go)
    other.start()
    go()
    other.join()
    assert not both_inside.broken


def test_who_needs_to_be_alone_is_alone_and_is_not_overtaken(tmp_path: Path) -> None:
    order: list[str] = []
    first_is_inside, first_may_go = threading.Event(), threading.Event()

    def first() -> None:
        with turn(tmp_path, alone=False):
            first_is_inside.set()
            first_may_go.wait(30)
            order.append("first")

    def then(name: str, alone: bool) -> threading.Thread:
        def go() -> None:
            with turn(tmp_path, alone):
                order.append(name)

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    begun = threading.Thread(target=first)
    begun.start()
    first_is_inside.wait(30)
    alone = then("alone", True)
    gate = (tmp_path / "gate").open("a")
    while _free(gate):  # until he who will be alone holds the gate, waiting for the first to leave
        pass
    later = then("later", False)
    first_may_go.set()
    for thread in (begun, alone, later):
        thread.join(30)
    gate.close()
    assert order == ["first", "alone", "later"]


def _free(gate: IO[str]) -> bool:
    try:
        fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(gate, fcntl.LOCK_UN)
    return True
