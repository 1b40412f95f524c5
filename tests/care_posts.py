"""Posts, rules and a clock that the tests of the care service share."""

from __future__ import annotations

from careapi.model import Mention, Rules
from scenarios.names import Language, Platform, Visibility

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
QUERY, OTHER = "Where is my bag? Booking XK4Q7Z", "RT @you: look"
RULES = Rules(promise_s={PUBLIC: 100.0, PRIVATE: 60.0}, reopen_within_s=500.0, lease_s=50.0)
SPOKEN = [Language.EN, Language.NL]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def post(
    number: str, parent: str | None = None, user: str = "u1", text: str = QUERY, language: Language = Language.EN,
    visibility: Visibility = PUBLIC,
) -> Mention:  # fmt: skip
    return Mention(Platform.X, number, user, text, language, visibility, 0.0, parent_external_id=parent)
