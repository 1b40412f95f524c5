"""What the figures say, how their time axis reads, and how numbers are written."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_outcome import by_hand, desk, scenario, weekend
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports import drawing, figures, formats, palette
from reports.data import collect
from reports.names import LANGUAGES
from reports.series import Band, overlay, tally, weigh
from reports.timeline import Timeline, timeline
from scenarios.model import Scenario
from scenarios.names import Language
from sim.intervals import intervals

EDGES = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def axes() -> Axes:
    return Figure().add_subplot()


def axis() -> Timeline:
    return timeline(scenario(), 0.0, 4.0, 16)


def clock(t_s: float) -> datetime:
    return scenario().clock(t_s)


def title(ax: Axes) -> str:
    return (ax.get_title() or ax.get_title(loc="left")).replace(formats.NBSP, " ")


def names(ax: Axes) -> list[str]:
    return [name for name in ax.get_legend_handles_labels()[1] if not name.startswith("_")]


# ---- findings -----------------------------------------------------------------------------------


def test_arrivals_count_the_hours_above_capacity() -> None:
    cases = np.array([5.0, 20.0, 30.0, 5.0])
    ax = figures.draw_arrivals(axes(), EDGES, cases, np.full(4, 10.0), axis())
    assert title(ax) == "More cases come in than the desk can work off in 2 of 4 hours"
    assert names(ax) == ["the desk can work off", "cases come in"]
    assert ax.get_ylim()[0] == 0.0
    calm = figures.draw_arrivals(axes(), EDGES, np.ones(4), np.full(4, 10.0), axis())
    assert title(calm) == "The desk can work off what comes in at every hour"


def test_posts_and_heads_say_how_many() -> None:
    posts = figures.draw_posts(axes(), EDGES, np.array([10.0, 6700.0, 50.0, 1.0]), axis())
    assert title(posts) == "Up to 6,700 posts an hour"
    heads = figures.draw_heads(
        axes(), EDGES, np.array([10.0, 20.0, 10.0, 0.0]), np.array([5.0, 20.0, 5.0, 0.0]), axis()
    )
    assert title(heads) == "20 heads at most are at the desk, busy 75 % of the time"
    nobody = figures.draw_heads(axes(), EDGES, np.zeros(4), np.zeros(4), axis())
    assert title(nobody) == "0 heads at most are at the desk, busy none of the time"


def test_the_backlog_says_when_it_was_longest() -> None:
    layers = [(Language.EN, np.array([1.0, 5.0, 2.0, 0.0])), (None, np.array([0.0, 2.0, 1.0, 0.0]))]
    total = Band(np.array([1.0, 7.0, 3.0, 0.0]), np.zeros(4), np.array([2.0, 9.0, 4.0, 1.0]))
    ax = figures.draw_backlog(axes(), EDGES, layers, total, axis(), clock, runs=5)
    assert title(ax) == "The queue is longest around Thu 29 Jan, 13:00: 7 case turns on average"
    assert names(ax) == ["English", "others", "9 of 10 runs below"]
    alone = figures.draw_backlog(axes(), EDGES, layers, Band(total.mean), axis(), clock, runs=1)
    assert title(alone).endswith(": 7 case turns")
    assert "9 of 10 runs below" not in names(alone)
    empty = figures.draw_backlog(axes(), EDGES, [], Band(np.zeros(4)), axis(), clock, runs=1)
    assert title(empty) == "No case turn waits"
    assert empty.get_ylim() == (0.0, 1.0)


def test_unread_posts_say_when_most_lay_there() -> None:
    ax = figures.draw_unread(axes(), EDGES, Band(np.array([0.0, 10.0, 132_456.0, 5.0])), axis(), clock, runs=2)
    assert title(ax) == "Most posts are unread around Thu 29 Jan, 14:00: 132,000 on average"


def test_shares_say_the_whole_and_the_worst() -> None:
    sixty = Band(np.array([1.0, 0.2, math.nan, 0.8]))
    ax = figures.draw_shares(
        axes(), EDGES, Band(sixty.mean / 2), sixty, np.array([10.0, 20.0, 0.0, 10.0]), axis(), clock
    )
    assert title(ax) == "Answered within 60 minutes: 55 % of all, 20 % at the worst, Thu 29 Jan, 13:00"
    assert ax.get_ylim() == (0.0, 100.0)
    nothing = Band(np.full(4, math.nan))
    none = figures.draw_shares(axes(), EDGES, nothing, nothing, np.zeros(4), axis(), clock)
    assert title(none) == "No cases came in"


def test_the_bottleneck_is_marked_by_colour_weight_and_title() -> None:
    table: dict[Language, tuple[float, float | None, float | None, float]] = {
        Language.EN: (0.9, 0.88, 0.92, 500.0),
        Language.KO: (0.4, 0.2, 0.6, 40.0),
        Language.TH: (0.1, None, None, 3.0),
    }
    ax = figures.draw_languages(axes(), table, Language.KO)
    assert title(ax) == "Korean waits longest: 40 % within 60 minutes, English 90 %"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["English", "Korean", "Thai"]
    notes = {text.get_text().replace(formats.NBSP, " "): text.get_fontweight() for text in ax.texts}
    assert notes == {"90 % of 500": "normal", "40 % of 40": "bold", "10 % of 3": "normal"}
    assert [bar.get_alpha() for bar in ax.patches] == [1.0, 1.0, 0.35]
    assert title(figures.draw_languages(axes(), table, None)) == "No language stands out: 40–90 % within 60 minutes"
    few = {Language.TH: table[Language.TH]}
    assert title(figures.draw_languages(axes(), few, None)) == "No language has cases enough to compare"
    assert title(figures.draw_languages(axes(), {Language.KO: table[Language.KO]}, Language.KO)).endswith("60 minutes")


def test_faults_are_shaded_and_named_once() -> None:
    ax = figures.shade(axes(), [(0.0, 1.0), (2.0, 3.0)])
    assert names(ax) == ["fault in force"]
    figures.legend(ax, 3)
    assert ax.get_legend() is not None
    assert figures.legend(axes(), 3).get_legend() is None


def test_every_language_has_a_latin_name() -> None:
    assert set(LANGUAGES) == set(Language)
    assert all(name.isascii() for name in LANGUAGES.values())


def test_stacked_colours_differ_in_lightness_from_their_neighbours() -> None:
    light = [palette.contrast(colour) for colour in palette.FILLS]
    assert min(abs(a - b) for a, b in pairwise(light)) > 0.5


# ---- into the page ------------------------------------------------------------------------------


def test_an_svg_keeps_its_text_and_fits_its_page() -> None:
    figure = Figure(figsize=(3, 2))
    ax = figure.add_subplot()
    ax.stairs([1.0, 2.0], [0.0, 1.0, 2.0], fill=True)
    ax.set_title("ninety < a hundred")
    found = drawing.svg(figure, "one", 'say "it"')
    assert found == drawing.svg(figure, "one", 'say "it"')
    assert found.startswith("<svg viewBox=") and found.endswith("</svg>")
    assert 'role="img" aria-label="say &quot;it&quot;"' in found
    assert "ninety &lt; a hundred</text>" in found
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]+)"', found))
    assert all(name.startswith("one-") for name in re.findall(r"url\(#([^)]+)\)", found))
    assert not re.search(r"metadata|DOCTYPE|xlink|DejaVu|<style|\d\.\d{3}", found)


def test_a_report_has_its_figures_in_two_widths() -> None:
    outcome, posts = weekend(1, hours=30.0)
    data = collect(scenario(30.0), desk(), [outcome], [posts], {})
    drawn = drawing.drawings(data)
    assert [each.name for each in drawn] == ["arrivals", "backlog", "unread", "answered", "languages", "staffing"]
    for each in drawn:
        wide, narrow = (float(svg.split('viewBox="')[1].split('"')[0].split()[2]) for svg in (each.wide, each.narrow))
        assert wide > 2 * narrow
        assert f">{each.title}</text>" not in each.wide  # the page says it
    assert "fault in force" in drawn[0].wide


def test_a_desk_that_reads_nothing_has_no_unread_figure() -> None:
    data = collect(scenario(), desk(), [by_hand(scenario="made_up_snow")], [], {})
    assert [each.name for each in drawing.drawings(data)] == ["arrivals", "backlog", "answered", "staffing"]


# ---- the runs laid over each other --------------------------------------------------------------


def test_capacity_is_what_is_left_after_reading() -> None:
    # Three heads; a post is read in 30 s; a case takes two turns of 300 s.
    scene = scenario(behaviour=scenario().behaviour.model_copy(update={"turns": (0.0, 1.0)}))
    turns: list[dict[str, Any]] = [
        {"case": 0, "k": k, "queued_s": 0.0, "start_s": 0.0, "end_s": 300.0, "agent": 0, "state": 0} for k in (0, 1)
    ]
    turns.append({"kind": 0, "queued_s": 0.0, "start_s": 600.0, "end_s": 630.0, "agent": 0, "state": 0})
    staff = [{"agent": a, "on_s": 0.0, "off_s": 7200.0} for a in range(3)]
    outcome = by_hand([{}], turns, staff)
    _, posts = weekend(1, hours=6.0)
    work = weigh([tally(outcome)], scene.behaviour)
    assert (work.case_s, work.reading_s) == (600.0, 30.0)
    assert work.reading_share == pytest.approx(30 / 630)
    series = overlay([intervals(outcome, posts)], work)
    assert series.posts is not None
    assert series.to_read[0] == 4.0 and series.to_read[1:].sum() == 0.0  # one in the first quarter of an hour
    assert series.capacity == pytest.approx((3 * 3600.0 - 30.0 * series.to_read) / 600.0)
    assert work.seconds(np.array([2.0]), np.array([10.0])).tolist() == [1500.0]


def test_work_without_an_answer_weighs_what_the_scenario_says() -> None:
    assert weigh([tally(by_hand())], scenario().behaviour).case_s == pytest.approx(1200.0)


def test_bands_hold_the_middle_of_three_runs_or_more() -> None:
    runs = [intervals(weekend(seed, hours=30.0)[0]) for seed in (1, 2, 3)]
    work = weigh([tally(weekend(1, hours=30.0)[0])], scenario().behaviour)
    three, two = overlay(runs, work), overlay(runs[:2], work)
    assert three.backlog.low is not None and three.backlog.high is not None
    each = np.stack([run.backlog for run in runs])
    assert np.all(each.min(axis=0) <= three.backlog.low) and np.all(three.backlog.high <= each.max(axis=0))
    assert two.backlog.low is None and two.within_60min.high is None
    assert sum(values for _, values in three.by_language) == pytest.approx(three.backlog.mean)
    assert len(three.by_language) == 6 and three.by_language[-1][0] is None


# ---- the time axis ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "room", "clock_labels", "hour_ticks"),
    [
        (6.0, 8, ["Thu\n12:00", "Thu\n13:00"], [0.0, 1.0]),
        (48.0, 16, ["Thu\n12:00", "Thu\n15:00"], [0.0, 3.0]),
        (168.0, 16, ["Fri\n00:00", "Fri\n12:00"], [0.0, 12.0]),
        (336.0, 16, ["Fri\n30 Jan", "Sat\n31 Jan"], [0.0, 24.0]),
        (336.0, 6, ["Sun\n1 Feb", "Wed\n4 Feb"], [0.0, 72.0]),
        (8000.0, 12, ["23 Apr\n2015", "16 Jul\n2015"], [0.0, 672.0]),
    ],
)
def test_ticks_are_round_on_the_clock_and_from_onset(
    hours: float, room: int, clock_labels: Sequence[str], hour_ticks: Sequence[float]
) -> None:
    found = timeline(scenario(), 0.0, hours, room)
    labels = [label for _, label in found.clock]
    assert set(clock_labels) <= set(labels) or labels[: len(clock_labels)] == list(clock_labels)
    assert list(found.hours[:2]) == list(hour_ticks)
    assert len(found.clock) <= room + 1 and len(found.hours) <= room + 1


def test_clock_ticks_follow_the_change_to_summer_time() -> None:
    scene = Scenario(name="spring", title="Spring", onset_local=datetime(2015, 3, 28, 0, 0))
    ticks = dict((label, hour) for hour, label in timeline(scene, 0.0, 72.0, 3).clock)
    assert ticks == {"Sat\n28 Mar": 0.0, "Sun\n29 Mar": 24.0, "Mon\n30 Mar": 47.0, "Tue\n31 Mar": 71.0}


def test_the_onset_is_marked_if_it_lies_inside() -> None:
    early = timeline(scenario(), -6.0, 24.0, 16)
    assert early.hours[0] == -6.0
    ax = axes()
    early.dress(ax)
    assert ax.get_xlim() == (-6.0, 24.0)
    assert any(np.asarray(line.get_xdata()).tolist() == [0.0, 0.0] for line in ax.lines)
    above = axes()
    early.dress(above, last=False)
    assert [tick.get_text() for tick in above.get_xticklabels() if tick.get_text()] == []


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("share", 0.394, "39 %"), ("share", 0.0, "0 %"), ("share", 1.0, "100 %"), ("share", 0.0046, "0.5 %"),
        ("share", 0.996, "99.6 %"), ("share", 0.0004, "<0.1 %"), ("share", 0.0095, "1 %"), ("share", 0.9904, "99 %"),
        ("s", 0.0, "0 s"), ("s", 45.0, "45 s"), ("s", 500.0, "8.3 min"), ("s", 2000.0, "33 min"),
        ("s", 12_960.0, "3.6 h"), ("s", 100_000.0, "28 h"), ("s", 432_000.0, "5.0 days"), ("s", 4e6, "46 days"),
        ("count", 7.0, "7"), ("count", 7.25, "7.2"), ("count", 741.4, "741"), ("count", 84_512.0, "84,500"),
        ("count", 0.0, "0"), ("per_case", 0.021, "0.02"), ("hours", 8078.3, "8,078 h"), ("hours", 1.5, "1.5 h"),
        ("EUR", 16.2155, "EUR 16.22"), ("EUR", 0.0, "EUR 0"), ("EUR", 233_238.75, "EUR 233,000"),
        ("EUR", 1_234_000.0, "EUR 1.23 M"), ("EUR", 999_900.0, "EUR 1.00 M"),
    ],
)  # fmt: skip
def test_numbers_are_written_with_few_digits(unit: Any, value: float, text: str) -> None:
    assert formats.scale(unit, value).one(value).replace(formats.NBSP, " ") == text


def test_an_interval_has_the_unit_of_its_mean() -> None:
    scale = formats.scale("s", 5000.0)
    assert scale.span(3000.0, 12_000.0).replace(formats.NBSP, " ") == "50–200 min"
    assert formats.scale("share", 0.4).span(0.401, 0.402) == f"40{formats.NBSP}%"
    assert formats.scale("EUR", 20.0).span(19.0, 21.0).replace(formats.NBSP, " ") == "EUR 19.00–21.00"


@given(st.sampled_from(["share", "s", "count", "per_case", "hours", "EUR"]), st.floats(0.0, 1e9))
def test_every_number_can_be_written(unit: Any, value: float) -> None:
    text = formats.scale(unit, value).one(value)
    assert re.search(r"\d", text) and not re.search(r"nan|inf|-|e[+]", text)


def test_clock_times_and_offsets_are_written_out() -> None:
    at = datetime(2010, 4, 15, 19, 0)
    assert formats.clock(at).replace(formats.NBSP, " ") == "Thu 15 Apr, 19:00"
    assert formats.clock(at, year=True).replace(formats.NBSP, " ") == "Thu 15 Apr 2010, 19:00"
    assert formats.hours_from_onset(482_400.0).replace(formats.NBSP, " ") == "134 h after onset"
    assert formats.hours_from_onset(-21_600.0).replace(formats.NBSP, " ") == "6 h before onset"
    assert formats.hours_from_onset(100.0) == "at onset"
    assert formats.listed(["a"]) == "a"
    assert formats.listed(["a", "b", "c"]) == "a, b and c"
    assert formats.about(84_512.0) == "84,500" and formats.about(7057.0) == "7,060" and formats.about(741.0) == "741"
