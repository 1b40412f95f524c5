"""From a table read from a file to a checked model, with all faults at once in the user's words.

pydantic finds the faults. Here they get the place as the file has it (without the names of union
members that pydantic puts in between), one line instead of one for each member of a union that
did not fit, and a hint for misspelt keys and choices.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scenarios.errors import Fault, Faults, InputError
from scenarios.places import KEY_ITSELF, Key, Place, Tag, keys_of, place_text, split_place, tags_of, trail
from scenarios.storage import redact

Model = TypeVar("Model", bound=BaseModel)

_SHOWN_LETTERS = 60
_SHOWN_CHOICES = 24

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text in quotes",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "iterable": "a list",
    "dict": "a table",
    "mapping": "a table",
    "model": "a table",
    "model_attributes": "a table",
    "dataclass": "a table",
    "date": "a date like 2010-04-15",
    "datetime": "a date and time like 2010-04-15T06:00:00",
    "time": "a time like 06:30:00",
    "finite_number": "a finite number",
}
_OF_TYPE = re.compile(r"(.+?)_(?:type|parsing|from_float|from_date_parsing|from_datetime_parsing)$")
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
_WRONG_KIND = frozenset({"literal_error", "enum", "union_tag_not_found", "none_required"})


@dataclass(frozen=True)
class _Found:
    """One error of pydantic's, its trail through the models, and what else was wanted there."""

    error: ErrorDetails
    steps: Place
    wants: tuple[str, ...] = ()


def check(
    model_type: type[Model],
    data: Mapping[str, Any],
    path: Path | str,
    owner: Callable[[Sequence[Key]], Path] | None = None,
) -> Model:
    """Turn a table read from a file into a checked value.

    Parameters
    ----------
    model_type : subclass of pydantic.BaseModel
        What the table should be; it decides on unknown keys (``extra="forbid"``).
    data : mapping
        The table as TOML or JSON gives it.
    path : Path or str
        The file, for the messages only.
    owner : callable, (keys from the top) -> Path, optional
        Which file a place came from, where several were merged.

    Raises
    ------
    InputError
        With one fault for each thing that is wrong. A `Faults` raised by a validator of a model
        is taken apart; a `ValueError` of a validator is shown in its own words.
    """
    try:
        return model_type.model_validate(data)
    except ValidationError as error:
        errors = [e for e in error.errors(include_url=False) if not _is_an_echo(e)]
        found = [_Found(e, trail(model_type, e["loc"], data)) for e in errors]
    faults = [fault for one in _without_tags(found) for fault in _faults(model_type, data, one)]
    unique: dict[tuple[Place, str], Fault] = {}
    for place, what in faults:
        fault = Fault(place_text(place), what, owner(place) if owner else None)
        unique.setdefault((place, what), fault)
    raise InputError(path, unique.values())


def _is_an_echo(error: ErrorDetails) -> bool:
    """A list that is long enough is called too short when its entries are bad, which is said anyway."""
    return error["type"] == "too_short" and len(error["input"]) >= error.get("ctx", {})["min_length"]


def _faults(model_type: type[BaseModel], data: Mapping[str, Any], one: _Found) -> list[tuple[Place, str]]:
    cause = one.error.get("ctx", {}).get("error")
    if isinstance(cause, Faults):
        return [((*one.steps, *split_place(place)), what) for place, what in cause.pairs]
    if one.error["type"].startswith("union_tag"):
        return [_tag_fault(model_type, one)]
    return [(one.steps, _sentence(model_type, data, one))]


# --- unions -------------------------------------------------------------------------------------


def _without_tags(found: Iterable[_Found]) -> list[_Found]:
    """Keep, of each union, the member that the value comes nearest to; drop the member's name."""
    unions: dict[tuple[Place, bool], dict[str, list[_Found]]] = {}
    order: list[_Found | tuple[Place, bool]] = []
    for one in found:
        at = next((i for i, step in enumerate(one.steps) if isinstance(step, Tag)), None)
        if at is None:
            order.append(one)
            continue
        above = one.steps[:at]
        union = (above, KEY_ITSELF in one.error["loc"])
        if union not in unions:
            unions[union] = {}
            order.append(union)
        below = replace(one, steps=above + one.steps[at + 1 :])
        unions[union].setdefault(str(one.steps[at]), []).append(below)
    kept: list[_Found] = []
    for item in order:
        kept += [item] if isinstance(item, _Found) else _best_member(item[0], list(unions[item].values()))
    return kept


def _best_member(place: Place, members: list[list[_Found]]) -> list[_Found]:
    members = [_without_tags(member) for member in members]
    fitting = [m for m in members if not any(_is_wrong_kind(one, place) for one in m)]
    if fitting:
        return min(fitting, key=len)
    refusals = [one for member in members for one in member if one.steps == place]
    wants = dict.fromkeys(want for one in refusals for want in (one.wants or (_want(one.error),)))
    return [replace(refusals[0], wants=tuple(wants))]


def _is_wrong_kind(one: _Found, place: Place) -> bool:
    kind = one.error["type"]
    return one.steps == place and (kind in _WRONG_KIND or _OF_TYPE.match(kind) is not None)


