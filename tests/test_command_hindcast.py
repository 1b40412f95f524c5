"""The command plays a past again: trusted with its own desk, and not with one that lacks a fifth of the heads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import december
import pytest
from click.testing import CliRunner, Result

from ashcloud import main


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a past, its scenario, the desk that met it and one that lacks a fifth of the heads."""
    folder = tmp_path_factory.mktemp("past")
    december.write_past(folder)
    december.write_desk(folder / "fewer.toml", december.desk(0.8))
    december.write_storm(folder / "storm.toml")
    return folder


def hindcast(past: Path, *words: str) -> Result:
    trace, storm = str(past / "december.npz"), str(past / "storm.toml")
    return CliRunner().invoke(main, ["hindcast", trace, "--scenario", storm, *words], prog_name="ashcloud")


def test_its_own_desk_is_trusted_and_the_folder_has_a_row_an_interval(past: Path) -> None:
    told = hindcast(past, "--desk", str(past / "december.toml"), "--out", str(past / "run"), "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["verdict"] == "trust"
    assert {path.name for path in (past / "run").iterdir()} == {
        "hindcast.json", "intervals.csv", "hindcast.svg", "hindcast.png"
    }  # fmt: skip
    with (past / "run" / "intervals.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == december.DAYS * 96
    assert sum(int(row["cases"]) for row in rows) == int(december.one_more_run(1, december.desk())[0].cases)


def test_a_desk_without_a_fifth_of_the_heads_says_where_and_by_how_much(past: Path) -> None:
    told = hindcast(past, "--desk", str(past / "fewer.toml"))
    assert told.exit_code == 1, told.stderr
    assert "Do not trust: " in told.stdout
    assert "From Fri 5 Dec, " in told.stdout
    assert "Backlog by language: English" in told.stdout
    assert "times its heads" in told.stdout


def test_an_actual_of_another_trace_and_a_missing_one_are_told_in_a_line(past: Path, tmp_path: Path) -> None:
    _, actual = december.one_more_run(2, december.desk())
    actual.save(tmp_path / "other.npz")
    told = hindcast(past, "--desk", str(past / "december.toml"), "--actual", str(tmp_path / "other.npz"))
    assert told.exit_code == 2 and "belongs to the trace" in told.stderr
    told = hindcast(past, "--desk", str(past / "december.toml"), "--actual", str(tmp_path / "none.npz"))
    assert told.exit_code == 2 and "no such file" in told.stderr


def test_too_few_runs_are_refused(past: Path) -> None:
    told = hindcast(past, "--desk", str(past / "december.toml"), "--runs", "5")
    assert told.exit_code == 2 and "x>=19" in told.stderr
