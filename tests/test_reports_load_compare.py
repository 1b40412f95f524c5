"""Two load tests compared: table, verdict, exit code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from ashcloud import main
from loadtests.compare import Margins
from loadtests.result import COLUMNS, LoadResult, Outcome
from reports import load_compare
from scenarios.errors import InputError, TraceError


def stored(folder: Path, name: str, slower: float = 1.0, lag_s: float = 0.0, **other: object) -> Path:
    """A run folder of twenty minutes at 10/s."""
    rng = np.random.default_rng(3)
    n = 12_000
    columns = {key: np.zeros(n, dtype=kind) for key, kind in COLUMNS.items()}
    columns["due_s"] = (np.arange(n) + 0.5) / 10.0
    columns["sent_s"] = columns["due_s"] + lag_s
    columns["done_s"] = columns["sent_s"] + slower * 0.05 * rng.lognormal(0.0, 0.5, n)
    columns["outcome"] = np.full(n, Outcome.ANSWERED)
    run = folder / name
    run.mkdir()
    about = {"phases": [], "schedule": "s", "workers": [], "errors": [], "status": "finished", **other}
    LoadResult(columns, about).save(run / "load.npz")
    return run


def printed(answer: load_compare.CompareAnswer) -> str:
    file = io.StringIO()
    load_compare.draw(Console(file=file, width=160), answer)
    return file.getvalue()


def test_a_slower_run_is_worse_and_says_by_how_much(tmp_path: Path) -> None:
    one, two = stored(tmp_path, "one"), stored(tmp_path, "two", slower=1.3)
    answer = load_compare.ask(one, two, Margins(), 1)
    assert answer.code == 1
    assert answer.headline.startswith(f"{two} is worse: latency, median, latency, p95, latency, p99, latency, mean.")
    table = printed(answer)
    assert "+30." in table and "10%" in table and "worse" in table
    assert load_compare.ask(one, two, Margins(latency=0.5), 1).code == 0


def test_the_same_run_is_not_worse(tmp_path: Path) -> None:
    one = stored(tmp_path, "one")
    answer = load_compare.ask(one, one / "load.npz", Margins(), 1)
    assert (answer.code, answer.told.paired) == (0, True)
    assert "is not worse than" in answer.headline


def test_a_late_generator_makes_the_comparison_invalid(tmp_path: Path) -> None:
    one, two = stored(tmp_path, "one"), stored(tmp_path, "two", slower=1.3, lag_s=0.02)
    answer = load_compare.ask(one, two, Margins(), 1)
    assert answer.code == 4
    assert answer.headline == f"Invalid: the generator was not in order in {two}."
    assert "latency" not in printed(answer)
    assert answer.to_dict()["differences"] == []


def test_each_run_is_judged_by_the_lag_that_it_was_allowed(tmp_path: Path) -> None:
    one, two = stored(tmp_path, "one"), stored(tmp_path, "two", lag_s=0.02, max_lag_s=0.05)
    assert load_compare.ask(one, two, Margins(latency=1.0), 1).code == 0


def test_runs_that_were_ended_early_are_refused_together(tmp_path: Path) -> None:
    one, two = stored(tmp_path, "one", status="interrupted"), stored(tmp_path, "two", status="aborted")
    with pytest.raises(InputError) as caught:
        load_compare.ask(one, two, Margins(), 1)
    assert [(fault.place, fault.what[:16]) for fault in caught.value.faults] == [
        (str(one), "was interrupted "), (str(two), "was aborted befo"),
    ]  # fmt: skip


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no such file; `ashcloud load` writes one"):
        load_compare.ask(tmp_path, tmp_path / "none", Margins(), 1)


@pytest.mark.parametrize("words", [["load-compare"], ["load", "compare"]])
def test_both_spellings_of_the_command_work(words: list[str], tmp_path: Path) -> None:
    one, two = stored(tmp_path, "one"), stored(tmp_path, "two", slower=1.3)
    done = CliRunner().invoke(main, [*words, str(one), str(two), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["worse"] == ["p50", "p95", "p99", "mean"]
