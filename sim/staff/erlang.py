"""Erlang's formulas: a queue with Poisson arrivals, exponential service, and perhaps exponential patience.

B: who finds no free server is lost. C: everybody waits as long as it takes. A: whoever waits longer than his
patience is lost. Rates are per unit of time, whichever; times come in the same unit. All three hold for a
stationary queue: a surge is not one (see `sim.staff.offered_load`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TAIL = 45.0  # natural logarithm of how small the left-out states are beside the likeliest one
MOST_STATES = 20_000_000
MOST_SERVERS = 1_000_000


def erlang_b(servers: int, load: float) -> float:
    """Probability that all servers are busy and the customer is lost.

    `load` is in erlangs, > 0. Source: Jagerman (1974), Bell System Tech. J. 53(3): the recursion over servers.
    """
    _check(servers >= 0 and load > 0.0, f"{servers} servers and {load} erlangs: need servers >= 0 and a load > 0")
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


@dataclass(frozen=True)
class Queue:
    """What a stationary queue is like.

    Attributes
    ----------
    p_wait : float
        Probability that a customer has to wait.
    p_abandon : float
        Probability that he leaves without service.
    mean_queue : float
        Customers who wait, on average.
    mean_wait_all, mean_wait_served : float
        Of everybody, and of those who are served.
    occupancy : float
        Share of the servers' time that is busy.
    served_within : callable
        Time -> probability that a customer is served and waits no longer than that.
    """

    p_wait: float
    p_abandon: float
    mean_queue: float
    mean_wait_all: float
    mean_wait_served: float
    occupancy: float
    served_within: Callable[[float], float]


def erlang_c(servers: int, arrivals: float, service: float) -> Queue:
    """The queue M/M/c.

    Parameters
    ----------
    servers : int
    arrivals, service : float
        Rates: customers that come, and that one server can serve, in a unit of time.

    Raises
    ------
    ValueError
        If more comes than can be served: the queue then grows for ever.
    """
    _check(arrivals > 0.0 and service > 0.0, f"rates of {arrivals} and {service}: both must be above 0")
    load = arrivals / service
    if load >= servers:
        raise ValueError(f"{load:g} erlangs for {servers} servers: the queue grows for ever; give more, or a patience")
    blocked = erlang_b(servers, load)
    p_wait = servers * blocked / (servers - load * (1.0 - blocked))
    drain = servers * service - arrivals
    wait = p_wait / drain

    def served_within(time: float) -> float:
        return 1.0 - p_wait * math.exp(-drain * time)

    return Queue(p_wait, 0.0, arrivals * wait, wait, wait, load / servers, served_within)


def erlang_a(servers: int, arrivals: float, service: float, leaving: float) -> Queue:
    """The queue M/M/c+M, at any load.

    Parameters
    ----------
    servers : int
        >= 0: with none everybody leaves.
    arrivals, service, leaving : float
        Rates; `leaving` is one over the mean patience, 0 gives `erlang_c`.

    Raises
    ------
    ValueError
        If a rate is not positive, or patience so long that the queue would have millions of customers.

    Notes
    -----
    The probabilities of the states are sums of logarithms, so that nothing overflows; states are taken until
    beyond the queue at which as many leave as cannot be served. Who finds k in the queue waits, if he does not leave,
    for k + 1 departures; 1 - exp(-leaving wait) then has the law Beta(k + 1, servers service / leaving).
    Source: Garnett, Mandelbaum and Reiman (2002), Manufacturing & Service Operations Management 4(3), 208-227; the
    law of the wait is that of an order statistic.
    """
    if leaving == 0.0:
        return erlang_c(servers, arrivals, service)
    rates = arrivals > 0.0 and service > 0.0 and leaving > 0.0
    _check(rates and servers >= 0, f"{servers} servers, rates of {arrivals}, {service}, {leaving}: must be above 0")
    probability = _states(servers, arrivals, service, leaving)
    number = np.arange(probability.size)
    queue = np.maximum(number - servers, 0)
    mean_queue = float(probability @ queue)
    waiting = probability[servers:]  # by customers who wait already
    p_abandon = leaving * mean_queue / arrivals
    busy = float(probability @ np.minimum(number, servers))
    a = servers * service / leaving

    def served_within(time: float) -> float:
        at_once = float(probability[:servers].sum())
        if a == 0.0 or time < 0.0:
            return at_once
        k = np.arange(waiting.size)
        reached = _beta(1.0 - math.exp(-leaving * time), waiting.size, a + 1.0)
        return at_once + float(waiting @ (a / (a + k + 1.0) * reached))

    return Queue(
        p_wait=float(waiting.sum()),
        p_abandon=p_abandon,
        mean_queue=mean_queue,
        mean_wait_all=mean_queue / arrivals,
        mean_wait_served=_mean_wait_served(waiting, a, leaving, 1.0 - p_abandon),
        occupancy=busy / servers if servers else 1.0,
        served_within=served_within,
    )


def _states(servers: int, arrivals: float, service: float, leaving: float) -> FloatArray:
    """Probability of 0, 1, ... customers in the system."""
    surplus = max(arrivals - servers * service, 0.0) / leaving  # the queue at which departures keep up
    spread = math.sqrt(2.0 * TAIL * (max(arrivals, servers * service) / leaving + surplus))
    ratio = arrivals / (servers * service) if servers else math.inf
    short = TAIL / -math.log(ratio) if ratio < 1.0 else math.inf
    n = servers + math.ceil(surplus + min(spread + TAIL, short)) + 10
    if n > MOST_STATES:
        raise ValueError(f"a queue of {surplus:.3g} customers: patience is too long for that; give more servers")
    state = np.arange(1, n + 1)
    out_rate = np.minimum(state, servers) * service + np.maximum(state - servers, 0) * leaving
    logs = np.concatenate([[0.0], np.cumsum(math.log(arrivals) - np.log(out_rate))])
    weights = np.exp(logs - logs.max())
    out: FloatArray = weights / weights.sum()
    return out


def _beta(x: float, n: int, b: float) -> FloatArray:
    """Regularised incomplete beta I_x(k + 1, b) for k = 0, 1, ..., n - 1: (n,) float64."""
    if x >= 1.0:
        return np.ones(n)
    if x <= 0.0:
        return np.zeros(n)
    # I_x(k + 1, b) = I_x(k, b) - x^k (1 - x)^b / (k B(k, b)); the terms are built up in logarithms.
    k = np.arange(1, n, dtype=np.float64)
    steps = math.log(x) + np.log((k - 1.0 + b) / k)
    terms = np.exp(np.concatenate([[0.0], np.cumsum(steps)]) + b * math.log1p(-x))
    out: FloatArray = np.clip(1.0 - np.cumsum(terms), 0.0, 1.0)
    return out


def _mean_wait_served(waiting: FloatArray, a: float, leaving: float, p_served: float) -> float:
    """Mean wait of those who are served, 0 if nobody is."""
    if a == 0.0 or p_served <= 0.0:
        return 0.0
    k = np.arange(waiting.size)
    mean = np.cumsum(1.0 / (leaving * (a + 1.0 + k)))  # given that he is served after k + 1 departures
    return float(waiting @ (a / (a + k + 1.0) * mean)) / p_served


def servers_for(good_enough: Callable[[int], bool], load: float) -> int:
    """Least number of servers that is good enough; one fewer is not.

    Parameters
    ----------
    good_enough : callable
        Number of servers, >= 1 -> whether it will do; once it does, more do as well.
    load : float
        Erlangs; the search begins at the load plus its square root (Halfin and Whitt, 1981).

    Raises
    ------
    ValueError
        If a million servers will not do.
    """
    high = max(math.ceil(load + math.sqrt(load)), 1)
    low = 0  # too few, or none
    while not good_enough(high):
        low, high = high, high + max(math.ceil(math.sqrt(high)), 1) * 2
        if high > MOST_SERVERS:
            raise ValueError(f"{MOST_SERVERS} servers will not do")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good_enough(middle) else (middle, high)
    return high


def servers_for_promise(share: float, within: float, arrivals: float, service: float, leaving: float = 0.0) -> int:
    """Least number of servers with which a share of all customers is served within a time."""
    _check(
        0.0 < share < 1.0 and within >= 0.0, f"a share of {share} within {within}: need 0 < share < 1 and a time >= 0"
    )
    load = arrivals / service

    def good_enough(servers: int) -> bool:
        if leaving == 0.0 and servers <= load:
            return False
        return erlang_a(servers, arrivals, service, leaving).served_within(within) >= share

    return servers_for(good_enough, load)


def _check(fine: bool, text: str) -> None:
    if not fine:
        raise ValueError(text)
