"""Erlang's formulas against the exact cases and against one another."""

import math

import numpy as np
import pytest
from exact import exact

from sim.staff.erlang import Queue, erlang_a, erlang_b, erlang_c, servers_for, servers_for_promise

AWT = 1.0 / 3.0  # minutes


def test_erlang_b_of_v02() -> None:
    found = [erlang_b(10, 7.0), erlang_b(150, 140.0)]
    assert found == pytest.approx(exact("V02")["p_block"], rel=1e-6)


def test_erlang_c_of_v01() -> None:
    known, queue = exact("V01")["stationary"], erlang_c(12, 4.2, 0.5)
    assert queue.p_wait == pytest.approx(known["p_wait"], rel=1e-6)
    assert queue.mean_wait_all == pytest.approx(known["mean_wait_min"], rel=1e-6)
    assert queue.mean_queue == pytest.approx(known["mean_queue"], rel=1e-6)
    assert queue.occupancy == pytest.approx(known["occupancy"], rel=1e-6)
    assert queue.served_within(AWT) == pytest.approx(known["p_wait_le_awt"], rel=1e-6)


def test_erlang_a_of_v07() -> None:
    known, queue = exact("V07")["n50"], erlang_a(50, 48.0, 1.0, 0.5)
    assert queue.p_wait == pytest.approx(known["p_wait"], rel=1e-6)
    assert queue.p_abandon == pytest.approx(known["p_abandon"], rel=1e-6)
    assert queue.mean_queue == pytest.approx(known["mean_queue"], rel=1e-6)
    assert queue.mean_wait_all == pytest.approx(known["mean_wait_all"], rel=1e-6)
    assert queue.mean_wait_served == pytest.approx(known["mean_wait_served"], rel=1e-6)
    assert queue.occupancy == pytest.approx(known["occupancy"], rel=1e-6)
    within = known["p_served_within"]
    assert queue.served_within(within["awt"]) == pytest.approx(within["value"], rel=1e-6)


def test_erlang_c_of_v07_without_abandonment() -> None:
    known, queue = exact("V07")["n50_without_abandonment"], erlang_c(50, 48.0, 1.0)
    assert queue.p_wait == pytest.approx(known["p_wait"], rel=1e-6)
    assert queue.mean_wait_all == pytest.approx(known["mean_wait_min"], rel=1e-6)
    assert queue.mean_queue == pytest.approx(known["mean_queue"], rel=1e-6)


def test_endless_patience_is_erlang_c_and_none_is_erlang_b() -> None:
    patient, c = erlang_a(50, 48.0, 1.0, 1e-9), erlang_c(50, 48.0, 1.0)
    assert patient.p_wait == pytest.approx(c.p_wait, rel=1e-5)
    assert patient.served_within(0.5) == pytest.approx(c.served_within(0.5), rel=1e-5)
    assert erlang_a(50, 48.0, 1.0, 1e9).p_abandon == pytest.approx(erlang_b(50, 48.0), rel=1e-4)


def test_equal_patience_and_service_make_the_number_in_system_poisson() -> None:
    # With leaving = service everybody goes at the same rate: M/M/infinity.
    queue = erlang_a(7, 5.0, 1.0, 1.0)
    poisson = [math.exp(-5.0) * 5.0**n / math.factorial(n) for n in range(60)]
    assert queue.p_wait == pytest.approx(sum(poisson[7:]), rel=1e-12)
    assert queue.mean_queue == pytest.approx(sum((n - 7) * p for n, p in enumerate(poisson) if n > 7), rel=1e-12)


@pytest.mark.parametrize(
    ("servers", "arrivals", "leaving"), [(50, 500.0, 0.01), (1, 2000.0, 0.05), (0, 3.0, 0.1), (2000, 4000.0, 1e-3)]
)
def test_at_overload_as_many_leave_as_cannot_be_served(servers: int, arrivals: float, leaving: float) -> None:
    # All servers are busy nearly always, so the flow that is not served is arrivals - servers, to some 1e-6.
    queue = erlang_a(servers, arrivals, 1.0, leaving)
    assert queue.p_abandon == pytest.approx((arrivals - servers) / arrivals, rel=1e-6)
    assert queue.mean_queue == pytest.approx((arrivals - servers) / leaving, rel=1e-6)


