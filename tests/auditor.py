"""An auditor of outcomes: reads the rows, the trace, the desk and its roster, nothing of an engine.

`audit` returns what is wrong, in words; an empty list is a clean book. What a rule of the desk
leaves open (a sticky time, a reserve, a hold) is judged by what can be decided from the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import numpy as np
from auditor_floor import Floor
from auditor_keys import Keys
from auditor_order import Order
from auditor_plan import INF, Diary
from auditor_posts import CAME_AFTER_ALL, Posts
from auditor_staff import Staff
from auditor_steps import Steps
from auditor_work import worked

from scenarios.model import Scenario
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim.desk import Desk
from sim.outcome import CaseState, Outcome, TurnKind, TurnState
from sim.roster import Roster

STARTED = (TurnState.DONE, TurnState.GHOST, TurnState.HANDED_BACK, TurnState.IN_HAND)
ENDED_WITH_CASE = {
    CaseState.WAITING: TurnState.WAITING,
    CaseState.IN_HAND: TurnState.IN_HAND,
    CaseState.RESOLVED: TurnState.DONE,
    CaseState.WITH_CUSTOMER: TurnState.DONE,
}


def audit(outcome: Outcome, trace: Trace, scenario: Scenario, desk: Desk, roster: Roster) -> list[str]:
    """All that is wrong with an outcome, at most a few lines of each kind.

    `desk` is as in its file; `roster` that of the desk with the seats of its plan's ladder.
    """
    diary = Diary(outcome, trace, desk)
    book, posts = _Book(outcome, trace), Posts(outcome, trace, scenario, diary)
    keys, steps = Keys(outcome, trace, scenario, diary), Steps(outcome, diary, posts)
    staff = Staff(outcome, scenario, diary, roster)
    floor = Floor(outcome, scenario, diary, staff, worked(outcome, diary), roster)
    order = Order(floor)
    checks = (
        book.cases_are_those_of_the_trace,
        book.end_states_add_up,
        book.rows_are_consistent,
        book.conversations_hang_together,
        book.extra_posts_add_up,
        posts.posts_are_read,
        posts.extra_posts_are_read,
        posts.cases_become_known,
        posts.levers_keep_away_whom_they_concern,
        posts.the_suppressed_are_out,
        posts.what_is_put_aside_waits,
        keys.classes_are_those_of_the_desk,
        keys.keys_are_promises,
        keys.posts_are_to_be_read_in_time,
        steps.the_crisis_is_declared_by_its_signals,
        steps.levers_and_rungs_follow_the_plan,
        steps.messages_go_out,
        staff.shifts_are_those_of_the_roster,
        staff.who_stays_longer_is_kept_by_a_lever,
        staff.who_was_called_comes_and_rests,
        floor.attendance_follows_the_roster,
        floor.work_is_done_by_those_who_can_and_are_there,
        floor.nobody_works_beyond_capacity,
        floor.nobody_works_in_the_dark,
        floor.nobody_is_idle_while_a_turn_waits,
        order.keys_are_kept,
        order.reserves_are_kept,
        order.lanes_hold,
        order.limits_hold,
    )
    return [f"{check.__name__}: {line}" for check in checks for line in islice(check(), 3)]


class _Book:
    """What rows say about cases and posts."""

    def __init__(self, outcome: Outcome, trace: Trace) -> None:
        self.cases, self.turns, self.extra, self.gone = outcome.cases, outcome.turns, outcome.extra, outcome.suppressed
        self.trace, self.end_s = trace, float(outcome.about["end_s"])
        self.kind, self.state = outcome.turns["kind"], outcome.turns["state"]
        self.by_case: dict[int, list[int]] = {}
        for i in np.flatnonzero(self.kind == TurnKind.ANSWER).tolist():
            self.by_case.setdefault(int(self.turns["case"][i]), []).append(i)

    def cases_are_those_of_the_trace(self) -> Iterator[str]:
        """Each case of the trace is there once, in order; others came out of it."""
        rows = np.flatnonzero(self.trace["kind"] == code(PostKind.CASE))
        rows = rows[np.argsort(self.trace["case"][rows], kind="stable")]
        n = rows.size
        if self.cases["row"][:n].tolist() != rows.tolist() or np.any(self.cases["row"][n:] != NONE):
            yield "rows of the trace's cases are missing, doubled, or out of order"
            return
        for name in ("language", "topic", "tier"):
            if np.any(self.cases[name][:n] != self.trace[name][rows]):
                yield f"{name} is not that of the post"
        posted = self.trace["time_s"][rows].copy()
        after_all = self.extra["kind"] == CAME_AFTER_ALL
        posted[self.extra["case"][after_all]] = self.extra["time_s"][after_all]
        if np.any(self.cases["posted_s"][:n] != posted):
            yield "posted_s is not the time of the post"
        if np.any(self.cases["origin"][:n] != NONE) or np.any(self.cases["origin"][n:] == NONE):
            yield "origin"

    def end_states_add_up(self) -> Iterator[str]:
        """Every case and every turn ends in one state, and an open case has its one open turn."""
        for what, column, kinds in (
            ("cases", self.cases["state"], CaseState),
            ("turns", self.state, TurnState),
            ("turns by kind", self.kind, TurnKind),
        ):
            counts = {kind.name: int(np.count_nonzero(column == kind)) for kind in kinds}
            if sum(counts.values()) != column.size:
                yield f"{what}: {counts} are not {column.size} rows"
        answer = self.kind == TurnKind.ANSWER
        for name in ("WAITING", "IN_HAND"):
            open_turns = self.turns["case"][answer & (self.state == TurnState[name])]
            silent = self.cases["state"][open_turns] == CaseState.SILENT  # nobody at the desk knows better
            if np.count_nonzero(~silent) != np.count_nonzero(self.cases["state"] == CaseState[name]):
                yield f"turns {name} are not cases {name}"
        calls = np.flatnonzero((self.trace["kind"] == code(PostKind.CALL)) & (self.trace["time_s"] < self.end_s))
        calls = np.setdiff1d(calls, self.gone["row"])
        if np.setxor1d(calls, self.turns["post"][self.kind == TurnKind.CALL]).size:
            yield "calls of the trace are missing, or not of it"

    def rows_are_consistent(self) -> Iterator[str]:
        """Each wait is a row whose times and agent fit its state."""
        t, state = self.turns, self.state
        started = np.isin(state, [int(s) for s in STARTED])
        with np.errstate(invalid="ignore"):
            gaps = t["start_s"] - t["queued_s"], t["end_s"] - t["queued_s"]
        by_call = self.kind == TurnKind.CALL
        conditions = {
            "wait_s is not start_s - queued_s": t["wait_s"][started] != gaps[0][started],
            "an abandoned wait is not end_s - queued_s": (t["wait_s"] != gaps[1])[state == TurnState.ABANDONED],
            "a refused turn waited": (t["wait_s"] != 0.0)[np.isin(state, [TurnState.BLOCKED, TurnState.BALKED])],
            "a refused turn lasted": (gaps[1] != 0.0)[np.isin(state, [TurnState.BLOCKED, TurnState.BALKED])],
            "a waiting turn has ended": (t["wait_s"] + t["end_s"] < INF)[state == TurnState.WAITING],
            "started without an agent": (t["agent"] == NONE)[started & ~by_call],
            "an agent without a start": (t["agent"] != NONE)[~started | by_call],
            "start_s": np.isfinite(t["start_s"]) != started,
            "before it was queued": t["start_s"] < t["queued_s"],
            "ends before it starts": t["end_s"][started] < t["start_s"][started],
            "in hand, but ended": np.isfinite(t["end_s"][state == TurnState.IN_HAND]),
            "ends after the run": t["end_s"][np.isfinite(t["end_s"])] >= self.end_s,
            "a ghost that did not leave": ~np.isfinite(t["left_s"][state == TurnState.GHOST]),
            "answered who had left": np.isfinite(t["left_s"][state == TurnState.DONE]),
            "case": (t["case"] == NONE)[self.kind == TurnKind.ANSWER],
        }
        yield from (name for name, wrong in conditions.items() if np.any(wrong))

    def conversations_hang_together(self) -> Iterator[str]:
        """Turns of a case follow one another, and its row says what they say."""
        for number in range(self.cases["row"].size):
            rows = [{name: self.turns[name][i].item() for name in self.turns} for i in self.by_case.get(number, [])]
            case = {name: column[number].item() for name, column in self.cases.items()}
            yield from (f"case {number}: {wrong}" for wrong in (*_order(rows), *_sums(case, rows), *_state(case, rows)))

    def extra_posts_add_up(self) -> Iterator[str]:
        """Each post written again is counted once at its case and once among the extra posts."""
        kinds = self.extra["kind"]
        if int(self.cases["recontacts"].sum()) != int(np.count_nonzero(kinds < 3)):
            yield "recontacts are not the extra posts"
        if np.any(np.diff(self.extra["time_s"]) < 0):
            yield "extra posts are not in order of time"
        escalated = set(self.extra["case"][kinds == 1].tolist())
        maybe = set(self.extra["case"][kinds == CAME_AFTER_ALL].tolist())  # in public, or where they would have been
        if not escalated <= set(np.flatnonzero(self.cases["escalated"]).tolist()) <= escalated | maybe:
            yield "escalations"


def _order(rows: list[dict[str, Any]]) -> Iterator[str]:
    """One turn at a time, numbered without gaps; what was handed back goes on with key and number."""
    for before, after in pairwise(rows):
        if not before["end_s"] <= after["queued_s"]:
            yield "two turns at once"
        answered = before["state"] in (TurnState.DONE, TurnState.GHOST)
        if after["k"] != before["k"] + answered:
            yield "numbers of turns"
        handed = before["state"] == TurnState.HANDED_BACK
        if handed and (after["queued_s"], after["key_s"]) != (before["end_s"], before["key_s"]):
            yield "a turn handed back lost its place"
    if rows and rows[0]["k"] != 0:
        yield "the first turn is not number 0"
    if any(row["state"] in (TurnState.WAITING, TurnState.IN_HAND) for row in rows[:-1]):
        yield "a turn before the last is open"


def _sums(case: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[str]:
    done = [row for row in rows if row["state"] in (TurnState.DONE, TurnState.GHOST)]
    begun = [row for row in rows if row["start_s"] < INF]
    worked = [row for row in rows if row["start_s"] < INF and row["end_s"] < INF]
    left = [row["left_s"] for row in rows] + [row["end_s"] for row in rows if row["state"] == TurnState.ABANDONED]
    if case["first_reply_s"] != min((row["end_s"] for row in done), default=INF):
        yield "first_reply_s is not the end of the first answered turn"
    if case["first_start_s"] != min((row["start_s"] for row in begun), default=INF):
        yield "first_start_s is not the start of the first turn"
    if case["turns"] != len(done):
        yield "turns"
    if abs(case["work_s"] - sum(row["end_s"] - row["start_s"] for row in worked)) > 1e-6:
        yield "work_s is not the time in hand"
    if case["left_s"] != min(left, default=INF):
        yield "left_s is not the end of the first patience"


def _state(case: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[str]:
    state = CaseState(case["state"])
    last = rows[-1] if rows else None
    if state in ENDED_WITH_CASE and (last is None or last["state"] != ENDED_WITH_CASE[state]):
        yield f"{state.name} does not fit the last turn"
    if state == CaseState.SILENT and (last is None or last["left_s"] == INF):
        yield "silent, but has not left"
    if state != CaseState.SILENT and last is not None and last["left_s"] < INF and last["state"] != TurnState.GHOST:
        yield "has left without a sign, and is not silent"
    gave_up = (TurnState.ABANDONED, TurnState.BLOCKED, TurnState.BALKED)
    if state == CaseState.GAVE_UP and (last is None or last["state"] not in gave_up):
        yield "gave up, but was not turned away"
    if state in (CaseState.UNREAD, CaseState.MISSED, CaseState.SUPPRESSED) and rows:
        yield f"{state.name} with turns"
    if (state == CaseState.RESOLVED) != (case["closed_s"] < INF):
        yield "closed_s"
    if state == CaseState.RESOLVED and last is not None and case["closed_s"] != last["end_s"]:
        yield "closed_s is not the end of the last turn"
    unseen = (CaseState.UNREAD, CaseState.MISSED, CaseState.SUPPRESSED)
    if (case["seen_s"] == INF) != (state in unseen) and state != CaseState.PARKED:
        yield "seen_s"
