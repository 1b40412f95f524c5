"""The breaking point of real services, by processes that really send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nginx import limited
from seats import listening

from loadtests.breakpoint import Found, Plan
from loadtests.rates import Rates, Timing, find
from loadtests.schedule import at_times
from loadtests.stepping import Steppers
from loadtests.steps import Criteria, Limits
from loadtests.target import Options, Target
from scenarios.errors import ComponentError

SHORT = Timing(warm_up_s=0.3, window_s=1.0, samples=0, rest_s=0.1, spacing="even")
# The tests share two cores with others: what these steps show (a backlog that grows by the second) is not
# hidden by sends that are late by 30 ms, so later ones only are void.
BUSY = Limits(lag_p99_s=0.03, cpu_share=1.0, runq_share=1.0, held_share=1.0)


def found(url: str, guess_per_s: float, start_share: float) -> Found:
    with Steppers(Target(url, path="/"), Options(timeout_s=10.0)) as sender:
        rates = Rates(sender, SHORT, Criteria(), BUSY, seed=1)
        plan = Plan(guess_per_s, start_share, confirmations=1, void_tries=8)
        return find(rates, plan, seed=1, with_recovery=False).found


@pytest.mark.slow
def test_every_row_comes_back_from_two_processes() -> None:
    due = np.sort(np.random.default_rng(1).uniform(0.0, 0.5, 301))
    with listening(50, 0.01) as url, Steppers(Target(url, path="/"), Options(workers=2)) as sender:
        for schedule in (at_times(due, "test"), at_times(due[:7], "test")):
            result = sender.send(schedule)
            assert result.counts()["answered"] == len(schedule)
            assert np.array_equal(result["due_s"], schedule["due_s"])
            assert (result["done_s"] - result["sent_s"]).min() >= 0.01
            assert sorted(set(result["worker"].tolist())) == [0, 1]


@pytest.mark.slow
def test_a_process_that_is_killed_is_a_component_that_failed() -> None:
    with listening(50, 0.01) as url, Steppers(Target(url, path="/"), Options()) as sender:
        os.kill(sender.pids[0], 9)
        with pytest.raises(ComponentError, match="sending process 0 ended by itself with code -9"):
            sender.send(at_times(np.array([0.0]), "test"))


@pytest.mark.slow
def test_a_search_whose_process_is_killed_keeps_its_steps() -> None:
    with listening(50, 0.01) as url, Steppers(Target(url, path="/"), Options()) as sender:
        rates = Rates(sender, SHORT, Criteria(), BUSY, 1, told=lambda judged: os.kill(sender.pids[0], 9))
        told = find(rates, Plan(200.0, 0.1), seed=1).found
    assert (told.status, len(told.steps)) == ("failed", 1)
    assert told.why.startswith("sending process 0 ended by itself with code -9")


def test_a_service_that_is_not_there_is_said_before_anything_is_started() -> None:
    with pytest.raises(ComponentError, match="nobody listens there"):
        Steppers(Target("http://127.0.0.1:9"), Options())


@pytest.mark.slow
@pytest.mark.alone
def test_eight_seats_of_40_ms_break_at_200_a_second() -> None:
    with listening(8, 0.04) as url:
        told = found(url, 230.0, 0.7)
    assert told.status == "found" and told.low_per_s is not None and told.high_per_s is not None
    assert 180.0 <= told.low_per_s <= told.high_per_s <= 220.0


@pytest.mark.slow
@pytest.mark.alone
def test_nginx_that_lets_300_a_second_through_breaks_there_three_times(tmp_path: Path) -> None:
    with limited(tmp_path, rate=300, burst=200) as url:
        runs = [found(url, 350.0, 0.7) for _ in range(3)]
    ends = []
    for told in runs:
        assert told.status == "found" and told.low_per_s is not None and told.high_per_s is not None
        assert 285.0 <= told.low_per_s <= told.high_per_s <= 315.0
        ends.append((told.low_per_s, told.high_per_s))
    assert max(low for low, _ in ends) <= min(high for _, high in ends)


SPIN = "print(flush=True)\nwhile True: pass"
COMMAND = "breakpoint --path / --step 0.5 --warm-up 0.2 --guess 2000 --start 100 --spacing even --json --target"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be pinned to a core here")
def test_a_starved_generator_ends_as_invalid_with_code_4() -> None:
    core = min(os.sched_getaffinity(0))

    def pinned() -> None:
        os.sched_setaffinity(0, {core})

    spinning = [
        subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, preexec_fn=pinned) for _ in range(4)
    ]
    try:
        for each in spinning:
            assert each.stdout is not None
            each.stdout.readline()
        with listening(50, 0.01) as url:
            words = [sys.executable, "-m", "ashcloud", *COMMAND.split(), url]
            done = subprocess.run(words, capture_output=True, text=True, preexec_fn=pinned)
    finally:
        for each in spinning:
            each.kill()
            each.communicate()
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"]) == (4, "invalid")
    last = told["steps"][-1]
    assert last["verdict"] == "void" and last["p99_s"] is None and last["answered_per_s"] is None
    assert told["usl"] is None and told["recovery"] is None
    assert told["words"][0].startswith("Invalid, the generator was not up to it")


def _hears_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore it, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_ends_a_search_and_keeps_its_steps() -> None:
    with listening(50, 0.01) as url:
        words = [sys.executable, "-m", "ashcloud", *COMMAND.split(), url]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_ctrl_c
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            first = process.stderr.readline()  # told when the first step has ended
            process.send_signal(signal.SIGINT)
            told = json.loads(process.stdout.read())
    assert first.startswith("climb 2,000/s: ")
    assert (process.returncode, told["status"]) == (130, "interrupted")
    assert len(told["steps"]) >= 1 and told["recovery"] is None
