"""From conversations to posts: what falls into the window, and what each post carries.

What belongs to a person (tier, flight) is drawn once a person, what belongs to a conversation
(platform, topic) once a conversation, what belongs to a post (mood, text) once a post.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import Grid
from scenarios.laws import FloatArray
from scenarios.mixes import CodeArray, IndexArray, Mixes, choose, happens
from scenarios.model import People
from scenarios.names import NONE, PostKind, Sentiment, TextForm, Tier, Topic, Visibility, code

RowArray = NDArray[np.int32]
Columns = dict[str, NDArray[Any]]
Draw = Callable[[str], np.random.Generator]
"""Gives the generator of a column, each its own."""

HOUR_S = 3600.0
TEXTS = 2**31


@dataclass(frozen=True)
class Talk:
    """Conversations: first posts of people, what they post after them, and what others repost.

    Attributes
    ----------
    time_s, language : (n,) float64, (n,) int8
        Of the first posts, in no order.
    parent : (n,) int32
        Conversation that set this one off, or NONE.
    again_of, again_s : (m,) int32, (m,) float64
        Conversation and time of each follow-up.
    shared_of, shared_s : (k,) int32, (k,) float64
        Conversation and time of each repost.
    """

    time_s: FloatArray
    parent: RowArray
    language: CodeArray
    again_of: RowArray
    again_s: FloatArray
    shared_of: RowArray
    shared_s: FloatArray

    def take(self, which: NDArray[np.bool_], again: NDArray[np.bool_], shared: NDArray[np.bool_]) -> Talk:
        """Keep what is marked; a follow-up or repost kept must be of a conversation kept."""
        number = np.full(which.size + 1, NONE, dtype=np.int32)  # the last entry is that of NONE
        number[:-1][which] = np.arange(np.count_nonzero(which), dtype=np.int32)
        return Talk(
            self.time_s[which],
            number[self.parent[which]],
            self.language[which],
            number[self.again_of[again]],
            self.again_s[again],
            number[self.shared_of[shared]],
            self.shared_s[shared],
        )

    def split(self, at_s: float) -> tuple[Talk, Talk]:
        """Conversations that began before `at_s`, and the others."""
        early = self.time_s < at_s
        of_early, shared_early = early[self.again_of], early[self.shared_of]
        return self.take(early, of_early, shared_early), self.take(~early, ~of_early, ~shared_early)

    def inside(self, start_s: float, end_s: float) -> tuple[Talk, RowArray]:
        """Keep posts in [start_s, end_s), and the conversations that have any.

        Returns
        -------
        talk : Talk
        opens : (o,) int32
            Conversations whose first post is inside.
        """
        first = (self.time_s >= start_s) & (self.time_s < end_s)
        again = (self.again_s >= start_s) & (self.again_s < end_s)
        shared = (self.shared_s >= start_s) & (self.shared_s < end_s)
        seen = first.copy()
        seen[self.again_of[again]] = True
        seen[self.shared_of[shared]] = True
        return self.take(seen, again, shared), np.flatnonzero(first[seen]).astype(np.int32)

    def joined(self, other: Talk) -> Talk:
        """Both, the other's conversations after one's own."""
        n = np.int32(self.time_s.size)
        return Talk(
            np.concatenate([self.time_s, other.time_s]),
            np.concatenate([self.parent, np.where(other.parent == NONE, NONE, other.parent + n)]),
            np.concatenate([self.language, other.language]),
            np.concatenate([self.again_of, other.again_of + n]),
            np.concatenate([self.again_s, other.again_s]),
            np.concatenate([self.shared_of, other.shared_of + n]),
            np.concatenate([self.shared_s, other.shared_s]),
        )


@dataclass(frozen=True)
class Part:
    """Posts of a stream inside the window, in no order of time.

    `columns` lack author, case and parent. `parent` is the post of the part that set one off, or
    NONE. `author` numbers the people of the part from 0 to `people` - 1.
    """

    columns: Columns
    parent: RowArray
    author: RowArray
    people: int


def describe(
    talk: Talk,
    kind: PostKind,
    window_s: tuple[float, float],
    grid: Grid,
    mixes: Mixes,
    law: People,
    draw: Draw,
) -> Part:
    """Turn the conversations of a stream into its posts inside the window.

    Parameters
    ----------
    talk : Talk
    kind : PostKind
        Of the first posts: case, chatter or call.
    window_s : (float, float)
    grid, mixes : Grid, Mixes
        Mixes on the quarter hours of the grid, which covers the conversations.
    law : People
    draw : callable
        Generator of a column by its name.
    """
    talk, opens = talk.inside(*window_s)
    at, n = grid.at(talk.time_s), talk.time_s.size
    of_talk = _conversations(kind, at, mixes, draw)
    of_talk["visibility"][talk.shared_of] = code(Visibility.PUBLIC)  # only what all can see is reposted
    of_first = _words(of_talk["topic"], at, mixes, law, draw)
    _copy(of_talk, of_first, law, draw)
    of_person = _people(np.concatenate([at, at[talk.shared_of]]), mixes, law, draw)
    of_person["language"] = np.concatenate([talk.language, talk.language[talk.shared_of]])

    # First posts, then follow-ups, then reposts: the conversation and the person of each.
    which = np.concatenate([opens, talk.again_of, talk.shared_of])
    people = n + talk.shared_of.size
    author = np.concatenate([opens, talk.again_of, np.arange(n, people, dtype=np.int32)])
    columns: Columns = {"time_s": np.concatenate([talk.time_s[opens], talk.again_s, talk.shared_s])}
    columns |= {name: value[author] for name, value in of_person.items()}
    columns |= {name: value[which] for name, value in (of_talk | of_first).items()}
    columns["kind"] = np.full(which.size, code(kind), dtype=np.int8)

    later = slice(opens.size, opens.size + talk.again_of.size)
    columns["kind"][later] = code(PostKind.FOLLOW_UP)
    again = _words(of_talk["topic"][talk.again_of], grid.at(talk.again_s), mixes, law, draw, "again_")
    for name, value in again.items():
        columns[name][later] = value
    since_h = (talk.again_s - talk.time_s[talk.again_of]) / HOUR_S
    columns["departure_h"][later] = np.maximum(columns["departure_h"][later] - since_h, 0.0)
    columns["kind"][later.stop :] = code(PostKind.REPOST)
    columns["topic"][later.stop :] = code(Topic.REPOST)
    _unmask(columns, columns.pop("fake"))
    return Part(columns, _parents(talk, opens), author, people)


def _parents(talk: Talk, opens: RowArray) -> RowArray:
    """Position of the post that set each one off: the first post of its conversation, if inside."""
    position = np.full(talk.time_s.size + 1, NONE, dtype=np.int32)  # the last entry is that of NONE
    position[opens] = np.arange(opens.size, dtype=np.int32)
    return np.concatenate([position[talk.parent[opens]], position[talk.again_of], position[talk.shared_of]])


def _people(at: IndexArray, mixes: Mixes, law: People, draw: Draw) -> Columns:
    """What belongs to a person. Only customers have a tier, and a booking with its flight."""
    n = at.size
    customer = ~happens(mixes.share("non_customers"), at, draw("customer").random(n))
    booked = customer & (draw("booked").random(n) < law.booked_share)
    tier = choose(mixes.shares("tiers"), at, draw("tier").random(n))
    departure_h = law.departure_h.draw(draw("departure"), n).astype(np.float32)
    flight = draw("flight").integers(0, law.flights, n, dtype=np.int16)
    tier[~customer] = code(Tier.NONE)
    departure_h[~booked] = math.inf
    flight[~booked] = NONE
    return {
        "stage": choose(mixes.shares("stages"), at, draw("stage").random(n)),
        "tier": tier,
        "customer": customer,
        "influence": law.influence.draw(draw("influence"), n).astype(np.float32),
        "departure_h": departure_h,
        "flight": flight,
    }


def _conversations(kind: PostKind, at: IndexArray, mixes: Mixes, draw: Draw) -> Columns:
    """What belongs to a conversation; only chatter can be that of bots, who write in public."""
    n, chatter = at.size, kind is PostKind.CHATTER
    platforms = mixes.shares("chatter_platforms" if chatter else "case_platforms")
    platform = choose(platforms, at, draw("platform").random(n))
    private = mixes.shares("private")
    hidden = draw("visibility").random(n) < private[at if len(private) > 1 else 0, platform]
    fake = np.zeros(n, dtype=np.bool_)
    if chatter:
        fake = happens(mixes.share("fakes"), at, draw("fake").random(n))
    visibility = np.full(n, code(Visibility.PUBLIC), dtype=np.int8)
    visibility[hidden & ~fake] = code(Visibility.PRIVATE)
    topic = choose(mixes.shares("chatter" if chatter else "topics"), at, draw("topic").random(n))
    return {"platform": platform, "visibility": visibility, "topic": topic, "fake": fake}


def _words(topic: CodeArray, at: IndexArray, mixes: Mixes, law: People, draw: Draw, prefix: str = "") -> Columns:
    """What belongs to a post: its mood, which praise and complaint bring along, its form and text."""
    n = at.size
    mood_of = np.full(len(Topic), NONE, dtype=np.int8)
    mood_of[code(Topic.PRAISE)] = code(Sentiment.POSITIVE)
    mood_of[[code(Topic.COMPLAINT), code(Topic.OUTRAGE)]] = code(Sentiment.NEGATIVE)
    sentiment = choose(mixes.shares("sentiment"), at, draw(prefix + "sentiment").random(n))
    fixed = mood_of[topic]
    u = draw(prefix + "form").random(n)
    forms = np.array([1.0 - law.mixed_share - law.short_share, law.mixed_share, law.short_share])
    assert [code(form) for form in (TextForm.PLAIN, TextForm.MIXED, TextForm.SHORT)] == [0, 1, 2]
    return {
        "sentiment": np.where(fixed == NONE, sentiment, fixed),
        "form": choose(forms[None, :], at, u),
        "text": draw(prefix + "text").integers(0, TEXTS, n, dtype=np.int32),
    }


def _copy(of_talk: Columns, words: Columns, law: People, draw: Draw) -> None:
    """Give most fakes one and the same text: an angry one."""
    fakes = np.flatnonzero(of_talk["fake"])
    rng = draw("copy")
    text = rng.integers(0, TEXTS, dtype=np.int32)
    copies = fakes[rng.random(fakes.size) < law.fake_copies]
    of_talk["topic"][copies] = code(Topic.OUTRAGE)
    words["sentiment"][copies] = code(Sentiment.NEGATIVE)
    words["form"][copies] = code(TextForm.PLAIN)
    words["text"][copies] = text


def _unmask(columns: Columns, fake: NDArray[np.bool_]) -> None:
    """All that a bot posts is fake, its network's reposts included; a bot is no customer."""
    rows = np.flatnonzero(fake)
    for name, value in (
        ("kind", code(PostKind.FAKE)),
        ("customer", False),
        ("tier", code(Tier.NONE)),
        ("departure_h", math.inf),
        ("flight", NONE),
    ):
        columns[name][rows] = value
