"""Shifts to coded agents, so that nobody breaks a rule; what nobody may take is left open, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.staff.duty import Duty
from sim.staff.roster_check import of_agent
from sim.staff.rules import Rules


@dataclass(frozen=True)
class Assigned:
    """Who takes which shift.

    Attributes
    ----------
    duties : tuple of Duty
        Each with the code of its agent.
    open : tuple of Duty
        Shifts that nobody may take.
    agents : int
        How many have a duty.
    binding : tuple of (rule, count)
        Rules that kept agents from the open shifts, the most frequent first. ``contract_h`` is the week of the
        contract.
    """

    duties: tuple[Duty, ...]
    open: tuple[Duty, ...]
    agents: int
    binding: tuple[tuple[str, int], ...]


def assign(shifts: Sequence[Duty], rules: Rules, most: int | None = None, first: int = 1) -> Assigned:
    """Give shifts to agents in order of time: to who came off duty last and may, else to somebody new.

    Parameters
    ----------
    shifts : sequence of Duty
        Of one pool.
    rules : Rules
        Nobody has more hours in 168 than his contract, even where the law would let him.
    most : int, optional
        Agents at most; None: as many as needed.
    first : int
        Number of the first agent: 1 is a001.

    Notes
    -----
    A rule of thumb, not the fewest agents that can be. Grows with shifts times agents.
    """
    held = rules.model_copy(update={"max_week_h": min(rules.contract_h, rules.max_week_h)})
    agents: list[list[Duty]] = []
    left: list[Duty] = []
    binding: Counter[str] = Counter()
    for shift in sorted(shifts, key=lambda s: (s.start, s.end, s.breaks)):
        refused: Counter[str] = Counter()
        for number in sorted(range(len(agents)), key=lambda n: agents[n][-1].end, reverse=True):
            broken = {b.rule for b in of_agent([*agents[number], shift], held)}
            if not broken:
                agents[number].append(shift)
                break
            refused.update("contract_h" if rule == "max_week_h" else rule for rule in broken)
        else:
            if most is None or len(agents) < most:
                agents.append([shift])
            else:
                left.append(shift)
                binding += refused
    duties = tuple(replace(d, agent=f"a{first + n:03d}") for n, mine in enumerate(agents) for d in mine)
    return Assigned(duties, tuple(left), len(agents), tuple(binding.most_common()))
