"""Expected totals and peaks: by hand where flat, against sums over the clock where not."""

import math

import numpy as np
import pytest

from scenarios.expected import expected, rates
from scenarios.model import Scenario
from scenarios.names import Language, code

ROWS = [{"at_h": 0, "mentions": 1, "cases": 1}, {"at_h": 4, "mentions": 9, "cases": 5}]


def scenario(**more: object) -> Scenario:
    return Scenario.model_validate({"name": "here", "title": "Here", **more})


def test_a_flat_table_has_the_area_of_its_triangles() -> None:
    phone = {"calls_per_h": 30, "lines": 4, "agents": 2}
    base = {"mentions_per_h": 100, "cases_per_h": 10, "hours": [float(h) for h in range(24)]}
    made = scenario(base=base, window_h=[-1, 12], phone=phone, surges=[{"kind": "table", "rows": ROWS, "tail_h": 8}])
    found = expected(made, flat=True)
    # 13 hours of the base, a triangle of 12 hours with height 8 (mentions) and 4 (cases) on top.
    assert found["hours"] == pytest.approx(13)
    assert found["mentions"] == pytest.approx(100 * (13 + 48))
    assert found["cases"] == pytest.approx(10 * (13 + 24))
    assert found["calls"] == pytest.approx(30 * (13 + 24))
    # The quarter hours around the peak: before it 9 - 1/8 x 2 on average, after it 9 - 1/8 x 1.
    assert found["peak_mentions_per_h"] == pytest.approx(100 * (9 - 1 / 8))
    assert found["peak_mentions_at_h"] == found["peak_cases_at_h"] == 4.0


def test_the_size_changes_what_lies_above_the_base() -> None:
    size = {"low": 0.5, "likely": 1, "high": 3}
    made = scenario(base={"mentions_per_h": 100, "cases_per_h": 10}, window_h=[0, 12])
    made = made.model_copy(
        update={"surges": scenario(surges=[{"kind": "table", "rows": ROWS, "tail_h": 8, "size": size}]).surges}
    )
    totals = [expected(made, flat=True, size_u=u)["mentions"] for u in (0.0, None, 1.0)]
    assert totals == pytest.approx([100 * (12 + 24), 100 * (12 + 48), 100 * (12 + 144)])


def test_a_profile_is_summed_over_the_clock() -> None:
    hours = [float(h + 1) for h in range(24)]
    made = scenario(
        base={"mentions_per_h": 240, "cases_per_h": 24, "hours": hours, "weekdays": [2, 1, 1, 1, 1, 1, 0]},
        onset_local="2015-06-01T10:30:00",
        window_h=[0, 3.5],
    )
    # Monday, twice the usual day, 10:30 to 14:00: half of hour 10, then 11, 12 and 13.
    level = 2 * (0.5 * 11 + 12 + 13 + 14) / np.mean(hours)
    assert expected(made)["mentions"] == pytest.approx(240 * level)
    assert expected(made)["cases"] == pytest.approx(24 * level)


def test_a_week_with_a_change_of_clocks_has_the_hours_of_its_days() -> None:
    hours = [0.0] * 24
    hours[2] = 24.0  # all posts come between two and three at night
    base = {"mentions_per_h": 10, "cases_per_h": 1, "hours": hours}

    def week(onset: str) -> float:
        return expected(scenario(base=base, onset_local=onset, window_h=[0, 167]))["mentions"]

    # The last Sunday of March has no such hour, the last of October has two.
    usual = week("2020-06-01T12:00:00")
    assert week("2020-03-23T12:00:00") == pytest.approx(usual * 6 / 7)
    assert week("2020-10-19T12:00:00") == pytest.approx(usual * 8 / 7)


def test_rates_cover_the_window_and_share_it_among_the_languages() -> None:
    made = scenario(
        window_h=[-0.1, 24.05],
        mix={"languages": {"nl": 0.5, "ja": 0.5}},
        base={
            "hours": [1.0] * 12 + [3.0] * 12,
            "zones": {"ja": [{"zone": "Asia/Tokyo", "share": 1.0}]},
        },
    )
    r = rates(made)
    assert r.length_h.sum() == pytest.approx(24.15)
    assert r.start_h[0] == pytest.approx(-0.1)
    assert r.start_h[1:] == pytest.approx(r.start_h[:-1] + r.length_h[:-1])
    assert r.language_share.sum(axis=1) == pytest.approx(1.0)
    # Midnight in Amsterdam is seven in Tokyo; at eight it is three in the afternoon there.
    ja = r.language_share[:, code(Language.JA)]
    assert ja[r.start_h == 0] == pytest.approx(0.5)
    assert ja[r.start_h == 8] == pytest.approx(0.75)
    assert math.isclose(float(r.mentions_per_h @ r.length_h), expected(made)["mentions"])
