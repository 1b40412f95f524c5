"""The description of the API, made to say what is so: parameters are never null, problems come as problem+json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi import FastAPI, Request
from starlette.routing import Match, Route

from careapi import problems
from careapi.web import NEEDED

METHODS = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI, schemas: dict[str, Any]) -> None:
    """Have the application describe itself truly, with further schemas for what it reads by itself."""
    usual = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = usual()
            found.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            for operation in _operations(found):
                _mend_parameters(operation)
                _mend_problems(operation)
        return cast(dict[str, Any], app.openapi_schema)

    app.openapi = described  # type: ignore[method-assign]


def methods_of(request: Request) -> str:
    """What the address of a request takes, for ``Allow``; the first route that fits knows only of itself."""
    found = {
        method
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(found))


def _operations(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in found["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def _mend_parameters(operation: dict[str, Any]) -> None:
    """A header or a query is there or not; it has no way to say null. Some are missed with a problem of their own."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            schema.update(kinds[0])
        if schema.pop(NEEDED, False):
            parameter["required"] = True


def _mend_problems(operation: dict[str, Any]) -> None:
    """The framework describes all models as plain JSON."""
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        if problems.MEDIA in content:
            answer["content"] = {problems.MEDIA: content.get("application/json", content[problems.MEDIA])}
