"""A staffing plan on the page of a run: the same numbers as in its own files, and clear words where it does not fit."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import chromium, grave_faults
from commands import TINY, TINY_DESK
from test_command import ashcloud
from test_reports_staff import Silent

from reports import runs, staff_run
from reports.make import Question, store
from reports.manifest import Settings
from reports.staff import StaffQuestion, staff
from reports.staff_manifest import StaffSettings
from reports.staff_run import StaffRun
from scenarios.errors import RunError
from scenarios.model import Scenario


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with their page."""
    folder = tmp_path_factory.mktemp("run") / "tiny"
    store(Question(TINY, TINY_DESK, Settings(runs=2, seed=3)), folder, True, Silent())
    return folder


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan for the same scenario."""
    folder = tmp_path_factory.mktemp("plan") / "plan"
    settings = StaffSettings(budget="2s", seed=5, baselines=0, worlds=0)
    staff(StaffQuestion(TINY, TINY_DESK, None, ("80% in 60 min",), settings, ("ashcloud", "staff")), folder, Silent())
    return folder


@pytest.fixture
def copied(plan: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plan, tmp_path / "plan"))


def text_of(page: Path) -> str:
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.read_text("utf-8"), flags=re.S)
    return re.sub(r"\s+", " ", plain.replace("\N{NO-BREAK SPACE}", " "))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(folder: Path) -> StaffRun:
    return staff_run.load(folder, Scenario.load(TINY))


def test_the_page_holds_the_plan_with_the_numbers_of_its_files(run: Path, plan: Path) -> None:
    told = ashcloud("report", str(run), "--staffing", str(plan))
    assert told.exit_code == 0, told.stderr
    facts = json.loads((plan / "staff.json").read_bytes())
    needed = facts["requirement"]
    shown = text_of(run / "report.html")
    assert f"Simulated requirement: at most {needed['peak_heads']} heads at once, {needed['agent_hours']:,.0f}" in shown
    assert f"EUR {needed['cost']:,.0f} that keep 80 % in 60 min." in shown
    for each in facts["alternatives"]:
        assert f"{each['name']} {each['peak_heads']} {each['agent_hours']:,.0f} {each['cost']:,.0f}" in shown
    (link,) = re.findall(r'href="([^#"][^"]*)"', (run / "report.html").read_text("utf-8"))
    assert (run / link).resolve() == (plan / "staff.html").resolve()


def test_the_rows_of_the_requirement_are_the_most_seats_of_each_block(run: Path, plan: Path) -> None:
    runs.make_page(runs.load(run), staffing=plan)
    wanted = rows(plan / "requirement.csv")
    found = [row for row in rows(run / "staffing.csv") if row["kind"] == "requirement"]
    starts = [row["start_utc"] for row in found]
    assert found
    for row, end in zip(found, [*starts[1:], "9999"], strict=True):
        seats = [int(each["seats_total"]) for each in wanted if row["start_utc"] <= each["start_utc"] < end]
        assert int(row["heads_needed"]) == max(seats)
        assert int(row["change"]) >= int(row["heads_needed"]) - float(row["heads_at_desk"]) - 1e-3
    assert max(int(row["heads_needed"]) for row in found) == max(int(each["seats_total"]) for each in wanted)


def test_without_the_option_the_page_is_as_it_was(run: Path, plan: Path) -> None:
    runs.make_page(runs.load(run))
    before = {name: (run / name).read_bytes() for name in ("report.html", "staffing.csv")}
    runs.make_page(runs.load(run), staffing=plan)
    with_plan = (run / "report.html").read_bytes()
    assert with_plan != before["report.html"] and b"Simulated requirement" in with_plan
    runs.make_page(runs.load(run), staffing=plan)
    assert (run / "report.html").read_bytes() == with_plan
    runs.make_page(runs.load(run))
    assert {name: (run / name).read_bytes() for name in before} == before


def test_what_can_be_reached_is_read_too(plan: Path) -> None:
    found = read(plan)
    assert found.finished and found.reached is not None and found.reached.shape == found.total.shape
    first = rows(plan / "reachable.csv")[0]
    assert found.reached[0] == pytest.approx(float(first["own_mean"]) + float(first["called_in_mean"]))
    assert found.start_s == -3600.0


def cut(folder: Path) -> None:
    path = folder / "requirement.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def other_version(folder: Path) -> None:
    facts = json.loads((folder / "staff.json").read_bytes())
    (folder / "staff.json").write_text(json.dumps({**facts, "scenario_digest": "0" * 64}))


def other_name(folder: Path) -> None:
    facts = json.loads((folder / "staff.json").read_bytes())
    (folder / "staff.json").write_text(json.dumps({**facts, "scenario": "fog", "scenario_digest": "0" * 64}))


def put(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text(text)

    return change


def replaced(name: str, pattern: str, by: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        changed = re.sub(pattern, by, text, count=1)
        assert changed != text
        (folder / name).write_text(changed)

    return change


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "other scenario": (other_name, r"is of scenario fog, not of tiny"),
    "other version": (other_version, r"is of another version of scenario tiny"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), r"manifest.json: is missing; give a folder"),
    "no results": (lambda folder: (folder / "staff.json").unlink(), r"staff.json: is missing; size the staff anew"),
    "no page": (lambda folder: (folder / "staff.html").unlink(), r"staff.html: is missing"),
    "no table": (lambda folder: (folder / "requirement.csv").unlink(), r"requirement.csv: is missing"),
    "no reachable": (lambda folder: (folder / "reachable.csv").unlink(), r"reachable.csv: is missing"),
    "half a file": (put("staff.json", '{"scenario": "ti'), r"staff.json: is damaged"),
    "a list": (put("manifest.json", "[]"), r"is no staffing plan"),
    "binary": (
        lambda folder: (folder / "requirement.csv").write_bytes(b"\xff\xfe\x00"),
        r"requirement.csv: is damaged",
    ),
    "empty": (put("requirement.csv", ""), r"requirement.csv: is damaged \(it has no rows\)"),
    "cut": (cut, r"they are not of one plan"),
    "a word": (replaced("requirement.csv", r"(?m)^(2015[^,]*,[^,]*,[^,]*),\d+", r"\1,many"), r"column seats_total"),
    "negative cost": (replaced("staff.json", r'"cost": [\d.]+', '"cost": -1'), r"requirement.cost"),
    "another total": (
        replaced("requirement.csv", r"(?m)^(2015[^,]*,[^,]*,[^,]*),\d+", r"\1,99"),
        r"are not seats_total",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_folder_that_does_not_fit_is_refused_with_what_to_do(copied: Path, name: str) -> None:
    damage, words = FAULTS[name]
    damage(copied)
    with pytest.raises(RunError, match=words) as raised:
        read(copied)
    assert re.search(r"anew|ashcloud staff", str(raised.value))


def test_the_command_ends_with_two_and_leaves_the_page_alone(run: Path, copied: Path) -> None:
    other_name(copied)
    before = (run / "report.html").read_bytes()
    for folder, words in ((copied, "not of tiny"), (run, "is no staffing plan"), (copied / "none", "no such folder")):
        told = ashcloud("report", str(run), "--staffing", str(folder))
        assert told.exit_code == 2 and words in told.stderr and "Traceback" not in told.stderr
    assert (run / "report.html").read_bytes() == before


@pytest.mark.slow
def test_axe_finds_nothing_grave_on_the_page_and_nothing_is_wider_than_it(run: Path, plan: Path) -> None:
    runs.make_page(runs.load(run), staffing=plan)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto((run / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for width in (1200, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert grave_faults(page) == []
