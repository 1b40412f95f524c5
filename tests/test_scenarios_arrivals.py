"""Profiles, noise and thinning: clocks against zoneinfo, points against the integral of their rate."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scenarios.arrivals import QUARTER_S, STEPS, Grid, Traffic, busyness, profiles
from scenarios.errors import ScenarioError
from scenarios.laws import FloatArray
from scenarios.model import Base, Noise, Scenario, Zone
from scenarios.names import Language, code

HOURS = tuple(float(h + 1) for h in range(24))
WEEKDAYS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
ZONES: dict[Language, tuple[Zone, ...]] = {
    Language.EN: (Zone(zone="America/New_York", share=0.25), Zone(zone="Asia/Kolkata", share=0.75))
}


def scenario(**more: object) -> Scenario:
    return Scenario.model_validate({"name": "here", "title": "Here", **more})


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64DXSM(seed))


def expected_before(traffic: Traffic, time_s: FloatArray) -> FloatArray:
    """Integral of the rate of the cases up to each time, in multiples of the base times hours, exactly."""
    fine = np.union1d(traffic.edges_s, time_s)
    cell = np.searchsorted(traffic.edges_s, (fine[1:] + fine[:-1]) / 2) - 1
    upto = np.cumsum(traffic.weights[cell] * traffic.curve.totals(fine / 3600, "cases"))
    out: FloatArray = np.concatenate([[0.0], upto])[np.searchsorted(fine, time_s)]
    return out


@pytest.mark.parametrize(
    ("zone", "onset"),
    [
        ("Europe/Amsterdam", "2020-03-27T13:00:00"),  # forward on the 29th
        ("America/New_York", "2020-10-30T09:10:00"),  # back on 1 November
        ("Asia/Kolkata", "2020-03-27T13:00:00"),  # half an hour off, never changes
        ("Australia/Lord_Howe", "2020-04-02T00:00:00"),  # changes by half an hour
        ("Asia/Kathmandu", "2020-04-02T00:07:00"),  # three quarters of an hour off
    ],
)
def test_local_clocks_are_those_of_the_zone(zone: str, onset: str) -> None:
    grid = Grid.over(scenario(timezone=zone, onset_local=onset), -7200.0, 5 * 86_400.0)
    local = grid.local_s(zone)
    start = datetime.fromisoformat(onset).replace(tzinfo=ZoneInfo(zone)).timestamp()
    assert grid.onset_utc_s == start
    assert grid.start_s <= -7200.0 < grid.start_s + QUARTER_S
    assert grid.edges_s[-1] >= 5 * 86_400.0
    for i in range(grid.n):
        utc = start + grid.edges_s[i]
        assert utc % QUARTER_S == 0
        clock = datetime.fromtimestamp(utc, ZoneInfo(zone)).replace(tzinfo=ZoneInfo("UTC"))
        assert local[i] == clock.timestamp()


def test_a_language_follows_the_hour_and_the_weekday_of_its_zones() -> None:
    base = Base(hours=HOURS, weekdays=WEEKDAYS, zones=ZONES)
    grid = Grid.over(scenario(onset_local="2015-06-01T00:00:00"), 0.0, 7 * 86_400.0)
    table = profiles(base, "Europe/Amsterdam", grid)
    assert table.shape == (7 * 96, len(Language))

    def level(local: str) -> float:
        at = datetime.fromisoformat(local)
        return HOURS[at.hour] / 12.5 * WEEKDAYS[at.weekday()] / 4.0  # by their means

    # Monday 04:00 in Amsterdam is Sunday 22:00 in New York and 07:30 in India.
    quarter = 4 * 4
    assert table[quarter, code(Language.NL)] == pytest.approx(level("2015-06-01T04:00"))
    both = 0.25 * level("2015-05-31T22:00") + 0.75 * level("2015-06-01T07:30")
    assert table[quarter, code(Language.EN)] == pytest.approx(both)


def test_a_profile_has_mean_1_over_a_whole_week() -> None:
    base = Base(hours=HOURS, weekdays=WEEKDAYS, zones=ZONES)
    grid = Grid.over(scenario(onset_local="2015-06-03T11:00:00"), 0.0, 7 * 86_400.0)
    assert profiles(base, "Europe/Amsterdam", grid).mean(axis=0) == pytest.approx(1.0, abs=1e-12)


def test_noise_has_mean_1_its_spread_and_its_memory() -> None:
    noise = Noise(day_sd=0.2, day_ar=0.3, hour_sd=0.4, hour_memory_h=1.0)
    days = 2000
    grid = Grid.over(scenario(), 0.0, days * 86_400.0)
    of_day = busyness(noise.model_copy(update={"hour_sd": 0.0}), "UTC", grid, rng(1), rng(2))
    of_step = busyness(noise.model_copy(update={"day_sd": 0.0}), "UTC", grid, rng(1), rng(2))
    both = busyness(noise, "UTC", grid, rng(1), rng(2))
    assert both == pytest.approx(of_day * of_step)
    assert both.size == STEPS * grid.n

    # Onset is midnight in Amsterdam, 22:00 UTC: the days of UTC begin two hours later.
    per_day = of_day.reshape(-1, 288)
    assert (per_day[:, :24] == per_day[:, :1]).all()
    assert (per_day[:, 24:] == per_day[:, -1:]).all()
    logs = np.log(per_day[:, -1])
    # An AR(1) of correlation a counts as n (1 - a) / (1 + a) independent ones: 1,080 days.
    n = days * 0.7 / 1.3
    assert np.exp(logs).mean() == pytest.approx(1.0, abs=5 * 0.2 / math.sqrt(n))
    assert logs.std() == pytest.approx(0.2, rel=5 / math.sqrt(2 * n))
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] == pytest.approx(0.3, abs=5 / math.sqrt(days))

    logs = np.log(of_step)
    # Memory of an hour: 48,000 hours are 24,000 independent ones; the correlation after an hour is 1 / e.
    n = days * 24 / 2
    assert of_step.mean() == pytest.approx(1.0, abs=5 * 0.42 / math.sqrt(n))
    assert logs.std() == pytest.approx(0.4, rel=5 / math.sqrt(n))
    assert np.corrcoef(logs[12:], logs[:-12])[0, 1] == pytest.approx(math.exp(-1), abs=5 / math.sqrt(n))


SURGES = [
    {"kind": "pulse", "at_h": 5, "mentions": 12, "cases": 6, "rise_h": 1.5, "tau_h": 3, "extensions_h": [6]},
    {"kind": "pulse", "at_h": 11.03, "mentions": 8, "cases": 4, "decay": "omori", "tau_h": 2, "power": 1.5},
    {"kind": "boost", "at_h": [9.1], "length_h": 0.7, "mentions": 2, "cases": 2},
    {"kind": "table", "rows": [{"at_h": 2.01, "mentions": 3, "cases": 2}, {"at_h": 8, "mentions": 1, "cases": 1}]},
]


def test_points_follow_the_integral_of_their_rate() -> None:
    made = scenario(
        window_h=[0, 36],
        surges=SURGES,
        base={"mentions_per_h": 8000, "cases_per_h": 3000, "hours": HOURS, "weekdays": WEEKDAYS},
    )
    grid = Grid.over(made, 0.0, 36 * 3600.0)
    busy = busyness(Noise(), "UTC", grid, rng(1), rng(2))
    traffic = Traffic(made, grid, 0.7, busy)
    time_s = traffic.draw(traffic.cases(3000.0), 0.0, rng(3), rng(4), rng(5))
    whole = float(expected_before(traffic, traffic.edges_s[-1:])[0])
    # Poisson: 5 standard errors.
    assert time_s.size == pytest.approx(3000 * whole, abs=5 * math.sqrt(3000 * whole))
    u = expected_before(traffic, np.sort(time_s)) / whole
    n = u.size
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is passed once in a thousand.
    assert np.abs(u - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)


def test_chatter_is_what_the_cases_leave_of_the_mentions() -> None:
    clusters = {"follow_ups": {"mean": 0.5}, "children": {"ratio": 0.5}, "reposts": {"mean": 0.5}}
    made = scenario(surges=SURGES, clusters=clusters)
    traffic = Traffic(made, Grid.over(made, 0.0, 36 * 3600.0))
    flow = traffic.chatter()
    hours = np.linspace(0.0, 35.99, 1001)
    curve, base = made.curve(), made.base
    mentions = base.mentions_per_h * curve.rate(hours, "mentions")
    cases = base.cases_per_h * curve.rate(hours, "cases")
    # A case has 1.5 posts, a contact of the chatter (1 + 0.5 + 0.5) / (1 - 0.5) = 4.
    assert flow.rate(hours) == pytest.approx((mentions - 1.5 * cases) / 4)
    cell = np.searchsorted(traffic.edges_s, hours * 3600, side="right") - 1
    assert (flow.rate(hours) <= flow.high[cell] + 1e-9).all()
    assert (flow.rate(hours) >= flow.low[cell] - 1e-9).all()


def test_chatter_below_zero_between_knots_is_refused() -> None:
    # Good at every knot and at the base, but the mentions fall off at once where the cases linger.
    surges = [
        {"kind": "pulse", "at_h": 0, "mentions": 20, "cases": 1, "tau_h": 0.5},
        {"kind": "pulse", "at_h": 0, "mentions": 1, "cases": 12, "tau_h": 20},
        {"kind": "boost", "at_h": [60], "length_h": 1, "mentions": 1, "cases": 1},
    ]
    made = scenario(surges=surges, window_h=[0, 61])
    traffic = Traffic(made, Grid.over(made, 0.0, 61 * 3600.0))
    with pytest.raises(ScenarioError, match="make more posts than there are mentions"):
        traffic.chatter()


def test_cells_before_the_start_stay_empty() -> None:
    made = scenario(base={"mentions_per_h": 1000, "cases_per_h": 500})
    traffic = Traffic(made, Grid.over(made, -36_000.0, 36_000.0))
    time_s = traffic.draw(traffic.cases(500.0), 1000.0, rng(1), rng(2), rng(3))
    assert 900 <= time_s.min() < 1100
    assert time_s.max() > 35_000


def test_a_language_may_have_a_profile_of_its_own() -> None:
    own = {"en": {"hours": [1.0] * 12 + [3.0] * 12, "weekdays": [1.0] * 6 + [0.0]}}
    base = Base.model_validate({"hours": HOURS, "weekdays": WEEKDAYS, "profiles": own})
    grid = Grid.over(scenario(onset_local="2015-06-01T00:00:00"), 0.0, 7 * 86_400.0)
    table = profiles(base, "Europe/Amsterdam", grid)
    plain = profiles(Base(hours=HOURS, weekdays=WEEKDAYS), "Europe/Amsterdam", grid)
    english = table[:, code(Language.EN)]
    assert english[:48] == pytest.approx(0.5 * 7 / 6) and english[48:96] == pytest.approx(1.5 * 7 / 6)
    assert (english[6 * 96 :] == 0).all()
    assert np.array_equal(table[:, code(Language.NL)], plain[:, code(Language.NL)])


def test_a_week_takes_the_place_of_hours_and_weekdays() -> None:
    week = [1.0] * 167 + [169.0]
    grid = Grid.over(scenario(onset_local="2015-06-01T00:00:00"), 0.0, 7 * 86_400.0)
    table = profiles(Base(hours=HOURS, week=tuple(week)), "Europe/Amsterdam", grid)
    # The mean of the week is 2: the last hour of Sunday has 84.5 times the mean, all others half of it.
    assert table[: 167 * 4, code(Language.NL)] == pytest.approx(0.5)
    assert table[167 * 4 :, code(Language.NL)] == pytest.approx(84.5)
