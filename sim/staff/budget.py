"""How long a search may go on, what it says meanwhile, and whether somebody has had enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.crew import Watch


@dataclass(frozen=True)
class Budget:
    """Seconds for a search, or for a part of it.

    Attributes
    ----------
    seconds : float
        From `begun` on; ``inf`` for no limit.
    watch : Watch
        Hears what is going on; may end the search early.
    clock : callable
        Gives seconds that pass.
    """

    seconds: float = float("inf")
    watch: Watch = field(default_factory=Watch)
    clock: Callable[[], float] = time.monotonic
    begun: float = field(default=float("nan"))

    def __post_init__(self) -> None:
        if self.begun != self.begun:
            object.__setattr__(self, "begun", self.clock())

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 at least."""
        return max(self.begun + self.seconds - self.clock(), 0.0)

    @property
    def is_over(self) -> bool:
        """Whether the time is over, or somebody has had enough."""
        return self.left_s <= 0.0 or self.watch.stopped()

    def part(self, share: float) -> Budget:
        """A share of what is left, from now on."""
        return Budget(self.left_s * share, self.watch, self.clock)

    def tell(self, text: str) -> None:
        """Say where the search is."""
        self.watch.notice(text)
