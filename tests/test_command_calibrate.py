"""The command makes a scenario of a history, says how well it foretells, and what is wrong in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import make_history as made
import pytest
from click.testing import CliRunner, Result

from ashcloud import main
from scenarios.model import Scenario

ZONE = ("--zone", "Europe/Amsterdam")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ashcloud(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), prog_name="ashcloud")


def test_a_history_becomes_a_scenario_file_with_the_checks_beside_it() -> None:
    told = ashcloud("calibrate", str(made.FILE), *ZONE, "--out", "Our year.toml", "--json")
    assert told.exit_code == 0, told.stderr
    facts = json.loads(told.stdout)
    scenario = Scenario.load("Our year.toml")
    assert scenario.name == facts["scenario"] == "our-year"
    assert facts["contacts"] == sum(int(line.split(";")[2]) for line in made.FILE.read_text("utf-8").splitlines()[1:])
    assert facts["interval_min"] == 30.0 and facts["rows"] == 6720
    assert facts["start_local"] == "2025-09-08T00:00:00+02:00" and facts["end_local"] == "2025-11-16T23:00:00+01:00"
    assert scenario.base.cases_per_h == pytest.approx(facts["cases_per_h"]["value"], rel=1e-3)
    assert facts["rescaled"]["p"] > 0.05
    assert set(facts["held_back"]) == {"model", "baseline", "weeks", "hours", "contacts", "behind"}
    (surge,) = facts["surges"]
    assert surge["start_local"].startswith("2025-09-24T") and surge["contacts"] > 1_000


def test_it_says_what_it_found_and_what_it_took_for_granted() -> None:
    told = ashcloud("calibrate", str(made.FILE), *ZONE, "--out", "a.toml", "--window", "week", "--figure", "a.png")
    assert told.exit_code == 0, told.stderr
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    for words in (
        "noise from hour to hour", "surge began", "WAPE", "bias", "mean of the same weekday's last 4 weeks",
        "come as the model says (KS distance", "note: no column says the topic", "patience, hours: mean",
    ):  # fmt: skip
        assert words in told.stdout
    assert "reading" in told.stderr and "reading" not in told.stdout
    assert Scenario.load("a.toml").window_h == (0.0, 168.0)


def test_the_same_history_makes_the_same_file() -> None:
    for name in ("a.toml", "b.toml"):
        assert ashcloud("calibrate", str(made.FILE), *ZONE, "--out", name).exit_code == 0
    a, b = (Path(name).read_text("utf-8").replace('"a"', '"b"') for name in ("a.toml", "b.toml"))
    assert a == b


def test_no_name_and_no_address_of_the_history_is_written_or_printed() -> None:
    lines = ["created;author;agent;language;handling_min;topic"]
    for day in range(1, 29):
        lines += [f"2025-11-{day:02} {h:02}:00;jan{h}@example.org;Ann Lee;en;=1+1;info".replace("=1+1", "5")
                  for h in range(24)]  # fmt: skip
    Path("rows.csv").write_text("\n".join(lines), "utf-8")
    told = ashcloud("calibrate", "rows.csv", "--out", "a.toml")
    assert told.exit_code == 0, told.stderr
    everything = told.stdout + told.stderr + Path("a.toml").read_text("utf-8")
    assert "jan" not in everything.replace("january", "") and "Ann" not in everything and "@" not in everything


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("created;contacts\n2025-11-01 00:00;1\n2025-11-01 01:00;-1\n", (), "line 3, contacts is '-1', below 0"),
        ("created;contacts\n2025-11-01 00:00;0\n2025-11-01 01:00;0\n", (), "has no contact at all"),
        ("created\n" + "\n".join(f"2025-11-0{d} 10:00" for d in range(1, 8)), (), "two weeks are needed"),
        ("when;contacts\n1;1\n", (), "created has no column"),
        ("", (), "is empty"),
        ("created\n2025-11-01\n", ("--out", "a.txt"), "should end in .toml"),
        ("created\n2025-11-01\n", ("--figure", "a.gif"), "should end in .png or .svg"),
        ("created\n2025-11-01\n", ("--zone", "Atlantis"), '--zone "Atlantis" is no time zone'),
        ("created\n2025-11-01\n", ("--map", "genesis"), "genesys"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_left(text: str, words: tuple[str, ...], said: str) -> None:
    Path("h.csv").write_text(text, "utf-8")
    told = ashcloud("calibrate", "h.csv", "--out", "a.toml", *words)
    assert told.exit_code == 2
    assert said in told.stderr and "Traceback" not in told.stderr
    assert [path.name for path in Path().iterdir()] == ["h.csv"]
