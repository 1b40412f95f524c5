"""The library: every file is whole, has its evidence, and brings what the sources say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scenarios import library
from scenarios.errors import InputError
from scenarios.expected import expected
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.places import split_place

NAMES = [
    "bot_flood",
    "crm_down_in_surge",
    "double_crisis",
    "global_stop",
    "it_outage",
    "payment_rush",
    "platform_loss",
    "power_cut",
    "quiet_week",
    "security_incident",
    "snowstorm",
    "strike_notice",
    "viral_photo",
    "viral_product",
    "viral_story",
    "volcano",
]

# Mentions and cases of the fluid table in the research behind the library, without a day profile.
TOTALS = {
    "volcano": (773_000, 82_800),
    "snowstorm": (373_000, 39_600),
    "viral_story": (470_000, 6_200),
    "it_outage": (154_000, 16_500),
    "strike_notice": (154_000, 16_400),
    "double_crisis": (800_000, 41_000),
    "global_stop": (1_770_000, 207_000),
}


def test_the_library_has_all_its_scenarios() -> None:
    assert library.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_says_what_happens_what_it_asks_and_where_it_is_from(name: str) -> None:
    made = library.load(name)
    assert made.name == name
    assert made.title
    sentences = re.findall(r"[.!?](?:\s|$)", made.story)
    assert 3 <= len(sentences) <= 6
    assert made.question.endswith("?")
    assert made.sources
    assert all(source.strip() for source in made.sources)
    assert made.behaviour.turns  # and all of it has been checked


def value_at(data: Any, what: str) -> Any:
    for key in split_place(what):
        data = data[key]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_what_is_assumed_is_there_and_within_its_range(name: str) -> None:
    made = library.load(name)
    data = made.model_dump(mode="json", by_alias=True)
    assert len({row.what for row in made.assumed}) == len(made.assumed)
    for row in made.assumed:
        value = value_at(data, row.what)
        assert row.reason
        if row.low is not None and row.high is not None:
            assert row.low <= value <= row.high, row.what
        else:
            assert row.low is row.high is None


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quiet_week"])
def test_a_crisis_lists_its_own_assumptions_and_those_of_the_week_it_is_built_on(name: str) -> None:
    whats = {row.what for row in library.load(name).assumed}
    assert {"base.hours", "base.zones", "behaviour.recontact.separate_share"} <= whats
    assert any(what.startswith("surges[0]") for what in whats)


@pytest.mark.parametrize(("name", "totals"), TOTALS.items())
def test_a_flat_scenario_brings_the_totals_of_the_sources(name: str, totals: tuple[int, int]) -> None:
    found = expected(library.load(name), flat=True)
    assert (found["mentions"], found["cases"]) == pytest.approx(totals, rel=0.05)


@pytest.mark.parametrize("flat", [True, False])
def test_a_quiet_week_is_expected_to_bring_60000_mentions_and_7000_cases(flat: bool) -> None:
    found = expected(library.load("quiet_week"), flat=flat)
    assert (found["mentions"], found["cases"]) == pytest.approx((60_000, 7_000), rel=1e-9)


def test_the_ordinary_day_has_its_peak_and_its_night() -> None:
    hours = library.load("quiet_week").base.hours
    mean = sum(hours) / 24
    assert all(0.15 - 1e-9 <= hours[h] / mean <= 0.2 + 1e-9 for h in (2, 3, 4, 5))
    assert all(hours[h] / mean == pytest.approx(1.4) for h in range(10, 18))
    assert hours[20] / mean == pytest.approx(1.6) == pytest.approx(max(hours) / mean)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_makes_a_trace_at_any_size(name: str) -> None:
    made = library.load(name)
    start, end = made.window_h
    for size_u in (None, 1.0):
        trace = generate(made, seed=1, size_u=size_u, hours=min(end - start, 12))
        assert trace.cases > 0
        assert trace.mentions > trace.cases
        assert (len(trace) > trace.mentions) == (made.phone is not None)
    assert expected(made, size_u=0.0)["mentions"] <= expected(made, size_u=1.0)["mentions"]


@pytest.mark.parametrize("name", ["volcano", "it_outage", "strike_notice"])
def test_a_curve_that_holds_the_overflow_gets_none_from_the_phone(name: str) -> None:
    made = library.load(name)
    assert made.phone is not None
    for rows in (made.phone.on_blocked, made.phone.on_abandoned):
        assert {row.to for row in rows} <= {"same", "phone"}
    reasons = {row.what: row.reason for row in made.assumed}
    assert "nothing counts twice" in reasons["phone.on_blocked"]


def test_a_crisis_during_the_snow_has_the_snow_below_it() -> None:
    snow, crm, double = (library.load(n) for n in ("snowstorm", "crm_down_in_surge", "double_crisis"))
    assert crm.surges == snow.surges
    assert crm.faults[:2] == snow.faults == double.faults
    assert [fault.kind for fault in crm.faults[2:]] == ["crm", "crm"]
    assert double.surges[0] == snow.surges[0]
    story = library.load("viral_story").surges[0]
    assert double.surges[1] == story.model_copy(update={"shift_h": 48.0})
    assert crm.mix == snow.mix
    assert crm.window_h == snow.window_h == double.window_h


# --- a user's own ---------------------------------------------------------------------------------

OWN = """
name = "own"
extends = "volcano"
title = "My own"
[clusters]
children = { ratio = 0.5 }
[behaviour.recontact]
probability = 0.3
[[assumed]]
what = "clusters.children.ratio"
reason = "my own"
"""


def test_a_file_lies_over_what_it_extends_and_its_assumptions_over_those(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    own, volcano = library.load(path), library.load("volcano")
    assert own.name == "own"
    assert own.surges == volcano.surges
    assert own.clusters.children == volcano.clusters.children.model_copy(update={"ratio": 0.5})
    assumed = {row.what: row.reason for row in own.assumed}
    assert assumed["clusters.children.ratio"] == "my own"
    assert assumed["base.hours"]  # of quiet_week, two files below
    assert assumed["surges[0].size"]  # of volcano
    # A place that the file itself sets is no longer an assumption of the base's.
    assert "behaviour.recontact.probability" not in assumed
    assert "behaviour.recontact.separate_share" in assumed


def test_a_list_that_is_replaced_takes_the_assumptions_about_it_along(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\nextends = "volcano"\ntitle = "Own"\nsurges = []\n', "utf-8")
    whats = {row.what for row in library.load(path).assumed}
    assert not any(what.startswith("surges") for what in whats)
    assert "mix.topics" in whats


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'name = "own"\nextends = "volcano"\ntitle = "Own"\nwindow_h = [5, 1]\nstorry = "x"\n'
        '[base]\nmentions_per_h = "many"\n[[assumed]]\nwhat = "base"\nreason = "r"\nlow = "x"\n',
        "utf-8",
    )
    with pytest.raises(InputError) as caught:
        library.load(path)
    text = str(caught.value)
    for part in ("storry", "'story'", "base.mentions_per_h", "assumed[0].low"):
        assert part in text


def test_surges_that_take_a_curve_below_zero_together_are_refused(tmp_path: Path) -> None:
    dip = (
        '[[surges]]\nkind = "table"\nrows = [{ at_h = 0, mentions = 0.4, cases = 0.4 }, '
        "{ at_h = 5, mentions = 0.4, cases = 0.4 }]\n"
    )
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\nextends = "quiet_week"\ntitle = "Own"\n' + dip + dip, "utf-8")
    with pytest.raises(InputError, match="below zero together at hour 0"):
        library.load(path)


def test_a_name_that_is_not_there_gets_a_hint() -> None:
    with pytest.raises(InputError, match="volcano"):
        library.load("vulcano")


def test_the_digest_is_that_of_the_contents() -> None:
    one, other = library.load("quiet_week"), library.load("quiet_week")
    assert library.digest(one) == library.digest(other)
    changed = one.model_copy(update={"base": one.base.model_copy(update={"cases_per_h": 40.0})})
    assert library.digest(changed) != library.digest(one)
    again = Scenario.model_validate_json(one.model_dump_json(by_alias=True))
    assert library.digest(again) == library.digest(one)


def test_the_schema_knows_the_keys_of_a_file() -> None:
    schema = library.schema()
    assert {"extends", "surges", "behaviour", "assumed"} <= set(schema["properties"])
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("name", ["quiet_week", "volcano"])
def test_what_is_shown_is_ready_for_json(name: str) -> None:
    shown = library.show(library.load(name))
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert shown["name"] == name
    assert shown["expected"]["cases"] > 0
    assert len(shown["assumed"]) >= 20
