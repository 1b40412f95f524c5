"""What a desk can see of itself: backlog, oldest wait, unread posts, posts and cases of the last hour (rule 8)."""

from __future__ import annotations

from collections import deque

from scenarios.names import Language, code, members
from sim.levers import Trigger
from sim.outcome import TurnKind, TurnState
from sim.turns import Turn

MINUTE_S = 60.0
LANGUAGES = len(members(Language))


class Signals:
    """Counts by language; those of the last hour in as many buckets as it has control intervals."""

    def __init__(self, buckets: int) -> None:
        self.backlog, self.unread = [0] * LANGUAGES, [0] * LANGUAGES
        self._posts = [[0] * LANGUAGES for _ in range(buckets)]
        self._cases = [[0] * LANGUAGES for _ in range(buckets)]
        self._bucket = 0
        self._waiting: list[deque[Turn]] = [deque() for _ in range(LANGUAGES)]  # in order of queueing

    def waits(self, turn: Turn) -> None:
        """A turn stands in a queue."""
        if turn.kind is TurnKind.ANSWER:
            self.backlog[turn.language] += 1
            self._waiting[turn.language].append(turn)
        else:
            self.unread[turn.language] += 1

    def waits_no_more(self, turn: Turn) -> None:
        """It has been taken, or its customer has left the queue."""
        (self.backlog if turn.kind is TurnKind.ANSWER else self.unread)[turn.language] -= 1

    def posted(self, language: int) -> None:
        """A post is seen, whatever it is."""
        self._posts[self._bucket][language] += 1

    def known(self, language: int) -> None:
        """A case becomes known."""
        self._cases[self._bucket][language] += 1

    def interval_ends(self) -> None:
        """What comes from now on is counted in the place of what is an hour old."""
        self._bucket = (self._bucket + 1) % len(self._posts)
        self._posts[self._bucket] = [0] * LANGUAGES
        self._cases[self._bucket] = [0] * LANGUAGES

    def value(self, trigger: Trigger, now: float) -> float:
        """The signal that a trigger looks at."""
        languages = range(LANGUAGES) if trigger.language is None else [code(trigger.language)]
        match trigger.signal:
            case "backlog":
                return sum(self.backlog[x] for x in languages)
            case "unread":
                return sum(self.unread[x] for x in languages)
            case "oldest_wait_min":
                return max(self._oldest_s(x, now) for x in languages) / MINUTE_S
        posts = sum(bucket[x] for bucket in self._posts for x in languages)
        if trigger.signal == "posts_per_h":
            return posts
        cases = sum(bucket[x] for bucket in self._cases for x in languages)
        return posts / max(cases, 1)

    def _oldest_s(self, language: int, now: float) -> float:
        waiting = self._waiting[language]
        while waiting and waiting[0].state is not TurnState.WAITING:
            waiting.popleft()
        return now - waiting[0].queued if waiting else 0.0
