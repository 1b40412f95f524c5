"""Posts as they are sent: what the service reads, signed as it checks, the same ahead as on time."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from commands import TINY

from careapi.bodies import read
from careapi.deliveries import read_delivery
from careapi.model import Mention
from careapi.platforms import FAMILY, Family
from careapi.signatures import signed
from loadtests import schedule
from loadtests.bodies import Bodies, probe
from loadtests.target import Target
from scenarios import library
from scenarios.generate import generate
from scenarios.names import NONE, Language, Platform, Topic, Visibility, code, members
from scenarios.text import render

TRACE = generate(library.load(TINY), 1)
SCHEDULE = schedule.of_traces([TRACE], 60.0)
TARGET = Target("http://care.example:81/api", secret="word")
NOON_S = 1_800_000_000.0


def bodies(rows: slice = slice(None), run: str = "r1") -> Bodies:
    made = Bodies(SCHEDULE, rows, TARGET, run)
    made.begin(NOON_S)
    return made


def taken_apart(request: bytes) -> tuple[str, dict[bytes, bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first.decode(), {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}, body


def test_the_service_reads_what_is_sent() -> None:
    made = bodies()
    for place in range(len(SCHEDULE)):
        (mention,) = read(made.body(place))
        assert isinstance(mention, Mention)
        assert mention.language == members(Language)[SCHEDULE["language"][place]]
        assert mention.posted_s == pytest.approx(NOON_S + SCHEDULE["due_s"][place], abs=1e-3)


def test_the_text_is_that_of_the_trace() -> None:
    for place in (
        5,
        int(np.flatnonzero(SCHEDULE["case"] != NONE)[0]),
        int(np.flatnonzero(SCHEDULE["case"] == NONE)[0]),
    ):
        row = SCHEDULE["row"][place]
        said = json.loads(bodies().body(place))["mentions"][0]["text"]
        language, topic = members(Language)[TRACE["language"][row]], members(Topic)[TRACE["topic"][row]]
        asks = bool(TRACE["case"][row] != NONE)
        assert said == render(language, topic, int(TRACE["form"][row]), int(TRACE["text"][row]), asks)


def test_a_request_is_signed_for_the_moment_at_which_it_is_due() -> None:
    first, lines, body = taken_apart(bodies().take(3))
    assert first == "POST /api/v1/mentions HTTP/1.1"
    assert lines[b"host"] == b"care.example:81"
    assert int(lines[b"content-length"]) == len(body)
    due_s = NOON_S + SCHEDULE["due_s"][3]
    assert signed(Family.STANDARD, b"word", lines, body, due_s)
    assert not signed(Family.STANDARD, b"other", lines, body, due_s)
    assert not signed(Family.STANDARD, b"word", lines, body + b" ", due_s)


def test_without_a_secret_nothing_is_signed() -> None:
    plain = Bodies(SCHEDULE, slice(None), Target("http://127.0.0.1:1"), "r1")
    assert b"webhook-signature" not in plain.take(0)
    assert b"webhook-signature" not in probe(Target("http://127.0.0.1:1"), 1.0)


def test_ids_are_told_apart_by_row_replication_and_run() -> None:
    ids = Counter(bodies(run=run).identity(place) for run in ("r1", "r2") for place in range(len(SCHEDULE)))
    assert max(ids.values()) == 1
    twice = schedule.of_traces([generate(library.load(TINY), 1, n) for n in (0, 1)], 60.0)
    made = Bodies(twice, slice(None), TARGET, "r1")
    assert len({made.identity(place) for place in range(len(twice))}) == len(twice)


def test_a_post_names_the_one_that_it_answers() -> None:
    made = bodies()
    answers = [place for place in range(len(SCHEDULE)) if SCHEDULE["parent"][place] != NONE]
    assert answers
    place_of = {int(row): place for place, row in enumerate(SCHEDULE["row"])}
    for place in answers[:20]:
        post: dict[str, Any] = json.loads(made.body(place))["mentions"][0]
        assert post["parent_external_id"] == made.identity(place_of[int(SCHEDULE["parent"][place])])


def test_what_is_made_ahead_is_the_same_and_is_not_late() -> None:
    ahead, late = bodies(), bodies()
    while ahead.prepare(0, 0.0, 1.0):
        pass
    assert [ahead.take(place) for place in range(50)] == [late.take(place) for place in range(50)]
    assert (ahead.late, late.late) == (0, 50)


def test_only_what_is_due_soon_is_made_ahead() -> None:
    made = bodies()
    made.prepare(0, 0.0, 60.0)
    soon = int((SCHEDULE["due_s"] <= 120.0).sum())
    assert 0 < soon < len(SCHEDULE)
    for place in range(soon):
        made.take(place)
    assert made.late == 0
    made.take(soon)
    assert made.late == 1


def test_a_worker_has_every_nth_row() -> None:
    parts = [bodies(slice(part, None, 3)) for part in range(3)]
    whole = bodies()
    for place in range(30):
        assert parts[place % 3].take(place // 3) == whole.take(place)


HOOKS = Target("http://care.example", path="/hooks/{platform}", secret="word")


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("public", [True, False])
def test_each_platform_delivers_in_its_own_form_at_its_own_hook(platform: Platform, public: bool) -> None:
    columns: dict[str, Any] = dict(SCHEDULE.columns)
    n = len(SCHEDULE)
    columns["platform"] = np.full(n, code(platform))
    columns["visibility"] = np.full(n, code(Visibility.PUBLIC if public else Visibility.PRIVATE))
    made = Bodies(schedule.Schedule(columns, SCHEDULE.about), slice(None), HOOKS, "r1")
    made.begin(NOON_S)
    plain = bodies()
    # A private message to a page comes by way of Messenger.
    seen = Platform.MESSENGER if (platform, public) == (Platform.FACEBOOK, False) else platform
    for place in range(60):
        first, lines, body = taken_apart(made.take(place))
        assert first == f"POST /hooks/{platform} HTTP/1.1"
        due_s = NOON_S + SCHEDULE["due_s"][place]
        assert signed(FAMILY[platform], b"word", lines, body, due_s)
        (mention,) = read_delivery(platform, body)
        (generic,) = read(plain.body(place))
        assert isinstance(mention, Mention)
        assert isinstance(generic, Mention)
        assert (mention.platform, mention.external_id, mention.text) == (seen, generic.external_id, generic.text)
        assert (mention.external_user, mention.name) == (generic.external_user, generic.name)
        assert abs(mention.posted_s - due_s) <= 1.0
