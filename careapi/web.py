"""What the routes share: who asks, under which condition, how answers and problems leave."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

import msgspec
from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from careapi import problems
from careapi.access import Scope, Token
from careapi.bodies import ANY, MOST_NUMBER
from careapi.care import Care
from careapi.once import Kept, digest, once
from careapi.problems import Refused
from careapi.shapes import ProblemOut
from careapi.tx import Tx

JSON = "application/json"
NEEDED = "x-needed"
COOKIE = "ashcloud_care_token"
_BEARER = HTTPBearer(auto_error=False, scheme_name="token")
_TAG = r'^(?:W/)?"?([0-9]{1,15})"?$'
_ETAG = re.compile(_TAG)


class StrictRequest(Request):
    """A request whose JSON is JSON: no NaN, no half letters, no bad UTF-8, no bottomless nesting."""

    async def json(self) -> Any:
        """The body, decoded; raises a problem that FastAPI lets through."""
        try:
            return ANY.decode(await self.body())
        except (msgspec.DecodeError, UnicodeError, RecursionError) as fault:
            raise HTTPException(422, str(fault)) from None


class StrictRoute(APIRoute):
    """A route that reads its body by `StrictRequest` and takes no query that it does not know."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """See `APIRoute.get_route_handler`."""
        handler = super().get_route_handler()
        known = {parameter.alias for parameter in self.dependant.query_params}

        async def strict(request: Request) -> Response:
            unknown = request.query_params.keys() - known
            if unknown:
                told = ", ".join(sorted(known)) or "none"
                raise Refused("bad-request", f"the query has a part that is not known here; known: {told}")
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def told(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """Problems that a route may answer with, for the description of the API."""
    found: dict[int | str, dict[str, Any]] = {}
    for slug in slugs:
        status, title = problems.PROBLEMS[slug]
        found[status] = {"model": ProblemOut, "description": title, "content": {problems.MEDIA: {}}}
    return found


COMMON = ("bad-request", "bad-token", "not-allowed", "too-slow", "too-large", "too-many", "overloaded")


def router(tag: str) -> APIRouter:
    """A router of strict routes, for those who have a token."""
    return APIRouter(route_class=StrictRoute, tags=[tag], responses=told(*COMMON))


def the(request: Request) -> Care:
    """The service behind an application."""
    return cast(Care, request.app.state.care)


class _Needs:
    """A token that allows one of these; that of a browser's session is lent by `careapi.pages.SessionCookie`."""

    def __init__(self, *any_of: Scope) -> None:
        self.any_of = any_of

    async def __call__(self, request: Request, _: Annotated[Any, Depends(_BEARER)]) -> Token:  # else in a thread
        return allowed(request, *self.any_of)


def allowed(request: Request, *any_of: Scope) -> Token:
    """The token of a request; raises `Refused`."""
    return the(request).access.allow(request.headers.get("authorization"), *any_of)


AnyAgent = Annotated[Token, Depends(_Needs(Scope.WORK, Scope.CRM, Scope.PAY, Scope.CREW, Scope.LEAD, Scope.VIEWER))]
Worker = Annotated[Token, Depends(_Needs(Scope.WORK))]
Viewer = Annotated[Token, Depends(_Needs(Scope.VIEWER, Scope.WORK, Scope.LEAD))]
Crm = Annotated[Token, Depends(_Needs(Scope.CRM))]
Payer = Annotated[Token, Depends(_Needs(Scope.PAY))]
Crew = Annotated[Token, Depends(_Needs(Scope.CREW, Scope.WORK))]
Lead = Annotated[Token, Depends(_Needs(Scope.LEAD))]
Privacy = Annotated[Token, Depends(_Needs(Scope.PRIVACY))]
Admin = Annotated[Token, Depends(_Needs(Scope.ADMIN))]
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
After = Annotated[int, Query(ge=0, le=MOST_NUMBER, description="Only what is numbered above")]
Limit = Annotated[int, Query(ge=1, le=200)]
_KEY = {"pattern": r"^[\x21-\x7e]{1,255}$", "description": "The same key, the same answer"}
Key = Annotated[str | None, Header(alias="Idempotency-Key", **_KEY)]
RequiredKey = Annotated[str, Header(alias="Idempotency-Key", **_KEY)]
_MATCH: Any = {"alias": "If-Match", "pattern": _TAG, "description": "The ETag of the case as it was read"}
IfMatch = Annotated[str | None, Header(**_MATCH)]
NeededMatch = Annotated[str | None, Header(**_MATCH, json_schema_extra={NEEDED: True})]  # without it 428, not 422


def acting(token: Token, agent: str) -> str:
    """The agent who acts, if the token may act for him."""
    if token.agent is not None and token.agent != agent:
        raise Refused("not-allowed", f"this token acts for {token.agent} alone")
    return agent


def version_of(if_match: str | None) -> int:
    """The version that an ``If-Match`` header names."""
    if if_match is None:
        raise Refused("precondition-required", "send If-Match with the ETag of the case")
    return optional_version(if_match) or 0


def optional_version(if_match: str | None) -> int | None:
    """The version that an ``If-Match`` header names, None without one."""
    if if_match is None:
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Refused("bad-request", 'If-Match is a number in quotes, such as "3"')
    return int(match[1])


def tag(version: int) -> dict[str, str]:
    """The ETag of a version."""
    return {"ETag": f'"{version}"'}


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer, with the ETag of the case in it, if there is one."""
    return Response(msgspec.json.encode(value), status, tag_of(value), JSON)


def tag_of(value: Any) -> dict[str, str]:
    """The ETag of what is sent: a case, or something with one in it."""
    case = value.get("case", value) if isinstance(value, dict) else None
    return tag(case["version"]) if isinstance(case, dict) and "version" in case else {}


async def done_once(
    request: Request, token: Token, key: str | None, work: Callable[[Tx], dict[str, Any]], status: int = 200
) -> Response:
    """Run a job that changes something, once for its key, and answer with what it returns."""
    scope, of = f"{token.name} {request.method} {request.url.path}", digest(await request.body())

    def job(tx: Tx) -> Kept:
        return once(tx, scope, key, of, lambda tx: Kept(status, msgspec.json.encode(work(tx)).decode()))

    kept = await the(request).write(job)
    return kept_answer(kept)


def kept_answer(kept: Kept) -> Response:
    """An answer that was kept under a key."""
    headers = tag_of(msgspec.json.decode(kept.body))
    if kept.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(kept.body, kept.status, headers, JSON)
