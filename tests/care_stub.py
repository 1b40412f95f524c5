"""The part of a care service that a drill uses, in memory: who holds what is plain to see, it fails when told to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stubs import Asked, Reply


@dataclass
class Case:
    """One case, opened by a post without a parent that is known."""

    number: int
    language: str
    post: str
    agent: str | None = None
    open: bool = True
    version: int = 1


@dataclass
class CareStub:
    """Takes posts, gives out cases, one agent each; `fails` may give a status instead of what would be done.

    `done` has what was acknowledged, as (what, case).
    """

    fails: Callable[[str], int | None] = lambda what: None
    cases: list[Case] = field(default_factory=list)
    of_post: dict[str, Case] = field(default_factory=dict)
    kept: dict[str, Reply] = field(default_factory=dict)
    done: list[tuple[str, int]] = field(default_factory=list)
    asked: int = 0
    deaf: bool = False  # gives out cases in any language
    blind: bool = False  # takes every post for chatter

    @property
    def held(self) -> list[Case]:
        return [case for case in self.cases if case.agent is not None]

    def __call__(self, asked: Asked) -> Reply:
        self.asked += 1
        what = re.sub(r"/\d+", "", asked.path)
        failure = self.fails(what)
        if failure is not None:
            return failure, {"title": "told to fail"}
        key = asked.headers.get("idempotency-key", "")
        if key in self.kept:
            return self.kept[key]
        answer = self._answer(what, asked)
        if key and answer[0] == 200:
            self.kept[key] = answer
        return answer

    def _answer(self, what: str, asked: Asked) -> Reply:
        if what == "/v1/mentions":
            opened = [self._post(mention).number for mention in asked.json["mentions"] if not self.blind]
            return 202, {"accepted": 1, "cases": opened if opened else [None]}
        if what == "/v1/claims":
            return self._claim(asked.json["agent"], asked.json["langs"])
        found = re.match(r"/v1/cases/(\d+)", asked.path)
        if found is None:
            return 201, {}
        case = self.cases[int(found[1])]
        if asked.method == "GET":
            return 200, self._view(case)
        return self._change(what.rpartition("/")[2], case, asked)

    def _post(self, mention: dict[str, Any]) -> Case:
        case = self.of_post.get(mention.get("parent_external_id", ""))
        if case is None:
            case = Case(len(self.cases), mention["lang"], mention["external_id"])
            self.cases.append(case)
        self.of_post[mention["external_id"]] = case
        case.open, case.version = case.open or case.agent is None, case.version + 1
        return case

    def _claim(self, agent: str, languages: list[str]) -> Reply:
        for case in self.cases:
            if case.open and case.agent is None and (self.deaf or case.language in languages):
                case.agent, case.open, case.version = agent, False, case.version + 1
                return 200, self._view(case)
        return 204, None

    def _change(self, what: str, case: Case, asked: Asked) -> Reply:
        if case.agent != asked.json.get("agent") or (
            "if-match" in asked.headers and asked.headers["if-match"] != f'"{case.version}"'
        ):
            return 409, {"title": "stale"}
        if what in ("reply", "release", "transfer"):
            case.agent, case.open, case.version = None, what != "reply", case.version + 1
            self.done.append((what, case.number))
        return 200, self._view(case)

    def _view(self, case: Case) -> dict[str, Any]:
        return {"id": case.number, "lang": case.language, "version": case.version,
                "posts": [{"external_id": case.post}]}  # fmt: skip
