"""What goes wrong and when: faults of a scenario as switches, words for the process, all that is wrong told."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.mishaps import STATES, Mishap, of_scenario, of_words, switches
from loadtests.schedule import Schedule, at_times
from scenarios import library
from scenarios.behaviour import CrmFault, HeldFault, PaymentFault
from scenarios.behaviour import Fault as ScenarioFault
from scenarios.errors import InputError
from scenarios.names import Platform


def replay_of(from_h: float, to_h: float, speed: float) -> Schedule:
    """A row a second between two hours from the onset."""
    plain = at_times(np.arange(int((to_h - from_h) * 3600.0 / speed) + 1, dtype=float), "plain")
    return Schedule(plain.columns, {**plain.about, "window_h": [from_h, to_h], "speed": speed})


def crm(factor: float, duplicates: float = 0.0) -> CrmFault:
    return CrmFault(kind="crm", from_h=1.0, to_h=2.0, factor=factor, duplicates=duplicates)


def payment(factor: float = 1.0, fails: float = 0.0, duplicates: float = 0.0) -> PaymentFault:
    return PaymentFault(kind="payment", from_h=1.0, to_h=2.0, factor=factor, fails=fails, duplicates=duplicates)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (crm(1.8, 0.15), "crm down"),
        (crm(1.3), "crm slow"),
        (HeldFault(kind="platform_held", from_h=1.0, to_h=2.0, platforms=(Platform.X,)), "platform held"),
        (payment(2.0, 0.3, 0.1), "payments failing"),
        (payment(2.0, 0.0, 0.1), "payments slow"),
        (payment(duplicates=0.1), "payments duplicate"),
    ],
)
def test_a_fault_of_the_scenario_is_a_switch_in_the_time_of_the_replay(fault: ScenarioFault, name: str) -> None:
    # Played from half an hour on at sixty times: hours 1 to 2 are seconds 30 to 90.
    (found,) = of_scenario([fault], replay_of(0.5, 3.0, 60.0))
    assert (found.name, found.from_s, found.to_s) == (name, 30.0, 90.0)
    assert found.state in STATES[found.what]


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


def test_where_two_ask_for_a_switch_the_worse_one_has_it() -> None:
    slow, down = Mishap("crm", "slow", 0.0, 2.0), Mishap("crm", "down", 1.0, 2.0)
    assert switches([slow, down, Mishap("kill", "", 1.0, 1.0)]) == switches([down, slow]) == {
        "crm": "down", "payments": "ok", "platform": "ok"
    }  # fmt: skip
    assert set(switches([]).values()) == {"ok"}
