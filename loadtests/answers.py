"""What an answer means by its target file: success, nothing, shed or failed, and what is to be remembered of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.client import Answer
from loadtests.result import Outcome
from loadtests.target_file import HEADER, Request

_NOTHING = "nothing"
RETRY_S = 1.0  # where the service says "later" without saying when


@dataclass(frozen=True)
class Done:
    """What became of an operation.

    Attributes
    ----------
    outcome : Outcome
        ANSWERED, FAILED or SHED.
    status : int
        0 if there was no answer.
    nothing : bool
        A success that says that there is nothing.
    taken : mapping
        What the file says to remember.
    retry_s : float
        When it was shed: how long to wait.
    error : str
        Why it failed.
    unsent : bool
        It failed before anything was sent.
    """

    outcome: Outcome
    status: int
    nothing: bool = False
    taken: Mapping[str, Any] = field(default_factory=dict)
    retry_s: float = 0.0
    error: str = ""
    unsent: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.ANSWERED and not self.nothing


def judged(request: Request, answer: Answer) -> Done:
    """What an answer means: shed (429, or 503 with Retry-After) is apart from failed."""
    status = answer.status
    retry = answer.headers.get("retry-after")
    if status == 429 or (status == 503 and retry is not None):
        return Done(Outcome.SHED, status, retry_s=_seconds(retry))
    if not request.counts(status):
        return Done(Outcome.FAILED, status, error=f"HTTP {status}")
    if status in request.nothing:
        return Done(Outcome.ANSWERED, status, nothing=True)
    taken, missing = _taken(request, answer)
    if missing is _NOTHING:
        return Done(Outcome.ANSWERED, status, nothing=True)
    if missing:
        return Done(Outcome.FAILED, status, error=f"answer without {missing}")
    return Done(Outcome.ANSWERED, status, taken={**taken, **_maybe(request, answer)})


def _taken(request: Request, answer: Answer) -> tuple[dict[str, Any], str]:
    """What is to be remembered, and where the first thing that is missing should have been.

    An empty body, or a list that is too short for a pointer, says that there is nothing.
    """
    found: dict[str, Any] = {}
    told: Any = None
    if any(not where.startswith(HEADER) for where in request.take.values()):
        if not answer.body.strip():
            return {}, _NOTHING
        try:
            told = json.loads(answer.body)
        except ValueError:
            return {}, "JSON"
    for name, where in request.take.items():
        if where.startswith(HEADER):
            found[name] = answer.headers.get(where.removeprefix(HEADER).lower())
        else:
            found[name] = _at(told, where)
        if found[name] is _NOTHING:
            return found, _NOTHING
        if found[name] is None:
            return found, where
    return found, ""


def _at(told: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None if there is no such place, `_NOTHING` beyond the end of a list."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(told, list) and key.isdigit():
            if int(key) >= len(told):
                return _NOTHING
            told = told[int(key)]
        elif isinstance(told, dict) and key in told:
            told = told[key]
        else:
            return None
    return told


def _maybe(request: Request, answer: Answer) -> dict[str, Any]:
    """What is remembered if it is there."""
    if not request.maybe:
        return {}
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    found = {
        name: answer.headers.get(where.removeprefix(HEADER).lower()) if where.startswith(HEADER) else _at(told, where)
        for name, where in request.maybe.items()
    }
    return {name: value for name, value in found.items() if value is not None and value is not _NOTHING}


def _seconds(retry: str | None) -> float:
    return float(retry) if retry is not None and retry.strip().isdigit() else RETRY_S
