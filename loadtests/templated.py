"""Posts as a target file has them, for the lean way: one request a post, and nothing that hangs on earlier answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests import target_file, templates
from loadtests.entry import let_in
from loadtests.operations import Operation
from loadtests.talk import written
from loadtests.target import Target
from loadtests.target_file import Request, TargetFile

STAND_IN = "00000000"


class Templated:
    """Makes the requests of a target file; secrets are read from the environment, here and now.

    What other operations take has a stand-in, which is good enough to see how long a request becomes; the lean way
    is not taken where a post needs it.
    """

    def __init__(self, target: Target, operation: Operation = Operation.POST) -> None:
        assert target.file is not None
        file = target_file.load(target.file)
        self._request = file.operations[operation]
        self._auth = file.auth.get(self._request.auth)
        taken = {name for request in file.operations.values() for name in request.take}
        self._values = {**dict.fromkeys(taken, STAND_IN), **file.values}
        self._prefix, self._netloc = target.prefix, target.netloc
        self.counts, self.budget_per_s = self._request.counts, self._request.budget_per_s

    def made(self, values: Mapping[str, Any]) -> bytes:
        """The request of a post."""
        known = {**self._values, **values}
        path, headers, body = written(self._request, known)
        headers |= let_in(self._auth, known, body)
        lines = [f"{self._request.method} {self._prefix}{path} HTTP/1.1", f"Host: {self._netloc}"]
        lines += ["User-Agent: ashcloud", "Connection: keep-alive"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def target_of(word: str, ca: Path | None = None, metrics_url: str | None = None) -> Target:
    """The target that a file or a name of the library describes.

    Raises
    ------
    InputError
        If the file is wrong.
    TemplateError
        If a variable of the environment is not set.
    """
    file = target_file.load(word)
    for operation in (Operation.CUSTOMER, Operation.CASE, Operation.POST):
        if (request := file.operations.get(operation)) is not None:
            _look_up(request, file)  # what is not set is said now, not by a worker
    return Target(file.base_url, file.operations[Operation.POST].path, ca=ca, metrics_url=metrics_url, file=str(word))


def _look_up(request: Request, file: TargetFile) -> None:
    auth = file.auth.get(request.auth)
    parts = [request.path, request.query, request.headers, request.body, request.form]
    used = {place for part in parts for _, place in templates.places(part)}
    used |= set() if auth is None else {place for _, place in templates.places(auth.model_dump())}
    for place in used:
        if place.startswith(templates.ENVIRONMENT):
            templates.text(f"{{{place}}}", {})
