"""`ashcloud compare`: tables and words, JSON, a folder, and bad input with a sentence and exit code 2."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import TINY, TINY_DESK
from test_command import ashcloud, read_json

from sim.compare import KEY

PLAN = """
name = "quieter"
triggers = [{ signal = "backlog", enter = 100.0, leave = 20.0 }]
[[levers]]
name = "pinned"
changes = "arrivals"
effect = [0.1, 0.2, 0.3]
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = Path(TINY_DESK).read_text("utf-8")
    Path("more.toml").write_text(text.replace('"tiny_desk"', '"more"').replace("1.0, 4]", "1.0, 8]"), "utf-8")
    Path("quieter.toml").write_text(PLAN, "utf-8")


def compared(*words: str) -> list[str]:
    return ["compare", TINY, "--desk", TINY_DESK, "--runs", "3", "--workers", "1", *words]


def test_the_terminal_says_who_is_better() -> None:
    told = ashcloud(*compared("--desk", "more.toml"))
    assert told.exit_code == 0
    assert told.stdout.startswith("tiny: 'tiny_desk' and 'more'; 3 runs, seed 1; differences from 'tiny_desk'\n")
    assert re.search(r"^Cost +EUR [\d,]+ +EUR [\d,]+ +EUR \+\d+ +EUR \+\d+ to \+\d+ +0 / 0 / 3$", told.stdout, re.M)
    assert re.search(r"^Cost: 'tiny_desk' costs less than 'more' \(by EUR \d+, \d+ to \d+\)\.$", told.stdout, re.M)
    assert "(Bonferroni)" in told.stdout
    assert list(Path().glob("*.json")) == []


def test_json_goes_to_standard_output_alone() -> None:
    told = read_json(ashcloud(*compared("--desk", "more.toml", "--worlds", "2", "--json")).stdout)
    assert [each["name"] for each in told["alternatives"]] == ["tiny_desk", "more"]
    assert (told["finished"], told["runs"], told["worlds"], told["status"]) == (3, 3, 2, "finished")
    assert told["key_measures"] == list(KEY)
    assert (told["folder"], told["page"]) == (None, None)
    assert told["over_worlds"]["finished"] == 2
    assert told["over_worlds"]["drawn"] and told["over_worlds"]["not_drawn"]


def test_the_same_seed_gives_the_same_bytes() -> None:
    words = compared("--desk", "more.toml", "--worlds", "2", "--json")
    assert ashcloud(*words).stdout == ashcloud(*words).stdout
    assert ashcloud(*words).stdout != ashcloud(*words, "--seed", "2").stdout


def test_plans_are_alternatives_too() -> None:
    told = read_json(ashcloud(*compared("--plan", "none", "--plan", "quieter.toml", "--hours", "2", "--json")).stdout)
    assert [(each["name"], each["plan"]) for each in told["alternatives"]] == [
        ("no plan", None),
        ("quieter", "quieter"),
    ]
    kept = ashcloud(*compared("--plan", "none", "--plan", "quieter.toml", "--hours", "2", "--out", "kept"))
    assert "page: kept/comparison.html" in kept.stderr
    manifest = json.loads(Path("kept/manifest.json").read_text("utf-8"))
    assert [each["name"] for each in manifest["plans"]] == ["quieter"]
    assert Path("kept/plan_2.toml").read_text("utf-8") == PLAN
    refused = ashcloud("report", "kept")
    assert refused.exit_code == 2 and "is a comparison, not a run" in refused.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([TINY], "there is only one alternative, 'klm_2015', and nothing to compare it with; give a second --desk"),
        ([TINY, "--desk", TINY_DESK, "--plan", "none"], "there is only one alternative, 'no plan'"),
        ([TINY, "--desk", "klm_2051", "--plan", "nothing"], "did you mean 'klm_2015'?"),
        ([TINY, "--desk", "klm_2051", "--plan", "nothing"], 'plan "nothing"'),
        ([TINY, "--worlds", "1"], "1 is not in the range x>=2"),
        ([TINY, "--runs", "0"], "0 is not in the range x>=1"),
        ([TINY, "--desk", TINY_DESK, "--desk", "more.toml", "--out", TINY_DESK], "is a file, not a folder"),
    ],
)
def test_bad_input_has_a_hint_and_exit_code_2(words: list[str], hint: str) -> None:
    told = ashcloud("compare", *words)
    assert (told.exit_code, told.stdout) == (2, "")
    assert hint in told.stderr
    assert "Traceback" not in told.stderr
