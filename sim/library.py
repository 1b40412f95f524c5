"""Desks by name or file: the library's desks lie beside its scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import scenarios
from scenarios import files
from sim.desk import Desk

FOLDER = Path(scenarios.__file__).parent / "desks"


def names() -> list[str]:
    """Names of the desks in the library, in alphabetical order."""
    return files.library(FOLDER)


def load(name_or_path: str | Path) -> Desk:
    """The desk of this name in the library, or in this file.

    Raises
    ------
    InputError
        With everything that is wrong with the file, or names close to one that is unknown.
    """
    return files.load(Desk, name_or_path, FOLDER, "desk")


def schema() -> dict[str, Any]:
    """JSON Schema of a desk file, for editors."""
    return Desk.model_json_schema()
