"""A schedule becomes a desk: the same people at the same times, in named spans or in heads over time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import december
import numpy as np
import pytest

from scenarios.history.columns import Map
from scenarios.history.schedule import Member, Schedule, read_schedule
from scenarios.names import Language
from sim.desk import Desk
from sim.roster import realise
from sim.staff.scheduled import desk_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NL, EN, DE = Language.NL, Language.EN, Language.DE
HOUR_S = 3600.0


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


def schedule(*members: Member) -> Schedule:
    return Schedule(members, AMSTERDAM, "0" * 64, {}, ())


def heads(desk: Desk, hours: np.ndarray) -> list[int]:
    """Heads at the desk at hours from the onset of December."""
    window = (0.0, 24.0 * december.DAYS * HOUR_S)
    roster = realise(desk, december.storm(), np.uint64(1), *window)
    out = []
    for t in hours * HOUR_S:
        named = sum(s.on_s <= t < s.off_s for mine in roster.stretches for s in mine)
        counted = sum(next((n for begin, n in reversed(level) if begin <= t), 0) for level in roster.levels)
        out.append(named + counted)
    return out


def test_those_with_the_same_languages_and_site_are_a_pool() -> None:
    spans = ((at(2025, 12, 5, 7), at(2025, 12, 5, 15)),)
    members = [
        Member("a-001", spans, (EN, NL), ""), Member("a-002", spans, (DE,), ""),
        Member("a-003", spans, (EN, NL), ""), Member("a-004", spans, (DE,), "Delhi"),
    ]  # fmt: skip
    desk, _ = desk_of(schedule(*members), "d")
    assert [(pool.name, pool.site, pool.heads) for pool in desk.pools] == [
        ("en-nl", "", 2), ("de 1", "", 1), ("de 2", "Delhi", 1)
    ]  # fmt: skip
    assert desk.pools[0].agents[0].shifts == ("fri 08:00-16:00",)


def test_a_long_span_is_cut_and_still_one_time_at_the_desk() -> None:
    desk, _ = desk_of(schedule(Member("a-001", ((at(2025, 12, 5, 3), at(2025, 12, 6, 7)),), (EN,), "")), "d")
    assert desk.pools[0].agents[0].shifts == ("fri 04:00-16:00", "fri 16:00-04:00", "sat 04:00-08:00")
    assert heads(desk, np.array([3.9, 4.1, 15.9, 16.1, 28.1, 31.9, 32.1])) == [0, 1, 1, 1, 1, 1, 0]


def test_more_than_a_week_becomes_heads_over_time_from_an_onset() -> None:
    spans = tuple((at(2025, 12, day, 7), at(2025, 12, day, 15)) for day in range(1, 12))
    members = [Member("a-001", spans, (EN,), ""), Member("a-002", spans[4:5], (EN,), "")]
    desk, said = desk_of(schedule(*members), "d", datetime(2025, 12, 5))
    assert "hour 0 is 2025-12-05T00:00" in said
    assert (8.0, 2) in desk.pools[0].steps and (16.0, 0) in desk.pools[0].steps and (32.0, 1) in desk.pools[0].steps
    assert desk.pools[0].steps[0] == (8.0 - 96.0, 1)


@pytest.mark.parametrize(("days", "before", "named"), [(3, 1, True), (6, 4, False)])
def test_the_schedule_of_december_has_its_heads_at_every_quarter_of_an_hour(
    days: int, before: int, named: bool, tmp_path: Path
) -> None:
    december.write_schedule(tmp_path / "s.csv", days, before)
    read = read_schedule(tmp_path / "s.csv", Map(), zone="Europe/Amsterdam")
    desk, _ = desk_of(read, "d", datetime(2025, 12, 5))
    assert all(bool(pool.agents) is named for pool in desk.pools)
    quarters = np.arange(0.125, 72.0, 0.25)
    assert heads(desk, quarters) == heads(december.desk(), quarters)


def test_a_language_that_nobody_speaks_goes_over_a_bridge_that_somebody_does() -> None:
    spans = ((at(2025, 12, 5, 7), at(2025, 12, 5, 15)),)
    desk, _ = desk_of(schedule(Member("a-001", spans, (DE,), ""), Member("a-002", spans, (DE, NL), "")), "d")
    assert (desk.routing.unserved, desk.routing.bridge_language) == ("bridge", DE)
    assert {each.what for each in desk.assumed} >= {"triage", "routing.unserved"}
