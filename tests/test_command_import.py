"""The command takes tickets in: a trace, what became of them, and a sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import december
import pytest
from click.testing import CliRunner, Result

from ashcloud import main
from scenarios.history import actual
from scenarios.traces import load

TABLE = "created;first_reply;author\n2025-12-05 06:00;2025-12-05 06:20;jan@example.org\n2025-12-05 07:00;;ann\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tickets.csv").write_text(TABLE, "utf-8")


def ashcloud(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), prog_name="ashcloud")


def test_an_import_writes_two_files_that_belong_together() -> None:
    told = ashcloud("trace", "import", "tickets.csv", "--out", "d.npz", "--onset", "2025-12-05T06:00", "--json")
    assert told.exit_code == 0, told.stderr
    facts = json.loads(told.stdout)
    assert (facts["cases"], facts["answered"], facts["actual"]) == (2, 1, "d.actual.npz")
    trace = load(Path("d.npz"))
    assert trace["time_s"].tolist() == [0.0, 3600.0]
    assert actual.load(Path("d.actual.npz"), trace)["first_reply_s"].tolist()[0] == 1200.0


def test_it_says_what_it_took_for_granted() -> None:
    told = ashcloud("trace", "import", "tickets.csv", "--out", "d.npz").stdout
    assert "note      no column says the language: all rows are taken as en" in told
    assert "answered  1 of 2 cases" in told
    assert "jan" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tickets.csv", "--out", "d.csv"], "should end in .npz"),
        (["tickets.csv", "--out", "d.npz", "--zone", "Atlantis"], '--zone "Atlantis" is no time zone'),
        (["tickets.csv", "--out", "d.npz", "--onset", "noon"], "is no local time"),
        (["tickets.csv", "--out", "d.npz", "--map", "zendsk"], "zendesk"),
        (["none.csv", "--out", "d.npz"], "does not exist"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_left(words: list[str], said: str) -> None:
    told = ashcloud("trace", "import", *words)
    assert told.exit_code == 2
    assert said in told.stderr and "Traceback" not in told.stderr
    assert [path.name for path in Path().iterdir()] == ["tickets.csv"]


def test_the_tickets_of_december_are_played_again_and_trusted() -> None:
    december.write_past(Path())
    told = ashcloud("trace", "import", "tickets.csv", "--local", "Europe/Amsterdam", "--out", "december.npz")
    assert told.exit_code == 0, told.stderr
    storm = december.write_storm(Path("storm.toml"))
    told = ashcloud("hindcast", "december.npz", "--desk", "december.toml", "--scenario", str(storm), "--json")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["verdict"] == "trust"


@pytest.mark.parametrize(("days", "before"), [(3, 1), (6, 4)])
def test_the_schedule_of_december_becomes_a_desk_that_is_trusted(days: int, before: int) -> None:
    december.write_past(Path())
    december.write_schedule(Path("schedule.csv"), days, before)
    zone = ("--zone", "Europe/Amsterdam", "--onset", "2025-12-05T00:00")
    told = ashcloud("desk", "import", "schedule.csv", "--out", "there.toml", *zone, "--json")
    assert told.exit_code == 0, told.stderr
    facts = json.loads(told.stdout)
    assert facts["agents"] == 30 and facts["unknown_activities"] == {}
    assert facts["hours_at_the_desk"] == 30 * 8 * (days + before)
    assert "example" not in Path("there.toml").read_text("utf-8") + told.stdout
    storm = str(december.write_storm(Path("storm.toml")))
    told = ashcloud("hindcast", "december.npz", "--desk", "there.toml", "--scenario", storm, "--json")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["verdict"] == "trust"


def test_a_desk_that_was_imported_is_simulated_on_any_days() -> None:
    december.write_schedule(Path("schedule.csv"))
    told = ashcloud("desk", "import", "schedule.csv", "--out", "there.toml", "--local", "Europe/Amsterdam")
    assert told.exit_code == 0, told.stderr
    assert "agents    30 with 960.0 hours at the desk" in told.stdout
    assert ashcloud("desk", "validate", "there.toml").exit_code == 0
    words = ("quiet_week", "--desk", "there.toml", "--runs", "2", "--hours", "2", "--workers", "1")
    told = ashcloud("simulate", *words)
    assert told.exit_code == 0, told.stderr


def test_what_is_wrong_with_a_schedule_is_told_and_nothing_is_written() -> None:
    Path("schedule.csv").write_text("agent;start;end;languages\njan@example.org;soon;;xx\n", "utf-8")
    told = ashcloud("desk", "import", "schedule.csv", "--out", "there.toml")
    assert told.exit_code == 2 and not Path("there.toml").exists()
    assert "is no time" in told.stderr and "no language" in told.stderr and "jan" not in told.stderr
    told = ashcloud("desk", "import", "schedule.csv", "--out", "there.csv", "--zone", "Atlantis")
    assert told.exit_code == 2 and "should end in .toml" in told.stderr and "is no time zone" in told.stderr
