"""The command: every one has help, says what it finds, and takes bad input with a sentence and exit code 2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from commands import TINY, TINY_DESK, groups, leaves, parse

from ashcloud import main
from sim.measures import MEASURES

TINY_RUN = (TINY, "--desk", TINY_DESK, "--runs", "2", "--workers", "1")


def ashcloud(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="ashcloud")


def read_json(text: str) -> Any:
    """JSON as machines want it: without NaN and infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a folder of its own, so that it can be seen what is written."""
    monkeypatch.chdir(tmp_path)


# --- help ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [words for words, _ in [*groups(), *leaves()]], ids=" ".join)
def test_every_command_has_help_with_an_example_that_parses(words: tuple[str, ...]) -> None:
    told = ashcloud(*words, "--help")
    assert told.exit_code == 0
    examples = re.findall(r"^ +(ashcloud .*)$", told.stdout, re.M)
    assert examples
    for example in examples:
        assert parse(example)
    if not words:
        return
    assert any(parse(example)[: len(words)] == words for example in examples)


def test_the_main_verbs_come_first() -> None:
    listed = re.findall(r"^  ([\w-]+)  ", ashcloud("--help").stdout.partition("Commands:")[2], re.M)
    files = ["scenario", "desk", "plan-file", "trace"]
    verbs = [
        "run",
        "staff",
        "nowcast",
        "hindcast",
        "load",
        "drill",
        "load-compare",
        "calibrate",
        "simulate",
        "compare",
        "resume",
        "report",
    ]
    assert listed == [*verbs, "rerun", "roster", *files, "target", "breakpoint", "serve", "care", "bench"]
    assert "..." not in ashcloud("--help").stdout.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["simulat"], "No such command 'simulat'. Did you mean 'simulate'?"),
        (["scenario", "shwo"], "No such command 'shwo'. Did you mean 'show'?"),
        (["xyz"], "No such command 'xyz'. There are run, staff,"),
        (["simulate", "volcano", "--hours", "x"], "x is no number of hours"),
        (["simulate", "volcano", "--jsn"], "--json"),
        (["simulate"], "Missing argument 'SCENARIO'"),
        (["simulate", "volcano", "--runs", "0"], "0 is not in the range x>=1"),
        (["simulate", "volcano", "--hours", "nan"], "nan is no number of hours"),
        (["simulate", "volcano", "--hours", "inf"], "inf is no number of hours"),
        (["simulate", "volcano", "--hours", "0"], "not in the range"),
        (["simulate", "volcano", "--drain", "-1"], "not in the range"),
        (["simulate", "volcano", "--seed", "-1"], "not in the range"),
        (["simulate", "volcano", "--size", "huge"], "'huge' is not one of 'drawn', 'likely', 'low', 'high'"),
        (["simulate", "volcano", "--engine", "steam"], "'steam' is not"),
        (["simulate", "volcano", "--executor", "moon"], "moon is none of threads, processes, dask://HOST:PORT"),
        (["simulate", "volcano", "--executor", "dask://host"], "dask://host is none of"),
        (["simulate", TINY, "--until", "wait=5%"], "--until wait=5% names no measure"),
        (
            ["simulate", TINY, "--until", "wait_mean_s=5%", "--runs", "1"],
            "--runs is 1; with --until the first look needs",
        ),
        (["simulate", TINY, "--until", "wait_mean_s=5%", "--max-runs", "9"], "--max-runs is 9, below the 10 runs of"),
        (["simulate", TINY, "--backlog", "xx=1,nl=x"], "--backlog: xx is no language; they are en, "),
        (["simulate", TINY, "--backlog", "nl=x,nl"], "--backlog: nl=x is no number of cases; write it like nl=40"),
        (["simulate", TINY, "--desk", TINY_DESK, "--warm-up", "6"], "a warm-up of 6 hours leaves nothing to measure"),
        (["staff", TINY], "Missing option '--promise'"),
        (
            ["staff", TINY, "--promise", "soon"],
            "promise is 'soon', which cannot be read; write it like '80% in 20 min'",
        ),
        (
            ["staff", TINY, "--promise", "80% in 1 h", "--budget", "soon"],
            "--budget is 'soon'; write it like 10m or 90s",
        ),
        (
            ["staff", TINY, "--promise", "80% in 1 h", "--budget", "0.5s"],
            "--budget is '0.5s', too short for any search",
        ),
        (["staff", TINY, "--promise", "80% in 1 h", "--roster", "nowhere"], "nowhere"),
        (["staff", TINY, "--promise", "80% in 1 h", "--desk", "nobody"], "nobody"),
        (["resume", "nowhere"], "nowhere: there is no run to go on with"),
        (["load-compare", "a"], "Missing argument 'SECOND'"),
        (["load", "compare", "a.npz", "b.npz"], "a.npz: no such file; `ashcloud load` writes one"),
        (["target", "validate", "chatwot"], "did you mean 'chatwoot'?"),
        (["target", "from-openapi", "none.json"], "none.json cannot be read: no such file"),
        (["breakpoint"], "--target is missing; name the service, or --serve to have one started"),
        (["load", TINY, "--serve", "--dry-run", "--max-lag", "nan"], "nan is no number"),
        (["load", TINY, "--serve", "--dry-run", "--timeout", "inf"], "inf is no number"),
        (["load", TINY, "--serve", "--dry-run", "--from", "nan"], "nan is no number of hours"),
        (["drill", TINY, "--serve", "--speed", "nan"], "nan is no number"),
        (["breakpoint", "--serve", "--guess", "inf"], "inf is no number"),
        (["breakpoint", "--target", "care"], "--target is no address; write it like http://127.0.0.1:8000"),
        (["breakpoint", "--target", "http://127.0.0.1:9", "--p99", "0"], "0.0 is not in the range x>0"),
        (["breakpoint", "--target", "http://care.example"], "--target care.example is not on this machine; if it is"),
        (["scenario", "validate"], "Missing argument 'FILES...'"),
        (["trace", "generate", "volcano"], "Missing option '--out'"),
    ],
)
def test_a_wrong_word_or_value_has_a_hint_and_exit_code_2(words: list[str], hint: str) -> None:
    told = ashcloud(*words)
    assert (told.exit_code, told.stdout) == (2, "")
    assert hint in told.stderr


# --- looking at things --------------------------------------------------------------------------


def test_lists_name_what_the_library_has() -> None:
    scenarios = read_json(ashcloud("scenario", "list", "--json").stdout)
    assert {"volcano", "quiet_week"} <= {row["name"] for row in scenarios}
    assert [row["mentions"] for row in scenarios if row["name"] == "quiet_week"] == [60_000]
    assert re.search(r"^quiet_week +168 +60,000 +7,000  An ordinary week$", ashcloud("scenario", "list").stdout, re.M)
    desks = read_json(ashcloud("desk", "list", "--json").stdout)
    assert [row["heads"] for row in desks if row["name"] == "klm_2015"] == [150]
    assert "klm_2011" in ashcloud("desk", "list").stdout


def test_a_scenario_shows_what_it_brings() -> None:
    told = read_json(ashcloud("scenario", "show", "quiet_week", "--json").stdout)
    # The profile is scaled to the week of each language's own zone: a summer week has no change of clocks.
    assert told["expected"]["mentions"] == pytest.approx(60_000)
    assert told["expected"]["cases"] == pytest.approx(7_000)
    flat = read_json(ashcloud("scenario", "show", "quiet_week", "--flat", "--json").stdout)
    assert flat["expected"]["peak_mentions_per_h"] == pytest.approx(60_000 / 168)
    text = ashcloud("scenario", "show", "volcano").stdout
    assert "Thu 15 Apr 2010, 19:00" in text
    assert re.search(r"^mentions  [0-9,]+ expected, at most [0-9,]+ an hour, \d+ h after onset$", text, re.M)


def test_a_desk_shows_its_pools() -> None:
    told = read_json(ashcloud("desk", "show", TINY_DESK, "--json").stdout)
    assert (told["heads"], told["speaks"]) == (8, ["en", "nl"])
    assert [(pool["name"], pool["kind"], pool["heads"]) for pool in told["pools"]] == [
        ("english", "head-count", 5), ("dutch", "named", 3),
    ]  # fmt: skip
    text = ashcloud("desk", "show", "klm_2015").stdout
    assert re.search(r"^ja-ko +Delhi +8  named +10  en ja ko$", text, re.M)
    assert re.search(r"^plan +klm_crisis: Read by machine", text, re.M)


@pytest.mark.parametrize("what", ["scenario", "desk"])
def test_schemas_are_json_schemas(what: str) -> None:
    assert read_json(ashcloud(what, "schema").stdout)["type"] == "object"


def test_validate_says_what_is_fine() -> None:
    told = ashcloud("scenario", "validate", "volcano", TINY)
    assert (told.exit_code, told.stderr) == (0, "")
    assert [line.split(" is fine: ")[0] for line in told.stdout.splitlines()] == ["volcano", TINY]
    assert ashcloud("desk", "validate", TINY_DESK).exit_code == 0


def test_a_trace_is_generated_described_and_read() -> None:
    made = ashcloud("trace", "generate", TINY, "--seed", "3", "--hours", "4", "--out", "tiny.npz")
    assert made.exit_code == 0, made.stderr
    told = read_json(ashcloud("trace", "info", "tiny.npz", "--json").stdout)
    assert (told["seed"], told["size_u"], told["window_s"]) == (3, None, [-3600.0, 10800.0])
    assert told["rows"] >= told["mentions"] > told["cases"] > 0
    assert told["digest"] in made.stdout
    assert told["digest"] in ashcloud("trace", "info", "tiny.npz").stdout
    posts = read_json(ashcloud("trace", "sample", "tiny.npz", "-n", "5", "--language", "nl", "--json").stdout)
    assert [post["language"] for post in posts] == ["nl"] * 5
    assert all(post["text"] and post["handle"].startswith("@") for post in posts)
    assert ashcloud("trace", "sample", "tiny.npz").stdout.count("\n") == 13


def test_a_trace_keeps_the_clock_of_a_scenario_of_ones_own() -> None:
    ashcloud("trace", "generate", TINY, "--out", "kept.npz")
    whole = read_json(ashcloud("trace", "sample", TINY, "-n", "3", "--json").stdout)
    kept = read_json(ashcloud("trace", "sample", "kept.npz", "-n", "3", "--json").stdout)
    assert [post["time"] for post in kept] == [post["time"] for post in whole]


def test_a_sample_of_a_scenario_has_local_times_in_order() -> None:
    posts = read_json(ashcloud("trace", "sample", TINY, "-n", "40", "--topic", "info", "--json").stdout)
    assert {post["topic"] for post in posts} == {"info"}
    times = [post["time"].split("\N{NO-BREAK SPACE}")[-1] for post in posts]
    assert times == sorted(times)
    assert "08:00" <= times[0] < times[-1] < "14:00"


def test_a_size_may_be_drawn_for_a_trace() -> None:
    ashcloud("trace", "generate", TINY, "--size", "drawn", "--out", "drawn.npz")
    assert 0 < read_json(ashcloud("trace", "info", "drawn.npz", "--json").stdout)["size_u"] < 1


# --- simulating ---------------------------------------------------------------------------------


def test_simulate_prints_every_measure_with_its_interval() -> None:
    told = ashcloud("simulate", *TINY_RUN, "--json")
    assert told.exit_code == 0, told.stderr
    figures = read_json(told.stdout)
    wanted = {"scenario": "tiny", "desk": "tiny_desk", "engine": "compiled", "runs": 2, "seed": 1, "finished": 2}
    assert {key: figures[key] for key in wanted} == wanted
    assert list(figures["measures"]) == list(MEASURES)
    assert all({"mean", "low", "high"} <= set(row) for row in figures["measures"].values())
    assert set(figures["by_language"]) == {"en", "nl"}
    assert os.listdir() == []


def test_simulate_prints_tables_without_frames_where_there_is_no_terminal() -> None:
    told = ashcloud("simulate", *TINY_RUN)
    assert told.stdout.startswith("tiny on tiny_desk: 2 runs, seed 1, surge size drawn, compiled engine\n")
    titles = [line.split("  ")[0] for line in told.stdout.splitlines() if line and line[0] not in " \x1b"]
    assert titles[1:5] == ["Service", "Brand and reputation", "Commerce and cost", "Language"]
    assert re.search(r"^Bottleneck language: (English|Dutch), \d+ % answered within 60 minutes\.$", told.stdout, re.M)
    assert not re.search(r"[\x1b─━│]| $", told.stdout, re.M)
    assert re.search(r"^tiny on tiny_desk: 1 of 2 runs done, \d+%, \d+ s$", told.stderr, re.M)


def test_a_single_run_is_warned_about() -> None:
    told = ashcloud("simulate", TINY, "--desk", TINY_DESK, "--runs", "1")
    assert "note: one run has no interval" in told.stderr
    assert ashcloud("simulate", *TINY_RUN).stderr.count("note:") == 0


def test_a_plan_may_be_named_or_left_out() -> None:
    words = ("simulate", TINY, "--desk", "klm_2015", "--runs", "2", "--workers", "1", "--hours", "1", "--json")
    own, none, named = (
        read_json(ashcloud(*words, *more).stdout) for more in ((), ("--plan", "none"), ("--plan", "all_hands"))
    )
    assert own["measures"]["cost"]["mean"] == none["measures"]["cost"]["mean"]  # a calm hour
    assert named["measures"] == own["measures"]
    told = ashcloud(*words, "--plan", "all_hand")
    assert told.exit_code == 2 and "did you mean 'all_hands'?" in told.stderr


def test_plan_files_are_listed_shown_and_checked() -> None:
    listed = read_json(ashcloud("plan-file", "list", "--json").stdout)
    assert [row["name"] for row in listed] == ["all_hands", "answer_all", "broadcast_only", "klm_crisis"]
    shown = ashcloud("plan-file", "show", "klm_crisis").stdout
    assert re.search(r"^automatic reading +filter +95% / 97% / 99% +30 +0$", shown, re.M)
    assert re.search(r"^volunteers +110 +75% ", shown, re.M)
    facts = read_json(ashcloud("plan-file", "show", "klm_crisis", "--json").stdout)
    assert facts["levers"][0]["source"] and facts["ladder"][0]["heads"] == 8
    assert ashcloud("plan-file", "validate", "klm_crisis").stdout.startswith("klm_crisis is fine: ")
    assert "triggers" in read_json(ashcloud("plan-file", "schema").stdout)["properties"]


def test_run_prints_the_verdict_and_where_the_page_is() -> None:
    told = ashcloud("run", *TINY_RUN, "--out", "runs/tiny")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.splitlines()[-1] == "report: runs/tiny/report.html"
    assert "promise" in told.stdout
    again = ashcloud("run", *TINY_RUN, "--out", "runs/tiny", "--json")
    assert "runs/tiny exists already: this run is in runs/tiny-2" in again.stderr
    figures = read_json(again.stdout)
    assert (figures["folder"], figures["report"]) == ("runs/tiny-2", "runs/tiny-2/report.html")
    assert figures["verdict"]["tone"] in {"kept", "missed", "unclear"}
    assert figures["verdict"]["headline"].replace("\N{NO-BREAK SPACE}", " ") in told.stdout
    assert os.readlink("runs/latest") == "tiny-2"


def test_a_stored_simulation_gets_its_page_later_and_is_done_again() -> None:
    stored = ashcloud("simulate", *TINY_RUN, "--out", "kept")
    assert "saved in kept; its page: ashcloud report kept" in stored.stderr
    assert not Path("kept/report.html").exists()
    told = ashcloud("report", "kept")
    assert told.stdout.endswith("report: kept/report.html\n")
    assert Path("kept/report.html").exists()
    again = ashcloud("rerun", "kept", "--workers", "1")
    assert (again.exit_code, again.stdout) == (0, "kept: all 2 runs gave the same rows again\n")


def test_a_rerun_names_what_differs_and_exits_with_1() -> None:
    ashcloud("simulate", *TINY_RUN, "--out", "kept")
    with np.load("kept/outcome_001.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays["turns.wait_s"] = arrays["turns.wait_s"] + 1.0
    np.savez_compressed("kept/outcome_001.npz", **arrays)
    told = ashcloud("rerun", "kept", "--workers", "1")
    assert told.exit_code == 1
    assert told.stdout.splitlines()[0] == "outcome_001.npz: turns.wait_s"
    machine = ashcloud("rerun", "kept", "--workers", "1", "--json")
    assert machine.exit_code == 1
    assert read_json(machine.stdout)["differences"] == {"outcome_001.npz": ["turns.wait_s"]}


@pytest.mark.slow
def test_two_processes_give_the_same_bytes() -> None:
    def digests(workers: int) -> list[tuple[str, str]]:
        words = (*TINY_RUN[:-1], str(workers), "--json")
        done = subprocess.run([sys.executable, "-m", "ashcloud", "simulate", *words], capture_output=True, check=True)
        return [(run["trace"], run["outcome"]) for run in read_json(done.stdout.decode())["replications"]]

    assert digests(1) == digests(2)


# --- bad input ----------------------------------------------------------------------------------

SCENARIO = 'extends = "quiet_week"\nname = "bad"\ntitle = "Bad"\n'
DESK = 'name = "bad"\ntitle = "Bad"\n'
POOL = '[[pools]]\nname = "a"\nlanguages = ["en"]\n'
BAD_SCENARIOS = {
    "an unknown key": ('[base]\nmention_per_h = 1.0\n', ["base.mention_per_h", "did you mean 'mentions_per_h'?"]),
    "a wrong type": ('[base]\nmentions_per_h = "many"\n', ["base.mentions_per_h", '"many"', "a number"]),
    "a negative rate": ("[base]\ncases_per_h = -1.0\n", ["base.cases_per_h is -1", "at least 0"]),
    "a peak below the base": (
        '[[surges]]\nkind = "pulse"\nat_h = 0.0\nmentions = 0.5\ncases = 2.0\n',
        ["surges[0].mentions is 0.5", "below the base rate"],
    ),
    "probabilities that do not sum": ("[behaviour]\nturns = [0.5, 0.6]\n", ["behaviour.turns", "sum to 1.1, not to 1"]),
    "shares that do not sum": ("[mix]\nlanguages = { en = 0.7, nl = 0.2 }\n", ["mix.languages", "sum to 0.9"]),
    "a branching ratio too high": ("[clusters.children]\nratio = 0.95\n", ["clusters.children.ratio", "below 0.95"]),
    "an unknown language": ("[mix]\nlanguages = { xx = 1.0 }\n", ["mix.languages.xx", "known here are en, nl"]),
    "an unknown platform": ("[mix]\nprivate = { kakoa = 1.0 }\n", ["mix.private.kakoa", "did you mean 'kakao'?"]),
    "an unknown topic": ("[mix]\ntopics = { rebook = 1.0 }\n", ["mix.topics.rebook", "did you mean 'rebooking'?"]),
}  # fmt: skip
BAD_DESKS = {
    "a shift outside the week": (
        POOL + 'agents = [{ code = "a1", shifts = ["mon 07:00-16:00", "someday 07:00-16:00"] }]\n',
        ["pools[0].agents[0].shifts[1]", "outside the week"],
    ),
    "a time zone that does not exist": (
        'timezone = "Europe/Atlantis"\n' + POOL + "steps = [[0.0, 4]]\n",
        ["timezone is 'Europe/Atlantis'", "does not exist"],
    ),
    "an unknown language": (
        POOL.replace("en", "xx") + "steps = [[0.0, 4]]\n", ["pools[0].languages.xx", "known here are en"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), BAD_SCENARIOS.values(), ids=BAD_SCENARIOS)
def test_a_bad_scenario_is_explained(text: str, parts: list[str]) -> None:
    refused("scenario", SCENARIO + text, parts)


@pytest.mark.parametrize(("text", "parts"), BAD_DESKS.values(), ids=BAD_DESKS)
def test_a_bad_desk_is_explained(text: str, parts: list[str]) -> None:
    refused("desk", DESK + text, parts)


def refused(what: str, text: str, parts: Sequence[str]) -> None:
    """Both checking and using such a file say the same, with file and place, and nothing is written."""
    Path("bad.toml").write_text(text, "utf-8")
    used = ("run", "bad.toml") if what == "scenario" else ("run", TINY, "--desk", "bad.toml")
    for told in (ashcloud(what, "validate", "bad.toml"), ashcloud(*used, "--out", "out")):
        assert (told.exit_code, told.stdout) == (2, "")
        (line,) = [line for line in told.stderr.splitlines() if parts[0] in line]
        assert line.startswith("bad.toml: ")
        assert [part for part in parts if part not in line] == []
        assert "Traceback" not in told.stderr
    assert os.listdir() == ["bad.toml"]


def test_all_faults_of_all_files_are_said_at_once() -> None:
    Path("one.toml").write_text(SCENARIO + "titel = 1\n[base]\nmentions_per_h = -1\ncases_per_h = true\n")
    Path("two.toml").write_text(SCENARIO + '[mix]\nlanguages = "nl"\n')
    told = ashcloud("scenario", "validate", "one.toml", "volcano", "two.toml", "three.toml")
    assert told.exit_code == 2
    assert sorted(re.split(r": | is | does ", line, maxsplit=2)[:2] for line in told.stderr.splitlines()) == [
        ["one.toml", "base.cases_per_h"], ["one.toml", "base.mentions_per_h"], ["one.toml", "titel"],
        ['scenario "three.toml"', "not exist"], ["two.toml", "mix.languages"],
    ]  # fmt: skip


def circle() -> str:
    Path("a.toml").write_text('extends = "b.toml"\n')
    Path("b.toml").write_text('extends = "a.toml"\n')
    return "a.toml"


def latin() -> str:
    Path("latin.toml").write_bytes(b'# fine\nname = "\xff"\n')
    return "latin.toml"


def huge() -> str:
    with open("huge.toml", "wb") as file:
        file.truncate(1_000_000_000)  # sparse: takes no room
    return "huge.toml"


def empty() -> str:
    Path("empty.toml").touch()
    return "empty.toml"


def folder() -> str:
    Path("folder.toml").mkdir()
    return "folder.toml"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (circle, "b.toml: extends goes in a circle: a.toml -> b.toml -> a.toml"),
        (empty, "empty.toml is empty"),
        (latin, "latin.toml: line 2, byte 9 has byte 0xff, which is not UTF-8; save the file as UTF-8"),
        (folder, "folder.toml is a folder; give the name of a file in it"),
        (huge, "huge.toml is too large: 1000.0 MB, at most 4 MB are read"),
        (lambda: "missing.toml", '"missing.toml" does not exist'),
        (lambda: "volcan", "\"volcan\" is neither in the library nor a file; did you mean 'volcano'?"),
    ],
)
@pytest.mark.parametrize("words", [("simulate",), ("run",), ("scenario", "validate"), ("scenario", "show")])
def test_a_file_that_cannot_be_read_is_explained(make: Callable[[], str], message: str, words: tuple[str, ...]) -> None:
    name = make()
    before = sorted(os.listdir())
    told = ashcloud(*words, name)
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.rstrip().endswith(message)
    assert sorted(os.listdir()) == before


def of_another_format() -> str:
    head = np.frombuffer(b'{"format": 99, "digest": "", "about": {}}', dtype=np.uint8)
    np.savez("other.npz", _head=head)
    return "other.npz"


def damaged() -> str:
    ashcloud("trace", "generate", TINY, "--out", "whole.npz")
    whole = Path("whole.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    return "cut.npz"


def no_trace() -> str:
    with zipfile.ZipFile("zip.npz", "w") as file:
        file.writestr("letter.txt", "hello")
    return "zip.npz"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (of_another_format, "other.npz: is a trace of format 99, this version reads format 1; generate it anew"),
        (damaged, "cut.npz: is damaged or no trace"),
        (no_trace, "zip.npz: is"),
        (lambda: "missing.npz", "missing.npz: no such file; write one with `ashcloud trace generate`"),
    ],
)
@pytest.mark.parametrize("command", ["info", "sample"])
def test_a_trace_that_cannot_be_read_is_explained(make: Callable[[], str], message: str, command: str) -> None:
    told = ashcloud("trace", command, make())
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trace", "generate", TINY, "--out", "x.txt"), "--out x.txt should end in .npz"),
        (("trace", "generate", TINY, "--out", "no/x.npz"), "the folder no does not exist; make it first"),
        (("trace", "sample", TINY, "--language", "xx"), '--language is "xx", should be one of en, nl'),
        (("trace", "sample", TINY, "--language", "th"), "has no such post among its"),
        (("report", "nowhere"), "nowhere: no such run folder"),
        (("rerun", "."), "is no run folder, it has no manifest.json"),
        (("run", TINY, "--out", "."), ".: is the folder you are in"),
    ],
)
def test_other_wrong_words_are_explained(words: tuple[str, ...], message: str) -> None:
    told = ashcloud(*words)
    assert (told.exit_code, told.stdout) == (2, "")
    assert message in told.stderr
    assert os.listdir() == []


@pytest.mark.parametrize("option", ["--desk", "--seed", "--out"])
def test_a_password_is_never_shown_or_kept(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "postgres://care:hunter2@db/care?token=s3cret"
    words = ["simulate", *TINY_RUN, "--out", "kept", option, secret]
    monkeypatch.setattr(sys, "argv", ["ashcloud", *words])
    told = ashcloud(*words)
    assert told.exit_code == 2
    assert "hunter2" not in told.output and "s3cret" not in told.output
    assert os.listdir() == []


def test_a_password_in_the_words_of_the_command_never_reaches_the_run_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["ashcloud", "simulate", "postgres://care:hunter2@db/care?token=s3cret"])
    assert ashcloud("simulate", *TINY_RUN, "--out", "kept").exit_code == 0
    assert [
        path.name
        for path in Path("kept").rglob("*")
        if path.is_file() and re.search(b"hunter2|s3cret", path.read_bytes())
    ] == []
    assert "ashcloud simulate 'postgres://care:***@db/care?token=***'" in Path("kept/manifest.json").read_text("utf-8")


# --- the process --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_failure() -> None:
    words = [sys.executable, "-m", "ashcloud", "scenario", "schema"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
def test_a_terminal_without_the_letters_is_no_failure() -> None:
    words = [sys.executable, "-m", "ashcloud", "trace", "sample", "volcano", "--language", "ja", "-n", "2"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(words, capture_output=True, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout


def test_a_bug_of_ours_keeps_its_traceback_and_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from reports import listing

    monkeypatch.setattr(listing, "brief", lambda what: 1 // 0)
    told = ashcloud("desk", "list")
    assert told.exit_code == 3
    assert "ZeroDivisionError" in told.stderr


def test_ctrl_c_outside_of_a_run_says_that_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from reports import listing

    def interrupted(what: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "brief", interrupted)
    told = ashcloud("desk", "list")
    assert (told.exit_code, told.stderr) == (130, "interrupted; nothing is kept\n")


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("run", "--help")])
def test_help_costs_less_than_0_3_s_of_a_core(words: tuple[str, ...]) -> None:
    code = (
        "import resource, sys\nfrom ashcloud import main\n"
        f"try:\n    main({list(words)!r}, prog_name='ashcloud')\nexcept SystemExit:\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    print(used.ru_utime + used.ru_stime, file=sys.stderr)\n"
    )
    costs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr)
        for _ in range(3)
    ]
    assert min(costs) < 0.3


def test_every_command_is_of_ours() -> None:
    assert all(isinstance(command, click.Command) and command.help for _, command in leaves())


# --- experiments --------------------------------------------------------------------------------


def test_figures_have_quantiles_and_the_part_of_the_size() -> None:
    words = ("simulate", TINY, "--desk", TINY_DESK, "--hours", "3", "--runs", "12")
    told = read_json(ashcloud(*words, "--backlog", "en=5,nl=2", "--warm-up", "1", "--json").stdout)
    assert (told["runs"], told["warm_up_h"], told["backlog"]) == (12, 1.0, "en=5,nl=2")
    for row in told["measures"].values():
        assert {"mean", "low", "high"} <= set(row)
    cases = told["measures"]["cases"]
    values = sorted(run["measures"]["cases"] for run in told["replications"])
    # Of 12 values the 6th is the median, and the 3rd and the 10th have it between them at 95 %.
    assert cases["median"] == {"value": values[5], "low": values[2], "high": values[9]}
    assert cases["p10"] == {"value": values[1], "low": None, "high": values[4]}
    assert cases["of_size"]["n"] == 12 and 0.0 <= cases["of_size"]["low"] <= cases["of_size"]["share"] <= 1.0
    few = read_json(ashcloud(*words[:-1], "2", "--size", "likely", "--json").stdout)["measures"]["cases"]
    assert "p10" not in few and "of_size" not in few and few["median"]["low"] is None


def test_it_runs_on_until_the_interval_is_narrow_enough_or_says_that_it_is_not() -> None:
    words = ("simulate", TINY, "--desk", TINY_DESK, "--hours", "2", "--size", "likely")
    done = ashcloud(*words, "--until", "cases=40%", "--json")
    told = read_json(done.stdout)
    assert (done.exit_code, told["runs"], told["finished"], told["status"]) == (0, 10, 10, "finished")
    assert told["until"][0]["settled"] and told["until"][0]["half_width"] <= told["until"][0]["wanted"]
    done = ashcloud(*words, "--until", "cases=40%", "--until", "wait_mean_s=1s", "--max-runs", "11")
    assert done.exit_code == 0
    assert re.search(r"^note: wait_mean_s=1s is not reached: the interval is .* to either side, not", done.stderr, re.M)
