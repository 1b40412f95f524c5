"""Payment links, notices to the crew and measures on plain lists and dicts, beside `care_model`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from care_model import CannotBeDone, Model

from careapi.payments import Report


@dataclass
class Link:
    case: int
    amount_minor: int
    expires_s: float
    state: str = "open"
    paid_s: float | None = None
    refund_check: bool = False


@dataclass
class Around:
    """What goes on because of the cases of a model."""

    model: Model
    links: dict[str, Link] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    seen: list[tuple[float, str] | None] = field(default_factory=list)  # notices: when, and who said so first

    def order(self, case: int, ref: str, amount_minor: int, now_s: float, lasts_s: float) -> None:
        if not 1 <= case <= len(self.model.cases) or ref in self.links:
            raise CannotBeDone
        self.links[ref] = Link(case, amount_minor, now_s + lasts_s)
        self._settle(ref, now_s)

    def report(self, told: Report, now_s: float) -> bool:
        if told.id in self.reports:
            return True
        self.reports[told.id] = told
        self._settle(told.ref, now_s)
        return False

    def expire(self, now_s: float) -> int:
        over = [ref for ref, link in self.links.items() if link.state in ("open", "failed") and link.expires_s <= now_s]
        for ref in over:
            self._settle(ref, now_s)
        return len(over)

    def _settle(self, ref: str, now_s: float) -> None:
        link = self.links.get(ref)
        if link is None:
            return
        said = [each for each in self.reports.values() if each.ref == ref]
        paid = [each.at_s for each in said if each.kind == "paid"]
        over = [each.at_s for each in said if each.kind == "expired"]
        if paid:
            link.state, link.paid_s = "paid", min(paid)
            link.refund_check = link.paid_s > min([*over, link.expires_s])
        elif over or now_s >= link.expires_s:
            link.state = "expired"
        else:
            link.state = "failed" if any(each.kind == "failed" for each in said) else "open"

    def tell_crew(self, case: int | None) -> None:
        if case is not None and not 1 <= case <= len(self.model.cases):
            raise CannotBeDone
        self.seen.append(None)

    def acknowledge(self, notice: int, agent: str, now_s: float) -> None:
        if not 1 <= notice <= len(self.seen):
            raise CannotBeDone
        self.seen[notice - 1] = self.seen[notice - 1] or (now_s, agent)

    def measures(self) -> dict[str, float | None]:
        """Some measures of all that the store has ever seen."""
        cases = [row for row in self.model.cases if row.merged_into is None]
        waits = [row.first_reply_s - row.opened_s for row in cases if row.first_reply_s is not None]
        paid = sum(link.amount_minor for link in self.links.values() if link.state == "paid") / 100.0
        return {
            "mentions": float(len(self.model.kept)),
            "cases": float(len(cases)),
            "unanswered_share": 1.0 - len(waits) / len(cases) if cases else None,
            "first_response_mean_s": math.fsum(waits) / len(waits) if waits else None,
            "payment_eur": paid,
        }
