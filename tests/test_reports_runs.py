"""Run folders: whole or not there, never overwritten, done again to the byte."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from reports import runs
from reports.drafts import Draft
from reports.make import Answer, Question, simulate, store
from reports.manifest import Settings
from reports.rerun import differing, rerun
from reports.runs import Stored, load, make_page
from scenarios import library as scenario_library
from scenarios.digest import digest
from scenarios.errors import DeskError, InputError, RunError
from scenarios.model import Scenario
from sim import crew
from sim import library as desk_library
from sim.desk import Desk
from sim.outcome import load as load_outcome

DATA = Path(__file__).parent / "data"
NOW = datetime(2010, 4, 15, 19, 0, 0)


class Quiet:
    """Remembers what is said; its watch may have had enough after so many runs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.said: list[str] = []
        self.stop_after = stop_after

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def waiting(self, what: str, pieces: int) -> Iterator[crew.Watch]:
        yield Enough(self.stop_after)


class Enough(crew.Watch):
    def __init__(self, after: int | None) -> None:
        self.after, self.finished = after, 0

    def progress(self, share: float, finished: int) -> None:
        self.finished = max(self.finished, finished)

    def stopped(self) -> bool:
        return self.after is not None and self.finished >= self.after


def question(**settings: Any) -> Question:
    words = ("ashcloud", "run", "tiny.toml", "--note", "postgres://care:hunter2@db/care?token=s3cret")
    given = {"runs": 2, "workers": 1, **settings}
    return Question(str(DATA / "tiny.toml"), str(DATA / "tiny_desk.toml"), Settings(**given), words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of two runs with its page; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "tiny"
    answer = store(question(), folder, True, Quiet())
    assert answer.folder == folder
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return read


def test_a_run_folder_has_everything(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == [
        "desk.json", "desk.toml", "figures", "manifest.json", "measures.json", "outcome_000.npz", "outcome_001.npz",
        "report.html", "scenario.json", "scenario.toml", "staffing.csv", "trace_000.npz", "trace_001.npz",
    ]  # fmt: skip
    assert (made / "scenario.toml").read_bytes() == (DATA / "tiny.toml").read_bytes()
    assert (made / "report.html").read_text("utf-8").lower().startswith("<!doctype html>")
    for name in ("answered", "arrivals", "backlog"):
        figure = ElementTree.parse(made / "figures" / f"{name}.svg").getroot()
        assert figure.tag == "{http://www.w3.org/2000/svg}svg"
        assert figure[0].text and figure[0].text in (made / "report.html").read_text("utf-8")


def test_the_manifest_says_what_was_run_with_what_and_when(made: Path) -> None:
    told = manifest(made)
    assert told["status"] == "finished"
    assert told["scenario"]["name"] == "tiny"
    assert told["scenario"]["digest"] == digest(scenario_library.load(DATA / "tiny.toml"))
    assert told["settings"]["seed"] == 1
    assert set(told["versions"]) >= {"ashcloud", "numpy", "numba", "simpy"}
    assert datetime.fromisoformat(told["started"]) <= datetime.fromisoformat(told["ended"])
    assert set(told["timings_s"]) == {"runs", "page", "all"}
    assert [entry["number"] for entry in told["replications"]] == [0, 1]
    assert set(told["replications"][0]["seconds"]) == {"generate", "simulate", "measure", "save"}
    assert told["replications"][0]["outcome"] == load_outcome(made / "outcome_000.npz").digest


def test_no_secret_reaches_a_file_of_the_folder(made: Path) -> None:
    for path in filter(Path.is_file, made.rglob("*")):
        assert b"hunter2" not in path.read_bytes()
        assert b"s3cret" not in path.read_bytes()
    assert "postgres://care:***@db/care?token=***" in manifest(made)["command"]


def test_scenario_and_desk_load_again_as_they_were(made: Path) -> None:
    run = load(made)
    assert run.scenario == scenario_library.load(DATA / "tiny.toml")
    assert run.desk == desk_library.load(DATA / "tiny_desk.toml")
    assert len(run.outcomes) == len(run.traces) == 2


@pytest.mark.parametrize("name", scenario_library.names())
def test_every_scenario_of_the_library_survives_a_run_folder(name: str, tmp_path: Path) -> None:
    scenario = scenario_library.load(name)
    with Draft(tmp_path / "x", name, NOW) as draft:
        source = draft.copy("scenario", scenario, name, scenario_library.FOLDER)
        again = runs.read_value(Scenario, draft.folder / "scenario.json")
    assert (again, digest(again)) == (scenario, source.digest)
    assert source.copies == ()


@pytest.mark.parametrize("name", desk_library.names())
def test_every_desk_of_the_library_survives_a_run_folder(name: str, tmp_path: Path) -> None:
    desk = desk_library.load(name)
    with Draft(tmp_path / "x", name, NOW) as draft:
        draft.copy("desk", desk, name, desk_library.FOLDER)
        assert runs.read_value(Desk, draft.folder / "desk.json") == desk


def test_the_measures_are_those_of_the_answer_without_nan(made: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    told = json.loads((made / "measures.json").read_text("utf-8"), parse_constant=refuse)
    again = simulate(question(), Quiet())
    assert again.figures == told


# --- the place of a folder ----------------------------------------------------------------------


def test_the_default_folder_is_named_after_time_and_scenario_and_is_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for expected in ("2010-04-15T190000-volcano", "2010-04-15T190000-volcano-2"):
        with Draft(None, "volcano", NOW) as draft:
            (draft.folder / "manifest.json").write_text("{}")
            assert draft.finish() == Path("runs") / expected
        assert os.readlink("runs/latest") == expected
    assert sorted(os.listdir("runs")) == ["2010-04-15T190000-volcano", "2010-04-15T190000-volcano-2", "latest"]


def test_a_folder_elsewhere_makes_no_link(tmp_path: Path) -> None:
    with Draft(tmp_path / "a" / "b", "volcano", NOW) as draft:
        draft.finish()
    assert os.listdir(tmp_path / "a") == ["b"]


def test_a_run_that_is_there_stays_and_the_new_one_gets_a_number(copied: Path) -> None:
    before = {path.name: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    voice = Quiet()
    answer = store(question(runs=1), copied, False, voice)
    assert answer.folder == copied.with_name("tiny-2")
    assert voice.said == [f"{copied} exists already: this run is in {copied}-2"]
    assert {path.name: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("all mine")
    with pytest.raises(RunError, match=r"thesis: is a folder with other things in it; nothing is overwritten"):
        store(question(), tmp_path / "thesis", True, Quiet())
    assert os.listdir(tmp_path / "thesis") == ["chapter.txt"]
    assert os.listdir(tmp_path) == ["thesis"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Draft(tmp_path / "empty", "volcano", NOW) as draft:
        (draft.folder / "x").touch()
        assert draft.finish() == tmp_path / "empty"
    assert os.listdir(tmp_path / "empty") == ["x"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file: is a file, not a folder"):
        Draft(tmp_path / "file", "volcano", NOW)
    with pytest.raises(RunError, match="cannot be made: not a directory"):
        Draft(tmp_path / "file" / "below", "volcano", NOW)


def test_the_folder_one_is_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="is the folder you are in"):
        Draft(Path("."), "volcano", NOW)


def test_two_that_want_the_same_folder_both_get_one(tmp_path: Path) -> None:
    with Draft(tmp_path / "x", "volcano", NOW) as one, Draft(tmp_path / "x", "volcano", NOW) as two:
        for draft in (one, two):
            (draft.folder / "manifest.json").write_text("{}")
        assert [one.finish(), two.finish()] == [tmp_path / "x", tmp_path / "x-2"]


@pytest.mark.parametrize("out", ["x", "new/deeper/x"])
def test_nothing_is_left_behind_when_it_fails(out: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Draft(tmp_path / out, "volcano", NOW) as draft:
        (draft.folder / "trace_000.npz").touch()
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_a_desk_that_cannot_run_leaves_nothing_behind(tmp_path: Path) -> None:
    desk = tmp_path / "english.toml"
    desk.write_text(
        'name = "english"\ntitle = "x"\npools = [{ name = "a", languages = ["en"], steps = [[-1.0, 4]] }]\n'
    )
    asked = Question(str(DATA / "tiny.toml"), str(desk), Settings(runs=1))
    with pytest.raises(DeskError):
        store(asked, tmp_path / "out", True, Quiet())
    assert os.listdir(tmp_path) == ["english.toml"]


def test_the_faults_of_scenario_and_desk_come_together(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('extends = "quiet_week"\nname = "s"\ntitel = "x"\n')
    (tmp_path / "d.toml").write_text('name = "d"\ntitle = "x"\npools = []\n')
    asked = Question(str(tmp_path / "s.toml"), str(tmp_path / "d.toml"), Settings())
    with pytest.raises(InputError) as caught:
        store(asked, tmp_path / "out", True, Quiet())
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        str(tmp_path / "s.toml"), str(tmp_path / "d.toml"),
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()


# --- interrupted --------------------------------------------------------------------------------


def test_what_has_finished_is_kept_when_it_is_interrupted(tmp_path: Path) -> None:
    answer = store(question(runs=5), tmp_path / "x", True, Quiet(stop_after=2))
    assert (answer.status, answer.folder, answer.verdict) == ("interrupted", tmp_path / "x", None)
    told = manifest(tmp_path / "x")
    assert told["status"] == "interrupted"
    assert [entry["number"] for entry in told["replications"]] == [0, 1]
    assert told["settings"]["runs"] == 5
    assert not (tmp_path / "x" / "report.html").exists()
    assert answer.remarks()[0] == f"interrupted: 2 of 5 runs finished; they are kept in {tmp_path / 'x'}"
    make_page(load(tmp_path / "x"))
    assert (tmp_path / "x" / "report.html").exists()
    assert rerun(tmp_path / "x", 1, Quiet()).to_dict()["same"] is True


def test_nothing_is_kept_when_no_run_has_finished(tmp_path: Path) -> None:
    answer = store(question(), tmp_path / "x", True, Quiet(stop_after=0))
    assert answer == Answer("interrupted", None)
    assert answer.remarks() == ["interrupted: no run finished; nothing is kept"]
    assert os.listdir(tmp_path) == []


def test_an_interrupt_while_the_page_is_made_keeps_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(run: runs.Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "make_page", interrupted)
    answer = store(question(runs=1), tmp_path / "x", True, Quiet())
    assert answer.status == manifest(tmp_path / "x")["status"] == "interrupted"
    assert load(tmp_path / "x").outcomes[0].about["seed"] == 1


def test_rows_that_somebody_ended_in_the_middle_are_removed(tmp_path: Path) -> None:
    with Draft(tmp_path / "x", "volcano", NOW) as draft:
        for name in ("trace_000.npz", "outcome_000.npz", "trace_001.npz", ".ashcloud-12.part", "scenario.json"):
            (draft.folder / name).touch()
        draft.tidy([0])
        assert sorted(os.listdir(draft.folder)) == [".lock", "outcome_000.npz", "scenario.json", "trace_000.npz"]


# --- reading ------------------------------------------------------------------------------------


def test_rows_are_read_when_asked_for_and_not_all_held(made: Path) -> None:
    asked: list[Path] = []

    def read(path: Path) -> Any:
        asked.append(path)
        return load_outcome(path)

    paths = [made / "outcome_000.npz", made / "outcome_001.npz"]
    held = Stored(paths, read)
    assert [held[0], held[0], held[-1], held[0]] and asked == paths
    asked.clear()
    single = Stored(paths, read, held_bytes=1)
    assert [outcome.about["replication"] for outcome in single] == [0, 1]
    assert [single[0].about["replication"], len(single[1:])] == [0, 1]
    assert asked == [*paths, paths[0]]
    with pytest.raises(IndexError):
        single[2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no run folder, it has no manifest.json"),
        ("{", "manifest.json: is damaged"),
        ("[]", "manifest.json: is damaged"),
        ('{"format": 99}', "manifest.json: is of format 99, this version reads 1"),
        ('{"format": 1, "status": "fine"}', "manifest.json: is damaged"),
    ],
)
def test_what_is_no_run_is_said(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RunError, match=message):
        load(tmp_path)


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        load(tmp_path / "runs")


@pytest.mark.parametrize("name", ["scenario.json", "desk.json"])
def test_a_missing_or_damaged_scenario_is_said(name: str, copied: Path) -> None:
    (copied / name).write_text("{")
    with pytest.raises(RunError, match=f"{name}: is damaged"):
        load(copied)
    (copied / name).unlink()
    with pytest.raises(RunError, match=f"{name}: is missing"):
        load(copied)


def test_a_page_of_damaged_rows_is_not_made(copied: Path) -> None:
    before = (copied / "report.html").read_bytes()
    (copied / "outcome_001.npz").write_bytes(b"PK\x03\x04 not any more")
    with pytest.raises(RunError, match=r"outcome_001.npz: is damaged"):
        make_page(load(copied))
    assert (copied / "report.html").read_bytes() == before


# --- again --------------------------------------------------------------------------------------


def test_a_rerun_gives_the_same_rows(made: Path) -> None:
    told = rerun(made, 2, Quiet())
    assert (told.compared, told.differences, told.versions) == (2, {}, {})


def test_a_changed_column_is_named(copied: Path) -> None:
    tamper(copied / "outcome_000.npz", {"turns.wait_s": 1.0, "cases.state": 1})
    tamper(copied / "trace_001.npz", {"influence": 1.0})
    assert rerun(copied, 1, Quiet()).to_dict()["differences"] == {
        "outcome_000.npz": ["cases.state", "turns.wait_s"],
        "trace_001.npz": ["influence"],
    }


def test_a_missing_or_damaged_file_is_a_difference(copied: Path) -> None:
    (copied / "outcome_000.npz").unlink()
    (copied / "trace_000.npz").write_bytes(b"PK")
    told = rerun(copied, 1, Quiet()).differences
    assert told["outcome_000.npz"] == ["is missing"]
    assert told["trace_000.npz"][0].startswith("is damaged")
    assert list(told) == ["trace_000.npz", "outcome_000.npz"]


def test_a_changed_scenario_is_named(copied: Path) -> None:
    text = (copied / "scenario.json").read_text("utf-8")
    (copied / "scenario.json").write_text(text.replace('"mentions_per_h": 40.0', '"mentions_per_h": 41.0'), "utf-8")
    told = rerun(copied, 1, Quiet()).differences
    assert told["scenario.json"] == ["is not as it was run"]
    assert "about.scenario_digest" in told["trace_000.npz"]


def test_another_version_is_said_and_only_rows_are_compared(copied: Path) -> None:
    told = manifest(copied)
    told["versions"]["ashcloud"] = "0.0.1"
    (copied / "manifest.json").write_text(json.dumps(told))
    tamper(copied / "outcome_000.npz", {}, {"version": "0.0.1", "desk_digest": "other", "trace": "other"})
    voice = Quiet()
    found = rerun(copied, 1, voice)
    assert found.differences == {}
    assert set(found.versions) == {"ashcloud"}
    assert voice.said[0].startswith("note: the run was made with ashcloud 0.0.1, this is ")


def test_an_entry_that_differs_is_named(made: Path, tmp_path: Path) -> None:
    stored = Path(shutil.copy(made / "outcome_000.npz", tmp_path))
    assert differing(stored, made / "outcome_000.npz") == []
    tamper(stored, {}, {"seed": 2})
    assert differing(stored, made / "outcome_000.npz") == ["about.seed"]


def tamper(path: Path, columns: Mapping[str, float], about: Mapping[str, Any] | None = None) -> None:
    """Add to columns and set entries; the digest stays as it was."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for name, more in columns.items():
        arrays[name] = (arrays[name] + more).astype(arrays[name].dtype)
    head = json.loads(bytes(arrays["_head"]).decode())
    head["about"] |= about or {}
    arrays["_head"] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    np.savez_compressed(path, **arrays)
