"""Templates of a target file: text and JSON with places such as ``{text}`` or ``{env:TOKEN}`` in them.

A string that is one place and nothing else becomes the value itself (a number stays a number); in a
longer string it becomes its text. A member whose value is None is left out. ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from scenarios.errors import AshcloudError

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
ENVIRONMENT = "env:"
NAME = re.compile(r"[a-z][a-z0-9_]*")


class TemplateError(AshcloudError):
    """A value that a template needs is not there."""


def places(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every place in a template: (where it stands, its name). A brace without its partner is named as it stands."""
    if isinstance(value, str):
        for found in _PLACE.finditer(value):
            if found[0] not in ("{{", "}}"):
                yield where, found[1] if found[1] is not None else found[0]
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from places(each, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for i, each in enumerate(value):
            yield from places(each, f"{where}[{i}]")


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A template with its places filled; None where a whole string is a place without a value.

    Raises
    ------
    TemplateError
        If a name is not among the values, or a variable of the environment is not set.
    """
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole and whole[1] is not None:
            return _value(whole[1], values)
        return text(value, values)
    if isinstance(value, Mapping):
        made = {key: filled(each, values) for key, each in value.items()}
        return {key: each for key, each in made.items() if each is not None}
    if isinstance(value, list | tuple):
        return [each for each in (filled(each, values) for each in value) if each is not None]
    return value


def text(template: str, values: Mapping[str, Any], in_path: bool = False) -> str:
    """A string with its places filled; in a path, what is filled in cannot become another part of it."""

    def fill(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][:1]
        value = _value(found[1], values)
        if value is None:
            raise TemplateError(f"{{{found[1]}}} has no value here, in {template!r}")
        return quote(str(value), safe="") if in_path else str(value)

    return _PLACE.sub(fill, template)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name.startswith(ENVIRONMENT):
        variable = name.removeprefix(ENVIRONMENT)
        if variable not in os.environ:
            raise TemplateError(f"the target needs the environment variable {variable}, which is not set")
        return os.environ[variable]
    if name not in values:
        raise TemplateError(f"{{{name}}} has no value here; a step before it should have taken it")
    return values[name]
