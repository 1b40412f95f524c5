"""The section on staff: loads and heads by hand, who is short, calm and storm, and the same again."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from make_outcome import HOUR_S, POOL, Row, by_hand
from matplotlib.figure import Figure

from reports import staffing_figure, staffing_words
from reports.data import ReportData, collect
from reports.page import page
from reports.staffing import Blocks, Cell
from reports.timeline import timeline
from scenarios.model import Scenario
from scenarios.names import Language, members
from sim.desk import Desk
from sim.outcome import Outcome

HOURS, CASES_PER_H, WORK_MIN = 24, 40.0, 15.0
EN, NL = (members(Language).index(each) for each in (Language.EN, Language.NL))
SHARES = {EN: 0.75, NL: 0.25}
EXACT = (1.0 / WORK_MIN) ** 2 / 12.0  # of a sum in steps of a minute over an exponential tail, relative
ENGLISH_LOAD, DUTCH_LOAD = (CASES_PER_H * share * WORK_MIN / 60.0 for share in SHARES.values())


def scenario(**changes: Any) -> Scenario:
    """A day of cases at one rate in two languages, each a quarter of an hour of work on average."""
    return Scenario.model_validate(
        {
            "name": "flat",
            "title": "A flat day",
            "onset_local": "2015-06-01T00:00:00",
            "window_h": (0.0, HOURS),
            "base": {"cases_per_h": CASES_PER_H, "mentions_per_h": CASES_PER_H},
            "mix": {"languages": {"en": 0.75, "nl": 0.25}},
            "behaviour": {
                "turns": (1.0,),
                "handling_min": {"default": {"kind": "exponential", "mean": WORK_MIN}},
            },
            **changes,
        }
    )


def desk(english: int, dutch: int) -> Desk:
    """Two pools of head-counts; the Dutch speak nothing else."""
    return Desk.model_validate(
        {
            "name": "two",
            "title": "Two pools",
            "triage": {"mode": "none"},
            "pools": [
                {"name": "=english", "languages": ["en"], "steps": [(0, english)]},
                {"name": "dutch", "languages": ["nl"], "steps": [(0, dutch)]},
            ],
        }
    )


def outcome(english: int, dutch: int, late: Mapping[int, int] | None = None, seed: int = 1) -> Outcome:
    """Ten cases an hour and language, in the middle of it; `late` is from which hour on a language misses."""
    cases: list[Row] = []
    for hour in range(HOURS):
        for language in SHARES:
            posted = hour * HOUR_S + 1800.0
            response = 2 * HOUR_S if late is not None and hour >= late.get(language, HOURS) else 1200.0
            due = {"posted_s": posted, "due_s": posted + HOUR_S}
            met = {"first_reply_s": posted + response, "closed_s": posted + response, "state": 0}
            cases += [{"language": language, **due, **met}] * 10
    staff = [
        {"agent": agent, "pool": int(agent >= english), "on_s": 0.0, "off_s": HOURS * HOUR_S}
        for agent in range(english + dutch)
    ]
    return by_hand(
        cases, staff=staff, scenario="flat", desk="two", seed=seed, window_s=[0.0, HOURS * HOUR_S],
        end_s=(HOURS + 4) * HOUR_S, pools=[{**POOL, "name": name} for name in ("=english", "dutch")],
    )  # fmt: skip


def report(english: int = 12, dutch: int = 6, late: Sequence[Mapping[int, int] | None] = (None, None)) -> ReportData:
    runs = [outcome(english, dutch, each, seed) for seed, each in enumerate(late, start=1)]
    return collect(scenario(), desk(english, dutch), runs, [], {})


def fewest(load: float, within: float) -> int:
    """Heads of M/M/c for 80 % begun within a time, in units of the mean work, by sums."""
    heads = math.floor(load) + 1
    while True:
        top = load**heads / math.factorial(heads) * heads / (heads - load)
        p_wait = top / (sum(load**k / math.factorial(k) for k in range(heads)) + top)
        if 1.0 - p_wait * math.exp(-(heads - load) * within) >= 0.8:
            return heads
        heads += 1


def test_the_load_of_a_flat_day_is_rate_times_work_and_heads_are_erlangs() -> None:
    told = report().staffing
    assert told.languages == (Language.EN, Language.NL)
    assert told.mix == ((1.0, 3600.0),) and told.work_s == pytest.approx(60.0 * WORK_MIN)
    for language, load, heads in ((Language.EN, ENGLISH_LOAD, 12), (Language.NL, DUTCH_LOAD, 6)):
        cells = told.of(language)
        assert [cell.load for cell in cells] == [pytest.approx(load, rel=1.1 * EXACT)] * 4
        assert {cell.needed for cell in cells} == {fewest(load, (60.0 - WORK_MIN) / WORK_MIN)}
        assert [cell.desk for cell in cells] == [pytest.approx(heads, abs=1e-4)] * 4
        assert [cell.cases for cell in cells] == [60.0] * 4
        assert cells[0].occupancy == pytest.approx(load / heads, rel=2 * EXACT)
    assert told.needed.tolist() == [fewest(ENGLISH_LOAD + DUTCH_LOAD, 3.0)] * HOURS
    assert told.desk == pytest.approx(18.0)


def test_a_calm_day_is_short_of_nobody() -> None:
    data = report()
    assert data.staffing.worst is None
    assert all(cell.p_short == 0.0 and cell.change < 0 for cell in data.staffing.cells)
    words = "Nobody is short: no language misses its promise in a block of six hours in most of the runs."
    assert staffing_words.sentence(data.staffing, data.scenario) == words
    assert words in page(data)


def test_a_storm_names_who_is_short_when_and_by_how_many() -> None:
    data = report(12, 1, late=[{NL: 12}, {NL: 12}, {NL: 18}])
    told = data.staffing
    assert [cell.p_short for cell in told.of(Language.NL)] == [0.0, 0.0, pytest.approx(2 / 3), 1.0]
    assert [cell.p_short for cell in told.of(Language.EN)] == [0.0] * 4
    lack = fewest(DUTCH_LOAD, 3.0) - 1
    assert [cell.change for cell in told.of(Language.NL)] == [lack] * 4
    assert told.worst == told.of(Language.NL)[3]
    text = staffing_words.sentence(told, data.scenario).replace("\N{NO-BREAK SPACE}", " ")
    assert text.startswith(f"Most short: Dutch, Mon 1 Jun, 18:00–00:00, by {lack} heads. {lack + 1} are needed at ")
    assert text.endswith("and 1 can be there for it; the promise is missed in 100 % of the runs.")


def test_a_promise_missed_without_a_lack_is_no_lack_of_heads() -> None:
    data = report(late=[{NL: 18}, {NL: 18}])
    assert data.staffing.worst is None
    assert "yet most runs miss the promise in 1 block of six hours" in staffing_words.sentence(
        data.staffing, data.scenario
    )


def test_what_nobody_could_have_answered_yet_does_not_count() -> None:
    run = outcome(12, 6)
    never = {"first_reply_s": math.inf, "closed_s": math.inf, "state": 3}
    last = {"language": EN, "posted_s": 23.9 * HOUR_S, "due_s": 24.9 * HOUR_S, **never}
    ended = by_hand([last] * 50, window_s=[0.0, HOURS * HOUR_S], end_s=HOURS * HOUR_S, pools=run.about["pools"])
    longer = by_hand([last] * 50, window_s=[0.0, HOURS * HOUR_S], end_s=25 * HOUR_S, pools=run.about["pools"])
    from reports.staffing import look

    blocks = Blocks.of(scenario(), (0.0, HOURS * HOUR_S))
    assert look(ended, blocks).cases.sum() == 0
    assert look(longer, blocks).cases[EN].tolist() == [0, 0, 0, 50]


def test_blocks_are_cut_at_the_local_clock_also_when_it_is_set_back() -> None:
    autumn = scenario(onset_local="2015-10-24T22:00:00", timezone="Europe/Amsterdam")
    blocks = Blocks.of(autumn, (0.0, HOURS * HOUR_S))
    clocks = [autumn.clock(at).hour for at in blocks.edges_s[:-1].tolist()]
    assert clocks == [22, 0, 6, 12, 18]
    assert [round(h) for h in (blocks.edges_s[1:] - blocks.edges_s[:-1]) / HOUR_S] == [2, 7, 6, 6, 3]


def test_a_long_window_has_a_block_a_day() -> None:
    blocks = Blocks.of(scenario(window_h=(0.0, 720.0)), (0.0, 720.0 * HOUR_S))
    assert blocks.length_h == 24 and blocks.first.size == 30


def test_the_csv_holds_what_the_page_shows_and_no_formula() -> None:
    data = report(12, 1, late=[{NL: 12}] * 2)
    rows = list(csv.DictReader(io.StringIO(staffing_words.table(data.staffing, data.scenario).decode())))
    assert [row["kind"] for row in rows] == ["language"] * 8 + ["all"] * 4 + ["pool"] * 8
    for row, cell in zip(rows, data.staffing.cells, strict=False):
        assert (row["name"], int(row["heads_needed"]), int(row["change"])) == (
            cell.language.value, cell.needed, cell.change
        )  # fmt: skip
        assert float(row["load_erlangs"]) == pytest.approx(cell.load, abs=1e-4)
        assert float(row["p_short"]) == pytest.approx(cell.p_short, abs=1e-4)
    assert rows[0]["start_local"] == "2015-06-01T00:00+02:00" and rows[0]["start_utc"] == "2015-05-31T22:00+00:00"
    pool = rows[12]
    assert not pool["name"].startswith("=") and pool["heads_scheduled"] == pool["heads_at_desk"] == "12.000"
    shown = staffing_words.language_rows(data.staffing, data.scenario)
    assert [row[0] for row in shown] == ["English", "Dutch"]
    lack = f"+{fewest(DUTCH_LOAD, 3.0) - 1}"
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in shown[1][5:]] == [lack, "250 %", "100 %", "2 of 4"]


def test_the_same_runs_give_the_same_section() -> None:
    one, other = report(12, 1, [{NL: 6}] * 2), report(12, 1, [{NL: 6}] * 2)
    assert page(one) == page(other)
    assert staffing_words.table(one.staffing, one.scenario) == staffing_words.table(other.staffing, other.scenario)


def cell(block: int, needed: int, p_short: float | None = 1.0) -> Cell:
    return Cell(Language.EN, block, block, 1.0, 0.0, needed, 50.0, p_short)


def test_colours_say_how_many_heads_lack() -> None:
    levels = [staffing_figure.level(cell(0, needed)) for needed in (0, 1, 2, 3, 9, 10, 29, 30, 500)]
    assert levels == [None, 0, 0, 1, 1, 2, 2, 3, 3]
    assert staffing_figure.level(cell(0, 5, None)) == -1


def test_the_figure_says_in_how_many_hours_heads_lack() -> None:
    data = report(12, 1)
    told, ax = data.staffing, Figure().add_subplot()
    axis = timeline(data.scenario, 0.0, HOURS, 16)
    edges = told.blocks.hours_s / HOUR_S
    some = staffing_figure.draw_needed(ax, edges, told.needed, told.desk, axis, data.clock)
    title = (some.get_title() or some.get_title(loc="left")).replace("\N{NO-BREAK SPACE}", " ")
    whole = fewest(ENGLISH_LOAD + DUTCH_LOAD, 3.0)
    if whole > 13:
        assert title == f"Fewer heads than needed in 24 of 24 hours: 13 of {whole} at Mon 1 Jun, 00:00"
    else:
        assert title == "As many heads as needed are at the desk in every hour, languages aside"


def test_the_method_says_what_the_formula_leaves_out() -> None:
    data = report()
    text = staffing_words.method(data.staffing)
    assert text in page(data).replace("&#39;", "'")
    assert all(word in text for word in ("Erlang C", "modified offered load", "levers", "faults", "gives up"))
