"""What came of a drill: each case, each claim, each request, and who waited and worked when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loadtests.agents import End, Worked
from loadtests.floor import OPENED, Floor, State
from loadtests.histogram import Histogram
from loadtests.ledger import Spans
from loadtests.operations import Operation
from loadtests.posting import Posting
from scenarios.names import Language

Status = Literal["finished", "interrupted", "at the limit", "failed"]
NOBODY = Spans.made(())


@dataclass(frozen=True)
class Drilled:
    """What came of a drill; times are scenario seconds unless they say otherwise.

    Attributes
    ----------
    number : (n,) int64
        Of the cases that were opened, ascending, as in the trace.
    first_response_s : (n,) float64
        From the post to the first answer; inf: never.
    states : tuple of State
    posts, failed_posts : int
        Of the trace, written, and those that the service did not take.
    lag_p99_s : float
        From due time to send, on the wall: the error of the drill itself.
    agents : tuple of (code, Worked)
    operations : mapping
        Counts and times of each operation, see `loadtests.talk.Count`.
    recontacts, escalated : int
        Posts that customers wrote on their own while they waited; cases that went public.
    languages : tuple of Language
        Of the cases.
    status : str
        ``finished``, or why it ended before: ``interrupted``, ``at the limit`` of its requests, or ``failed``.
    why : str
        What failed.
    unseen : int, optional
        Cases that the service took for chatter in every post; None: it does not tell.
    window_s : (float, float)
        From its beginning to where it really ended.
    waits : Spans
        In which a customer waited for an agent, by number of the case.
    """

    number: NDArray[np.int64]
    first_response_s: NDArray[np.float64]
    states: tuple[State, ...]
    posts: int
    failed_posts: int
    lag_p99_s: float
    agents: tuple[tuple[str, Worked], ...]
    operations: dict[str, Any]
    recontacts: int
    escalated: int
    languages: tuple[Language, ...] = ()
    status: Status = "finished"
    why: str = ""
    unseen: int | None = None
    window_s: tuple[float, float] = (0.0, 0.0)
    waits: Spans = field(default=NOBODY)

    @property
    def ends(self) -> dict[str, int]:
        """Claims by how they ended."""
        return {str(end): sum(done.ends[end] for _, done in self.agents) for end in End}

    @property
    def claims(self) -> int:
        return sum(done.claims for _, done in self.agents)

    @property
    def aside(self) -> int:
        """Claims of what none of our customers asked."""
        return sum(done.aside for _, done in self.agents)

    @property
    def desk(self) -> Spans:
        """Who was at the desk when, by number of the agent."""
        return Spans.made((i, *each) for i, (_, done) in enumerate(self.agents) for each in done.stretches)

    @property
    def busy(self) -> Spans:
        """Who had a turn in hand when, by number of the agent."""
        return Spans.made((i, *each) for i, (_, done) in enumerate(self.agents) for each in done.busy)

    def to_dict(self) -> dict[str, Any]:
        """Figures, ready for JSON."""
        answered = np.isfinite(self.first_response_s)
        waits = self.first_response_s[answered]
        return {
            "status": self.status,
            "why": self.why or None,
            "cases": int(self.number.size),
            "answered": int(answered.sum()),
            "first_response_mean_s": float(waits.mean()) if waits.size else None,
            "first_response_p50_s": float(np.median(waits)) if waits.size else None,
            "unseen": self.unseen,
            "states": dict(sorted(Counter(str(state) for state in self.states).items())),
            "posts": self.posts,
            "failed_posts": self.failed_posts,
            "recontacts": self.recontacts,
            "escalated": self.escalated,
            "lag_p99_s": self.lag_p99_s,
            "turns": sum(done.turns for _, done in self.agents),
            "transfers": sum(done.transfers for _, done in self.agents),
            "claims": {"made": self.claims, **self.ends},
            "put_aside": self.aside,
            "payment_links": sum(done.links for _, done in self.agents),
            "crew_notices": sum(done.notices for _, done in self.agents),
            "operations": self.operations,
        }


def told(
    floor: Floor, posting: Posting, done: list[tuple[str, Worked]], window_s: tuple[float, float], status: Status,
    why: str = "",
) -> Drilled:  # fmt: skip
    """What there is to tell when it is over."""
    cases = [floor.cases[number] for number in sorted(floor.cases)]
    tells = OPENED in floor.talk.file.operations[Operation.POST].maybe
    first = [np.inf if c.first_reply_s is None else c.first_reply_s - c.posted_s for c in cases]
    return Drilled(
        number=np.array([c.number for c in cases], dtype=np.int64),
        first_response_s=np.array(first, dtype=np.float64),
        states=tuple(c.state for c in cases),
        posts=posting.posts,
        failed_posts=posting.failed,
        lag_p99_s=Histogram.of(posting.lags_s).quantile_s(0.99) if posting.lags_s else 0.0,
        agents=tuple(done),
        operations=floor.talk.to_dict(),
        recontacts=sum(c.posts - 1 for c in cases),
        escalated=sum(c.escalated for c in cases),
        languages=tuple(c.language for c in cases),
        status=status,
        why=why,
        unseen=sum(c.known and not c.seen for c in cases) if tells else None,
        window_s=window_s,
        waits=floor.ledger.waits_of(),
    )
