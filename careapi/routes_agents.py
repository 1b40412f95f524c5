"""Agents: whether they are there, and what is offered to those who do not pull."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from pydantic import Field

from careapi import presence
from careapi.shapes import CODE, Acting, Strict, Tongue
from careapi.web import AnyAgent, Key, Number, Worker, acting, done_once, router, the, told

agents = router("agents")
AgentPath = Annotated[str, Path(pattern=CODE)]


class PresenceIn(Strict):
    """Whether an agent is there, what he speaks, how many cases he may have, whether he pulls or is offered."""

    presence: Literal["online", "away", "offline"]
    langs: list[Tongue] = Field(min_length=1, max_length=14)
    capacity: Annotated[int, Field(ge=1, le=1000)] = 1
    mode: Literal["pull", "push"] = "pull"


@agents.get("/v1/agents/{agent_id}/presence", responses=told("not-found"))
async def read_presence(request: Request, token: AnyAgent, agent_id: AgentPath) -> dict[str, Any]:
    """Tell whether an agent is there and which cases he has."""
    return await the(request).read(lambda tx: presence.read(tx, agent_id))


@agents.put("/v1/agents/{agent_id}/presence", responses=told("unavailable"))
async def set_presence(request: Request, token: Worker, agent_id: AgentPath, body: PresenceIn) -> dict[str, Any]:
    """Sign in, go away, come back, leave; said again it keeps the agent's cases from going back."""
    agent = acting(token, agent_id)
    return await the(request).write(
        lambda tx: presence.sign_in(tx, agent, body.presence, body.langs, body.capacity, body.mode)
    )


@agents.get("/v1/offers")
async def list_offers(request: Request, token: Worker, agent: Annotated[str, Query(pattern=CODE)]) -> dict[str, Any]:
    """Tell what is offered to an agent now; the stream of events says when there is something new."""
    acting(token, agent)
    return await the(request).read(lambda tx: presence.offers(tx, agent))


@agents.post("/v1/offers/{offer_id}/accept", responses=told("not-found", "stale", "unavailable"))
async def accept(request: Request, token: Worker, offer_id: Number, body: Acting, key: Key = None) -> Response:
    """Take what was offered; the answer is the case."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: presence.accept(tx, offer_id, agent))


@agents.post("/v1/offers/{offer_id}/decline", responses=told("not-found", "stale", "unavailable"))
async def decline(request: Request, token: Worker, offer_id: Number, body: Acting, key: Key = None) -> Response:
    """Say no to what was offered; the case goes back with its age."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: presence.decline(tx, offer_id, agent))
