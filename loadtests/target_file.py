"""A service as a file: its address, how to be let in, and for each operation the request and what counts as success.

So the same customers and agents work against any care stack. Files are TOML; two are in the library
(``loadtests/targets``), and may be extended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from loadtests import templates
from loadtests.operations import BEFORE, GIVEN, TAKEN_AS, Operation
from scenarios import files
from scenarios.checks import nearest
from scenarios.errors import Faults
from scenarios.laws import Frozen

LIBRARY = Path(__file__).parent / "targets"
HEADER = "header:"
_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
_POINTER = re.compile(r"(/[^/]*)*")
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Open(Frozen):
    """Nobody is asked who he is."""

    kind: Literal["open"]


class Bearer(Frozen):
    """``Authorization: Bearer TOKEN``."""

    kind: Literal["bearer"]
    token: str


class Header(Frozen):
    """A header of its own name."""

    kind: Literal["header"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    value: str


class Signed(Frozen):
    """Signed as Standard Webhooks are: HMAC-SHA256 over id, time and body."""

    kind: Literal["signed"]
    secret: str


class OAuth2(Frozen):
    """Client credentials of OAuth2: a token that is asked for, and asked for anew before it ends."""

    kind: Literal["oauth2"]
    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""


Auth = Annotated[Open | Bearer | Header | Signed | OAuth2, Field(discriminator="kind")]


class Request(Frozen):
    """How an operation is asked for, and what its answer means.

    Attributes
    ----------
    method, path, query, headers
        Strings may hold places such as ``{case}``.
    body : table, list or text, optional
        JSON with places.
    form : table, optional
        Fields of a form, in the place of a body.
    auth : str
        Which of the tables below ``[auth]``.
    success : list of status
        By default 200 to 299.
    nothing : list of status
        A success that says that there is nothing, such as no case to claim.
    take : table
        What to remember: a name, and a JSON pointer (``/data/id``) or ``header:ETag``.
    maybe : table
        What to remember if it is there, in the same way.
    budget_per_s : float, optional
        No more of them a second, by all users together.
    timeout_s : float
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(pattern=r"^/\S*$")]
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any] | list[Any] | str | None = None
    form: dict[str, str] | None = None
    auth: str = "default"
    success: tuple[Annotated[int, Field(ge=200, le=399)], ...] = ()
    nothing: tuple[Annotated[int, Field(ge=200, le=499)], ...] = ()
    take: dict[Name, str] = Field(default_factory=dict)
    maybe: dict[Name, str] = Field(default_factory=dict)
    budget_per_s: Annotated[float, Field(gt=0)] | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0

    @model_validator(mode="after")
    def _sound(self) -> Request:
        faults = [
            (f"{table}.{name}", f"is '{where}', should be a JSON pointer like '/id', or 'header:ETag'")
            for table in ("take", "maybe")
            for name, where in getattr(self, table).items()
            if not where.startswith(HEADER) and not _POINTER.fullmatch(where)
        ]
        if self.body is not None and self.form is not None:
            faults.append(("form", "stands beside a body; give one of them"))
        if faults:
            raise Faults(faults)
        return self

    def counts(self, status: int) -> bool:
        """Whether a status is a success."""
        return status in (self.success or range(200, 300)) or status in self.nothing

    @property
    def keyed(self) -> bool:
        """Whether a header tells the service that a request is the same as an earlier one."""
        return any("{key}" in value for value in self.headers.values())


class TargetFile(Frozen):
    """A service, as its file describes it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    title: str
    base_url: Annotated[str, Field(pattern=_URL)]
    values: dict[Name, str] = Field(default_factory=dict)
    auth: dict[str, Auth] = Field(default_factory=dict)
    operations: dict[Operation, Request]

    @model_validator(mode="after")
    def _all_known(self) -> TargetFile:
        faults = [fault for name, request in self.operations.items() for fault in self._faults(name, request)]
        for name, auth in self.auth.items():
            for where, place in templates.places(auth.model_dump(exclude={"kind"})):
                if place != "agent_token" and (what := self._unknown(place, {})):
                    faults.append((f"auth.{name}.{where}", what))
        if Operation.POST not in self.operations:
            faults.append(("operations", "has no post; without one nothing can be sent"))
        if faults:
            raise Faults(faults)
        return self

    def _faults(self, name: Operation, request: Request) -> Iterator[tuple[str, str]]:
        place = f"operations.{name}"
        known = dict.fromkeys(GIVEN[name], "")
        for before in BEFORE[name]:
            if before in self.operations:
                known |= self.operations[before].take
        for part in ("path", "query", "headers", "body", "form"):
            for where, used in templates.places(getattr(request, part), part):
                if what := self._unknown(used, known):
                    yield f"{place}.{where}", what
        if request.auth not in self.auth and not (request.auth == "default" and not self.auth):
            names = ", ".join(self.auth) or "none"
            yield f"{place}.auth", f"is '{request.auth}', which is not below [auth]; there are {names}"
        for needed in TAKEN_AS.get(name, ()):
            if needed not in request.take:
                yield f"{place}.take", f"has no '{needed}'; say where it is in the answer, such as '/id'"

    def _unknown(self, used: str, known: dict[str, str]) -> str | None:
        """What is wrong with a name in braces; None if it is known."""
        if used in "{}":
            return f"has a '{used}' without its partner; write '{used}{used}' for a brace"
        if _VARIABLE.fullmatch(used) or used in known or used in self.values:
            return None
        names = [*self.values, *known]
        near = nearest(used, names)
        hint = f"did you mean {{{near}}}?" if near else f"known here are {', '.join(names) or 'only {env:NAME}'}"
        return f"names {{{used}}}, which nothing gives; {hint}"

    @property
    def needs(self) -> list[str]:
        """Variables of the environment that it reads, sorted."""
        found = {place for _, place in templates.places(self.model_dump(mode="json"))}
        return sorted(place.removeprefix("env:") for place in found if _VARIABLE.fullmatch(place))


def load(path_or_name: Path | str) -> TargetFile:
    """Read a target file by name or path; raises `InputError` with all that is wrong in it."""
    return files.load(TargetFile, path_or_name, LIBRARY, "target")


def names() -> list[str]:
    """Targets of the library."""
    return files.library(LIBRARY)
