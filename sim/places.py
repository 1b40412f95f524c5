"""Waiting places: which turns count against which limit, and who is turned away (rule 4)."""

from __future__ import annotations

from scenarios.names import code
from sim import draws
from sim.desk import WaitingLimit
from sim.draws import Stream
from sim.outcome import TurnKind, TurnState
from sim.turns import Turn
from sim.world import World


class Places:
    """The desk's limits of waiting places, and how many are taken."""

    def __init__(self, world: World) -> None:
        self.key, self.group_of = world.key, world.group_of
        self.limits = world.desk.routing.limits
        self.groups = tuple(world.desk.routing.topic_groups) or ("all",)
        self.taken = [0] * len(self.limits)
        self._of: dict[tuple[int, int, int], tuple[int, ...]] = {}

    def of(self, turn: Turn) -> tuple[int, ...]:
        """Numbers of the limits that count this turn, ascending; only turns of cases are counted."""
        case = turn.case
        if not self.limits or case is None or turn.kind is not TurnKind.ANSWER:
            return ()
        where = case.language, case.visibility, self.group_of[case.topic]
        if where not in self._of:
            self._of[where] = tuple(i for i, limit in enumerate(self.limits) if self._counts(limit, *where))
        return self._of[where]

    def _counts(self, limit: WaitingLimit, language: int, visibility: int, group: int) -> bool:
        return (
            (not limit.languages or language in [code(each) for each in limit.languages])
            and (not limit.groups or self.groups[group] in limit.groups)
            and (limit.visibility is None or code(limit.visibility) == visibility)
        )

    def refused(self, turn: Turn) -> TurnState | None:
        """Whether a turn that would have to wait is turned away: blocked comes before balked."""
        for i in turn.limits:
            places = self.limits[i].places
            if places is not None and self.taken[i] >= places:
                return TurnState.BLOCKED
        for i in turn.limits:
            balk = self.limits[i].balk
            case = turn.case
            if balk and case is not None:
                u = draws.uniform(self.key, Stream.BALK, case.subject, case.waits * 64 + i)
                if u < balk:
                    return TurnState.BALKED
        return None

    def count(self, turn: Turn, step: int) -> None:
        """The turn takes its places (1) or gives them free (-1)."""
        for i in turn.limits:
            self.taken[i] += step
