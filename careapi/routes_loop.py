"""Payment links, notices to the crew, things lost and found: what goes on outside the desk because of a case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from careapi import notices, payments, signatures
from careapi.payments import LEAST_S, MOST_S, Report
from careapi.problems import Refused
from careapi.shapes import Acting, Day, Flight, Line, Said, Seat
from careapi.shapes import Number as AnyNumber
from careapi.web import (
    JSON,
    After,
    AnyAgent,
    Crew,
    Key,
    Limit,
    Number,
    Payer,
    RequiredKey,
    acting,
    done_once,
    router,
    the,
    told,
)

loop = router("closing the loop")
hook = APIRouter(tags=["intake"])
FlightPath = Annotated[str, Path(pattern=r"^[A-Z0-9]{2}[0-9]{1,4}$")]
DayPath = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class PaylinkIn(Acting):
    """What a customer is asked to pay: cents and the like, in a currency, within half an hour to a day."""

    amount_minor: Annotated[int, Field(ge=1, le=10_000_000)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    lasts_s: Annotated[float, Field(ge=LEAST_S, le=MOST_S)] = MOST_S


class NoticeIn(Acting):
    """What the crew of a flight should know."""

    text: Said
    seat: Seat | None = None
    case_id: AnyNumber | None = None


class ItemIn(Acting):
    """Something lost or found, and where."""

    kind: Literal["lost", "found"]
    description: Line
    case_id: AnyNumber | None = None
    airport: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    flight: Flight | None = None
    date: Day | None = None
    seat: Seat | None = None


class MatchIn(Acting):
    """What it is the other half of."""

    other_id: AnyNumber


class _Data(msgspec.Struct):
    ref: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class Payment(msgspec.Struct):
    """What the payment provider reports."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    type: Literal["payment.paid", "payment.failed", "payment.expired"]
    created: Annotated[float, msgspec.Meta(ge=0, le=2**40)]
    data: _Data


_payment = msgspec.json.Decoder(Payment)


@loop.post("/v1/cases/{case_id}/paylinks", status_code=201,
           responses=told("not-found", "key-reused", "payment-provider"))  # fmt: skip
async def make_paylink(request: Request, token: Payer, case_id: Number, body: PaylinkIn, key: RequiredKey) -> Response:
    """Make a payment link for a case."""
    agent, care = acting(token, body.agent), the(request)
    ref = await payments.order(care.faults, f"{token.name} {case_id}", key)
    return await done_once(
        request, token, key,
        lambda tx: payments.make(tx, case_id, agent, body.amount_minor, body.currency, body.lasts_s, ref), 201,
    )  # fmt: skip


@loop.get("/v1/paylinks/{link_id}", responses=told("not-found"))
async def read_paylink(request: Request, token: Payer, link_id: Number) -> dict[str, Any]:
    """Read how a payment link stands."""
    return await the(request).read(lambda tx: payments.read(tx, link_id))


@hook.post(
    "/hooks/pay", responses=told("bad-signature", "bad-body", "too-slow", "too-large", "overloaded", "unavailable"),
    openapi_extra={
        "requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Payment"}}}}
    },
)  # fmt: skip
async def take_payment(request: Request) -> dict[str, bool]:
    """Take in what the payment provider reports: in any order, as often as it likes."""
    care, body = the(request), await request.body()
    headers = dict(request.scope["headers"])
    if not signatures.payment_signed(care.access.payment_secret, headers, body, care.clock()):
        raise Refused("bad-signature")
    try:
        said = _payment.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as fault:
        raise Refused("bad-body", str(fault)) from None
    report = Report(said.id, said.data.ref, said.type.partition(".")[2], said.created)
    known = await care.write(lambda tx: payments.report(tx, report))
    if care.faults.payment("duplicate", report.ref):
        await care.write(lambda tx: payments.report(tx, report))
    return {"received": True, "duplicate": known}


@loop.get("/v1/flights/{flight}/{date}/notices")
async def list_notices(request: Request, token: Crew, flight: FlightPath, date: DayPath) -> dict[str, Any]:
    """Tell the purser of a flight whom to look after; what was not seen yet comes first."""
    return await the(request).read(lambda tx: notices.of_flight(tx, flight, date))


@loop.post("/v1/flights/{flight}/{date}/notices", status_code=201, responses=told("not-found", "key-reused"))
async def add_notice(
    request: Request, token: Crew, flight: FlightPath, date: DayPath, body: NoticeIn, key: Key = None
) -> Response:
    """Tell the crew of a flight about a passenger."""
    agent = acting(token, body.agent)
    return await done_once(
        request, token, key,
        lambda tx: notices.add(tx, flight, date, agent, body.text, body.seat, body.case_id), 201,
    )  # fmt: skip


@loop.post("/v1/notices/{notice_id}/ack", responses=told("not-found", "key-reused"))
async def acknowledge(request: Request, token: Crew, notice_id: Number, body: Acting, key: Key = None) -> Response:
    """Say that the crew has seen a notice."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: notices.acknowledge(tx, notice_id, agent))


@loop.get("/v1/lost-items")
async def list_items(
    request: Request, token: AnyAgent, kind: Literal["lost", "found"] | None = None, matched: bool | None = None,
    after: After = 0, limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """List things lost and found."""
    return await the(request).read(lambda tx: notices.items(tx, kind, matched, after, limit))


@loop.post("/v1/lost-items", status_code=201, responses=told("not-found", "key-reused"))
async def add_item(request: Request, token: Crew, body: ItemIn, key: Key = None) -> Response:
    """Keep what a customer lost, or what was found."""
    agent = acting(token, body.agent)
    asked = body.model_dump(exclude={"agent"})
    return await done_once(request, token, key, lambda tx: notices.add_item(tx, agent, asked), 201)


@loop.post("/v1/lost-items/{item_id}/match", responses=told("not-found", "not-now", "key-reused"))
async def match_items(request: Request, token: Crew, item_id: Number, body: MatchIn, key: Key = None) -> Response:
    """Say that what was lost is what was found."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: notices.match(tx, item_id, body.other_id, agent))
