"""A desk as simulated agents: who is at the desk when, with the absences and lateness that the simulation draws."""

from __future__ import annotations

from loadtests.agents import Duty
from scenarios.model import Scenario
from sim import draws
from sim.desk import Desk
from sim.roster import realise


def duties(
    desk: Desk, scenario: Scenario, seed: int, start_s: float, until_s: float, replication: int = 0
) -> list[Duty]:
    """Every agent of a desk between two times, in scenario seconds.

    Named agents keep their shifts and breaks, absences and delays of that replication. Of a head-count pool head
    `i` is at the desk while more than `i` are. What asks nothing takes the time of reading a post. Seats of a call-in
    ladder are left out: nobody calls them in here.
    """
    roster = realise(desk, scenario, draws.key(seed, replication), start_s, until_s)
    found: list[Duty] = []
    heads: dict[int, int] = {}
    for agent, p in enumerate(roster.pool_of):
        pool = desk.pools[p]
        number = heads[p] = heads.get(p, -1) + 1
        if pool.head_count:
            stretches = _while_more_than(number, roster.levels[p], until_s)
        else:
            stretches = tuple((each.on_s, each.off_s) for each in roster.stretches[agent])
        speeds = {language: pool.speed * speed for language, speed in pool.languages.items()}
        if stretches:
            finishes = pool.shift_end == "finish"
            found.append(
                Duty(
                    f"{pool.name}-{number + 1}",
                    speeds,
                    stretches,
                    finishes=finishes,
                    aside_s=desk.triage.reading_s.mean(),
                )
            )
    return found


def _while_more_than(
    number: int, levels: tuple[tuple[float, int], ...], until_s: float
) -> tuple[tuple[float, float], ...]:
    """Stretches in which a head-count pool has more than `number` heads."""
    out: list[tuple[float, float]] = []
    edges = [*(at for at, _ in levels[1:]), until_s]
    for (at, heads), end in zip(levels, edges, strict=True):
        if heads <= number or end <= at:
            continue
        if out and out[-1][1] == at:
            out[-1] = (out[-1][0], end)
        else:
            out.append((at, end))
    return tuple(out)
