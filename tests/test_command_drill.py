"""`ashcloud drill` with a service of its own: what the agents did is in the store, and Ctrl-C keeps what was done."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from commands import TINY, TINY_DESK

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]
LINE = [sys.executable, "-m", "ashcloud", "drill", TINY, "--desk", TINY_DESK, "--serve", "--max-lag", "5000", "--json"]


def test_what_the_agents_did_is_in_the_store_and_the_store_is_whole(tmp_path: Path) -> None:
    words = [*LINE, "--hours", "2", "--speed", "1200", "--drain", "1", "--out", "kept"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "kept" / "drill.json").read_text("utf-8"))
    assert (told["status"], told["check"], told["failed_posts"]) == ("finished", None, 0)
    assert told["cases"] > 30 and told["answered"] > 0.5 * told["cases"]
    with sqlite3.connect(tmp_path / "kept" / "care.db") as store:
        mentions, replies, links, notices = (
            store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("mention", "reply", "paylink", "notice")
        )
    store.close()
    assert mentions == told["operations"]["post"]["answered"]
    assert (replies, links, notices) == (told["turns"], told["payment_links"], told["crew_notices"])
    rows = (tmp_path / "kept" / "cases.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + told["cases"]


def test_ctrl_c_ends_it_and_keeps_what_was_done(tmp_path: Path) -> None:
    words = [*LINE, "--speed", "600", "--out", "kept"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr is not None
        assert " of 6.0 h, " in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert "it was ended, interrupted; what was done until then is kept" in told
    assert json.loads(out)["posts"] > 0
    assert (tmp_path / "kept" / "cases.csv").is_file()


def test_it_ends_at_the_limit_of_its_requests(tmp_path: Path) -> None:
    words = [*LINE, "--hours", "2", "--speed", "1200", "--max-requests", "40", "--out", "kept"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    told = json.loads(done.stdout)
    assert told["status"] == "at the limit"
    kinds = ("answered", "nothing", "failed", "shed")
    assert sum(count[kind] for count in told["operations"].values() for kind in kinds) <= 40


def test_a_service_that_is_broken_and_killed_loses_nothing_and_leaves_nobody_with_a_case(tmp_path: Path) -> None:
    crm = str(Path(TINY).with_name("tiny_crm.toml"))
    words = [crm if word == TINY else word for word in LINE]
    words += ["--from", "0", "--to", "2", "--speed", "1200", "--drain", "1", "--out", "kept"]
    words += ["--faults", "--disturb-service", "freeze@1.5s+0.5s,kill@3s+0.5s"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"], told["check"]) == (0, "finished", None), done.stderr
    happened = {each["name"]: each for each in told["mishaps"]}
    assert set(happened) == {"freeze", "kill", "crm down"}
    assert all(each["began_s"] is not None and each["ended_s"] is not None for each in happened.values())
    assert told["failed_posts"] == told["claims"]["left"] == 0
    assert told["claims"]["made"] == sum(n for end, n in told["claims"].items() if end != "made") > 0
    with sqlite3.connect(tmp_path / "kept" / "care.db") as store:
        (held,) = store.execute("SELECT count(*) FROM \"case\" WHERE status = 'assigned'").fetchone()
        posts = {identity for (identity,) in store.execute("SELECT external_id FROM mention")}
    store.close()
    assert held == 0
    assert len(posts) >= told["posts"] > 0
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_bytes())
    assert (manifest["kind"], manifest["settings"]["to_h"]) == ("drill", 2.0)
