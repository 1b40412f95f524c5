"""The textbook queue of the benchmark on Ciw, if that is installed.

Ciw draws its own times; here it asks for those of the customer by his number. Arrivals are given as gaps, so
times may differ from ours in the last digits.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from reports.bench_models import Customers
from reports.bench_peers import NOBODY, Answer

INSTALL = "not installed: pip install -c constraints.txt -e '.[bench]'"
NO_SKILLS = (
    "cannot: a server belongs to one node, so agents cannot share skills, nor is the one chosen who has been idle "
    "longest; its issues 175 and 221 ask for it"
)


def is_installed() -> bool:
    """Whether Ciw can be imported."""
    return importlib.util.find_spec("ciw") is not None


def play(c: Customers) -> Answer:
    """M/M/s+M: one node, reneging."""
    ciw: Any = importlib.import_module("ciw")
    n = c.arrival_s.size

    class InOrder(ciw.dists.Distribution):  # type: ignore[misc]
        """The next gap between arrivals; none after the last customer."""

        def __init__(self) -> None:
            self.gaps = iter(np.diff(c.arrival_s, prepend=0.0).tolist())

        def sample(self, t: Any = None, ind: Any = None) -> float:
            return next(self.gaps, float("inf"))

    class OfCustomer(ciw.dists.Distribution):  # type: ignore[misc]
        """The value of a column for a customer; their numbers begin with 1."""

        def __init__(self, column: Any) -> None:
            self.column = column.tolist()

        def sample(self, t: Any = None, ind: Any = None) -> float:
            value: float = self.column[ind.id_number - 1]
            return value

    network = ciw.create_network(
        arrival_distributions=[InOrder()],
        service_distributions=[OfCustomer(c.service_s)],
        reneging_time_distributions=[OfCustomer(c.patience_s[:, 0])],
        number_of_servers=[len(c.speaks)],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(n, method="Finish")
    wait, agent = np.full((n, 1), np.nan), np.full(n, NOBODY, dtype=np.int64)
    for record in simulation.get_all_records():
        wait[record.id_number - 1, 0] = record.waiting_time
        if record.record_type == "service":
            agent[record.id_number - 1] = 0
    return Answer(wait, agent)
