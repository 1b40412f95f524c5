"""Operations of a target file, done: templates filled, let in, within budgets, answers judged and counted."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from loadtests import templates
from loadtests.answers import Done, judged
from loadtests.client import Client, NoAnswer, NotSent
from loadtests.entry import Budget, Tokens, let_in
from loadtests.histogram import Times
from loadtests.operations import Operation
from loadtests.result import Outcome
from loadtests.target_file import OAuth2, Request, Signed, TargetFile

AGAIN_S, MOST_AGAIN_S = 0.25, 2.0  # until a request is repeated that had no answer, and each time twice as long


@dataclass
class Count:
    """How an operation went so far; `held_s` is the time for which its budget kept requests back."""

    answered: int = 0
    nothing: int = 0
    failed: int = 0
    shed: int = 0
    held_s: float = 0.0
    times: Times = field(default_factory=Times)
    errors: dict[str, int] = field(default_factory=dict)

    def book(self, done: Done, took_s: float) -> None:
        """Count one more."""
        if done.outcome is Outcome.SHED:
            self.shed += 1
            return
        self.times.add(took_s)
        if done.outcome is Outcome.FAILED:
            self.failed += 1
            self.errors[done.error] = self.errors.get(done.error, 0) + 1
        elif done.nothing:
            self.nothing += 1
        else:
            self.answered += 1

    def to_dict(self) -> dict[str, Any]:
        times = self.times.counted()
        some = times.count > 0
        return {
            **{name: getattr(self, name) for name in ("answered", "nothing", "failed", "shed")},
            "held_s": round(self.held_s, 3),
            **{f"p{q}_s": times.quantile_s(q / 100.0) if some else None for q in (50, 99)},
            "errors": dict(sorted(self.errors.items())),
        }


class Talk:
    """All operations of a service over one client, counted together.

    Parameters
    ----------
    file : TargetFile
    client : Client
    run : str
        In front of every key, so that no two runs share one.
    clock, wall : callables
        Seconds of `time.monotonic`, and since the epoch.
    most : float
        Requests at most; what is asked beyond is not sent, and has failed.

    Attributes
    ----------
    last_s : float
        By `clock`: nothing is tried again beyond.
    """

    def __init__(
        self, file: TargetFile, client: Client, run: str,
        clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time, most: float = math.inf,
    ) -> None:  # fmt: skip
        self.file, self.most = file, most
        self._client, self._run, self._clock, self._wall = client, run, clock, wall
        self.counts: dict[Operation, Count] = {operation: Count() for operation in file.operations}
        self._budgets = {
            name: Budget(request.budget_per_s, clock)
            for name, request in file.operations.items()
            if request.budget_per_s is not None
        }
        self._tokens = {
            name: Tokens(auth, client, file.base_url, clock)
            for name, auth in file.auth.items()
            if isinstance(auth, OAuth2)
        }
        self._number = self._keys = self._spared = 0
        self.last_s, self.spent = math.inf, False

    @property
    def now_s(self) -> float:
        """By its clock."""
        return self._clock()

    @contextmanager
    def spared(self, number: int) -> Iterator[None]:
        """Inside, so many of the requests that are allowed are kept for those that are asked with `spare`."""
        self._spared += number
        try:
            yield
        finally:
            self._spared -= number

    def has(self, operation: Operation) -> bool:
        return operation in self.file.operations

    async def enter(self) -> None:
        """Ask for the tokens that will be needed; raises `ComponentError` if one is not to be had."""
        for tokens in self._tokens.values():
            await tokens.token()

    async def surely(
        self, operation: Operation, values: Mapping[str, Any], within_s: float = math.inf, spare: bool = False
    ) -> Done:
        """Do an operation, again and again under one key while it is shed or nobody listens; at most so long.

        Also where it had no answer or the service fell over, if it only reads, or if key or signature tell the
        service that it is the same.
        """
        self._keys += 1
        values = {**values, "key": f"{self._run}-s{self._keys}"}
        until_s, times = self._clock() + within_s, 0
        while (wait_s := self._again_s(operation, done := await self.do(operation, values, spare), times)) is not None:
            if self._clock() + wait_s > min(until_s, self.last_s):
                break
            times += 1
            await asyncio.sleep(wait_s)
        return done

    def _again_s(self, operation: Operation, done: Done, times: int) -> float | None:
        """How long to wait until it is tried once more; None: it is not."""
        if done.outcome is Outcome.SHED:
            return done.retry_s
        if done.outcome is Outcome.ANSWERED or self.spent:
            return None
        request = self.file.operations[operation]
        signed_ = isinstance(self.file.auth.get(request.auth), Signed)
        same = request.method == "GET" or request.keyed or signed_
        lost = done.status == 0 or done.status >= 500
        again_s = min(AGAIN_S * 2.0**times, MOST_AGAIN_S)
        return again_s if done.unsent or (same and lost) else None

    async def do(self, operation: Operation, values: Mapping[str, Any], spare: bool = False) -> Done:
        """Do an operation and count it; it never raises for what the service does.

        With `spare` it may be one of the last requests, see `spared`.

        Raises
        ------
        TemplateError
            If a value that its template needs is not there.
        TokenRefused
            If id and secret are not taken.
        ComponentError
            If no token is to be had.
        """
        room = self.most - self._number - (0 if spare else self._spared)
        if room < 1:
            self.spent = True
            return Done(Outcome.FAILED, 0, error="all requests that were allowed have been made")
        request, count = self.file.operations[operation], self.counts[operation]
        budget = self._budgets.get(operation)
        self._number += 1
        key = f"{self._run}-{self._number}"
        if budget is not None:
            held_s = await budget.take()
            count.held_s += held_s
        wall_s = self._wall()
        always = {
            "run": self._run, "key": key, "now_s": int(wall_s),
            "now": datetime.fromtimestamp(wall_s, UTC).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        begun_s = self._clock()
        done = await self._asked(request, {**self.file.values, **always, **values})
        count.book(done, self._clock() - begun_s)
        return done

    async def _asked(self, request: Request, values: Mapping[str, Any]) -> Done:
        path, headers, body = written(request, values)
        refused = ""
        for _ in range(2):
            entry = await self._let_in(request.auth, values, body, refused)
            try:
                answer = await self._client.request(
                    request.method, path, {**headers, **entry}, body, request.timeout_s
                )  # fmt: skip
            except NoAnswer as why:
                return Done(Outcome.FAILED, 0, error=str(why), unsent=isinstance(why, NotSent))
            if answer.status != 401 or request.auth not in self._tokens:
                break
            refused = entry["Authorization"]
        return judged(request, answer)

    async def _let_in(self, name: str, values: Mapping[str, Any], body: bytes, refused: str) -> dict[str, str]:
        """Headers by which a request is let in."""
        tokens = self._tokens.get(name)
        token = "" if tokens is None else await tokens.token(refused.removeprefix("Bearer "))
        return let_in(self.file.auth.get(name), values, body, token)

    def to_dict(self) -> dict[str, Any]:
        return {str(name): count.to_dict() for name, count in self.counts.items()}


def written(request: Request, values: Mapping[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Path with its query, headers, body."""
    path = templates.text(request.path, values, in_path=True)
    if request.query:
        path += "?" + urlencode({name: templates.text(each, values) for name, each in request.query.items()})
    headers = {name: templates.text(each, values) for name, each in request.headers.items()}
    if request.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return path, headers, urlencode(templates.filled(request.form, values)).encode()
    if request.body is None:
        return path, headers, b""
    headers.setdefault("Content-Type", "application/json")
    made = templates.filled(request.body, values)
    return path, headers, (made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)).encode()
