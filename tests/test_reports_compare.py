"""A comparison says who is better and who cannot be told apart, in words, tables, a figure, a page and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.console import Console
from test_reports_page import Parsed
from test_reports_runs import Quiet

from reports import formats as fm
from reports.alternatives import alternatives, choose, load_all
from reports.compare import CompareQuestion, compare, results, store
from reports.compare_figure import draw_differences, drawing, figure, finding, panels
from reports.compare_page import page
from reports.compare_tables import comparison
from reports.compare_words import counts, gap, in_worlds, words
from reports.compared import Compared, CompareSettings
from reports.manifest import read
from reports.summary import to_json
from scenarios.errors import InputError, RunError, ScenarioError
from scenarios.model import Assumption, Scenario
from sim.compare import COMPARED, KEY, MISSED, Alternative, Day
from sim.desk import Desk
from sim.differences import Best, comparisons
from sim.levers import ArrivalsLever, Trigger
from sim.measures import Row
from sim.plan import Plan
from sim.worlds import survey

DATA = Path(__file__).parent / "data"
TINY, TINY_DESK = str(DATA / "tiny.toml"), str(DATA / "tiny_desk.toml")
EIGHT = range(8)


@cache
def tiny() -> Scenario:
    row = Assumption(what="mix.non_customers", reason="a guess", low=0.0, high=0.1)
    return Scenario.load(TINY).model_copy(update={"assumed": (row, Assumption(what="base.hours", reason="drawn"))})


@cache
def desk() -> Desk:
    return Desk.load(TINY_DESK)


def row(**values: float | None) -> Row:
    share = {MISSED.id: 0.2, "answered_within_promise_share": 0.8, "resolved_share": 0.5}
    return {**dict.fromkeys(COMPARED, 60.0), **share, **values}


def day(number: int, rows: Sequence[Row], world: int | None = None) -> Day:
    return Day(number, world, 0.5, "t", ("o",) * len(rows), tuple(rows))


def missed(value: float) -> Row:
    return row(missed_promise_share=value, answered_within_promise_share=1.0 - value)


def told(days: Sequence[Sequence[Row]], worlds: Sequence[Sequence[Sequence[Row]]] = ()) -> Compared:
    """A comparison of 'A', 'B', ... made up from the rows of each day, and of each day of each world."""
    who = tuple(Alternative("ABCD"[at], desk()) for at in range(len(days[0])))
    settings = CompareSettings(runs=len(days), worlds=len(worlds))
    assumed = survey(tiny(), [each.desk for each in who]) if worlds else None
    drawn = () if assumed is None else assumed.draw(1, len(worlds))
    by_world = {w: tuple(day(d, rows, w) for d, rows in enumerate(made)) for w, made in enumerate(worlds)}
    return Compared(
        tiny(), who, settings, tuple(day(d, rows) for d, rows in enumerate(days)), by_world, assumed, drawn, "test"
    )


def plain(text: str) -> str:
    return text.replace(fm.NBSP, " ")


def apart(first: float, *others: float) -> list[list[Row]]:
    """Eight days on which every alternative misses this share of promises, give or take a little."""
    return [[missed(first + 0.001 * d), *(missed(value + 0.002 * (d % 3)) for value in others)] for d in EIGHT]


# --- words --------------------------------------------------------------------------------------


def test_the_best_one_is_named_with_what_it_misses() -> None:
    said = words(told(apart(0.5, 0.1, 0.3)))
    assert (
        plain(said.headline)
        == "'B' misses the fewest promises: 10 % of the cases, against 30 % with 'C' and 50 % with 'A'."
    )
    first = plain(said.rankings[0])
    assert re.fullmatch(
        r"Missed promises: 'B' misses fewer than 'A' \(by 40 points, 40 to 41\) and 'C' \(by 20 points\); "
        r"'C' misses fewer than 'A' \(by 20 points, 20 to 21\)\.",
        first,
    ), first
    assert all(line.endswith(": no difference between 'A', 'B' and 'C'.") for line in said.rankings[1:])


def test_equals_are_said_to_be_equal() -> None:
    same = told([[missed(0.1 * d), missed(0.1 * d)] for d in EIGHT])
    said = words(same)
    assert said.headline == "No difference between 'A' and 'B': they miss the same promises in every run."
    assert all(line.endswith(": no difference between 'A' and 'B'.") for line in said.rankings)
    assert {one.mean for rows in same.differences.values() for one in rows} == {0.0}
    assert finding(same) == "Of 6 measures against 'A': 'B' 6 the same"


def test_what_cannot_be_told_apart_is_said_with_its_interval() -> None:
    unclear = told([[missed(0.2), missed(0.3 if d % 2 else 0.1)] for d in EIGHT])
    said = words(unclear)
    assert said.headline == "Cannot tell 'A' from 'B' on missed promises."
    # Differences of 10 points up and down: standard error 10.7 / sqrt(8) = 3.8, t(0.9958, 7) = 3.5.
    assert plain(said.rankings[0]) == "Missed promises: cannot tell 'B' from 'A' (0 points, −14 to +14 points)."


def test_of_several_the_undecided_ones_and_those_that_are_worse_are_told_apart() -> None:
    days = [[missed(0.5 + 0.001 * d), missed(0.2), missed(0.21 if d % 2 else 0.2)] for d in EIGHT]
    said = words(told(days))
    assert said.headline == "Cannot tell 'B' from 'C' on missed promises; 'A' misses more."
    assert said.rankings[0].endswith("; cannot tell 'B' from 'C'.")
    both = words(told([[missed(0.2), missed(0.2), missed(0.5 + 0.001 * d)] for d in EIGHT]))
    assert plain(both.headline) == "'A' and 'B' miss the fewest promises: 20 % of the cases, against 50 % with 'C'."


def test_a_time_not_reached_is_told_by_counting_runs() -> None:
    late = [[row(promise_recover_s=None), row(promise_recover_s=3600.0)] for _ in range(10)]
    found = told(late)
    line = words(found).rankings[KEY.index("promise_recover_s")]
    assert line == "Promise kept again: 'B' is back sooner than 'A' (in 10 of 10 runs)."
    one = found.pair("promise_recover_s", 1, 0)
    assert (gap(one), counts(one)) == (("", ""), "10 / 0 / 0, both reached in 0 of 10")
    assert "sign test" in words(found).sure
    nobody = words(told([[row(promise_recover_s=None)] * 2] * 3)).rankings[KEY.index("promise_recover_s")]
    assert nobody == "Promise kept again: not reached in any run with 'A' or 'B'."
    mixed = told([*late[:4], *[rows[::-1] for rows in late[4:6]], *[[row(), row()]] * 2])
    line = words(mixed).rankings[KEY.index("promise_recover_s")]
    assert line == "Promise kept again: cannot tell 'B' from 'A' (sooner in 4 of 8 runs, later in 2)."


def test_nothing_to_compare_is_said() -> None:
    nobody: Row = {**dict.fromkeys(COMPARED), "cases": 0.0}
    said = words(told([[nobody, nobody]] * 3))
    assert said.headline == "There was no case to answer, so there is nothing to compare."
    assert said.rankings[0] == "Missed promises: nothing to compare."


def test_one_run_says_that_it_tells_nothing() -> None:
    said = words(told(apart(0.5, 0.1)[:1]))
    assert said.headline == "Cannot tell 'B' from 'A' on missed promises."
    assert "one run has no interval" in said.rankings[0]
    assert said.sure == "One run has no interval and tells nothing apart; play at least ten."


def test_the_method_is_named_with_its_numbers() -> None:
    said = words(told(apart(0.5, 0.1, 0.3)))
    assert comparisons(3) == 18
    assert "18 comparisons, each made at 99.72 % (Bonferroni)" in plain(said.sure)
    assert said.cautions[0].startswith("8 runs are few")


# --- worlds in words ----------------------------------------------------------------------------


def worlds(*wins: str) -> list[list[list[Row]]]:
    """A world for each letter, in which that one is best; ``=``: both are equal."""
    made = {"A": (0.1, 0.2), "B": (0.2, 0.1), "=": (0.2, 0.2)}
    return [[[missed(share) for share in made[win]]] * 2 for win in wins]


def test_a_ranking_survives_if_it_holds_in_four_of_five_worlds() -> None:
    said = words(told(apart(0.5, 0.1), worlds(*"BBBBA")))
    assert plain(said.worlds[0]) == "This survives the assumed ranges: 'B' is best in 80 % of the 5 worlds."
    assert said.worlds[1] == "First response, median: no difference between the best in any of the 5 worlds."
    assert "may be off by 45 points" in said.sure  # 100 / sqrt(5)


def test_below_four_of_five_worlds_nobody_is_called_best() -> None:
    said = words(told(apart(0.5, 0.1), worlds(*"BBBA=")))
    assert plain(said.worlds[0]) == (
        "This does not survive the assumed ranges: cannot tell 'B' from 'A'; 'B' is best in 60 % of the 5 worlds, "
        "'A' in 20 %, the best are equal in 20 %."
    )
    other = words(told(apart(0.5, 0.1), worlds(*"AAAAA")))
    assert plain(other.worlds[0]) == "This does not survive the assumed ranges: 'A' is best in 100 % of the 5 worlds."


def test_worlds_speak_for_themselves_where_the_runs_cannot_decide() -> None:
    unclear = [[missed(0.2), missed(0.3 if d % 2 else 0.1)] for d in EIGHT]
    said = words(told(unclear, worlds(*"AAAAA")))
    assert plain(said.worlds[0]) == "Over the assumed ranges: 'A' is best in 100 % of the 5 worlds."
    found = told(apart(0.5, 0.1), worlds("A"))
    assert (
        plain(in_worlds(found, Best(MISSED.id, 10, (1, 0), 9)))
        == "no difference between the best in 90 % of the 10 worlds"
    )
    stopped = replace(found, world_days={})
    assert "no world was finished" in words(stopped).worlds[0]


def test_rivals_are_those_who_together_are_best_in_most_worlds() -> None:
    found = told(apart(0.5, 0.1, 0.3, 0.2))
    text = plain(in_worlds(found, Best(MISSED.id, 100, (30, 40, 25, 5), 0)))
    assert text == (
        "cannot tell 'B' from 'A' or 'C'; 'B' is best in 40 % of the 100 worlds, 'A' in 30 %, 'C' in 25 %, 'D' in 5 %"
    )


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "mean", "low", "high", "texts"),
    [
        ("share", -0.042, -0.053, -0.031, ("−4.2 points", "−5.3 to −3.1 points")),
        ("share", 0.42, 0.401, 0.44, ("+42 points", "+40 to +44 points")),
        ("share", 0.0, 0.0, 0.0, ("0 points", "0 points")),
        ("s", 30.0, -40.0, 100.0, ("+0.5 min", "−0.7 to +1.7 min")),
        ("EUR", -480.0, -480.0, -480.0, ("EUR −480", "EUR −480")),
        ("EUR", 1.0, -2_500_000.0, 3_000_000.0, ("EUR 0 M", "EUR −2.5 to +3.0 M")),
        ("count", 0.001, -12.0, 12.0, ("0", "−12 to +12")),
    ],
)
def test_a_difference_has_a_sign_and_two_digits(
    unit: Any, mean: float, low: float, high: float, texts: tuple[str, str]
) -> None:
    how = fm.differences_scale(unit, mean, low, high)
    assert (plain(fm.signed(how, mean)), plain(fm.signed_span(how, low, high))) == texts


# --- tables, figure, page, JSON -----------------------------------------------------------------


def printed(found: Compared) -> str:
    console = Console(highlight=False, markup=False, width=400, file=None, record=True, force_terminal=False)
    with console.capture() as got:
        comparison(console, found)
    return got.get()


def test_the_terminal_has_the_key_measures_first_and_all_others_below() -> None:
    text = printed(told(apart(0.5, 0.1), worlds(*"BBBBA")))
    places = [text.index(f"\n{COMPARED[name].title}  ") for name in (*KEY, *(n for n in COMPARED if n not in KEY))]
    assert places == sorted(places)
    assert re.search(r"^Missed promises +50 % +10 % +−40 points +−40 points +8 / 0 / 0$", text, re.M)
    assert "Drawn in the worlds: mix.non_customers (0 to 0.1)." in text
    assert "Not drawn, because it has no range: base.hours." in text
    several = printed(told(apart(0.5, 0.1, 0.3)))
    assert re.search(r"^Missed promises\n  A +50 %\n  B +10 % .*\n  C +30 % ", several, re.M)


def xs(line: Line2D) -> list[float]:
    return [float(value) for value in np.asarray(line.get_xdata(), dtype=np.float64)]


def test_the_figure_draws_both_intervals_and_fills_what_is_clear() -> None:
    found = told(apart(0.5, 0.1, 0.52))
    panel = panels(found)[0]
    ax = draw_differences(Figure().add_subplot(), panel)
    assert (panel.title, panel.names) == ("Missed promises", ("B", "C"))
    marks = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    assert [line.get_marker() for line in marks] == ["o", "s"]  # round is better, square is worse
    assert [round(xs(line)[0]) for line in marks] == [-40, 2]
    one = found.pair(MISSED.id, 1, 0)
    assert one.joint is not None and one.low is not None and one.high is not None
    drawn = [xs(line) for line in ax.lines[:2]]
    assert drawn[0] == pytest.approx([100 * end for end in one.joint])
    assert drawn[1] == pytest.approx([100 * one.low, 100 * one.high])
    assert ax.get_xlim()[0] < 100 * one.joint[0] and ax.get_xlim()[1] > 0
    assert ax.get_xlabel() == "points"
    assert [text.get_text() for text in ax.texts] == ["−40", "+2"]


def test_the_figure_says_what_was_not_reached() -> None:
    late = [[row(promise_recover_s=None, time_to_recover_s=None), row(time_to_recover_s=None)] for _ in range(10)]
    kept_again, normal = panels(told(late))[3:5]
    assert (
        draw_differences(Figure().add_subplot(), kept_again).texts[0].get_text()
        == "sooner in 10, later in 0 of 10 runs"
    )
    assert draw_differences(Figure().add_subplot(), normal).texts[0].get_text() == "never reached by either"


def test_the_title_of_the_figure_is_its_finding() -> None:
    drawn = drawing(told(apart(0.5, 0.1, 0.52)))
    assert drawn.title == "Of 6 measures against 'A': 'B' 1 better, 5 the same; 'C' 1 worse, 5 the same"
    assert drawn.wide.startswith("<svg ") and drawn.narrow.startswith("<svg ")
    assert len(figure(told(apart(0.5, 0.1))).axes) == len(KEY)


def test_the_page_is_whole_and_says_what_the_words_say() -> None:
    found = told(apart(0.5, 0.1), worlds(*"BBBBA"))
    text = page(found, drawing(found), {"command": "ashcloud compare", "settings": {"runs": 8}})
    parsed = Parsed(text)
    all_text = plain(" ".join(parsed.texts))
    assert plain(words(found).worlds[0]) in re.sub(r"\s+", " ", all_text)
    assert [level for level, _ in parsed.headings][:2] == [1, 2]
    assert not any(tag in ("script", "link", "img") for tag, _ in parsed.tags)
    assert not any(value.startswith(("http", "//")) for _, given in parsed.tags for value in given.values())
    ids = [given["id"] for _, given in parsed.tags if "id" in given]
    assert len(ids) == len(set(ids))
    assert {given["href"][1:] for tag, given in parsed.tags if tag == "a"} <= set(ids)
    assert text == page(found, drawing(found), {"command": "ashcloud compare", "settings": {"runs": 8}})


def test_json_has_every_measure_pair_run_and_world() -> None:
    found = told(apart(0.5, 0.1, 0.3), [[[missed(0.1), missed(0.2), missed(0.3)]] * 2] * 5)
    read_back = json.loads(to_json(results(found, "finished")))
    assert read_back["baseline"] == "A"
    assert read_back["joint"] == {"level": 0.95, "method": "Bonferroni", "comparisons": 18}
    assert set(read_back["differences"]) == set(COMPARED)
    pairs = [(one["alternative"], one["against"]) for one in read_back["differences"][MISSED.id]]
    assert pairs == [("B", "A"), ("C", "A"), ("C", "B")]
    first = read_back["differences"][MISSED.id][0]
    assert (first["verdict"], first["better_share"], first["worse_share"], first["same_share"]) == ("better", 1, 0, 0)
    assert first["joint_low"] < first["low"] < first["mean"] < first["high"] < first["joint_high"]
    assert read_back["alternatives"][1]["measures"][MISSED.id]["mean"] == pytest.approx(0.1, abs=0.01)
    assert len(read_back["replications"]) == 8
    over = read_back["over_worlds"]
    assert over["best"][MISSED.id] == {"worlds": 5, "shares": {"A": 1, "B": 0, "C": 0}, "tied_share": 0, "best": "A"}
    assert [each["what"] for each in over["drawn"]] == ["mix.non_customers"]
    assert over["not_drawn"] == [{"where": "scenario", "what": "base.hours", "why": "has no range"}]
    assert len(over["each"]) == 5 and len(over["each"][0]["replications"]) == 2
    assert read_back["words"]["headline"] == words(found).headline
    assert json.loads(to_json(told(apart(0.5, 0.1)).to_dict()))["over_worlds"] is None


# --- alternatives -------------------------------------------------------------------------------


def named(name: str) -> Desk:
    return desk().model_copy(update={"name": name, "plan": Plan(name="inner")})


def plan(name: str) -> Plan:
    trigger = Trigger(signal="backlog", enter=1.0, leave=0.0)
    pinned = ArrivalsLever(name="pinned", changes="arrivals", effect=(0.1, 0.2, 0.3))
    return Plan(name=name, triggers=(trigger,), levers=(pinned,))


def test_alternatives_are_desks_times_plans() -> None:
    desks = [("a", named("a")), ("b", named("b"))]
    made = alternatives(desks, [("none", choose("none")), ("own", choose("own")), ("p", plan("p"))])
    assert [each.name for each in made] == [
        "a, no plan", "a, own plan", "a, p", "b, no plan", "b, own plan", "b, p",
    ]  # fmt: skip
    plans = [None if each.desk.plan is None else each.desk.plan.name for each in made]
    assert plans == [None, "inner", "p"] * 2
    assert [each.name for each in alternatives(desks)] == ["a", "b"]
    assert [each.name for each in alternatives(desks, [("p", plan("p"))])] == ["a", "b"]
    assert [each.name for each in alternatives(desks[:1], [("none", None), ("p", plan("p"))])] == ["no plan", "p"]


def test_names_tell_alternatives_apart() -> None:
    twins = [("x/a.toml", named("a")), ("y/a.toml", named("a"))]
    assert [each.name for each in alternatives(twins)] == ["x/a.toml", "y/a.toml"]
    assert [each.name for each in alternatives([twins[0], twins[0]])] == ["a", "a (2)"]
    assert [each.name for each in alternatives(twins, names=("now", "then"))] == ["now", "then"]


def test_one_alternative_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"only one alternative, 'a', .* second --desk, or a second --plan"):
        alternatives([("a", named("a"))])


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        load_all("volcanoo", ["klm_2051", "klm_2051", TINY_DESK], ["no_such_plan"])
    told_ = str(caught.value)
    assert [part in told_ for part in ("'volcano'", "klm_2015", 'plan "no_such_plan"')] == [True] * 3
    assert told_.count("klm_2051") == 1


# --- played and stored --------------------------------------------------------------------------


def asked(*desks: str, plans: Sequence[str] = (), **settings: Any) -> CompareQuestion:
    given = {"runs": 2, "workers": 1, **settings}
    words_ = ("ashcloud", "compare", "--note", "postgres://care:hunter2@db/care")
    return CompareQuestion(TINY, desks, tuple(plans), CompareSettings(**given), words_)


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("desks") / "more.toml"
    text = (DATA / "tiny_desk.toml").read_text("utf-8")
    path.write_text(text.replace('"tiny_desk"', '"more"').replace("[[-1.0, 4], [1.0, 5]]", "[[-1.0, 8]]"), "utf-8")
    return str(path)


def test_a_comparison_with_itself_finds_no_difference() -> None:
    answer = compare(asked(TINY_DESK, TINY_DESK), Quiet())
    assert answer.told is not None
    assert {one.mean for rows in answer.told.differences.values() for one in rows} <= {0.0, None}
    assert words(answer.told).headline.startswith("No difference between 'tiny_desk' and 'tiny_desk (2)'")


def test_a_folder_holds_manifest_results_page_and_figure(more: str, tmp_path: Path) -> None:
    answer = store(asked(TINY_DESK, more, worlds=2), tmp_path / "out", Quiet())
    assert answer.folder == tmp_path / "out"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "manifest.json", "comparison.json", "comparison.html", "figures", "scenario.json", "scenario.toml",
        "desk_1.json", "desk_1.toml", "desk_2.json", "desk_2.toml",
    }  # fmt: skip
    stored = json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    assert stored["over_worlds"]["finished"] == 2
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["status"], manifest["finished"]) == ("comparison", "finished", 6)
    assert [each["digest"] for each in manifest["alternatives"]] == [each["digest"] for each in stored["alternatives"]]
    assert manifest["versions"]["numpy"] and "hunter2" not in manifest["command"]
    assert (tmp_path / "out" / "figures" / "differences.svg").read_text("utf-8").startswith("<svg ")
    again = store(asked(TINY_DESK, more), tmp_path / "out", Quiet())
    assert again.folder == tmp_path / "out-2"
    with pytest.raises(RunError, match="is a comparison, not a run"):
        read(tmp_path / "out")


def test_what_has_finished_is_compared_when_it_is_stopped(more: str, tmp_path: Path) -> None:
    answer = store(asked(TINY_DESK, more, runs=6), tmp_path / "out", Quiet(stop_after=3))
    assert answer.status == "interrupted" and answer.told is not None
    assert len(answer.told.days) == 3
    assert (
        answer.remarks()[0]
        == f"interrupted: 3 of 6 runs finished and are compared; they are kept in {tmp_path / 'out'}"
    )
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["status"] == "interrupted"
    in_worlds_ = compare(asked(TINY_DESK, more, worlds=2), Quiet(stop_after=5))
    assert in_worlds_.told is not None
    assert (len(in_worlds_.told.days), list(in_worlds_.told.world_days)) == (2, [0])  # the second one is half done
    nothing = store(asked(TINY_DESK, more), tmp_path / "none", Quiet(stop_after=0))
    assert nothing.told is None and not (tmp_path / "none").exists()


def test_worlds_without_a_range_are_an_error(more: str, tmp_path: Path) -> None:
    bare = tmp_path / "bare.toml"
    bare.write_text('name = "bare"\ntitle = "Bare"\nwindow_h = [0.0, 2.0]\n', "utf-8")
    question = CompareQuestion(str(bare), (TINY_DESK, more), (), CompareSettings(runs=2, worlds=2))
    with pytest.raises(ScenarioError, match="leave --worlds out"):
        compare(question, Quiet())


def test_worlds_play_about_as_many_runs_as_there_are_outside() -> None:
    assert [CompareSettings(runs=40, worlds=n).runs_each for n in (0, 2, 13, 20, 40, 100)] == [0, 20, 4, 2, 2, 2]
    assert CompareSettings(runs=40, worlds=20).days == 80
