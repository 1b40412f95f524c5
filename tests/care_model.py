"""The rules of the care store on plain lists and dicts: what the real stores are held against."""

from __future__ import annotations

from dataclasses import dataclass

from careapi.model import Mention, Rules, Stale, Status
from careapi.queries import judge
from scenarios.names import Language, Visibility

DEFAULT = Rules()


@dataclass
class Kept:
    mention: Mention
    customer: tuple[str, str]
    thread: str
    case: int | None = None


@dataclass
class Row:
    id: int
    customer: tuple[str, str]
    thread: str
    language: Language
    private: bool
    opened_s: float
    waiting_since_s: float
    due_s: float
    status: Status = Status.OPEN
    agent: str | None = None
    lease_until_s: float = 0.0
    version: int = 1
    resolved_s: float = 0.0
    merged_into: int | None = None
    first_reply_s: float | None = None


class CannotBeDone(Exception):
    """Cannot be done as the case stands."""


class Model:
    """Does what a store does, one thing at a time."""

    def __init__(self, rules: Rules = DEFAULT) -> None:
        self.rules = rules
        self.kept: dict[tuple[str, str], Kept] = {}
        self.cases: list[Row] = []

    def add(self, mention: Mention, now_s: float) -> tuple[int | None, bool]:
        key = (mention.platform.value, mention.external_id)
        if key in self.kept:
            return self.kept[key].case, True
        private = mention.visibility is Visibility.PRIVATE
        customer = (mention.platform.value, mention.external_user)
        new = self.kept[key] = Kept(mention, customer, self._thread(mention))
        self._file(new, private, now_s)
        own = f"{mention.platform}:{mention.external_id}"
        if new.thread != own and not private:
            self._join(own, new.thread, now_s)
        return new.case, False

    def claim(self, agent: str, languages: list[Language], capacity: int, now_s: float) -> int | None:
        if sum(row.agent == agent for row in self.cases) >= capacity:
            return None
        waiting = [row for row in self.cases if row.status is Status.OPEN and row.language in languages]
        if not waiting:
            return None
        first = min(waiting, key=lambda row: (row.due_s, row.waiting_since_s, row.id))
        first.status, first.agent, first.lease_until_s = Status.ASSIGNED, agent, now_s + self.rules.lease_s
        first.version += 1
        return first.id

    def give_up(self, case: int, agent: str, version: int, resolved: bool, now_s: float) -> None:
        row = self.cases[case - 1] if 1 <= case <= len(self.cases) else None
        if row is None or row.agent != agent or row.version != version:
            raise Stale
        row.status, row.agent = (Status.RESOLVED if resolved else Status.OPEN), None
        row.resolved_s = now_s
        row.version += 1

    def end_leases(self, now_s: float) -> int:
        over = [row for row in self.cases if row.agent is not None and row.lease_until_s <= now_s]
        for row in over:
            row.status, row.agent = Status.OPEN, None
            row.version += 1
        return len(over)

    def reply(self, case: int, agent: str, version: int | None, then: str, now_s: float) -> None:
        row = self._held(case, agent, version)
        row.first_reply_s = now_s if row.first_reply_s is None else row.first_reply_s
        row.version += 2
        if then == "resolve":
            self._close(row, now_s)
        elif then == "wait":
            row.status, row.agent = Status.WAITING_CUSTOMER, None
        else:
            row.lease_until_s = now_s + self.rules.lease_s

    def release(self, case: int, agent: str, version: int) -> None:
        row = self._held(case, agent, version)
        row.status, row.agent = Status.OPEN, None
        row.version += 1

    def transfer(
        self, case: int, agent: str, version: int, to_agent: str | None, to_language: Language | None, now_s: float
    ) -> None:
        row = self._held(case, agent, version)
        row.version += (to_agent is not None) + (to_language is not None) + (to_agent is None)
        row.language = to_language or row.language
        row.agent = to_agent
        if to_agent is None:
            row.status = Status.OPEN
        else:
            row.lease_until_s = now_s + self.rules.lease_s

    def resolve(self, case: int, agent: str, version: int, now_s: float) -> None:
        row = self._row(case)
        if row.status is not Status.WAITING_CUSTOMER:
            self._held(case, agent, version)
        elif row.version != version:
            raise CannotBeDone
        row.version += 1
        self._close(row, now_s)

    def reopen(self, case: int, version: int, now_s: float) -> None:
        row = self._row(case)
        if row.version != version or row.status not in (Status.RESOLVED, Status.WAITING_CUSTOMER):
            raise CannotBeDone
        live = self._live(row.customer, row.thread)
        if live is not None and live is not row:
            raise CannotBeDone
        if not any(each.case == case for each in self.kept.values()):
            raise CannotBeDone
        visibility = Visibility.PRIVATE if row.private else Visibility.PUBLIC
        row.status, row.merged_into = Status.OPEN, None
        row.waiting_since_s, row.due_s = now_s, now_s + self.rules.promise_s[visibility]
        row.version += 1

    def merge(self, case: int, agent: str, version: int, into: int, now_s: float) -> None:
        row, kept = self._row(case), self._row(into)
        if row.version != version or row is kept or row.customer != kept.customer:
            raise CannotBeDone
        if any(each.status is Status.RESOLVED or each.agent not in (None, agent) for each in (row, kept)):
            raise CannotBeDone
        self._close(row, now_s)
        row.merged_into = kept.id
        row.version += 2
        self._take_key(kept, row)
        kept.version += 1

    def _row(self, case: int) -> Row:
        if not 1 <= case <= len(self.cases):
            raise CannotBeDone
        return self.cases[case - 1]

    def _held(self, case: int, agent: str, version: int | None) -> Row:
        row = self._row(case)
        if row.agent != agent or version not in (None, row.version):
            raise CannotBeDone
        return row

    @staticmethod
    def _close(row: Row, now_s: float) -> None:
        row.status, row.agent, row.resolved_s = Status.RESOLVED, None, now_s

    @staticmethod
    def _take_key(stays: Row, goes: Row) -> None:
        stays.opened_s, stays.due_s = min(stays.opened_s, goes.opened_s), min(stays.due_s, goes.due_s)
        stays.waiting_since_s = min(stays.waiting_since_s, goes.waiting_since_s)

    def _thread(self, mention: Mention) -> str:
        if mention.visibility is Visibility.PRIVATE:
            return f"{mention.platform}:direct:{mention.external_user}"
        if mention.parent_external_id is None:
            return f"{mention.platform}:{mention.external_id}"
        parent = self.kept.get((mention.platform.value, mention.parent_external_id))
        if parent is None or parent.mention.visibility is Visibility.PRIVATE:
            return f"{mention.platform}:{mention.parent_external_id}"
        return parent.thread

    def _live(self, customer: tuple[str, str], thread: str) -> Row | None:
        here = [row for row in self.cases if (row.customer, row.thread) == (customer, thread)]
        return next((row for row in here if row.status is not Status.RESOLVED), None)

    def _file(self, new: Kept, private: bool, now_s: float) -> None:
        row = self._live(new.customer, new.thread)
        due_s = now_s + self.rules.promise_s[new.mention.visibility]
        done = [each for each in self.cases if (each.customer, each.thread) == (new.customer, new.thread)]
        if row is not None:
            row.version += 1
            if row.status is Status.WAITING_CUSTOMER:
                row.status, row.waiting_since_s, row.due_s = Status.OPEN, now_s, due_s
        elif done and now_s - max(each.resolved_s for each in done) <= self.rules.reopen_within_s:
            row = max(done, key=lambda each: (each.resolved_s, each.id))
            row.status, row.waiting_since_s, row.due_s, row.merged_into = Status.OPEN, now_s, due_s, None
            row.version += 1
        elif judge(new.mention.text, new.mention.language, new.mention.visibility).query:
            language = new.mention.language
            row = Row(len(self.cases) + 1, new.customer, new.thread, language, private, now_s, now_s, due_s)
            self.cases.append(row)
        if row is not None:
            for each in self.kept.values():
                if each.case is None and (each.customer, each.thread) == (new.customer, new.thread):
                    each.case = row.id

    def _join(self, part: str, whole: str, now_s: float) -> None:
        moved = [each for each in self.kept.values() if each.thread == part]
        for each in moved:
            each.thread = whole
        for row in [row for row in self.cases if row.thread == part]:
            other = self._live(row.customer, whole)
            row.thread = whole
            row.version += 1
            if other is not None and row.status is not Status.RESOLVED:
                row.version -= 1
                order = sorted((row, other), key=lambda r: (r.status is not Status.ASSIGNED, r.due_s, r.id))
                self._merge(order[0], order[1], now_s)
        if moved:
            for each in self.kept.values():
                if each.thread == whole and each.case is None and (live := self._live(each.customer, whole)):
                    each.case = live.id

    def _merge(self, stays: Row, goes: Row, now_s: float) -> None:
        self._close(goes, now_s)
        goes.merged_into = stays.id
        goes.version += 1
        self._take_key(stays, goes)
        stays.version += 1
        for each in self.kept.values():
            if each.case == goes.id:
                each.case = stays.id
