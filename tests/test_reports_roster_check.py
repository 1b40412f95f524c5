"""`ashcloud roster check`: what it prints and its exit codes."""

import json
from pathlib import Path

from click.testing import CliRunner

from ashcloud import main

ROSTER = Path(__file__).parent / "data" / "roster.csv"


def test_a_clean_roster_has_exit_code_0_and_the_note() -> None:
    result = CliRunner().invoke(main, ["roster", "check", str(ROSTER), "--desk", "klm_2015"])
    assert result.exit_code == 0
    assert "0 breaches" in result.output and "not confirmed" in result.output


def test_a_breach_has_exit_code_1_and_is_told_by_agent_and_date(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(ROSTER.read_text().replace("2026-03-03T15:00", "2026-03-03T21:00"))
    result = CliRunner().invoke(main, ["roster", "check", str(path), "--json"])
    assert result.exit_code == 1
    listed = json.loads(result.output)["breaches"]
    assert {(b["agent"], b["date"], b["rule"]) for b in listed} >= {("a001", "2026-03-03", "max_shift_h")}


def test_faults_of_all_files_have_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["roster", "check", str(tmp_path / "none.csv"), "--rules", "martian"])
    assert result.exit_code == 2
    assert "none.csv" in result.stderr and "martian" in result.stderr
