"""The auditor's view of what comes in: which posts were made, who looked at them, what was put aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from auditor_plan import INF, MODES, Diary, FloatArray, Mask
from numpy.typing import NDArray

from scenarios.behaviour import HeldFault, NoAnswer
from scenarios.model import Scenario
from scenarios.names import NONE, Platform, PostKind, code
from scenarios.traces import Trace
from sim.crisis import HOUR_S, POSTS
from sim.levers import ArrivalsLever, ParkLever
from sim.outcome import CaseState, Outcome, PlanStep, TurnKind, TurnState

PEOPLE, AUTOMATIC, NOBODY = range(len(MODES))
CONTACT = ("topic", "cls", "language", "platform", "visibility")
SWITCHED, FROM_PHONE, CAME_AFTER_ALL = 2, 3, 4  # kinds of extra posts


class Posts:
    """Checks of the rows of a trace, and of posts that the simulation made, against what became of them.

    Attributes
    ----------
    seen_s : (rows,) float64
        When the desk has each post before it: its time, or when what held it ended; inf: never.
    early : (rows,) bool
        Whether that was the end of a fault, before levers are switched at that instant.
    comes : (rows,) bool
        Whether it was made and seen, on a platform that the desk watches, within the run; calls are left out.
    """

    def __init__(self, outcome: Outcome, trace: Trace, scenario: Scenario, diary: Diary) -> None:
        self.outcome, self.trace, self.scenario, self.diary = outcome, trace, scenario, diary
        self.cases, self.turns, self.extra = outcome.cases, outcome.turns, outcome.extra
        self.end_s = diary.end_s
        self.kind: NDArray[Any] = trace["kind"]
        self.follows: Mask = self.kind == code(PostKind.FOLLOW_UP)
        self.asks: Mask = (self.kind == code(PostKind.CASE)) | (self.follows & (trace["case"] != NONE))
        self.gone: Mask = np.zeros(len(trace), dtype=bool)
        self.gone[outcome.suppressed["row"]] = True
        self.watched = [code(p) for p in diary.desk.platforms or tuple(Platform)]
        self.seen_s, self.early = self._seen()
        written = ~self.gone & (self.kind != code(PostKind.CALL)) & np.isin(trace["platform"], self.watched)
        self.comes: Mask = written & (self.seen_s < self.end_s)
        self.reading = diary.reading(self.seen_s, self.early)
        late = self.extra["time_s"]
        self.extra_reading = diary.reading(late, np.zeros(late.size, dtype=bool))

    def _seen(self) -> tuple[FloatArray, Mask]:
        """Rows held by a fault wait for its end; there the next one may hold them."""
        start_s = self.outcome.about["window_s"][0]
        faults = [
            ((max(f.from_h * HOUR_S, start_s), n), (f.to_h * HOUR_S, n), [code(p) for p in f.platforms])
            for n, f in enumerate(self.scenario.faults)
            if isinstance(f, HeldFault) and f.to_h * HOUR_S > start_s
        ]
        seen: FloatArray = self.trace["time_s"].astype(np.float64)
        early: Mask = np.zeros(seen.size, dtype=bool)
        platforms = self.trace["platform"]
        touched = np.isin(platforms, [p for _, _, held in faults for p in held])
        for row in np.flatnonzero(touched & (self.kind != code(PostKind.CALL))).tolist():
            now: tuple[float, float] = (float(seen[row]), INF)
            while True:
                holding = [(a, b) for a, b, held in sorted(faults) if a < now < b and platforms[row] in held]
                if not holding:
                    break
                now = holding[0][1]
                early[row] = True
            seen[row] = now[0]
        return seen, early

    # ---- who looked at what -------------------------------------------------------------------------------

    def posts_are_read(self) -> Iterator[str]:
        """While people read, each post that comes is read once, from when it comes; while others do, none is."""
        t = self.turns
        reads = self.comes & (self.reading.mode == PEOPLE)
        yield from self._once(TurnKind.READING, reads, reads, self.seen_s)
        found = self.comes & ~self.asks & (self.reading.mode == AUTOMATIC)
        passed_s = self.seen_s + self.reading.delay_s
        may = found & (self.reading.false_positive > 0.0) & (passed_s < self.end_s)
        yield from self._once(TurnKind.DISMISS, may, may & (self.reading.false_positive == 1.0), passed_s)
        if np.any(t["post"][(t["kind"] == TurnKind.DISMISS)] == NONE):
            yield "something was put aside that is no post"

    def _once(self, kind: TurnKind, may: Mask, must: Mask, from_s: FloatArray) -> Iterator[str]:
        """Which rows have a turn of this kind, handed back or not, and when it was queued first."""
        t = self.turns
        mine = (t["kind"] == kind) & (t["post"] != NONE)
        ended = t["post"][mine & (t["state"] != TurnState.HANDED_BACK)]
        n = np.bincount(ended, minlength=len(self.trace))
        for row in np.flatnonzero((n > 1) | (must & (n == 0)) | (~may & (n > 0))).tolist():
            yield f"row {row} at {self.seen_s[row]} has {n[row]} turns {kind.name}"
        first = np.full(len(self.trace), INF)
        np.minimum.at(first, t["post"][mine], t["queued_s"][mine])
        for row in np.flatnonzero((n == 1) & (first != from_s)).tolist():
            yield f"row {row} waits to be looked at from {first[row]}, not from {from_s[row]}"

    def extra_posts_are_read(self) -> Iterator[str]:
        """So are posts that the simulation made, where the desk looks.

        Where a case has moved to another platform the rows do not say where it was written: it may have been read.
        """
        t, e = self.turns, self.extra
        people = self.extra_reading.mode == PEOPLE
        moved = np.isin(e["case"], e["case"][e["kind"] == SWITCHED])
        watched = np.isin(self.cases["platform"][e["case"]], self.watched)
        if len(self.watched) == len(Platform):
            moved[:], watched[:] = False, True
        must = Counter(e["time_s"][people & watched & ~moved].tolist())
        may = must + Counter(e["time_s"][people & moved].tolist())
        mine = (t["kind"] == TurnKind.READING) & (t["post"] == NONE)
        back = t["end_s"][mine & (t["state"] == TurnState.HANDED_BACK)]
        queued = Counter(t["queued_s"][mine].tolist())
        if Counter(back.tolist()) - queued:
            yield "what was handed back does not go on"
        queued -= Counter(back.tolist())
        for at in (must - queued).elements():
            yield f"a post written at {at} was not read"
        for at in (queued - may).elements():
            yield f"a post was read at {at} that nobody had written"

    def cases_become_known(self) -> Iterator[str]:
        """A case is known once a post of it has been read, has passed the filter, or comes where all is known."""
        sure, missable = self._found()
        may = self._perhaps_found(sure)
        state, seen, row = self.cases["state"], self.cases["seen_s"], self.cases["row"]
        for number in range(state.size):
            at = float(seen[number])
            if at > min(sure.get(number, (INF,))):
                yield f"case {number} is known from {at}, but was found at {min(sure[number])}"
            if at < INF and at not in may.get(number, ()) and (row[number] != NONE or number in may):
                yield f"case {number} is known from {at}, but no post of it was found then"
            if state[number] == CaseState.MISSED and number not in missable:
                yield f"case {number} was missed, and no filter could miss it"

    def _found(self) -> tuple[dict[int, set[float]], set[int]]:
        """When posts of each case were found for sure, and the cases of which a filter may have missed one."""
        sure: dict[int, set[float]] = {}
        t, of = self.turns, self.trace["case"]
        done = (t["kind"] == TurnKind.READING) & (t["state"] == TurnState.DONE) & (t["post"] != NONE)
        for post, end in zip(t["post"][done].tolist(), t["end_s"][done].tolist(), strict=True):
            sure.setdefault(int(of[post]), set()).add(end)
        sieved = self.comes & self.asks & (self.reading.mode == AUTOMATIC)
        at = self.seen_s + np.where(sieved, self.reading.delay_s, 0.0)
        certain = sieved & (self.reading.recall == 1.0) | self.comes & self.asks & (self.reading.mode == NOBODY)
        for post in np.flatnonzero(certain & (at < self.end_s)).tolist():
            sure.setdefault(int(of[post]), set()).add(float(at[post]))
        self._sieved = [(int(of[post]), float(at[post])) for post in np.flatnonzero(sieved).tolist()]
        return sure, set(of[sieved & (self.reading.recall < 1.0)].tolist())

    def _perhaps_found(self, sure: dict[int, set[float]]) -> dict[int, set[float]]:
        """When posts of each case may have been found; of cases split off by a broken system nothing is said."""
        may = {number: set(times) for number, times in sure.items()}
        for number, when in self._sieved:
            may.setdefault(number, set()).add(when)
        t, e = self.turns, self.extra
        read = t["end_s"][(t["kind"] == TurnKind.READING) & (t["state"] == TurnState.DONE) & (t["post"] == NONE)]
        mode, delay_s = self.extra_reading.mode, self.extra_reading.delay_s
        made = np.isin(e["kind"], (FROM_PHONE, CAME_AFTER_ALL)) | (e["time_s"] == self.cases["posted_s"][e["case"]])
        for i in np.flatnonzero(made).tolist():
            at = float(e["time_s"][i])
            later = read.tolist() if mode[i] == PEOPLE else [at + float(delay_s[i]) if mode[i] == AUTOMATIC else at]
            may.setdefault(int(e["case"][i]), set()).update(later)
        return may

    # ---- what was kept away, and what was put aside --------------------------------------------------------

    def levers_keep_away_whom_they_concern(self) -> Iterator[str]:
        """A row is not made because of a lever that was on and concerns it, or because the post it follows was not.

        Where the effect is whole, all whom it concerns stay away; where it is a share, rows do not tell who.
        """
        rows, by = self.outcome.suppressed["row"], self.outcome.suppressed["lever"].astype(np.int64)
        lever = np.full(len(self.trace), NONE, dtype=np.int64)
        lever[rows] = by
        if np.any(np.diff(rows) <= 0) or np.any(self.trace["time_s"][rows] >= self.end_s):
            yield "suppressed rows are not in order, or not within the run"
        parent = self.trace["parent"]
        of = np.where(parent == NONE, NONE, lever[parent])
        due = self.trace["time_s"] < self.end_s
        for row in np.flatnonzero(self.follows & due & (lever != of)).tolist():
            yield f"row {row} follows row {parent[row]} and does not go with it"
        may, must = self._kept_away()
        for row in rows[~self.follows[rows]].tolist():
            if not may[lever[row], row]:
                yield f"row {row} is suppressed by lever {lever[row]}, which is off or does not concern it"
        for row in np.flatnonzero(must.any(axis=0) & ~self.gone & ~self.follows & due).tolist():
            yield f"row {row} is made, though a lever keeps away all like it"

    def _kept_away(self) -> tuple[Mask, Mask]:
        """(levers, rows) which rows a lever may keep from being made, and which it has to."""
        t, diary = self.trace, self.diary
        may: Mask = np.zeros((len(diary.levers) + 1, len(t)), dtype=bool)
        must = may.copy()
        names = ("topic", "language", "platform", "visibility")
        columns = {**{name: t[name] for name in names}, "cls": diary.cls}
        for i, lever in enumerate(diary.levers):
            if isinstance(lever, ArrivalsLever) and lever.effect[1] > 0.0:
                may[i] = diary.is_on(i, t["time_s"]) & diary.concerns(i, columns)
                may[i] &= np.isin(self.kind, list(POSTS[lever.posts]))
                must[i] = may[i] & (lever.effect[1] == 1.0 and lever.half_life_h is None)
        return may, must

    def the_suppressed_are_out(self) -> Iterator[str]:
        """Who was kept from writing is known to nobody; who came after all has a new post, once."""
        case, kind, at = (self.extra[name] for name in ("case", "kind", "time_s"))
        after_all = case[kind == CAME_AFTER_ALL]
        away = self.outcome.suppressed
        opened = away["row"][self.kind[away["row"]] == code(PostKind.CASE)]
        marked = np.flatnonzero(self.cases["state"] == CaseState.SUPPRESSED)
        if sorted([*self.cases["row"][marked].tolist(), *self.cases["row"][after_all].tolist()]) != opened.tolist():
            yield "suppressed cases are not the suppressed posts, less those who came after all"
        if np.isin(self.turns["case"], marked).any() or np.isin(case, marked).any():
            yield "a suppressed case has turns or posts"
        if np.isin(self.turns["post"], away["row"]).any():
            yield "a suppressed post was read or answered"
        of_row = dict(zip(away["row"].tolist(), away["lever"].tolist(), strict=True))
        for number, when in zip(after_all.tolist(), at[kind == CAME_AFTER_ALL].tolist(), strict=True):
            row = int(self.cases["row"][number])
            if not self._may_come_after_all(of_row.get(row, NONE), number, when - float(self.trace["time_s"][row])):
                yield f"case {number} came after all, and lever {of_row.get(row)} lets nobody"

    def _may_come_after_all(self, i: int, number: int, after_s: float) -> bool:
        """By the lever that kept him away, in public only if that says so, or because its message was wrong."""
        lever = self.diary.levers[i] if i != NONE else None
        if not isinstance(lever, ArrivalsLever) or after_s < 0.0:
            return False
        tos = [way.to for way in lever.returns if way.to != "phone" and way.probability > 0.0]
        wrong = any(step == PlanStep.WRONG and which == i for _, step, which, _ in self.diary.steps)
        mine = self.extra["kind"][self.extra["case"] == number]
        in_public = bool(self.cases["escalated"][number]) and not np.any(mine == 1)
        return "public" in tos if in_public else bool(tos) or wrong

    def what_is_put_aside_waits(self) -> Iterator[str]:
        """Parked cases have a fault or a lever that parks them; where all are parked, no new turn is queued."""
        cases, columns = self.cases, {name: self.cases[name] for name in CONTACT}
        parked: Mask = np.zeros(cases["state"].size, dtype=bool)
        for (begin, end), concerned, share in self._parking(columns):
            if begin < self.end_s <= end:
                parked |= concerned
            if share == 1.0:
                yield from self._none_queued(begin, end, concerned)
        row = cases["row"]
        parked |= np.where(row == NONE, False, self.seen_s[row] >= self.end_s)
        for number in np.flatnonzero((cases["state"] == CaseState.PARKED) & ~parked).tolist():
            yield f"case {number} is parked by nothing"

    def _parking(self, columns: dict[str, NDArray[Any]]) -> Iterator[tuple[tuple[float, float], Mask, float]]:
        """When something puts turns aside, those of which cases, and what share of them.

        A case that has moved may have been concerned before, or not been: what names platforms or a kind of
        channel may have parked it, and need not.
        """
        moved = np.isin(np.arange(columns["topic"].size), self.extra["case"][np.isin(self.extra["kind"], (1, 2))])
        for fault in self.scenario.faults:
            if isinstance(fault, NoAnswer):
                topics = np.isin(columns["topic"], [code(topic) for topic in fault.topics])
                yield (fault.from_h * HOUR_S, fault.to_h * HOUR_S), topics, 1.0
        for i, lever in enumerate(self.diary.levers):
            if isinstance(lever, ParkLever) and lever.effect[1] > 0.0:
                concerned = self.diary.concerns(i, columns)
                narrow = bool(lever.contacts.platforms) or lever.contacts.visibility is not None
                for span in self.diary.on[i]:
                    if narrow:
                        yield span, concerned & ~moved, lever.effect[1]
                        yield span, moved, 0.0
                    else:
                        yield span, concerned, lever.effect[1]

    def _none_queued(self, begin: float, end: float, concerned: Mask) -> Iterator[str]:
        """What is handed back is not asked for anew: it goes on at the end of a turn of the same number."""
        t = self.turns
        inside = (t["kind"] == TurnKind.ANSWER) & (t["queued_s"] > begin) & (t["queued_s"] < end)
        back = t["state"] == TurnState.HANDED_BACK
        handed = set(zip(t["case"][back].tolist(), t["end_s"][back].tolist(), strict=True))
        for i in np.flatnonzero(inside & concerned[np.where(inside, t["case"], 0)]).tolist():
            if (int(t["case"][i]), float(t["queued_s"][i])) not in handed:
                yield f"case {t['case'][i]} is queued at {t['queued_s'][i]}, when all like it are parked"
