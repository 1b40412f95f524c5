"""A draft of a target file: what it guesses is right where names speak, and the file can be read at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loadtests import target_file
from loadtests.openapi import draft, read
from loadtests.operations import Operation
from loadtests.target_file import TargetFile
from reports.listing import drafted_target
from scenarios.errors import InputError

MESSAGE = {
    "type": "object",
    "required": ["content", "kind", "brand"],
    "properties": {
        "content": {"type": "string"},
        "language": {"type": "string"},
        "kind": {"enum": ["incoming", "note"]},
        "brand": {"type": "string"},
        "colour": {"type": "string"},
    },
}
REPLY = {"type": "object", "required": ["body"], "properties": {"body": {"type": "string"}}}
OAUTH = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}}}


def taking(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


HELPDESK: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "A help desk"},
    "servers": [{"url": "https://desk.example/api"}],
    "components": {"securitySchemes": {"oauth": OAUTH}, "schemas": {"Message": MESSAGE}},
    "paths": {
        "/messages": {"post": taking({"$ref": "#/components/schemas/Message"})},
        "/messages/{message_id}": {"delete": {}},
        "/tickets/next": {"post": {"operationId": "assignNextTicket"}},
        "/tickets/{ticket_id}": {"get": {}, "delete": {}},
        "/tickets/{ticket_id}/replies": {"post": taking(REPLY)},
        "/teams/{team}/availability": {"put": {}},
    },
}


def drafted(told: dict[str, Any], tmp_path: Path) -> tuple[TargetFile, str]:
    """The draft, written and read again."""
    text = draft(told, "drafted").to_toml()
    (tmp_path / "drafted.toml").write_text(text)
    return target_file.load(tmp_path / "drafted.toml"), text


def test_operations_are_found_by_their_names(tmp_path: Path) -> None:
    file, _ = drafted(HELPDESK, tmp_path)
    assert {str(name): f"{request.method} {request.path}" for name, request in file.operations.items()} == {
        "post": "POST /messages",
        "claim": "POST /tickets/next",
        "read": "GET /tickets/{case}",
        "reply": "POST /tickets/{case}/replies",
        "on_duty": "PUT /teams/{team}/availability",
    }
    assert file.base_url == "https://desk.example/api"


def test_bodies_take_what_is_required_and_what_means_something(tmp_path: Path) -> None:
    file, _ = drafted(HELPDESK, tmp_path)
    assert file.operations[Operation.POST].body == {
        "content": "{text}", "language": "{language}", "kind": "incoming", "brand": "{brand}",
    }  # fmt: skip
    assert file.operations[Operation.REPLY].body == {"body": "{text}"}


def test_what_nobody_knows_is_a_value_to_set_and_what_was_guessed_is_said(tmp_path: Path) -> None:
    file, text = drafted(HELPDESK, tmp_path)
    assert file.values == {"brand": "set-me", "team": "set-me"}
    assert "# operations.claim: POST /tickets/next, by its name." in text
    assert "# operations.claim.take: say where the answer has case." in text
    assert "# Nothing there looks like" in text and "transfer" in text
    assert file.auth["default"].kind == "oauth2"
    assert file.needs == ["CARE_CLIENT_ID", "CARE_CLIENT_SECRET"]


def test_the_description_of_our_own_service_gives_the_right_endpoints(tmp_path: Path) -> None:
    from careapi.access import Access
    from careapi.app import create_app
    from careapi.knobs import Knobs

    async def no_store() -> Any:
        raise AssertionError

    told = create_app(no_store, Access.for_development("t", "s"), Knobs()).openapi()
    file, _ = drafted(json.loads(json.dumps(told)), tmp_path)
    found = {str(name): f"{request.method} {request.path}" for name, request in file.operations.items()}
    assert found["post"] == "POST /v1/mentions"
    assert found["claim"] == "POST /v1/claims"
    assert found["read"] == "GET /v1/cases/{case}"
    assert found["reply"] == "POST /v1/cases/{case}/reply"
    assert found["transfer"] == "POST /v1/cases/{case}/transfer"
    assert found["release"] == "POST /v1/cases/{case}/release"
    body = file.operations[Operation.POST].body
    assert isinstance(body, dict)
    assert {"text": "{text}", "platform": "{platform}", "external_id": "{post}"}.items() <= body["mentions"][0].items()


def test_an_api_that_takes_no_posts_gives_a_draft_that_says_so(tmp_path: Path) -> None:
    file, text = drafted({"paths": {"/weather": {"get": {}}}}, tmp_path)
    assert file.operations[Operation.POST].path == "/set-me"
    assert "nothing there looks as if it took posts" in text
    assert tomllib.loads(text)["auth"]["default"] == {"kind": "open"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no description of an API; it should be OpenAPI 3 and have paths"),
        ('{"paths": {}}', "is no description of an API"),
        ("openapi: 3.1.0\npaths: {}\n", "is YAML, it seems; give it as JSON"),
    ],
)
def test_what_is_no_description_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read(path)
    assert said in str(error.value)
    with pytest.raises(InputError, match="cannot be read: no such file"):
        read(tmp_path / "none.json")


def test_a_draft_is_written_once_and_never_over_something(tmp_path: Path) -> None:
    api, out = tmp_path / "api.json", tmp_path / "Our Desk.toml"
    api.write_text(json.dumps(HELPDESK))
    assert "# operations.post: POST /messages, by its name." in drafted_target(api, None)
    assert drafted_target(api, out).startswith(f"drafted: {out}; look it through")
    assert target_file.load(out).name == "our-desk"
    with pytest.raises(InputError, match="is there already"):
        drafted_target(api, out)
