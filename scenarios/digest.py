"""The digest of a scenario, a desk or any other value that a file describes."""

from __future__ import annotations

import hashlib
import json
import weakref
from contextlib import suppress

from pydantic import BaseModel

_KNOWN: dict[int, tuple[weakref.ref[BaseModel], str]] = {}
"""Digests of values that are still alive, by their place: a desk of a thousand steps takes 20 ms, run after run."""


def digest(value: BaseModel) -> str:
    """SHA-256 of the value's canonical JSON, in hexadecimal: the same for the same meaning, however written.

    The value must be frozen: its digest is worked out once.
    """
    place = id(value)
    known = _KNOWN.get(place)
    if known is not None and known[0]() is value:
        return known[1]
    text = json.dumps(value.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    found = hashlib.sha256(text.encode()).hexdigest()
    if value.model_config.get("frozen"):
        with suppress(TypeError):  # what cannot be watched is not remembered
            _KNOWN[place] = weakref.ref(value, lambda _: _KNOWN.pop(place, None)), found
    return found
