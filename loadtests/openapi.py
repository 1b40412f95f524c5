"""Draft a target file from the description of an API (OpenAPI 3, JSON): guesses that somebody must look through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from loadtests.operations import BEFORE, GIVEN, TAKEN_AS, Operation
from scenarios.errors import Fault, InputError

SET = "set-me"
METHODS = ("get", "post", "put", "patch", "delete")
_WORD = re.compile(r"[a-z]+")
_PARAMETER = re.compile(r"\{([^}]+)\}")

# For each operation: methods, words that speak for it in path and id, whether the path ends in a parameter.
_SIGNS: Mapping[Operation, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Operation.POST: (("post",), ("mention", "mentions", "message", "messages", "post", "posts", "inbound", "webhook")),
    Operation.CUSTOMER: (("post",), ("contact", "contacts", "customer", "customers")),
    Operation.CASE: (("post",), ("conversation", "conversations", "ticket", "tickets", "case", "cases")),
    Operation.CLAIM: (("post", "get"), ("claim", "claims", "next", "assign", "assignment")),
    Operation.READ: (("get",), ("case", "conversation", "ticket", "read")),
    Operation.REPLY: (("post", "put"), ("reply", "replies", "answer", "comment", "respond")),
    Operation.TRANSFER: (("post", "put"), ("transfer", "handover")),
    Operation.RELEASE: (("post", "put"), ("release", "unassign")),
    Operation.PAYMENT_LINK: (("post",), ("paylink", "paylinks", "payment", "payments")),
    Operation.CREW_NOTICE: (("post",), ("notice", "notices", "crew")),
    Operation.ON_DUTY: (("put", "post", "patch"), ("presence", "availability", "online")),
}
_MEANINGS: tuple[tuple[str, str], ...] = (  # what a name of theirs probably is, in our words; the first that fits
    (r"(^|_)(text|content|message|body|comment)$", "text"), (r"(^|_)lang(uage)?s?$", "language"),
    (r"external_?id|message_?id|echo_?id", "post"), (r"external_?user|author|identifier|sender", "author"),
    (r"to_?lang(uage)?", "to_language"), (r"handle|screen_?name", "handle"), (r"agent(_?id)?$", "agent"),
    (r"(case|conversation|ticket)(_?id)?$", "case"), (r"(contact|customer)(_?id)?$", "customer"),
    (r"platform|channel", "platform"), (r"posted_?at|created_?at|timestamp", "posted_at"),
    (r"^(is_?)?public$", "public"), (r"followers|influence", "followers"), (r"(^|_)name$", "name"),
    (r"currency", "currency"), (r"amount", "amount_minor"), (r"flight|^no$", "flight"), (r"^(day|date)$", "day"),
    (r"capacity|^max$", "capacity"),
)  # fmt: skip


@dataclass
class Draft:
    """A target file in the making, and what the user should look at."""

    table: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def to_toml(self) -> str:
        head = ["Drafted from a description of the API. Look through it:", *self.notes]
        return "".join(f"# {line}\n" for line in head) + "\n" + tomli_w.dumps(self.table)


def read(path: Path) -> dict[str, Any]:
    """Read a description; raises `InputError` if it is none, or not JSON."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        why = (fault.strerror or str(fault)).lower() if isinstance(fault, OSError) else "is not UTF-8"
        raise InputError(path, [Fault("", f"cannot be read: {why}")]) from None
    try:
        told = json.loads(text)
    except ValueError as fault:
        hint = "is YAML, it seems; give it as JSON" if text.lstrip().startswith("openapi:") else f"is no JSON ({fault})"
        raise InputError(path, [Fault("", hint)]) from None
    if not isinstance(told, dict) or not isinstance(told.get("paths"), dict) or not told["paths"]:
        raise InputError(path, [Fault("", "is no description of an API; it should be OpenAPI 3 and have paths")])
    return told


def draft(told: Mapping[str, Any], name: str) -> Draft:
    """Guess what each operation is called there.

    Parameters
    ----------
    told : mapping
        OpenAPI 3.
    name : str
        Of the target.

    Notes
    -----
    Every word that an operation is known by and that stands in the path, the id or the summary of an
    endpoint counts; the last part of the path counts most. Names that mean nothing to us become
    ``[values]``, to be set.
    """
    out = Draft({"name": name, "title": str(told.get("info", {}).get("title", name)), "base_url": _base(told)})
    values: dict[str, str] = {}
    operations: dict[str, Any] = {}
    endpoints = list(_endpoints(told))
    for operation in Operation:
        best = max(((_score(operation, each), each) for each in endpoints), key=lambda pair: pair[0], default=None)
        if operation in _SIGNS and best is not None and best[0] > 0:
            operations[operation.value] = _request(told, operation, best[1], operations, values, out.notes)
    if Operation.POST.value not in operations:
        operations["post"] = {"method": "POST", "path": "/set-me", "body": {"text": "{text}"}}
        out.notes.append("operations.post: nothing there looks as if it took posts; write it by hand.")
    missing = [each.value for each in _SIGNS if each.value not in operations]
    if missing:
        out.notes.append(f"Nothing there looks like {', '.join(missing)}; customers and agents go without.")
    if values:
        out.table["values"] = values
        out.notes.append(f"values: set {', '.join(values)}.")
    out.table["auth"] = {"default": _auth(told)}
    out.table["operations"] = operations
    return out


@dataclass(frozen=True)
class _Endpoint:
    method: str
    path: str
    about: Mapping[str, Any]

    @property
    def parts(self) -> list[str]:
        return [part for part in self.path.split("/") if part]


