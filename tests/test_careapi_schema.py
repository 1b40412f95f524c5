"""The service against its own description: all that it says is allowed, and much that it says is not.

Schemathesis draws the requests; what has to be signed is signed by a hook here, so that they get further than
the signature. The service is a real one on a port: what is tested is what a client meets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from browsing import SECRET, TOKEN, Service, serving
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from careapi.access import Access
from careapi.app import create_app
from careapi.knobs import Faults, Knobs, told
from careapi.platforms import FAMILY, Family
from careapi.routes_hot import MOST_WAIT_S
from careapi.signatures import sign, sign_payment
from careapi.store import Store
from scenarios.names import Platform

pytestmark = pytest.mark.slow
DELIVERIES = {"/hooks/{platform}", "/hooks/x", "/hooks/meta", "/v1/mentions"}
EXAMPLES = 12  # of each address; drawn anew each time, the same ones in the gate


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("schema")) as service:
        yield service


def described() -> dict[str, object]:
    """The description, of an application that is never started."""

    async def opener() -> Store:
        raise AssertionError

    return create_app(opener, Access.for_development(TOKEN, SECRET)).openapi()


REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]  # 413: too many of what is long enough
config = schemathesis.Config.from_dict(
    {
        "checks": {
            "missing_required_header": {"expected-statuses": [401, 403, 422, 428]},  # 428: If-Match
            "negative_data_rejection": {"expected-statuses": [*REFUSALS, "5xx"]},
        },
        "generation": {"allow-extra-parameters": False},  # of a query: they are passed over, as everywhere
    }
)
schema = schemathesis.openapi.from_dict(described(), config=config)


def signature(case: schemathesis.Case[Any], url: str) -> dict[str, str]:
    """Headers of a sender who knows the secret, over the very bytes that will be sent."""
    if case.method != "POST" or not (case.path.startswith("/hooks/") or case.path == "/v1/mentions"):
        return {}
    sent = requests.Request(**case.as_transport_kwargs(base_url=url)).prepare().body or b""
    assert isinstance(sent, bytes | str)
    if case.path == "/hooks/pay":
        return sign_payment(SECRET.encode(), sent.encode() if isinstance(sent, str) else sent, time.time())
    name = (case.path_parameters or {}).get("platform")
    family = FAMILY[Platform(name)] if name in list(Platform) else Family.STANDARD
    return sign(family, SECRET.encode(), sent.encode() if isinstance(sent, str) else sent, "msg_1", time.time())


USUAL = {"/v1/faults": told(Faults()), "/v1/knobs": told(Knobs())}
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


def authorization(case: schemathesis.Case[Any]) -> dict[str, str]:
    """The token that is known, unless the one that was drawn is missing or no token on purpose."""
    assert case.meta is not None
    headers = case.meta.components.get(ParameterLocation.HEADER)
    drawn: Any = case.headers or {}
    spoilt = (
        headers is not None
        and headers.mode.is_negative
        and not str(drawn.get("Authorization", "")).startswith("Bearer ")
    )
    return {} if spoilt else KNOWN


def shorten(case: schemathesis.Case[Any]) -> None:
    """Let what is allowed and would only take time take little of it: long polls, delays that are switched on."""
    part: Any
    for path, part, name, most in (
        ("/v1/claims", case.query, "wait", MOST_WAIT_S),
        ("/v1/knobs", case.body, "commit_delay_s", 10.0),
        ("/v1/faults", case.body, "delay_s", 60.0),
    ):
        value = part.get(name) if case.path == path and isinstance(part, dict) else None
        if isinstance(value, int | float) and 0.0 <= value <= most:
            part[name] = min(value, 0.05)


@schema.exclude(path="/v1/events").parametrize()  # a stream without an end
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
def test_the_service_does_what_its_description_says(case: schemathesis.Case[Any], service: Service) -> None:
    shorten(case)
    headers = {**authorization(case), **signature(case, service.url)}
    # X and Meta have forms of their own, which the description cannot tie to a part of the address, and X adds parts
    # to the query of its challenge. In a delivery one bad post is named in the answer and does not spoil the others.
    beyond: list[Any] = [negative_data_rejection] if case.path in DELIVERIES else []
    beyond += [positive_data_acceptance] if case.path == "/hooks/{platform}" else []
    case.call_and_validate(base_url=service.url, headers=headers, excluded_checks=beyond)
    if case.path in USUAL:  # what was broken is mended, for the other addresses
        requests.put(f"{service.url}{case.path}", json=USUAL[case.path], headers=KNOWN, timeout=60).raise_for_status()
