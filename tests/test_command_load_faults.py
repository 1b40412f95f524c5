"""A fault run with real processes: the customer system fails in a storm, the service is killed, nothing is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from commands import DATA

from loadtests.result import Outcome, load

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ashcloud", *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_killed_in_the_storm_without_a_customer_system_it_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    # Six hours in six seconds, four times over; the customer system is down from 1.5 to 4.5 s, then slow.
    ran = command(
        tmp_path, "load", str(DATA / "tiny_crm.toml"), "--speed", "3600", "--times", "4", "--serve", "--faults",
        "--disturb-service", "kill@2s,restart@3s,freeze@5.7s+0.2s", "--max-lag", "2000", "--out", "kept",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    result = load(tmp_path / "kept" / "load.npz")
    counts = result.counts()
    assert counts["rows"] == counts["sent"] == counts["answered"] + counts["failed"] + counts["shed"]

    told = {each["name"]: each for each in result.about["mishaps"]}
    assert set(told) == {"crm down", "crm slow", "kill", "restart", "freeze"}
    assert [each["error"] for each in told.values()] == [""] * 5
    assert all(each["began_s"] is not None and each["ended_s"] is not None for each in told.values())
    assert told["crm down"]["began_s"] < told["kill"]["began_s"] < told["kill"]["ended_s"]
    down = result.of(Outcome.FAILED) & result.between(told["kill"]["began_s"], told["kill"]["ended_s"])
    assert down.any()
    assert {result.about["errors"][place] for place in result["error"][down]} <= {
        "connection refused", "connection reset by peer", "connection closed before the answer was complete"
    }  # fmt: skip
    assert "crm down from" in ran.stderr

    with closing(sqlite3.connect(tmp_path / "kept" / "care.db")) as store:
        kept = Counter(each for (each,) in store.execute("SELECT external_id FROM mention"))
        notes = [data for (data,) in store.execute("SELECT data FROM event WHERE kind = 'faults' ORDER BY seq")]
    run = result.about["run"]
    ids = [f"{run}-{replication}-{row}" for replication, row in zip(result["replication"], result["row"], strict=True)]
    acknowledged = [each for each, good in zip(ids, result.of(Outcome.ANSWERED), strict=True) if good]
    assert len(acknowledged) > 1000
    assert [each for each in acknowledged if kept[each] != 1] == []
    assert set(kept) <= set(ids)
    assert max(kept.values()) == 1
    # Told to the service, told again to the process that came after the kill, turned to slow, and mended.
    assert [note for n, note in enumerate(notes) if n == 0 or note != notes[n - 1]] == ["crm=down", "crm=slow", ""]
    assert notes.count("crm=down") >= 2

    checked = command(tmp_path, "care", "check", "--store", "sqlite:kept/care.db", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["broken"]) == (0, [])
