"""Traces: totals against the integral of the curve, variance, columns, order, edges, reproduction."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scenarios import library
from scenarios.errors import ScenarioError
from scenarios.expected import expected, rates
from scenarios.generate import DRAWS, STREAMS, Chance, generate
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import (
    NONE,
    Language,
    Platform,
    PostKind,
    Sentiment,
    TextForm,
    Tier,
    Topic,
    Visibility,
    code,
)
from scenarios.traces import COLUMNS, Trace

CALM = {"day_sd": 0.0, "hour_sd": 0.0}
CLUSTERS = {
    "follow_ups": {"mean": 0.4},
    "children": {"ratio": 0.5, "case_ratio": 0.2, "delay_min": {"kind": "exponential", "mean": 15}},
    "reposts": {"mean": 0.4, "tail": 2.5, "cut_h": 6},
    "batches": {"share": 0.1, "size": 3},
}
PHONE = {"calls_per_h": 50, "lines": 10, "agents": 5}
SURGE = {"kind": "pulse", "at_h": 20, "mentions": 6, "cases": 5, "rise_h": 3, "tau_h": 2}


def scenario(**more: object) -> Scenario:
    given = {"name": "here", "title": "Here", "clusters": CLUSTERS, "base": {"noise": CALM}, **more}
    return Scenario.model_validate(given)


def where(trace: Trace, *kinds: PostKind) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.isin(trace["kind"], [code(kind) for kind in kinds])


def share_is(found: FloatArray | np.ndarray[Any, Any], share: float) -> None:
    """Check a share of independent rows: binomial, 5 standard errors."""
    slack = 5 * math.sqrt(share * (1 - share) / found.size)
    assert np.mean(found) == pytest.approx(share, abs=slack + 1e-12)


@pytest.fixture(scope="module")
def rich() -> Trace:
    """A day and a half with all there is: clusters, a surge, calls, fakes, a mix that changes."""
    changes = [
        {"at_h": 0, "topics": {"info": 1.0}, "fakes": 0.2},
        {"at_h": 36, "topics": {"rebooking": 1.0}, "fakes": 0.2},
    ]
    made = scenario(
        window_h=[-6, 36],
        surges=[SURGE],
        phone=PHONE,
        mix_changes=changes,
        base={"mentions_per_h": 2000, "cases_per_h": 250},
    )
    return generate(made, seed=15)


# --- totals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"window_h": [0, 24]},
        # The surge has died out long before the end, so that nothing of it is cut off there: e^-13.
        {"window_h": [-12, 50], "surges": [SURGE], "phone": PHONE},
        {
            "window_h": [0, 24],
            "base": {"hours": [1.0] * 12 + [3.0] * 12, "noise": {"day_sd": 0.3, "hour_sd": 0.3}},
            "clusters": {},
        },
    ],
    ids=["flat", "surge", "noise"],
)
def test_mean_totals_are_the_integral_of_the_curve(more: dict[str, object]) -> None:
    made = scenario(**more)
    runs = 60
    traces = [generate(made, seed=1, replication=r) for r in range(runs)]
    counts = np.array([[t.mentions, t.cases, len(t) - t.mentions] for t in traces], dtype=np.float64)
    exact = expected(made)
    for found, name in zip(counts.T, ("mentions", "cases", "calls"), strict=True):
        error = found.std(ddof=1) / math.sqrt(runs)
        # Four standard errors; the lead-in leaves out 0.05 % of the posts at most.
        assert found.mean() == pytest.approx(exact[name], abs=4 * error + 5e-4 * exact[name])
        assert error <= 0.05 * exact[name]  # sharp enough to tell


def test_the_window_is_stationary_from_its_first_hour() -> None:
    made = scenario(window_h=[0, 8], base={"mentions_per_h": 4000, "cases_per_h": 500, "noise": CALM})
    runs = 40
    first = np.empty((runs, 2))
    late = np.empty((runs, 2))
    for r in range(runs):
        trace = generate(made, seed=2, replication=r)
        for at_h, into in ((0, first), (7, late)):
            those = np.floor(trace["time_s"] / 3600) == at_h
            into[r] = those.sum(), (those & where(trace, PostKind.FOLLOW_UP, PostKind.REPOST)).sum()
    # Stationary: 4,000 posts an hour in each; follow-ups and reposts are as many in both.
    for hour in (first, late):
        assert hour[:, 0].mean() == pytest.approx(4000, abs=4 * hour[:, 0].std(ddof=1) / math.sqrt(runs) + 2)
    difference = first[:, 1] - late[:, 1]
    assert difference.mean() == pytest.approx(0, abs=4 * difference.std(ddof=1) / math.sqrt(runs) + 2)


def test_hours_of_a_quiet_week_vary_as_real_ones_do() -> None:
    """Excess variance of a real week of airlines: plain Poisson is refuted, and this is not."""
    made = library.load("quiet_week")
    r = rates(made)
    usual = np.bincount((r.start_h + 1e-9).astype(int), weights=r.mentions_per_h * r.length_h)
    weeks = 12
    levels, thinned = [], []
    for seed in range(weeks):
        time_s = generate(made, seed)["time_s"]
        counts = np.bincount((time_s / 3600).astype(int), minlength=168)
        levels.append(counts / usual)
        few = time_s[np.random.default_rng(seed).random(time_s.size) < 20 / (time_s.size / 168)]
        per_hour = np.bincount((few / 3600).astype(int), minlength=168) / (usual / usual.mean())
        thinned.append(per_hour.var(ddof=1) / per_hour.mean())
    level = np.concatenate(levels)
    excess = level.var() / level.mean() ** 2 - np.mean(1 / usual)
    # exp(0.15^2) - 1 a day and 0.74 (exp(0.3^2) - 1) an hour make 0.092; what comes late after a
    # post smooths the latter, which leaves some 0.077.
    assert 0.05 < excess < 0.20
    # At 20 posts an hour Poisson's 1 and 20 times that; airlines have 2 to 6.
    assert 2 < np.mean(thinned) < 6


# --- reproduction ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    made = scenario(window_h=[0, 6], surges=[{**SURGE, "at_h": 2, "size": {"low": 0.5, "likely": 1, "high": 2}}])
    base = generate(made, 7)
    assert generate(made, 7).digest == base.digest
    others = [generate(made, 8), generate(made, 7, 1), generate(made, 7, 0, 0.9), generate(made, 7, hours=5)]
    assert len({base.digest, *(trace.digest for trace in others)}) == 5
    assert {key: base.about[key] for key in ("scenario", "seed", "replication", "size_u", "window_s")} == {
        "scenario": "here",
        "seed": 7,
        "replication": 0,
        "size_u": None,
        "window_s": [0.0, 21_600.0],
    }
    assert base.about["scenario_digest"] == library.digest(made)
    assert base.about["version"]


@pytest.mark.parametrize(
    ("changed", "columns"),
    [
        ({"people": {"influence": {"kind": "exponential", "mean": 9}}}, {"influence"}),
        ({"people": {"booked_share": 0.3}}, {"departure_h", "flight"}),
        ({"people": {"mixed_share": 0.5}}, {"form"}),
        ({"mix": {"tiers": {"gold": 1.0}}}, {"tier"}),
        ({"mix": {"stages": {"plan": 1.0}}}, {"stage"}),
        ({"mix": {"sentiment": {"positive": 1.0}}}, {"sentiment"}),
        ({"mix": {"topics": {"baggage": 1.0}}}, {"topic", "sentiment"}),
        ({"mix": {"case_platforms": {"vk": 1.0}}}, {"platform", "visibility"}),
        ({"mix": {"languages": {"th": 1.0}}}, {"language"}),
    ],
)
def test_a_column_that_changes_leaves_the_others_as_they_are(changed: dict[str, object], columns: set[str]) -> None:
    one = generate(scenario(window_h=[0, 6]), 3)
    other = generate(scenario(window_h=[0, 6], **changed), 3)
    different = {name for name in COLUMNS if not np.array_equal(one[name], other[name])}
    assert different == columns


def test_calls_shift_nothing_else() -> None:
    silent = generate(scenario(window_h=[0, 6]), 3)
    loud = generate(scenario(window_h=[0, 6], phone=PHONE), 3)
    posts = ~where(loud, PostKind.CALL)
    assert np.count_nonzero(~posts) == pytest.approx(300, abs=5 * math.sqrt(300))
    for name in set(COLUMNS) - {"author", "parent"}:  # numbers of people and of rows count the calls in
        assert np.array_equal(loud[name][posts], silent[name]), name


def test_noise_that_is_given_takes_the_place_of_one_that_is_drawn() -> None:
    quiet = library.load("quiet_week").model_copy(update={"window_h": (0.0, 24.0)})
    of_one = generate(quiet, 1, noise=lambda grid: np.ones(3 * grid.n))
    of_two = generate(quiet, 1, noise=lambda grid: np.full(3 * grid.n, 2.0))
    # Clusters make posts come together: the mean size of one is below 10, so the error below sqrt(10 n).
    n = len(of_one["time_s"])
    assert len(of_two["time_s"]) == pytest.approx(2 * n, abs=4 * math.sqrt(3 * 10 * n))
    assert n > 5_000


def test_every_draw_has_a_generator_of_its_own() -> None:
    rng = Chance(1, 0)
    first = {float(rng(stream, name).random()) for stream in STREAMS for name in DRAWS}
    assert len(first) == len(STREAMS) * len(DRAWS)
    assert len(set(DRAWS)) == len(DRAWS)


# --- columns --------------------------------------------------------------------------------------


def test_rows_are_in_order_of_time_and_inside_the_window(rich: Trace) -> None:
    time_s = rich["time_s"]
    assert (np.diff(time_s) >= 0).all()
    assert -6 * 3600 <= time_s[0] < -6 * 3600 + 60
    assert 36 * 3600 - 60 < time_s[-1] < 36 * 3600
    assert set(rich.columns) == set(COLUMNS)
    assert sum(column.itemsize for column in rich.columns.values()) <= 120


def test_cases_are_numbered_in_order_of_opening(rich: Trace) -> None:
    opens = where(rich, PostKind.CASE)
    assert list(rich["case"][opens]) == list(range(rich.cases))
    rest = ~where(rich, PostKind.CASE, PostKind.FOLLOW_UP)
    assert (rich["case"][rest] == NONE).all()


def test_follow_ups_share_author_case_and_flight_with_their_first_post(rich: Trace) -> None:
    rows = np.flatnonzero(where(rich, PostKind.FOLLOW_UP) & (rich["parent"] != NONE))
    first = rich["parent"][rows]
    assert rows.size > 1000
    assert (first < rows).all()
    for name in ("author", "case", "language", "platform", "visibility", "topic", "stage", "tier", "flight"):
        assert np.array_equal(rich[name][rows], rich[name][first]), name
    assert np.isin(rich["kind"][first], [code(PostKind.CASE), code(PostKind.CHATTER)]).all()
    since_h = (rich["time_s"][rows] - rich["time_s"][first]) / 3600
    left = np.maximum(rich["departure_h"][first] - since_h, 0)
    # Hours in single precision: of 60 hours 4e-6.
    assert rich["departure_h"][rows] == pytest.approx(left, rel=1e-5, abs=1e-4)


def test_follow_ups_of_cases_from_before_the_window_are_of_chatter(rich: Trace) -> None:
    lost = where(rich, PostKind.FOLLOW_UP) & (rich["parent"] == NONE)
    assert lost.sum() > 0
    assert (rich["case"][lost] == NONE).all()
    # Their first posts lie before the window, so they come early in it.
    assert np.median(rich["time_s"][lost]) < np.median(rich["time_s"])


def test_people_are_numbered_by_their_first_posts_and_only_follow_ups_share_them(rich: Trace) -> None:
    author = rich["author"]
    people, first = np.unique(author, return_index=True)
    assert np.array_equal(people, np.arange(people.size))
    assert (np.diff(first) > 0).all()
    again = np.ones(author.size, dtype=bool)
    again[first] = False
    assert where(rich, PostKind.FOLLOW_UP, PostKind.FAKE)[again].all()


def test_children_and_reposts_come_after_what_set_them_off(rich: Trace) -> None:
    rows = np.flatnonzero(rich["parent"] != NONE)
    first = rich["parent"][rows]
    assert (first < rows).all()
    assert np.array_equal(rich["language"][rows], rich["language"][first])
    case = where(rich, PostKind.CASE)[rows]
    assert case.sum() > 100  # cases that others set off
    assert where(rich, PostKind.CASE)[first[case]].all()
    reposts = where(rich, PostKind.REPOST)[rows]
    for name in ("text", "form", "sentiment", "platform"):
        assert np.array_equal(rich[name][rows[reposts]], rich[name][first[reposts]]), name
    shared = np.concatenate([rows[reposts], first[reposts]])
    assert (rich["visibility"][shared] == code(Visibility.PUBLIC)).all()
    assert (rich["topic"][where(rich, PostKind.REPOST)] == code(Topic.REPOST)).all()


def test_a_share_of_the_chatter_is_fake_and_most_fakes_are_copies(rich: Trace) -> None:
    late = rich["time_s"] >= 3600
    fake = where(rich, PostKind.FAKE) & late
    chatter = where(rich, PostKind.CHATTER, PostKind.REPOST, PostKind.FAKE) & late
    chatter |= where(rich, PostKind.FOLLOW_UP) & (rich["case"] == NONE) & late
    # A conversation of bots has 1.8 posts on average, with a variance not above 5 times that.
    slack = 5 * math.sqrt(0.2 * 0.8 * 5 * 1.8 / chatter.sum())
    assert fake.sum() / chatter.sum() == pytest.approx(0.2, abs=slack)
    texts, counts = np.unique(rich["text"][fake], return_counts=True)
    copies = fake & (rich["text"] == texts[counts.argmax()])
    openers = fake & (rich["parent"] == NONE)
    assert (copies & openers).sum() / openers.sum() > 0.85
    assert (rich["sentiment"][copies] == code(Sentiment.NEGATIVE)).all()
    assert not rich["customer"][fake].any()
    assert np.isinf(rich["departure_h"][fake]).all()
    assert (rich["flight"][fake] == NONE).all()
    early = rich["time_s"] < 0
    assert not where(rich, PostKind.FAKE)[early].any()


def test_a_mix_runs_linearly_between_its_changes(rich: Trace) -> None:
    case = where(rich, PostKind.CASE)
    hour = rich["time_s"][case] / 3600
    rebooking = rich["topic"][case] == code(Topic.REBOOKING)
    share_is(rebooking[hour < 0], 0.2)  # the ordinary week's
    for a, b in ((0, 6), (18, 24), (30, 36)):
        inside = (hour >= a) & (hour < b)
        # The steps of a quarter hour even out: their middles lie on the line.
        share_is(rebooking[inside], float(np.mean(hour[inside]) / 36))


def test_columns_have_the_shares_of_their_lists() -> None:
    made = scenario(window_h=[0, 24], base={"mentions_per_h": 3000, "cases_per_h": 1500}, clusters={})
    trace = generate(made, 4)
    case, chatter = where(trace, PostKind.CASE), where(trace, PostKind.CHATTER)
    customer = trace["customer"]
    share_is(~customer, 0.05)
    share_is(trace["tier"][customer] == code(Tier.GOLD), 0.08)
    assert (trace["tier"][~customer] == code(Tier.NONE)).all()
    share_is(trace["language"] == code(Language.NL), 0.22)
    share_is(trace["platform"][case] == code(Platform.FACEBOOK), 0.65)
    share_is(trace["platform"][chatter] == code(Platform.X), 0.6466)
    on_x = trace["platform"] == code(Platform.X)
    share_is(trace["visibility"][on_x] == code(Visibility.PRIVATE), 0.2)
    share_is(trace["topic"][case] == code(Topic.BAGGAGE), 0.15)
    share_is(trace["topic"][chatter] == code(Topic.JOKE), 0.25)
    share_is(trace["form"] == code(TextForm.MIXED), 0.05)
    share_is(trace["form"] == code(TextForm.SHORT), 0.03)
    neutral = trace["sentiment"] == code(Sentiment.NEUTRAL)
    fixed = np.isin(trace["topic"], [code(t) for t in (Topic.PRAISE, Topic.COMPLAINT, Topic.OUTRAGE)])
    share_is(neutral[~fixed], 0.45)
    praise = trace["topic"] == code(Topic.PRAISE)
    assert (trace["sentiment"][praise] == code(Sentiment.POSITIVE)).all()
    assert (trace["sentiment"][fixed & ~praise] == code(Sentiment.NEGATIVE)).all()
    booked = np.isfinite(trace["departure_h"])
    share_is(booked[customer], 0.8)
    assert not booked[~customer].any()
    assert np.array_equal(booked, trace["flight"] != NONE)
    assert trace["flight"].max() == 259
    hours = trace["departure_h"][booked]
    # Exponential of mean 60, its deviation too.
    assert hours.mean() == pytest.approx(60, abs=5 * 60 / math.sqrt(hours.size))
    assert trace["text"].min() >= 0


def test_cases_follow_each_other_as_the_follow_ups_say() -> None:
    clusters = {"follow_ups": {"mean": 0.5, "gap_min": 1, "quick_share": 0.0}}
    made = scenario(window_h=[0, 48], clusters=clusters, base={"cases_per_h": 200, "noise": CALM})
    trace = generate(made, 5)
    assert np.count_nonzero(where(trace, PostKind.FOLLOW_UP)) / len(trace) == pytest.approx(1 / 3, rel=0.03)
    last = trace["time_s"] < 48 * 3600 - 3600
    numbers = trace["case"][where(trace, PostKind.FOLLOW_UP) & (trace["case"] != NONE) & last]
    cases = np.count_nonzero(where(trace, PostKind.CASE) & last)
    # Geometric of mean 0.5: variance 0.75; 5 standard errors.
    assert numbers.size / cases == pytest.approx(0.5, abs=5 * math.sqrt(0.75 / cases))


# --- edges ----------------------------------------------------------------------------------------


def test_hours_cut_the_window_and_never_lengthen_it() -> None:
    made = scenario(window_h=[-2, 4])
    short = generate(made, 1, hours=3)
    assert short.about["window_s"] == [-7200.0, 3600.0]
    assert short["time_s"].max() < 3600
    assert generate(made, 1, hours=99).digest == generate(made, 1).digest


def test_a_world_without_posts_is_an_empty_trace() -> None:
    trace = generate(scenario(base={"mentions_per_h": 0, "cases_per_h": 0}, window_h=[0, 2]), 1)
    assert len(trace) == trace.mentions == trace.cases == 0


def test_nights_may_be_silent() -> None:
    hours = [0.0] * 12 + [1.0] * 12
    made = scenario(window_h=[0, 12], base={"hours": hours}, clusters={}, phone=PHONE)
    assert len(generate(made, 1)) == 0
    assert expected(made)["mentions"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": -1}, "seed -1"),
        ({"seed": 1, "replication": -1}, "replication -1"),
        ({"seed": 1, "size_u": 1.5}, "size_u is 1.5"),
        ({"seed": 1, "size_u": math.nan}, "size_u is nan"),
        ({"seed": 1, "hours": 0}, "hours is 0"),
    ],
)
def test_an_argument_out_of_range_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        generate(scenario(), **arguments)


def test_more_rows_than_fit_are_refused_before_any_is_drawn() -> None:
    with pytest.raises(ScenarioError, match="lower the rates or cut the window"):
        generate(scenario(base={"mentions_per_h": 1e9}), 1)


surges = st.fixed_dictionaries(
    {
        "kind": st.just("pulse"),
        "at_h": st.floats(-3, 5),
        "mentions": st.floats(5, 20),
        "cases": st.floats(1, 4),
        "rise_h": st.sampled_from([0.0, 0.5]),
        "decay": st.sampled_from(["exponential", "omori"]),
    }
)
laws = st.fixed_dictionaries(
    {
        "follow_ups": st.fixed_dictionaries({"mean": st.floats(0, 1)}),
        "children": st.fixed_dictionaries({"ratio": st.floats(0, 0.9), "case_ratio": st.floats(0, 0.9)}),
        "reposts": st.fixed_dictionaries({"mean": st.floats(0, 3), "power": st.sampled_from([0.8, 1.0, 1.1])}),
        "batches": st.fixed_dictionaries({"share": st.floats(0, 1)}),
    }
)


@hypothesis_settings(max_examples=25)
@given(st.lists(surges, max_size=2), laws, st.booleans(), st.integers(0, 2**31), st.floats(0, 1))
def test_any_scenario_makes_a_trace_that_holds_together(
    some: list[dict[str, object]], clusters: dict[str, object], calls: bool, seed: int, size_u: float
) -> None:
    made = scenario(
        window_h=[-1, 5],
        surges=some,
        clusters=clusters,
        phone=PHONE if calls else None,
        onset_local="2020-03-29T02:30:00",
    )
    trace = generate(made, seed, size_u=size_u)
    time_s, parent = trace["time_s"], trace["parent"]
    assert (np.diff(time_s) >= 0).all()
    assert ((time_s >= -3600) & (time_s < 5 * 3600)).all()
    set_off = parent != NONE
    assert (parent[set_off] < np.flatnonzero(set_off)).all()
    assert list(trace["case"][where(trace, PostKind.CASE)]) == list(range(trace.cases))
    known = trace["case"][where(trace, PostKind.FOLLOW_UP)]
    assert ((known >= NONE) & (known < max(trace.cases, 1))).all()
    assert where(trace, PostKind.CALL).any() == calls
