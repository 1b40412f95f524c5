"""Offered load under a changing rate: the exact case, and what the engine does when nobody waits."""

import math

import numpy as np
import pytest
import small
from exact import exact

from scenarios.laws import Constant, Exponential, Gamma, Law, Lognormal, Mixture, Part, Uniform, Weibull
from scenarios.model import Scenario
from scenarios.names import Topic
from sim.desk import Desk
from sim.staff import workload
from sim.staff.days import Days
from sim.staff.offered_load import mean_busy, offered_load, thread
from sim.staff.tails import tail, upper_gamma

LAWS: dict[str, Law] = {
    "exponential": Exponential(kind="exponential", mean=12.0),
    "deterministic": Constant(value=12.0),
    "lognormal_cv1_5": Lognormal(kind="lognormal", mean=12.0, cv=1.5),
}


LONGER = Exponential(kind="exponential", mean=14.0)


def surge(t: np.ndarray) -> np.ndarray:
    """The rate of V18: tenfold from minute 60 on, falling from minute 180 on."""
    falling = 2.0 + 18.0 * np.exp(-np.maximum(t - 180.0, 0.0) / 60.0)
    return np.where(t < 60.0, 2.0, np.where(t < 180.0, 20.0, falling))


@pytest.mark.parametrize("name", LAWS)
def test_the_load_of_v18(name: str) -> None:
    known = exact("V18")["mean_busy_at_min"]
    found = mean_busy(surge, LAWS[name], np.array([float(t) for t in known]), breaks=(60.0, 180.0))
    assert found == pytest.approx([row[name] for row in known.values()], rel=1e-6)


def test_the_peak_of_v18() -> None:
    known = exact("V18")["exponential_peak"]
    at = np.linspace(179.9, 180.1, 2001)
    found = mean_busy(surge, LAWS["exponential"], at, breaks=(60.0, 180.0))
    # The grid is 0.0001 minutes fine.
    assert at[found.argmax()] == pytest.approx(known["time_min"], abs=1e-4)
    assert found.max() == pytest.approx(known["load"], rel=1e-6)


@pytest.mark.parametrize(
    "law",
    [
        *LAWS.values(),
        Gamma(kind="gamma", mean=12.0, cv=0.5),
        Gamma(kind="gamma", mean=12.0, cv=2.0),
        Weibull(kind="weibull", mean=12.0, shape=0.7),
        Uniform(kind="uniform", low=2.0, high=22.0),
        Mixture(kind="mixture", parts=(Part(weight=0.25, law=Constant(value=6.0)), Part(weight=0.75, law=LONGER))),
    ],
    ids=lambda law: law.kind,
)
def test_at_a_steady_rate_the_load_is_rate_times_mean(law: Law) -> None:
    found = mean_busy(lambda t: np.full(t.size, 3.0), law, np.array([5.0]))
    assert found == pytest.approx([3.0 * 12.0], rel=1e-6)


def test_tails_are_what_is_drawn() -> None:
    rng = np.random.default_rng(3)
    laws: tuple[Law, ...] = (
        Gamma(kind="gamma", mean=12.0, cv=1.7),
        Weibull(kind="weibull", mean=12.0, shape=1.4),
        LAWS["lognormal_cv1_5"],
    )
    for law in laws:
        x = np.array([1.0, 6.0, 12.0, 40.0])
        drawn = law.draw(rng, 100_000)
        share = [(drawn > value).mean() for value in x.tolist()]
        assert share == pytest.approx(tail(law, x).tolist(), abs=3.3 * 0.5 / math.sqrt(100_000))


def test_the_incomplete_gamma_is_that_of_whole_shapes() -> None:
    # Q(n, x) is the probability that a Poisson number of mean x is below n.
    x = np.array([0.0, 0.5, 3.0, 9.0, 30.0])
    for n in (1, 4, 12):
        poisson = [sum(math.exp(-v) * v**k / math.factorial(k) for k in range(n)) for v in x.tolist()]
        assert upper_gamma(float(n), x) == pytest.approx(poisson, rel=1e-10, abs=1e-15)


def test_a_thread_is_at_work_for_the_whole_of_its_work() -> None:
    quiet = Scenario.load("quiet_week")
    minutes = thread(quiet, Topic.INFO).sum()
    # All turns together are the law's mean; what comes later than three days is a hundredth at most.
    assert minutes == pytest.approx(quiet.behaviour.handling(Topic.INFO).mean(), rel=0.01)


@pytest.mark.parametrize(
    # Three turns of 3 min 20 s each end between two points, which are an eighth of a minute apart.
    ("turns", "within_min"), [([1.0], 1e-9), ([0.5, 0.5], 1e-9), ([0.0, 0.0, 1.0], 3 / 16)],
)  # fmt: skip
def test_work_of_whole_minutes_is_at_work_for_all_of_them(turns: list[float], within_min: float) -> None:
    minutes = thread(small.scenario(10.0, turns=turns), Topic.INFO).sum()
    assert minutes == pytest.approx(10.0, abs=within_min)


def test_the_load_from_the_curves_is_that_of_the_engine() -> None:
    quiet, desk = Scenario.load("quiet_week"), Desk.load("klm_2015").with_plan(None)
    calm = quiet.model_copy(
        update={
            "base": quiet.base.model_copy(
                update={"noise": quiet.base.noise.model_copy(update={"day_sd": 0.0, "hour_sd": 0.0})}
            )
        }
    )
    days = Days.draw(calm, 4, 11)
    played = workload.offered_load(days, desk)
    formula = offered_load(calm, desk)
    assert formula.shape == played.shape
    ratio = formula.sum() / played.sum()
    assert ratio == pytest.approx(1.0, abs=0.05)
