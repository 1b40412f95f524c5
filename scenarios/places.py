"""Where a fault sits: pydantic's trail through models and unions, as keys of the user's file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel

Key = str | int


class Tag(str):
    """The name that pydantic gives a member of a union; it does not stand in the file."""


KEY_ITSELF = "[key]"
"""What pydantic puts behind a key of a table when the key and not its value is at fault."""

Place = tuple[Key, ...]
"""Keys from the top of the file; a `Tag` among them marks a member of a union."""


def place_text(place: Sequence[Key]) -> str:
    """Write a place as a reader of TOML would: ``pools[2].shifts[0].start``."""
    text = ""
    for key in place:
        if isinstance(key, int):
            text += f"[{key}]"
        elif not isinstance(key, Tag):
            bare = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
            text += f".{bare}" if text else bare
    return text


def split_place(text: str) -> Place:
    """Take ``shifts[2].end_h`` apart again; the empty text is the empty place."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", text)
    return tuple(int(index) if index else name for index, name in parts)


def trail(model_type: type[BaseModel], loc: Sequence[Key], data: object) -> Place:
    """Follow a location of pydantic's through the types and mark what is not a key of the file.

    `data` is the whole file: where it has a plain value, the trail stops, for whatever a
    validator made of that value is not what the user wrote.
    """
    kinds: list[Any] = [model_type]
    steps: list[Key] = []
    here = data
    for at, key in enumerate(loc):
        if key == KEY_ITSELF:
            steps += [Tag(member) for member in loc[at + 1 :]]
            break
        members = _union_members(kinds)
        if members:
            steps.append(Tag(key))
            kinds = _members_named(members, str(key))
        elif isinstance(here, Mapping | list | tuple):
            steps.append(key)
            kinds = [child for kind in kinds for child in _below(kind, key)]
            here = _entry(here, key)
        else:
            break
    return tuple(steps)


def keys_of(model_type: type[BaseModel], loc: Sequence[Key]) -> list[str]:
    """Return the keys that the table at a location of pydantic's may have."""
    names = [
        field.alias or name
        for kind in _kinds_at(model_type, loc)
        if _is_model(kind)
        for name, field in kind.model_fields.items()
    ]
    return list(dict.fromkeys(names))


def tags_of(model_type: type[BaseModel], loc: Sequence[Key], key: str) -> list[str]:
    """Return the values of `key` that tell the members of the union at a location apart."""
    members = _union_members(_kinds_at(model_type, loc))
    return [tag for member in members for tag in _literals(member, key)]


def _kinds_at(model_type: type[BaseModel], loc: Sequence[Key]) -> list[Any]:
    kinds: list[Any] = [model_type]
    for key in loc:
        members = _union_members(kinds)
        if members:
            kinds = _members_named(members, str(key))
        else:
            kinds = [child for kind in kinds for child in _below(kind, key)]
    return [_plain(kind) for kind in kinds]


def _entry(table: Mapping[Any, Any] | Sequence[Any], key: Key) -> object:
    """What lies at `key`; an empty table where nothing does, so that a missing key keeps its name."""
    try:
        return table[key]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return {}


def _plain(kind: Any) -> Any:
    """The type without annotations, aliases, and the None that makes it optional."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif hasattr(kind, "__value__"):  # a `type X = ...` alias
            kind = kind.__value__
        elif get_origin(kind) in (Union, UnionType):
            members = [member for member in get_args(kind) if member is not NoneType]
            if len(members) != 1:
                return kind
            kind = members[0]
        else:
            return kind


def _union_members(kinds: Sequence[Any]) -> list[Any]:
    """The members that pydantic names in its locations; empty where it names none."""
    if len(kinds) != 1:
        return []
    kind = _plain(kinds[0])
    if get_origin(kind) not in (Union, UnionType):
        return []
    return [member for member in get_args(kind) if member is not NoneType]


def _members_named(members: Sequence[Any], name: str) -> list[Any]:
    fits = [member for member in members if _goes_by(member, name)]
    return fits or [member for member in members if get_origin(_plain(member)) not in (Union, UnionType)]


def _goes_by(member: Any, name: str) -> bool:
    plain = _plain(member)
    if get_origin(plain) in (Union, UnionType):
        return "union[" in name
    if _is_model(plain) and any(name in _literals(plain, key) for key in plain.model_fields):
        return True
    own = getattr(get_origin(plain) or plain, "__name__", "")
    return bool(own) and re.search(rf"\b{re.escape(own)}\b", name, re.IGNORECASE) is not None


def _literals(kind: Any, key: str) -> list[str]:
    plain = _plain(kind)
    if not _is_model(plain) or key not in plain.model_fields:
        return []
    annotation = _plain(plain.model_fields[key].annotation)
    if get_origin(annotation) is not Literal:
        return []
    return [str(tag.value if isinstance(tag, Enum) else tag) for tag in get_args(annotation)]


def _below(kind: Any, key: Key) -> list[Any]:
    """The type of the entry `key` of a value of type `kind`, as a list of none or one."""
    plain = _plain(kind)
    if _is_model(plain):
        for name, field in plain.model_fields.items():
            if key in (name, field.alias):
                return [field.annotation]
        return []
    origin, args = get_origin(plain), get_args(plain)
    if not isinstance(origin, type) or not args:
        return []
    if issubclass(origin, Mapping):
        return [args[1]]
    if issubclass(origin, tuple) and args[-1] is not Ellipsis:
        return [args[key]] if isinstance(key, int) and key < len(args) else []
    return [args[0]]


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
