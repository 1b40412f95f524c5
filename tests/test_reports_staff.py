"""A staffing plan on paper: words, tables, files and the page say what was found."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import TINY, TINY_DESK
from rich.console import Console

from reports import staff_figures, staff_page, staff_tables, staff_words
from reports.staff import StaffAnswer, StaffQuestion, read_promises, seconds_of, staff
from reports.staff_manifest import StaffSettings
from reports.staffed import Staffed
from scenarios.errors import InputError
from sim import library as desks
from sim.crew import Watch
from sim.estimate import Estimate
from sim.staff.baselines import Baseline
from sim.staff.duty import safe
from sim.staff.reachable import Reachable
from sim.staff.seats import Seats


class Silent:
    """A voice that says nothing, and can be made to stop: at once, or when it hears some words."""

    def __init__(self, stopped: bool = False, at: str | None = None) -> None:
        self.stopped, self.at, self.said = stopped, at, list[str]()

    def say(self, text: str) -> None:
        self.said.append(text)

    def waiting(self, what: str, pieces: int) -> Silent:
        return self

    def __enter__(self) -> Watch:
        def notice(text: str) -> None:
            self.said.append(text)
            self.stopped = self.stopped or (self.at is not None and self.at in text)

        watch = Watch()
        watch.notice = notice  # type: ignore[method-assign]
        watch.stopped = lambda: self.stopped  # type: ignore[method-assign]
        return watch

    def __exit__(self, *_: object) -> None: ...


SETTINGS = StaffSettings(budget="2s", seed=5, baselines=4)
QUESTION = StaffQuestion(TINY, TINY_DESK, None, ("80% in 60 min",), SETTINGS, ("ashcloud", "staff"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> StaffAnswer:
    return staff(QUESTION, tmp_path_factory.mktemp("staff") / "plan", Silent())


def test_everything_is_kept_in_the_folder(told: StaffAnswer) -> None:
    assert told.folder is not None and told.status == "finished"
    names = {path.relative_to(told.folder).as_posix() for path in told.folder.rglob("*") if path.is_file()}
    figures = {f"figures/{name}.svg" for name in ("people", "work", "cost")}
    files = {"manifest.json", "staff.json", "staff.html", "requirement.csv", "requirement.toml", "desk.json"}
    assert names >= figures | files | {"scenario.json"}
    manifest = json.loads((told.folder / "manifest.json").read_text())
    assert manifest["kind"] == "staff" and manifest["promises"] == ["80% in 60 min"]
    stored = json.loads((told.folder / "staff.json").read_text())
    assert stored["requirement"]["agent_hours"] == told.told.requirement.seats.hours


def test_the_desk_file_is_the_requirement(told: StaffAnswer) -> None:
    assert told.folder is not None
    made, wanted = desks.load(told.folder / "requirement.toml"), told.told.requirement.seats
    assert made.name == "tiny_desk-requirement"
    assert [pool.steps for pool in made.pools] == [pool.steps for pool in wanted.desk(told.told.question.desk).pools]
    assert made.classes == told.told.question.desk.classes


def test_the_requirement_is_there_by_interval_with_and_without_shrinkage(told: StaffAnswer) -> None:
    assert told.folder is not None
    rows = list(csv.DictReader(io.StringIO((told.folder / "requirement.csv").read_text())))
    heads = told.told.requirement.seats.heads
    assert len(rows) == heads.shape[1] == 24
    assert [int(row["seats_total"]) for row in rows] == heads.sum(axis=0).tolist()
    assert rows[0]["start_local"] == "2015-06-01T08:00+02:00" and rows[0]["start_utc"] == "2015-06-01T06:00+00:00"
    # Dutch agents: three shifts of eight hours, two of them with a break of half an hour: 1/24 of the time.
    seats, paid = int(rows[4]["seats dutch"]), float(rows[4]["paid dutch"])
    assert paid == pytest.approx(seats / (1.0 - 1.0 / 24.0), abs=0.005)
    assert float(rows[4]["paid english"]) == int(rows[4]["seats english"])


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_taken_for_a_formula(cell: str) -> None:
    assert safe(cell) == f"'{cell}"
    assert safe("dutch") == "dutch"


def test_the_words_say_what_was_found(told: StaffAnswer) -> None:
    said = staff_words.words(told.told)
    heads = told.told.requirement.seats.heads.sum(axis=0)
    assert f"{heads.max()} at the peak" in said.headline
    assert "80\xa0% in 60\xa0min in each language" in said.headline
    assert any("One seat fewer in pool" in line for line in said.findings)
    assert any("and change 12 h after onset" in line for line in said.findings)
    assert "80 fresh days" in said.sure and "seed 5" in said.sure
    assert any("--miss-cost" in line for line in said.cautions)


def test_a_search_that_the_time_ended_says_how_far_it_came(told: StaffAnswer) -> None:
    def sure(**changes: object) -> str:
        main = replace(told.told.requirement, **changes)  # type: ignore[arg-type]
        return staff_words.words(replace(told.told, requirement=main)).sure

    assert sure(finished=True, rounds=2).endswith("interval).")
    assert sure(finished=False, rounds=2).endswith("enough for a first guess alone: give a larger --budget.")
    assert sure(finished=False, rounds=5).endswith("with more time it may find a cheaper plan.")


def test_a_usual_way_says_on_how_many_batches_of_days_it_keeps_as_much(told: StaffAnswer) -> None:
    def line(n: int) -> str:
        found = Estimate(n, 0.2, None, None) if n else Estimate(0, None, None, None)
        usual = Baseline("today's desk", found, found, found, 1.5, 4)
        lines = staff_words.words(replace(told.told, usual=(usual,))).findings
        return next(text for text in lines if text.startswith("Today's desk")).replace("\xa0", " ")

    assert line(4).endswith("the requirement saves 20.0 %.")
    assert "20.0 %, on 1 of 4 batches of days; on the others no scale up to eight keeps as much." in line(1)
    assert line(0) == "Today's desk: no scale up to eight keeps as much of the promise."


def reach(told: Staffed, **changes: object) -> str:
    assert told.reachable is not None
    return staff_words.reach(replace(told, reachable=replace(told.reachable, **changes)))  # type: ignore[arg-type]


def test_the_words_say_from_when_the_promise_can_be_kept(told: StaffAnswer) -> None:
    found = told.told.reachable
    assert isinstance(found, Reachable)
    missed = tuple(replace(group, kept=group.cases // 2) for group in found.groups)
    kept = tuple(replace(group, kept=group.cases) for group in found.groups)
    assert reach(told.told, groups=kept).endswith("keep the promise over the whole window.")
    assert "keep it only from Mon 1 Jun, 10:00 on".replace(" ", "\xa0") in reach(
        told.told, groups=missed, kept_from_s=3600.0
    ).replace(" ", "\xa0")
    assert "do not keep the promise at any time" in reach(told.told, groups=missed, kept_from_s=np.inf)


def test_the_exit_code_is_that_of_what_can_be_reached(told: StaffAnswer) -> None:
    found = told.told.reachable
    assert found is not None
    for kept, code in ((True, 0), (False, 1)):
        groups = tuple(replace(group, kept=group.cases if kept else 0 * group.cases) for group in found.groups)
        other = replace(told, told=replace(told.told, reachable=replace(found, groups=groups)))
        assert other.code == code
    assert replace(told, status="interrupted").code == 130


def test_the_page_stands_alone_and_holds_the_plan(told: StaffAnswer) -> None:
    made = staff_page.page(told.told)
    html = made["staff.html"].decode()
    assert "http" not in html.replace("http://www.w3.org", "")
    assert staff_words.words(told.told).headline.split("\xa0")[0] in html
    assert all(f"<h3>{drawn.title}" in html for drawn in staff_figures.drawings(told.told))
    assert made == staff_page.page(told.told)


def test_the_table_has_a_line_a_plan_and_a_line_a_language(told: StaffAnswer) -> None:
    text = io.StringIO()
    staff_tables.plan(Console(file=text, width=200), told)
    lines = text.getvalue()
    assert all(each.name in lines for each in told.told.plans)
    assert "requirement *" in lines and "\nnl " in lines


def test_two_promises_are_kept_together() -> None:
    few = StaffSettings(budget="1s", baselines=0, hours=3.0)
    asked = replace(QUESTION, promises=("80% in 60 min", "95% in 3 h"), settings=few)
    found = staff(asked, None, Silent()).told
    names = [(group.name, str(group.promise)) for group in found.requirement.groups if group.name == "all"]
    assert names == [("all", "80% in 60 min"), ("all", "95% in 180 min")]
    assert found.usual == ()


def test_who_ends_it_early_gets_the_best_so_far() -> None:
    found = staff(replace(QUESTION, settings=StaffSettings(budget="60s")), None, Silent(stopped=True))
    assert found.status == "interrupted" and found.code == 130
    assert isinstance(found.told.requirement.seats, Seats) and found.told.others == ()
    # He does not wait for all the evidence, and the words say on how little it stands.
    assert found.told.requirement.groups[0].cases.size == 8 and found.told.requirement.binding is None
    assert "Judged on 8 fresh days" in staff_words.words(found.told).sure


def test_who_ends_it_in_the_middle_gets_the_parts_that_were_finished() -> None:
    few = replace(QUESTION, settings=StaffSettings(budget="2s", hours=3.0, baselines=4))
    voice = Silent(at="size 2 of 8")
    found = staff(few, None, voice)
    assert found.code == 130 and [each.name for each in found.told.others] == ["80 % surge", "95 % surge"]
    assert found.told.finals is not None and found.told.table is None and found.told.usual == ()
    assert voice.said[-1] == "size 2 of 8 played"  # and nothing more was played
    said = staff_words.words(found.told)
    assert not any("over all sizes" in line or "sizes" in line for line in said.findings)


@pytest.mark.parametrize(("words", "seconds"), [("10m", 600.0), ("90s", 90.0), ("5", 300.0), ("0.5 h", 1800.0)])
def test_a_budget_is_read(words: str, seconds: float) -> None:
    assert seconds_of(words) == seconds


def test_a_budget_below_the_least_is_said() -> None:
    assert seconds_of("1s") == 1.0
    with pytest.raises(InputError, match=r"--budget is '0\.9s', too short for any search; give at least 1s"):
        seconds_of("0.9s")


@pytest.mark.parametrize("words", ["soon", "0m", "-5", "10 weeks"])
def test_what_is_no_budget_is_said(words: str) -> None:
    with pytest.raises(InputError, match="write it like 10m"):
        seconds_of(words)


def test_all_promises_that_cannot_be_read_are_said_at_once() -> None:
    with pytest.raises(InputError) as error:
        read_promises(["soon", "120% in 5 min", "80% in 20 min", "90% in 20 min"])
    assert str(error.value).count("promise") == 3 and "one time twice" in str(error.value)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(Exception, match="nothing is overwritten"):
        staff(QUESTION, tmp_path, Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