def _endpoints(told: Mapping[str, Any]) -> Iterator[_Endpoint]:
    for path, methods in told["paths"].items():
        for method in METHODS:
            if isinstance(methods, dict) and isinstance(methods.get(method), dict):
                yield _Endpoint(method, str(path), methods[method])


def _score(operation: Operation, end: _Endpoint) -> float:
    methods, words = _SIGNS.get(operation, ((), ()))
    if end.method not in methods or not end.parts:
        return 0.0
    named = [part for part in end.parts if not part.startswith("{")]
    last = set(_WORD.findall(named[-1].lower())) if named else set()
    others = {word for part in named[:-1] for word in _WORD.findall(part.lower())}
    said = set(_WORD.findall(f"{end.about.get('operationId', '')} {end.about.get('summary', '')}".lower()))
    score = 4.0 * len(last & set(words)) + 1.0 * len(said & set(words))
    score += 0.5 * len(others & set(words)) if score else 0.0
    if operation is Operation.READ:
        score = score + 2.0 if end.parts[-1].startswith("{") and last & {"cases", "conversations", "tickets"} else 0.0
    elif score and end.parts[-1].startswith("{"):
        score -= 2.0
    return score - 0.1 * len(end.parts) if score > 0 else 0.0


def _request(
    told: Mapping[str, Any], operation: Operation, end: _Endpoint, before: Mapping[str, Any],
    values: dict[str, str], notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    known = {*GIVEN[operation]}
    for each in BEFORE[operation]:
        known |= before.get(each.value, {}).get("take", {}).keys()

    def place(name: str, kind: str = "value") -> str:
        meant = next((ours for sign, ours in _MEANINGS if re.search(sign, name.lower()) and ours in known), None)
        if meant is None:
            meant = re.sub(r"[^a-z0-9_]", "_", name.lower()).strip("_") or kind
            meant = meant if meant[0].isalpha() else f"v_{meant}"
            values.setdefault(meant, SET)
        return f"{{{meant}}}"

    out: dict[str, Any] = {"method": end.method.upper(), "path": _PARAMETER.sub(lambda m: place(m[1]), end.path)}
    schema = _schema(told, end)
    if schema is not None:
        out["body"] = _body(told, schema, place, 0)
    taken = TAKEN_AS.get(operation, ())
    if taken:
        out["take"] = dict.fromkeys(taken, "/id")
        notes.append(f"operations.{operation}.take: say where the answer has {', '.join(taken)}.")
    notes.append(f"operations.{operation}: {end.method.upper()} {end.path}, by its name.")
    return out


def _schema(told: Mapping[str, Any], end: _Endpoint) -> Any:
    content = _resolved(told, end.about.get("requestBody", {})).get("content", {})
    return next((each.get("schema") for kind, each in content.items() if kind.endswith("json")), None)


def _body(told: Mapping[str, Any], schema: Any, place: Any, depth: int) -> Any:
    """A template of what a schema wants: what it requires, and what means something to us."""
    schema = _resolved(told, schema)
    for way in ("oneOf", "anyOf", "allOf"):
        if schema.get(way):
            schema = _resolved(told, next((s for s in schema[way] if s.get("type") != "null"), schema[way][0]))
    if schema.get("type") == "array":
        return [_body(told, schema.get("items", {}), place, depth + 1)] if depth < 4 else []
    if schema.get("type") != "object" and "properties" not in schema:
        return "{text}"
    out: dict[str, Any] = {}
    required = set(schema.get("required", ()))
    for name, each in schema.get("properties", {}).items():
        inner = _resolved(told, each)
        if name not in required and not _speaks(name):
            continue
        if inner.get("type") in ("array", "object") and depth < 4 and (name in required):
            out[name] = _body(told, inner, place, depth + 1)
        elif ("const" in inner or inner.get("enum")) and not _speaks(name):
            out[name] = inner.get("const", (inner.get("enum") or [SET])[0])
        elif name in required or inner.get("type") == "string":
            out[name] = place(name)
    return out


def _speaks(name: str) -> bool:
    """Whether a name means something to us."""
    return any(re.search(sign, name.lower()) for sign, _ in _MEANINGS)


def _resolved(told: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """What a reference points at."""
    for _ in range(10):
        if not isinstance(value, dict) or "$ref" not in value:
            break
        found: Any = told
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, dict) else {}
        value = found
    return value if isinstance(value, dict) else {}


def _base(told: Mapping[str, Any]) -> str:
    servers = told.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    return url.rstrip("/") if re.match(r"https?://[^\s/?#@{}]+", url) else "http://127.0.0.1:8000"


def _auth(told: Mapping[str, Any]) -> dict[str, str]:
    schemes = told.get("components", {}).get("securitySchemes", {})
    for each in schemes.values():
        flow = each.get("flows", {}).get("clientCredentials")
        if each.get("type") == "oauth2" and flow:
            secret = {"client_id": "{env:CARE_CLIENT_ID}", "client_secret": "{env:CARE_CLIENT_SECRET}"}
            return {"kind": "oauth2", "token_url": str(flow.get("tokenUrl", "/oauth/token")), **secret}
        if each.get("type") == "http" and each.get("scheme") == "bearer":
            return {"kind": "bearer", "token": "{env:CARE_TOKEN}"}
        if each.get("type") == "apiKey" and each.get("in") == "header":
            return {"kind": "header", "name": str(each["name"]), "value": "{env:CARE_TOKEN}"}
    return {"kind": "open"}
