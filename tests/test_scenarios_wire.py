from __future__ import annotations

import numpy as np

from scenarios import library
from scenarios.generate import generate
from scenarios.names import NONE, Language, PostKind, Topic, Visibility, code, members
from scenarios.text import render
from scenarios.traces import Trace
from scenarios.wire import post_of


def six_hours() -> Trace:
    scenario = library.load("quiet_week")
    return generate(scenario.model_copy(update={"window_h": (0.0, 6.0)}), seed=5)


def test_a_row_becomes_the_post_of_its_person() -> None:
    trace = six_hours()
    again = np.flatnonzero((trace["kind"] == code(PostKind.FOLLOW_UP)) & (trace["parent"] != NONE))
    assert again.size > 20
    for row in map(int, again):
        post = post_of(trace, row, 1000.0, "run-")
        first = post_of(trace, int(trace["parent"][row]), 1000.0, "run-")
        assert post.external_id == f"run-{row}" and post.parent == first.external_id
        assert (post.author, post.handle, post.name) == (first.author, first.handle, first.name)
        assert post.language is members(Language)[trace["language"][row]]
        assert post.posted_s == 1000.0 + trace["time_s"][row] >= first.posted_s
        assert post.public == (post.visibility is Visibility.PUBLIC)


def test_who_was_set_off_by_others_writes_on_his_own() -> None:
    trace = six_hours()
    others = np.flatnonzero((trace["parent"] != NONE) & (trace["kind"] == code(PostKind.CHATTER)))
    assert others.size > 20
    assert {post_of(trace, int(row), 0.0).parent for row in others} == {None}


def test_only_rows_of_cases_ask() -> None:
    trace = six_hours()
    for row in range(0, len(trace), 7):
        post = post_of(trace, row, 0.0)
        asks = bool(trace["case"][row] != NONE)
        topic = trace["topic"][row]
        form, text = trace["form"][row], trace["text"][row]
        assert post.text == render(post.language, members(Topic)[topic], form, text, asks)