def _tag_fault(model_type: type[BaseModel], one: _Found) -> tuple[Place, str]:
    context = one.error.get("ctx", {})
    key = str(context.get("discriminator", "")).strip("'")
    place = (*one.steps, key) if key.isidentifier() else one.steps
    if one.error["type"] == "union_tag_invalid":
        return place, _not_a_choice(context.get("tag"), _choices(context.get("expected_tags", "")))
    choices = tags_of(model_type, one.error["loc"], key)
    return place, "is missing" + (f"; use one of {_listed(choices)}" if choices else "")


# --- sentences ----------------------------------------------------------------------------------


def _sentence(model_type: type[BaseModel], data: Mapping[str, Any], one: _Found) -> str:
    error, kind = one.error, one.error["type"]
    context = error.get("ctx", {})
    if KEY_ITSELF in error["loc"]:
        choices = [c for want in one.wants or (_want(error),) for c in _choices(want)]
        return _unknown_key(one.steps[-1], choices) if choices else f"is a key that should be {_want(error)}"
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        known = keys_of(model_type, error["loc"][:-1])
        top = () if len(error["loc"]) == 1 else keys_of(model_type, ())
        return _unknown_key(one.steps[-1], known, top)
    if isinstance(context.get("error"), Exception):
        return str(context["error"]) or "is not accepted"
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        limit = context["min_length" if kind == "too_short" else "max_length"]
        return f"has {_counted(len(error['input']))}, should have {bound} {limit}"
    wants = one.wants or (_want(error),)
    choices = []
    if one.wants or kind in ("literal_error", "enum"):
        choices = [choice for want in wants for choice in _choices(want)]
    if choices and all(map(_choices, wants)):
        return _not_a_choice(error["input"], choices)
    if not one.wants and not _is_known(error):
        return f"is {shown(error['input'])}: {_own_words(error)}"
    be = "be " if _is_noun(error) else ""
    return f"is {shown(error['input'])}, should {be}{' or '.join(wants)}{_hint(error['input'], choices)}"


def _want(error: ErrorDetails) -> str:
    """What should stand there: a noun phrase for "should be ...", or what follows "should"."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        limit = context[name]
        return f"{words} {limit:g}" if isinstance(limit, int | float) else f"{words} {limit}"
    match = _OF_TYPE.match(kind)
    wanted = _WANTED.get(match[1] if match else kind)
    return wanted or _own_words(error)


def _own_words(error: ErrorDetails) -> str:
    message = re.sub(r", (unable|got) .*", "", error["msg"])
    found = re.match(r"\w+ should (?:be )?(.*)", message, re.DOTALL)
    return found[1] if found else message[:1].lower() + message[1:]


def _is_known(error: ErrorDetails) -> bool:
    return _want(error) != _own_words(error) or " should " in error["msg"]


def _is_noun(error: ErrorDetails) -> bool:
    return not re.match(r"\w+ should (?!be )", error["msg"])


def _unknown_key(key: object, known: Sequence[str], top: Sequence[str] = ()) -> str:
    near = nearest(str(key), known)
    if near:
        return f"is an unknown key; did you mean '{near}'?"
    if key in top:
        return "is an unknown key here; it belongs at the top of the file, above the first [table]"
    return "is an unknown key" + (f"; known here are {_listed(known)}" if known else "")


def _not_a_choice(value: object, choices: Sequence[str]) -> str:
    return f"is {shown(value)}, should be one of {_listed(choices)}{_hint(value, choices)}"


def _hint(value: object, choices: Iterable[str]) -> str:
    near = nearest(value, choices) if isinstance(value, str) else None
    return f"; did you mean '{near}'?" if near else ""


def _choices(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_CHOICES} more" if len(names) > _SHOWN_CHOICES else ""
    return ", ".join(names[:_SHOWN_CHOICES]) + more


def _counted(n: int) -> str:
    return f"{n} entry" if n == 1 else f"{n} entries"


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that `word` was probably meant to be, by letters or as a beginning; or None."""
    plain = {name.lower().replace("-", "_"): name for name in names}
    word = word.lower().replace("-", "_")
    found = difflib.get_close_matches(word, plain, n=1, cutoff=0.6)
    if not found and len(word) >= 3:
        found = [name for name in plain if name.startswith(word) or (len(name) >= 3 and word.startswith(name))]
    return plain[found[0]] if found else None


def shown(value: object) -> str:
    """Write a value as its TOML file has it: short, secrets hidden, tables and lists by their kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = redact(value)
            cut = text if len(text) <= _SHOWN_LETTERS else text[:_SHOWN_LETTERS] + "..."
            return json.dumps(cut, ensure_ascii=False)
        case date() | datetime() | time():
            return value.isoformat()
        case Mapping():
            return "a table"
        case list() | tuple():
            return f"a list of {_counted(len(value))}"
        case None:
            return "empty"
        case _:
            text = str(value)
            return text if len(text) <= _SHOWN_LETTERS else text[:_SHOWN_LETTERS] + "..."
