"""Customers over all channels, and what the law gives them: a copy of everything, and oblivion."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from careapi import customers
from careapi.access import Token
from careapi.care import Care
from careapi.problems import Refused
from careapi.shapes import Acting
from careapi.shapes import Number as AnyNumber
from careapi.web import Crm, Key, Number, Privacy, acting, answer, done_once, router, the, told
from scenarios.names import Tier

people = router("customers")


class LinkIn(Acting):
    """What is known of a customer: who else he is, his status, his booking."""

    customer_id: AnyNumber | None = None
    tier: Annotated[Tier, Field(strict=False)] | None = None
    booking: Annotated[str, Field(pattern=r"^[A-Z0-9]{6}$")] | None = None


@people.get("/v1/customers/{customer_id}", responses=told("not-found", "crm-down"))
async def read_customer(request: Request, token: Crm, customer_id: Number) -> dict[str, Any]:
    """Read a customer: frequent-flyer status, booking, accounts on all channels, latest cases."""
    care = the(request)
    await reach(care)
    return await care.read(lambda tx: customers.profile(tx, customer_id))


@people.post("/v1/customers/{customer_id}/link", responses=told("not-found", "not-now", "crm-down"))
async def link(request: Request, token: Crm, customer_id: Number, body: LinkIn, key: Key = None) -> Response:
    """Say that another customer is the same person, and note his status and booking."""
    agent = acting(token, body.agent)
    await reach(the(request))
    tier = None if body.tier is None else body.tier.value
    return await done_once(
        request, token, key,
        lambda tx: customers.link(tx, customer_id, agent, body.customer_id, tier, body.booking),
    )  # fmt: skip


@people.get("/v1/customers/{customer_id}/export", responses=told("not-found", "unavailable"))
async def export(request: Request, token: Privacy, customer_id: Number) -> Response:
    """Give out all that is kept about a customer."""
    return answer(await the(request).write(lambda tx: customers.export(tx, customer_id, _name(token))))


@people.post("/v1/customers/{customer_id}/erase", responses=told("not-found", "unavailable"))
async def erase(request: Request, token: Privacy, customer_id: Number) -> Response:
    """Take out every text and name of a customer, from the rows and from the files beneath; it cannot be undone."""
    care = the(request)
    done = await care.write(lambda tx: customers.erase(tx, customer_id, _name(token)))
    await care.store.vacuum()
    return answer(done)


async def reach(care: Care) -> None:
    """Get through to the customer data; raises `Refused` if a drill has switched them off."""
    if care.faults.crm == "slow":
        await asyncio.sleep(care.faults.delay_s)
    if care.faults.crm == "down":
        raise Refused("crm-down", "go on without, and read the customer later")


def _name(token: Token) -> str:
    return token.agent or token.name
