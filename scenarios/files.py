"""Reading the files that a user writes: by name or path, one built on another, all faults at once.

`load` does it all; the steps are there for those who need one of them. Nothing here knows what a
scenario or a desk is. Writing and the cache folder are in `scenarios.storage`, and can be had from here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.checks import Model, check, nearest, shown
from scenarios.errors import Fault, Faults, InputError
from scenarios.places import Key
from scenarios.storage import cache_folder, redact, write_atomic
from scenarios.tomlfile import read_toml

__all__ = [
    "Document",
    "Faults",
    "cache_folder",
    "check",
    "library",
    "load",
    "merge",
    "read",
    "read_toml",
    "redact",
    "resolve",
    "write_atomic",
]

MAX_CHAIN = 8


def load(model_type: type[Model], path_or_name: Path | str, folder: Path, what: str) -> Model:
    """Read a file with all that it extends, and check it: `read`, then `check`.

    Parameters
    ----------
    model_type : subclass of pydantic.BaseModel
        What the file should hold.
    path_or_name, folder, what
        As for `resolve`.

    Raises
    ------
    InputError
        If there is no such file, if it cannot be read, or with all that is wrong in it.
    """
    return read(path_or_name, folder, what).check(model_type)


@dataclass(frozen=True)
class Document:
    """A file merged with all that it extends.

    `path` is the file itself, `data` the merged table without ``extends``, `layers` each file
    with what it says on its own, the file first, the last base last.
    """

    path: Path
    data: Mapping[str, Any]
    layers: tuple[tuple[Path, Mapping[str, Any]], ...]

    def check(self, model_type: type[Model]) -> Model:
        """Turn it into a checked value; a fault names the file that it sits in.

        Raises `InputError` as `scenarios.checks.check` does.
        """
        return check(model_type, self.data, self.path, self.owner)

    def owner(self, place: Sequence[Key]) -> Path:
        """Return the file that says what stands at `place`, or at the nearest place above it."""
        for depth in range(len(place), 0, -1):
            for path, own in self.layers:
                if _has(own, place[:depth]):
                    return path
        return self.path


def read(path_or_name: Path | str, folder: Path, what: str) -> Document:
    """Find a file, read it, and lay it over the file that it extends, and so on.

    A file may say ``extends = "quiet_week"``: a name of the library in `folder`, or a path
    relative to itself. See `merge` for what lies over what.

    Raises
    ------
    InputError
        As `resolve` and `read_toml`; also if files extend each other in a circle or if more than
        8 are chained.
    """
    path = resolve(path_or_name, folder, what)
    layers: list[tuple[Path, Mapping[str, Any]]] = []
    seen: list[str] = []
    while True:
        names = [layer[0] for layer in layers] + [path]
        here = os.path.realpath(path)
        if here in seen:
            circle = " -> ".join(str(name) for name in names[seen.index(here) :])
            raise InputError(layers[-1][0], [Fault("extends", f"goes in a circle: {circle}")])
        if len(names) > MAX_CHAIN:
            chain = " -> ".join(str(name) for name in names)
            raise InputError(names[0], [Fault("extends", f"is a chain of more than {MAX_CHAIN} files: {chain}")])
        table = read_toml(path)
        base = table.pop("extends", None)
        layers.append((path, table))
        seen.append(here)
        if base is None:
            break
        path = _base(path, base, folder, what)
    data: dict[str, Any] = {}
    for _, own in reversed(layers):
        data = merge(data, own)
    return Document(layers[0][0], data, tuple(layers))


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables merge key by key, all else replaces, lists as a whole.

    A table that names its ``kind`` replaces too: half a gamma law and half a lognormal one are
    neither. Both arguments stay as they are.
    """
    merged = dict(base)
    for key, value in own.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping) and "kind" not in value:
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def library(folder: Path) -> list[str]:
    """Return the names of the library in `folder`: its ``.toml`` files, without the ending, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def resolve(path_or_name: Path | str, folder: Path, what: str) -> Path:
    """Find the file that a word means: a name of the library, or a path.

    Parameters
    ----------
    path_or_name : Path or str
        A word with a folder or ``.toml`` in it is a path; another is first a name of the library,
        then a file of the current folder.
    folder : Path
        The library, a folder of ``.toml`` files.
    what : str
        What is looked for, for the message: "scenario", "desk", "plan".

    Raises
    ------
    InputError
        If there is no such name or file, with the nearest name of the library.
    """
    found = _find(str(path_or_name), folder, Path())
    if isinstance(found, Path):
        return found
    raise InputError(None, [Fault(f"{what} {shown(str(path_or_name))}", found)])


def _base(path: Path, base: object, folder: Path, what: str) -> Path:
    if not isinstance(base, str):
        wanted = f"is {shown(base)}, should be the name of a {what} or of a file, in quotes"
        raise InputError(path, [Fault("extends", wanted)])
    found = _find(base, folder, path.parent)
    if isinstance(found, Path):
        return found
    raise InputError(path, [Fault("extends", f"names {shown(base)}, which {found}")])


def _find(word: str, folder: Path, beside: Path) -> Path | str:
    """The file, or why there is none."""
    names = library(folder)
    if word in names:
        return folder / f"{word}.toml"
    path = beside / word
    if word and os.path.lexists(path) and (_is_path(word) or not path.is_dir()):
        return path
    stem = Path(word).stem
    near = nearest(stem, names)
    if not near:
        hint = f"the library has {', '.join(names)}" if names else "the library is empty"
    elif _is_path(word) and near == stem:
        hint = f"the library has '{stem}', without folder and ending"
    else:
        hint = f"did you mean '{near}'?"
    if _is_path(word):
        return f"does not exist; {hint}" if near else "does not exist"
    return f"is neither in the library nor a file; {hint}"


def _is_path(word: str) -> bool:
    return word.endswith(".toml") or "/" in word or os.sep in word


def _has(table: Any, place: Sequence[Key]) -> bool:
    here = table
    for key in place:
        if not isinstance(here, Mapping | list):
            return False
        entries: Any = here
        try:
            here = entries[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True
