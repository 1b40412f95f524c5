"""The digest of a scenario, a desk or any other value that a file describes."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel


def digest(value: BaseModel) -> str:
    """SHA-256 of the value's canonical JSON, in hexadecimal: the same for the same meaning, however written."""
    text = json.dumps(value.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