def simulated(servers: int, arrivals: float, leaving: float, n: int, rng: np.random.Generator) -> Queue:
    """A queue of n customers, each served in order unless he has left: first free server, virtual wait."""
    at = np.cumsum(rng.exponential(1.0 / arrivals, n))
    service, patience = rng.exponential(1.0, n), rng.exponential(1.0 / leaving, n)
    free = np.zeros(servers)
    wait, served = np.zeros(n), np.zeros(n, dtype=bool)
    for i in range(n):
        s = int(free.argmin())
        wait[i] = max(free[s] - at[i], 0.0)
        served[i] = wait[i] <= patience[i]
        if served[i]:
            free[s] = at[i] + wait[i] + service[i]
    late = slice(n // 10, n)
    return Queue(
        float((wait[late] > 0).mean()), float(1 - served[late].mean()), 0.0, 0.0,
        float(wait[late][served[late]].mean()), 0.0,
        lambda t: float((served[late] & (wait[late] <= t)).mean()),
    )  # fmt: skip


def test_erlang_a_is_what_a_simulated_queue_does() -> None:
    queue, found = erlang_a(5, 6.0, 1.0, 0.25), simulated(5, 6.0, 0.25, 200_000, np.random.default_rng(7))
    # Neighbours are alike: about 20 times fewer independent customers, so 3.3 errors are 3.3 sqrt(p q / 9000) <= 0.018.
    assert found.p_wait == pytest.approx(queue.p_wait, abs=0.018)
    assert found.p_abandon == pytest.approx(queue.p_abandon, abs=0.018)
    assert found.served_within(0.5) == pytest.approx(queue.served_within(0.5), abs=0.018)
    # The wait of the served has a standard deviation of about its mean: 3.3 / sqrt(9000) of it.
    assert found.mean_wait_served == pytest.approx(queue.mean_wait_served, rel=0.05)


def test_the_wait_of_the_served_is_the_mean_of_its_law() -> None:
    queue = erlang_a(5, 6.0, 1.0, 0.25)
    # E[W; served] is the integral of P(served) - P(served within t).
    t = np.linspace(0.0, 40.0, 40_001)
    rest = (1.0 - queue.p_abandon) - np.array([queue.served_within(x) for x in t[::40].tolist()])
    integral = float(np.trapezoid(rest, t[::40]))
    assert integral / (1.0 - queue.p_abandon) == pytest.approx(queue.mean_wait_served, rel=1e-3)


@pytest.mark.parametrize(("arrivals", "leaving"), [(4.2, 0.0), (48.0, 0.5), (900.0, 0.02), (0.01, 0.0)])
def test_one_server_fewer_does_not_keep_the_promise(arrivals: float, leaving: float) -> None:
    c = servers_for_promise(0.8, AWT, arrivals, 1.0, leaving)
    assert erlang_a(c, arrivals, 1.0, leaving).served_within(AWT) >= 0.8
    if c > 1 and (leaving > 0.0 or c - 1 > arrivals):
        assert erlang_a(c - 1, arrivals, 1.0, leaving).served_within(AWT) < 0.8


def test_the_least_number_is_found_wherever_it_is() -> None:
    for wanted in (1, 2, 3, 17, 1000, 5001):
        assert servers_for(wanted.__le__, 90.0) == wanted


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="grows for ever"):
        erlang_c(10, 10.0, 1.0)
    with pytest.raises(ValueError, match="patience is too long"):
        erlang_a(10, 1e6, 1.0, 1e-6)
    with pytest.raises(ValueError, match="must be above 0"):
        erlang_a(10, -1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="will not do"):
        servers_for(lambda c: False, 3.0)
    with pytest.raises(ValueError, match="need servers"):
        erlang_b(-1, 3.0)
