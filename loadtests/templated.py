"""Posts as a target file has them, for the replay: one request a post, and nothing that hangs on earlier answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests import target_file, templates
from loadtests.entry import signed
from loadtests.operations import GIVEN, Operation
from loadtests.talk import written
from loadtests.target import Target
from loadtests.target_file import Bearer, Header, OAuth2, Signed
from scenarios.errors import Fault, InputError


class Templated:
    """Makes the requests of a target file; secrets are read from the environment, here and now."""

    def __init__(self, target: Target) -> None:
        assert target.file is not None
        file = target_file.load(target.file)
        self._request = file.operations[Operation.POST]
        self._auth = file.auth.get(self._request.auth)
        self._values = dict(file.values)
        self._prefix, self._netloc = target.prefix, target.netloc
        self.counts, self.budget_per_s = self._request.counts, self._request.budget_per_s

    def made(self, values: Mapping[str, Any]) -> bytes:
        """The request of a post."""
        known = {**self._values, **values}
        path, headers, body = written(self._request, known)
        match self._auth:
            case Bearer(token=token):
                headers["Authorization"] = f"Bearer {templates.text(token, known)}"
            case Header(name=name, value=value):
                headers[name] = templates.text(value, known)
            case Signed(secret=secret):
                headers |= signed(templates.text(secret, known), str(known["key"]), str(known["now_s"]), body)
        lines = [f"{self._request.method} {self._prefix}{path} HTTP/1.1", f"Host: {self._netloc}"]
        lines += ["User-Agent: ashcloud", "Connection: keep-alive"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def target_of(word: str, ca: Path | None = None, metrics_url: str | None = None) -> Target:
    """The target that a file or a name of the library describes.

    Raises
    ------
    InputError
        If the file is wrong, or a post there hangs on earlier answers or on a token that must be renewed.
    TemplateError
        If a variable of the environment is not set.
    """
    file = target_file.load(word)
    request = file.operations[Operation.POST]
    auth = file.auth.get(request.auth)
    known = {*GIVEN[Operation.POST], *file.values}
    parts = [request.path, request.query, request.headers, request.body, request.form]
    used = {place for part in parts for _, place in templates.places(part)}
    wrong: list[Fault] = []
    if earlier := sorted(place for place in used - known if not place.startswith(templates.ENVIRONMENT)):
        what = f"needs {{{earlier[0]}}} of an earlier answer; a replay only writes posts, play it with loadtests.drill"
        wrong.append(Fault("operations.post", what))
    if isinstance(auth, OAuth2):
        what = "is oauth2, whose tokens a replay does not renew; play it with loadtests.drill"
        wrong.append(Fault(f"auth.{request.auth}", what))
    if wrong:
        raise InputError(word, wrong)
    used |= set() if auth is None else {place for _, place in templates.places(auth.model_dump())}
    for place in used:
        if place.startswith(templates.ENVIRONMENT):
            templates.text(f"{{{place}}}", {})  # what is not set is said now, not by a worker
    return Target(file.base_url, request.path, ca=ca, metrics_url=metrics_url, file=str(word))
