"""The page: whole by itself, accessible, every number defined, and verdicts that say what happened."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from make_outcome import by_hand, desk, scenario, weekend

from reports import background, palette
from reports.data import ReportData, collect
from reports.page import page, tiles, whole
from reports.words import judged, verdict
from scenarios.behaviour import HeldFault, NoAnswer, PaymentFault, RuleChange, SiteDark, StaffAbsent
from scenarios.errors import RunError
from scenarios.model import Scenario
from scenarios.names import Language, Platform, Topic
from scenarios.surges import Size, Table, TableRow
from sim.levers import ArrivalsLever, Trigger
from sim.measures import GROUP_MEASURES, MEASURES
from sim.outcome import Outcome, TurnState
from sim.plan import Plan

INF = math.inf
HOUR_S = 3600.0
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
MANIFEST = {
    "command": "ashcloud run made_up_snow",
    "seed": 1,
    "versions": {"ashcloud": "0.1.0"},
    "timings_s": {"simulate": 3.25, "report": None},
    "replications": [{"number": 0}],
}


class Parsed(HTMLParser):
    """What the tests look at of a page; fails on elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.figures: list[tuple[str, list[dict[str, str]]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag == "figure":
            self.figures.append(("", []))
        if tag == "svg":
            self.figures[-1][1].append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.texts.append(data)
        if self.open and any(re.fullmatch(r"h[1-6]", tag) for tag in self.open):
            level, so_far = self.headings[-1]
            self.headings[-1] = level, so_far + data
            if "figure" in self.open:
                self.figures[-1] = self.headings[-1][1], self.figures[-1][1]

    def text(self) -> str:
        return plain(" ".join(self.texts))

    def attributes(self, name: str) -> list[str]:
        return [found[name] for _, found in self.tags if name in found]


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


def report(seeds: Sequence[int] = (1, 2, 3), scene: Scenario | None = None, **run: Any) -> ReportData:
    runs = [weekend(seed, **run) for seed in seeds]
    return collect(scene or scenario(), desk(), [o for o, _ in runs], [t for _, t in runs], MANIFEST)


@pytest.fixture(scope="module")
def missed() -> ReportData:
    return report()


@pytest.fixture(scope="module")
def kept() -> ReportData:
    return report(heads=(40, 25, 25))


@pytest.fixture(scope="module")
def stuck() -> ReportData:
    return report(peak=8.0, end=False)


@pytest.fixture(scope="module")
def single() -> ReportData:
    return report([1])


@pytest.fixture(scope="module")
def pages(missed: ReportData, kept: ReportData, stuck: ReportData, single: ReportData) -> dict[str, str]:
    bare = collect(scenario(), desk(), [by_hand(scenario="made_up_snow")], [], {})
    data = {"missed": missed, "kept": kept, "stuck": stuck, "single": single, "bare": bare}
    return {name: page(each) for name, each in data.items()}


KINDS = ("missed", "kept", "stuck", "single", "bare")


# ---- the page as such ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_fetched_and_nothing_runs(pages: Mapping[str, str], kind: str) -> None:
    text = pages[kind]
    parsed = Parsed(text)
    names = {name for name, _ in parsed.tags}
    assert names.isdisjoint({"script", "link", "iframe", "img", "image", "object", "embed", "base", "form"})
    assert all(href.startswith("#") for href in parsed.attributes("href"))
    for name in ("src", "srcset", "data", "poster", "action", "xlink:href", "background"):
        assert parsed.attributes(name) == []
    assert all(target.startswith("#") for target in re.findall(r"url\(\s*['\"]?([^)'\"]+)", text))
    assert "@import" not in text
    assert not any(name.startswith("on") for _, found in parsed.tags for name in found)


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_somewhere_and_ids_are_given_once(pages: Mapping[str, str], kind: str) -> None:
    parsed = Parsed(pages[kind])
    ids = parsed.attributes("id")
    assert len(ids) == len(set(ids))
    targets = {href[1:] for href in parsed.attributes("href")}
    targets |= {target for target in re.findall(r"url\(#([^)]+)\)", pages[kind])}
    targets |= set(parsed.attributes("aria-labelledby"))
    assert targets - set(ids) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_headings_come_in_order(pages: Mapping[str, str], kind: str) -> None:
    levels = [level for level, _ in Parsed(pages[kind]).headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert all(text.strip() for _, text in Parsed(pages[kind]).headings)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_says_its_finding_to_those_who_do_not_see_it(pages: Mapping[str, str], kind: str) -> None:
    figures = Parsed(pages[kind]).figures
    assert len(figures) >= 3
    for title, svgs in figures:
        assert len(title) > 10
        assert [(svg["role"], svg["aria-label"]) for svg in svgs] == [("img", title)] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_measure_shown_has_its_definition(pages: Mapping[str, str], kind: str) -> None:
    parsed = Parsed(pages[kind])
    assert {f"def-{name}" for name in MEASURES} <= set(parsed.attributes("id"))
    assert {f"#def-{name}" for name in MEASURES} <= set(parsed.attributes("href"))
    text = parsed.text()
    assert all(plain(each.sentence) in text for each in MEASURES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_no_number_is_shown_as_one(pages: Mapping[str, str], kind: str) -> None:
    parsed = Parsed(pages[kind])
    shown = " ".join([*parsed.texts, *parsed.attributes("aria-label")])
    assert re.findall(r"(?i)(?<![\w.])(nan|inf|infinity|None|null|undefined)(?![\w])", shown.replace("none", "")) == []
    assert "{{" not in shown and "}}" not in shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_a_language_and_landmarks(pages: Mapping[str, str], kind: str) -> None:
    parsed = Parsed(pages[kind])
    names = [name for name, _ in parsed.tags]
    assert dict(parsed.tags)["html"]["lang"] == "en"
    assert all(names.count(name) == 1 for name in ("main", "header", "footer", "title"))
    assert all(found.get("scope") for name, found in parsed.tags if name == "th")


def test_the_same_data_give_the_same_bytes(missed: ReportData, pages: Mapping[str, str]) -> None:
    assert page(missed) == pages["missed"]


def test_what_users_write_cannot_become_markup() -> None:
    scene = scenario(title='<script>alert(1)</script> & "more"', story="</main>", sources=("<img src=x>",))
    data = report([1], scene)
    parsed = Parsed(page(replace(data, manifest={"command": "ashcloud run '<b>'"})))
    assert '<script>alert(1)</script> & "more"' in parsed.text()
    assert "'<b>'" in parsed.text()


def test_inks_can_be_read_and_lines_be_seen() -> None:
    inks = (palette.INK, palette.SOFT, palette.BLUE_INK, palette.GREEN_INK, palette.RED_INK, palette.AMBER_INK)
    assert min(palette.contrast(ink, ground) for ink in inks for ground in (palette.PAPER, palette.PANEL)) >= 4.5
    assert min(palette.contrast(colour) for colour in (*palette.LINES, palette.EDGE)) >= 3.0
    assert palette.contrast("#000000") == pytest.approx(21.0)


def test_every_figure_has_its_numbers_as_a_table(pages: Mapping[str, str]) -> None:
    text = pages["missed"]
    for part in text.split("<figure")[1:]:
        body = part.split("</figure>")[0]
        assert body.count("<tr>") > 10
    assert Parsed(text).text().count("Numbers of this figure") == 6


def test_bands_are_left_out_of_two_runs_and_the_page_says_so(pages: Mapping[str, str]) -> None:
    assert "Bands hold the middle 80 % of the runs." in Parsed(pages["missed"]).text()
    assert "Bands are left out: one run is too few for them." in Parsed(pages["single"]).text()
    two = report([1, 2])
    assert "Bands are left out: 2 runs are too few for them." in Parsed(page(two)).text()
    assert two.series.within_60min.low is None and two.series.backlog.high is None


def test_a_page_can_do_without_traces() -> None:
    data = collect(scenario(), desk(), [weekend(1)[0]], [], {})
    assert data.series.posts is None
    assert "posts an hour" not in Parsed(page(data)).text()


def test_intervals_are_kept_on_one_line() -> None:
    assert whole("39\N{NO-BREAK SPACE}% (36–42\N{NO-BREAK SPACE}%) & <0.1–2").count('<span class="whole">') == 2
    assert "&amp; <span" in whole("a & 1–2")


# ---- what it says -------------------------------------------------------------------------------


def said(data: ReportData) -> str:
    v = verdict(data)
    return plain(" | ".join([v.headline, v.advice, *v.findings, v.sure, *v.cautions]))


def test_a_missed_promise_is_said_with_its_interval_and_what_to_do(missed: ReportData) -> None:
    v = verdict(missed)
    assert v.tone == "missed"
    assert re.match(
        r"The desk misses its promise: \d+ % \(\d+–\d+ %\) of the cases are answered within the promise of their "
        r"class; 80 % would keep it\.$",
        plain(v.headline),
    )
    assert re.search(
        r"Bring more people to the desk: the work of the worst 24 hours, from Thu 29 Jan, \d", plain(v.advice)
    )
    assert re.search(r"at least \d+ heads busy, and 1\d are there", v.advice)


def test_a_kept_promise_needs_nothing(kept: ReportData) -> None:
    v = verdict(kept)
    assert v.tone == "kept"
    assert re.match(r"The desk keeps its promise: 9\d % \(\d+–\d+ %\) of the cases are answered", plain(v.headline))
    assert re.match(r"Leave the desk as it is: agents are busy \d+ % of their time at the desk\.", plain(v.advice))
    assert "No day misses the promise in any run." in v.findings
    assert "The queue never holds 100 turns in any run." in v.findings
    assert dict((t.measure, t.value) for t in tiles(kept))["promise_recover_s"] == "never missed"


def test_what_is_not_reached_is_said_in_words(stuck: ReportData) -> None:
    text = said(stuck)
    assert "The promise is not kept again before the end of any of the 3 runs." in text
    assert "The queue is not below 100 turns for a day before the end of any of the 3 runs." in text
    assert "Fewer than half of the cases have an answer before the run ends;" in text
    shown = {tile.measure: (tile.value, plain(tile.note)) for tile in tiles(stuck)}
    assert shown["promise_recover_s"] == ("not in the window", "at least to Mon 2 Feb, 06:00")
    assert shown["first_response_p90_s"] == ("not reached", "before the end of the run")


def test_when_it_was_back_is_said_by_the_clock(missed: ReportData) -> None:
    assert re.search(
        r"The promise is kept again from (Fri|Sat) 3\d Jan, \d\d:00 \(\d\d h after onset\) on average, earliest \w+ ",
        said(missed),
    )


def test_a_single_run_is_warned_about(single: ReportData, pages: Mapping[str, str]) -> None:
    v = verdict(single)
    assert v.headline.startswith("In the one run played, the desk misses its promise: ")
    assert "(" not in v.headline
    assert v.sure.startswith("This is a single run: one course of events drawn by chance, without an interval.")
    assert "one run, no interval" in Parsed(pages["single"]).text()


def with_rows(data: ReportData, name: str, values: Sequence[float | None], **summary: Any) -> ReportData:
    """The report with other values of one measure in its runs."""
    from sim.estimate import summarise

    rows = tuple({**data.rows[0], name: value} for value in values)
    return replace(data, rows=rows, summary={**data.summary, **summarise(rows), **summary})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            [0.0, 0.0, 36_000.0],
            "In 2 of 3 runs no day misses the promise; in the rest the promise is kept again from Thu 29 Jan, 22:00 "
            "(10 h after onset).",
        ),
        (
            [36_000.0, None, None],
            "The promise is kept again from Thu 29 Jan, 22:00 (10 h after onset); in 2 of 3 runs it is not before the "
            "end.",
        ),
        (
            [0.0, None, None],
            "In 1 of 3 runs no day misses the promise; in the rest the promise is not kept again before the end of the "
            "run.",
        ),
    ],
)
def test_runs_that_differ_are_counted(missed: ReportData, values: Sequence[float | None], sentence: str) -> None:
    assert plain(verdict(with_rows(missed, "promise_recover_s", values)).findings[-2]) == sentence


def test_what_some_runs_do_not_reach_is_said_so(missed: ReportData) -> None:
    half = plain(verdict(with_rows(missed, "first_response_p50_s", [60.0, None, None])).findings[2])
    assert half.startswith("Fewer than half of the cases have an answer before the run ends in 67 % of the runs;")
    name = "promise_recover_s"
    shown = {tile.measure: (tile.value, tile.note) for tile in tiles(with_rows(missed, name, [36_000.0, None, None]))}
    assert plain(" ".join(shown[name])) == "Thu 29 Jan, 22:00 not in 2 of 3 runs"


@pytest.mark.parametrize(
    ("mean", "low", "high", "tone"),
    [
        (0.9, 0.85, 0.95, "kept"),
        (0.8, 0.8, 0.8, "kept"),
        (0.9, 0.79, 1.0, "unclear"),
        (0.7, 0.6, 0.81, "unclear"),
        (0.7, 0.6, 0.79, "missed"),
        (0.8, None, None, "kept"),
        (0.79, None, None, "missed"),
        (None, None, None, "unclear"),
    ],
)
def test_the_promise_is_judged_by_both_ends_of_the_interval(
    mean: float | None, low: float | None, high: float | None, tone: str
) -> None:
    assert judged({"mean": mean, "low": low, "high": high}) == tone


def test_an_interval_across_the_mark_decides_nothing(missed: ReportData) -> None:
    name = "answered_within_promise_share"
    v = verdict(replace(missed, summary={**missed.summary, name: {"mean": 0.8, "low": 0.7, "high": 0.9, "runs": 3}}))
    assert v.tone == "unclear"
    assert "cannot be told yet: 80 % (70–90 %)" in plain(v.headline)
    assert v.advice.startswith("Play more runs before deciding")


def test_the_bottleneck_is_named_if_it_stands_out(missed: ReportData) -> None:
    weak = replace(missed, bottleneck=(Language.KO, 0.05))
    assert "The bottleneck is Korean: 5 % of its cases are answered within 60 minutes, against" in said(weak)
    assert "Start with Korean, where 5 %" in said(weak)
    assert '<tr class="mark"><th scope="row">Korean <span class="tag">bottleneck' in page(weak)
    overall = missed.mean("answered_within_60min_share") or 0.0
    level = replace(missed, bottleneck=(Language.KO, overall - 0.01))
    assert "No language stands out: the lowest, Korean," in said(level)
    assert "Start with" not in said(level) and 'class="mark"' not in page(level)
    assert "No language has the 20 cases a run" in said(replace(missed, bottleneck=None))


def test_much_reading_and_little_room_lead_to_other_advice(missed: ReportData) -> None:
    busy = replace(missed, work=replace(missed.work, reading_share=0.43))
    assert "Let a filter read the posts: reading takes 43 % of all work while cases wait. Even so, bring" in said(busy)
    roomy = replace(missed, gap=replace(missed.gap, needed=5.0, staffed=9.0))
    assert "Move people rather than add them" in said(roomy)


def test_model_desks_and_the_sizes_of_a_plan_are_said_to_be_assumptions(missed: ReportData) -> None:
    lever = ArrivalsLever(name="pinned answers", changes="arrivals", effect=(0.1, 0.25, 0.4))
    trigger = Trigger(signal="backlog", enter=100.0, leave=50.0)
    model = desk(name="klm_2015", plan=Plan(name="crisis", triggers=(trigger,), levers=(lever,)))
    text = said(replace(missed, desk=model))
    assert "klm_2015 is fitted to public figures, not validated; ashcloud is not affiliated with KLM." in text
    assert "The crisis plan crisis (1 levers, 0 rungs of call-in) is part of the desk" in text
    assert "affiliated" not in said(missed) and "crisis plan" not in said(missed)


def test_a_surge_of_one_size_is_said_to_be_so(missed: ReportData) -> None:
    rows = (TableRow(at_h=0.0, mentions=2.0, cases=2.0),)
    surge = scenario(surges=(Table(kind="table", rows=rows, size=Size(low=0.5, likely=1.0, high=2.0)),))
    assert "Every run has the surge at its likely size" in said(replace(missed, scenario=surge))
    drawn = tuple(replace(origin, size_u=0.3) for origin in missed.origins)
    assert "likely size" not in said(replace(missed, scenario=surge, origins=drawn))


def test_what_was_promised_is_said_if_it_is_one_thing(missed: ReportData) -> None:
    one = desk(classes=(desk().classes[-1],))
    assert "answered within the promised 60 minutes" in said(replace(missed, desk=one))


def test_there_may_be_no_case_at_all(pages: Mapping[str, str]) -> None:
    text = Parsed(pages["bare"]).text()
    assert "There was no case to answer, so there is no promise to judge." in text
    assert "no cases" in text


# ---- where the numbers come from ----------------------------------------------------------------


def test_the_manifest_is_shown_but_for_the_list_of_runs(pages: Mapping[str, str]) -> None:
    text = Parsed(pages["missed"]).text()
    assert "ashcloud run made_up_snow" in text and "versions.ashcloud" in text and "3.25" in text
    assert "not given" in text and "replications" not in text


def test_assumptions_are_listed_with_their_ranges(missed: ReportData) -> None:
    rows = background.assumptions(missed)
    assert [(row.where, row.what, row.span) for row in rows] == [
        ("scenario", "behaviour.patience_h", "3 to 12"),
        ("desk", "pools.rest.steps", "no range"),
    ]
    assert "2 parameters have no source" in Parsed(page(missed)).text()


def test_faults_are_told_by_the_clock_in_order(missed: ReportData) -> None:
    faults = (
        RuleChange(kind="rule_change", at_h=30.0, wrong_share=0.3),
        SiteDark(kind="site_dark", from_h=2.0, to_h=3.0, sites=("Here", "There")),
        HeldFault(kind="platform_held", from_h=1.0, to_h=2.0, platforms=(Platform.X,)),
        StaffAbsent(kind="staff_absent", from_h=4.0, to_h=5.0, share=0.25),
        PaymentFault(kind="payment", from_h=6.0, to_h=7.0, factor=2.0),
        NoAnswer(kind="no_answer", from_h=8.0, to_h=9.0, topics=(Topic.LOST_ITEM,)),
        *scenario().faults,
    )
    told = [plain(line) for line in background.faults(replace(missed, scenario=scenario(faults=faults)))]
    assert told == [
        "Posts of x are held back, all to come at the end, from Thu 29 Jan, 13:00 to Thu 29 Jan, 14:00.",
        "Nobody can work at Here and There, from Thu 29 Jan, 14:00 to Thu 29 Jan, 15:00.",
        "25 % of the staff stays away, from Thu 29 Jan, 16:00 to Thu 29 Jan, 17:00.",
        "The payment provider is in trouble: work on payments takes 2 times as long, from Thu 29 Jan, 18:00 to Thu 29 "
        "Jan, 19:00.",
        "Nothing can be answered on lost item, from Thu 29 Jan, 20:00 to Thu 29 Jan, 21:00.",
        "The customer system is slow or down: work takes 1.5 times as long, from Thu 29 Jan, 22:00 to Fri 30 Jan, "
        "02:00.",
        "The rules change on Fri 30 Jan, 18:00: 30 % of the cases resolved in the 24 hours before come back.",
    ]


def test_groups_have_the_measures_that_the_page_shows(missed: ReportData) -> None:
    assert set(missed.classes) == {"urgent", "all"}
    assert all(set(table) == set(GROUP_MEASURES) for table in (*missed.languages.values(), *missed.classes.values()))
    assert sum(table["cases"]["mean"] for table in missed.languages.values()) == pytest.approx(missed.mean("cases"))


def test_a_language_that_one_run_lacks_counts_there_as_none() -> None:
    def run(languages: Sequence[int]) -> Outcome:
        cases = [{"language": code, "posted_s": 1.0, "first_reply_s": 5.0, "due_s": 9.0} for code in languages]
        return by_hand(cases, scenario="made_up_snow", end_s=7200.0)

    data = collect(scenario(), desk(), [run([0, 0, 13, 13]), run([0, 0])], [], {})
    assert data.languages[Language.TH]["cases"]["mean"] == 1.0
    assert data.languages[Language.TH]["answered_within_60min_share"]["undefined"] == 0.5


def test_the_gap_is_the_day_in_which_work_and_heads_lie_furthest_apart() -> None:
    # A case of 1800 s each half hour from hour 24 to 48, none else, and one head: a day that keeps it just busy.
    times = [(24 + h / 2) * HOUR_S for h in range(48)]
    cases = [{"posted_s": t, "first_start_s": t, "first_reply_s": t + 1800.0} for t in times]
    turns = [
        {"case": i, "queued_s": t, "start_s": t, "end_s": t + 1800.0, "agent": 0, "state": TurnState.DONE}
        for i, t in enumerate(times)
    ]
    outcome = by_hand(
        cases, turns, staff=[{"on_s": 0.0, "off_s": 72 * HOUR_S}], scenario="made_up_snow",
        window_s=[0.0, 72 * HOUR_S], end_s=72 * HOUR_S,
    )  # fmt: skip
    data = collect(scenario(), desk(), [outcome], [], {})
    assert (data.work.case_s, data.work.reading_share) == (1800.0, 0.0)
    assert data.gap.from_s == 24 * HOUR_S
    assert (data.gap.needed, data.gap.staffed, data.gap.hours) == pytest.approx((1.0, 1.0, 24.0))


def test_runs_of_different_length_are_laid_over_each_other() -> None:
    short = by_hand(scenario="made_up_snow", window_s=[0.0, 7200.0], end_s=7200.0)
    still = {"queued_s": 0.0, "start_s": 10_000.0, "end_s": 10_100.0, "agent": 0, "state": TurnState.DONE}
    drained = by_hand([{}], [{**still, "case": 0}], scenario="made_up_snow", window_s=[0.0, 7200.0], end_s=10_800.0)
    data = collect(scenario(), desk(), [short, drained], [], {})
    assert data.series.edges_h[-1] == 3.0
    assert data.series.backlog.mean.tolist() == [0.5] * 12  # to 10,000 s
    assert data.window_s == (0.0, 7200.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o, t: ([], []), "there is no outcome to report on"),
        (lambda o, t: (o, t[:1]), "there are 1 traces for 2 outcomes"),
        (lambda o, t: (o, t[::-1]), r"outcome 0 is of trace \w{12}, not of \w{12}; pair them"),
        (lambda o, t: ([by_hand(desk="made_up")], []), "outcome 0 is of scenario made_up, not of made_up_snow"),
        (lambda o, t: ([by_hand(scenario="made_up_snow", desk="klm")], []), "is of desk klm, not of made_up"),
        (lambda o, t: ([o[0], by_hand(scenario="made_up_snow")], []), "different windows"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    change: Callable[[list[Outcome], list[Any]], tuple[list[Outcome], list[Any]]], message: str
) -> None:
    runs = [weekend(seed, hours=30.0) for seed in (1, 2)]
    outcomes, traces = change([o for o, _ in runs], [t for _, t in runs])
    with pytest.raises(RunError, match=message):
        collect(scenario(), desk(), outcomes, traces, {})


def test_outcomes_are_taken_once_each() -> None:
    taken: list[int] = []

    class Lazy(Sequence[Outcome]):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, place: Any) -> Any:
            if place >= 2:
                raise IndexError
            taken.append(place)
            return weekend(place + 1, hours=30.0)[0]

    collect(scenario(30.0), desk(), Lazy(), [], {})
    assert taken == [0, 1]
