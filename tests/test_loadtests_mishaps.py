"""What goes wrong and when: faults of a scenario as switches, words for the process, all that is wrong told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import small

from careapi.knobs import Faults
from loadtests.mishaps import Mishap, holds, not_played, of_scenario, of_words, switches
from loadtests.schedule import Schedule, at_times, of_traces
from scenarios import library
from scenarios.behaviour import CrmFault, HeldFault, PaymentFault, RuleChange
from scenarios.behaviour import Fault as ScenarioFault
from scenarios.errors import InputError
from scenarios.generate import generate
from scenarios.names import Platform, PostKind, code
from scenarios.traces import Trace


def replay_of(from_h: float, to_h: float, speed: float) -> Schedule:
    """A row a second between two hours from the onset."""
    plain = at_times(np.arange(int((to_h - from_h) * 3600.0 / speed) + 1, dtype=float), "plain")
    return Schedule(plain.columns, {**plain.about, "window_h": [from_h, to_h], "speed": speed})


def crm(factor: float, duplicates: float = 0.0) -> CrmFault:
    return CrmFault(kind="crm", from_h=1.0, to_h=2.0, factor=factor, duplicates=duplicates)


def held(*platforms: Platform, from_h: float = 1.0, to_h: float = 2.0) -> HeldFault:
    return HeldFault(kind="platform_held", from_h=from_h, to_h=to_h, platforms=platforms)


def payment(factor: float = 1.0, fails: float = 0.0, duplicates: float = 0.0) -> PaymentFault:
    return PaymentFault(kind="payment", from_h=1.0, to_h=2.0, factor=factor, fails=fails, duplicates=duplicates)


@pytest.mark.parametrize(
    ("fault", "name", "asked"),
    [
        (crm(1.8, 0.15), "crm down", {"crm": "down"}),
        (crm(1.3), "crm slow", {"crm": "slow"}),
        (held(Platform.X, Platform.FACEBOOK), "x, facebook held", {"platforms": ["facebook", "x"]}),
        (payment(2.0, 0.3, 0.1), "payments slow, failing 30 %, duplicate 10 %",
         {"payments_slow": 1.0, "payments_failing": 0.3, "payments_duplicate": 0.1}),
        (payment(fails=1.0), "payments failing", {"payments_failing": 1.0}),
        (payment(duplicates=0.125), "payments duplicate 12.5 %", {"payments_duplicate": 0.125}),
    ],
)  # fmt: skip
def test_a_fault_of_the_scenario_is_a_switch_in_the_time_of_the_replay(
    fault: ScenarioFault, name: str, asked: dict[str, Any]
) -> None:
    # Played from half an hour on at sixty times: hours 1 to 2 are seconds 30 to 90.
    (found,) = of_scenario([fault], replay_of(0.5, 3.0, 60.0))
    assert (found.name, found.from_s, found.to_s) == (name, 30.0, 90.0)
    assert found.asked == asked
    Faults(**asked)  # the service knows each of them


def test_faults_are_cut_to_the_hours_that_are_played() -> None:
    (found,) = of_scenario([crm(1.3)], replay_of(1.5, 1.75, 60.0))
    assert (found.from_s, found.to_s) == (0.0, 15.0)


@pytest.mark.parametrize("faults", [[], [crm(1.0)], [payment()]])
def test_nothing_to_play_is_told(faults: list[ScenarioFault]) -> None:
    with pytest.raises(InputError, match="--faults has nothing to play"):
        of_scenario(faults, replay_of(0.5, 3.0, 60.0))
    with pytest.raises(InputError, match="lies in these hours"):
        of_scenario([crm(1.3)], replay_of(2.5, 3.0, 60.0))


def test_the_storm_of_the_library_has_its_customer_system_down_and_then_slow() -> None:
    # Absent staff are faults of that scenario too, and no switch of a service.
    found = of_scenario(library.load("crm_down_in_surge").faults, replay_of(71.0, 79.0, 3600.0))
    assert [(each.name, each.from_s, each.to_s) for each in found] == [("crm down", 1.0, 5.0), ("crm slow", 5.0, 7.0)]


def test_what_happens_to_people_is_told_as_not_played() -> None:
    found = library.load("crm_down_in_surge").faults
    assert not_played(found, replay_of(71.0, 79.0, 3600.0)) == ["staff_absent (hours 60 to 96)"]
    assert not_played(found, replay_of(96.0, 99.0, 3600.0)) == []
    change = RuleChange(kind="rule_change", at_h=3.0, wrong_share=0.1)
    assert not_played([change, crm(2.0)], replay_of(3.0, 4.0, 60.0)) == ["rule_change (hour 3)"]
    assert not_played([change], replay_of(1.0, 3.0, 60.0)) == not_played([change], replay_of(3.5, 4.0, 60.0)) == []


def test_words_are_read_in_seconds_and_in_hours() -> None:
    found = of_words("freeze@60s+2s, kill@30s ,restart@2.5h,kill@100s+4.5s", replay_of(0.5, 3.0, 60.0))
    assert [(each.name, each.from_s, each.to_s) for each in found] == [
        ("kill", 30.0, 30.0), ("freeze", 60.0, 62.0), ("kill", 100.0, 104.5), ("restart", 120.0, 120.0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("kill", "--disturb-service kill: reads like kill@30s"),
        ("burn@3s", "--disturb-service burn@3s: reads like kill@30s"),
        ("freeze@3s", "--disturb-service freeze@3s needs its length, such as \\+2s"),
        ("restart@3s+1s", "restart@3s\\+1s: takes as long as it takes"),
        ("kill@151s", "kill@151s is 151.0 s from the start; the last row is due at 150.0 s"),
        ("kill@0.4h", "kill@0.4h is -6.0 s from the start"),
        ("freeze@10s+5s,kill@12s", "kill begins at 12.0 s, before freeze has ended"),
        ("kill@12s,kill@12s", "kill begins at 12.0 s, before kill has ended"),
        (" , ", "--disturb-service is empty"),
    ],
)
def test_words_that_are_wrong_are_told(words: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        of_words(words, replay_of(0.5, 3.0, 60.0))


def test_all_wrong_words_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        of_words("burn@3s,freeze@3s,kill@151s", replay_of(0.5, 3.0, 60.0))
    assert len(caught.value.faults) == 3


def test_where_two_ask_for_a_switch_the_worse_one_has_it_and_shares_add_as_chances_do() -> None:
    slow, down = (Mishap(f"crm {state}", 0.0, 2.0, {"crm": state}) for state in ("slow", "down"))
    assert switches([slow, down, Mishap("kill", 1.0, 1.0)]) == switches([down, slow]) == {"crm": "down"}
    some = [Mishap("payments", 0.0, 1.0, {"payments_failing": share}) for share in (0.5, 0.2)]
    assert switches(some) == {"payments_failing": pytest.approx(0.6)}
    places = [Mishap("held", 0.0, 1.0, {"platforms": names}) for names in (["x"], ["facebook", "x"])]
    assert switches(places) == {"platforms": ["facebook", "x"]}
    assert switches([]) == {}


def trace_of(*hours: float, platforms: Sequence[Platform]) -> Trace:
    """Posts at hours from the onset, on platforms."""
    made = small.trace([small.post(60.0 * hour) for hour in hours], (0.0, 600.0))
    about = {"scenario": "some", "scenario_digest": "", "seed": 1, "replication": 0, **made.about}
    return Trace({**made.columns, "platform": np.array([code(each) for each in platforms])}, about)


def test_posts_of_a_held_platform_come_at_one_instant_at_the_end_in_the_order_of_the_trace() -> None:
    x, other = Platform.X, Platform.FACEBOOK
    trace = trace_of(0.5, 1.1, 1.2, 1.9, 2.0, 2.5, platforms=[x, x, other, x, x, x])
    found = of_traces([trace], 3600.0, holds=holds([held(x), crm(2.0)]))
    assert found["row"].tolist() == [0, 2, 1, 3, 4, 5]
    assert found["due_s"].tolist() == pytest.approx([0.5, 1.2, 2.0, 2.0, 2.0, 2.5])
    assert (found["time_s"][2] / 3600.0, of_traces([trace], 3600.0)["row"].tolist()) == (1.1, [0, 1, 2, 3, 4, 5])


def test_what_is_let_go_in_the_cut_is_of_the_cut_and_two_holds_follow_each_other() -> None:
    x = Platform.X
    trace = trace_of(1.5, 3.0, 5.0, platforms=[x] * 3)
    late = [held(x), held(x, from_h=1.8, to_h=4.0)]
    found = of_traces([trace], 3600.0, 3.5, 4.5, holds=holds(late))
    assert (found["row"].tolist(), found["due_s"].tolist()) == ([0, 1], [0.5, 0.5])
    early = of_traces([trace], 3600.0, 0.0, 2.5, holds=holds(late[:1]))
    assert early["due_s"].tolist() == [2.0]


def test_the_posts_that_are_seen_when_a_platform_is_back_are_those_of_the_simulation() -> None:
    found = library.load("platform_loss")
    (fault,) = [each for each in found.faults if isinstance(each, HeldFault)]
    trace = generate(found, 1, hours=fault.to_h + 0.1 - found.window_h[0])
    rows = of_traces([trace], 600.0, holds=holds(found.faults))
    at_end = rows["due_s"] == (fault.to_h - found.window_h[0]) * 6.0
    there = np.isin(trace["platform"], [code(each) for each in fault.platforms]) & (
        trace["kind"] != code(PostKind.CALL)
    )
    meanwhile = there & (trace["time_s"] >= fault.from_h * 3600.0) & (trace["time_s"] < fault.to_h * 3600.0)
    assert meanwhile.sum() > 100
    assert rows["row"][at_end].tolist() == np.flatnonzero(meanwhile).tolist()
