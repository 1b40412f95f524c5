"""What pydantic finds, told in the user's words: places, values, hints, one line for each fault."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from scenarios.checks import check, shown
from scenarios.errors import Fault, Faults, InputError
from scenarios.places import place_text, split_place


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gamma(Strict):
    kind: Literal["gamma"]
    mean_value: float = Field(alias="mean", gt=0)
    cv: float = Field(default=1.0, ge=0, le=10)


class Constant(Strict):
    kind: Literal["constant"]
    value: float


def _number_is_constant(value: Any) -> Any:
    return {"kind": "constant", "value": value} if isinstance(value, int | float) else value


Law = Annotated[Gamma | Constant, Field(discriminator="kind")]
NumberOrLaw = Annotated[
    Annotated[Gamma, Field()] | Annotated[Constant, AfterValidator(lambda law: law)],
    Field(discriminator="kind"),
    BeforeValidator(_number_is_constant),
]


class Language(StrEnum):
    EN = "en"
    NL = "nl"


class Shift(Strict):
    start_h: float
    end_h: float
    heads: int = Field(default=1, strict=True)

    @model_validator(mode="after")
    def _ordered(self) -> "Shift":
        if self.end_h <= self.start_h:
            raise ValueError(f"ends at {self.end_h:g}, before it starts")
        return self


class Pool(Strict):
    name: Annotated[str, Field(min_length=1, pattern="^[a-z]+$")]
    shifts: tuple[Shift, ...] = ()
    languages: dict[Language, float] = {}
    work: Law | None = None
    patience: NumberOrLaw | None = None

    @field_validator("name")
    @classmethod
    def _not_us(cls, name: str) -> str:
        if name == "us":
            raise ValueError("the name 'us' is taken")
        return name


class Rows(Strict):
    rows: list[tuple[float, float]]


class Desk(Strict):
    pools: list[Pool] = Field(default=[], max_length=3)
    order: Literal["longest_idle", "random"] = "random"
    plan: str | Rows | None = None
    rate: float | Law = 1.0
    to: Literal["same"] | Language = "same"
    handling: dict[Language | Literal["default"], Law] = {}
    steps: list[tuple[float, int]] = []
    opened: datetime | None = None
    span: tuple[float, float] = (0.0, 1.0)

    @model_validator(mode="after")
    def _plan(self) -> "Desk":
        if self.plan == "bad":
            raise Faults(
                [
                    ("plan", "is bad"),
                    ("pools[0].shifts[1]", "two of them"),
                    ("", "nothing fits"),
                    ("plan", "is bad"),
                ]
            )
        return self


def faults(model: type[BaseModel], data: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        check(model, data, "desk.toml")
    return [str(fault) for fault in caught.value.faults]


GOOD = {"name": "a"}


def test_a_good_table_becomes_a_value() -> None:
    desk = check(Desk, {"pools": [{"name": "a", "shifts": [{"start_h": 1, "end_h": 9}]}]}, Path("desk.toml"))
    assert desk.pools[0].shifts[0] == Shift(start_h=1, end_h=9)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"order": "randon"},
            "order is \"randon\", should be one of longest_idle, random; did you mean 'random'?",
        ),
        ({"order": 3}, "order is 3, should be one of longest_idle, random"),
        ({"pool": []}, "pool is an unknown key; did you mean 'pools'?"),
        ({"Pools": []}, "Pools is an unknown key; did you mean 'pools'?"),
        ({"pools": {}}, "pools is a table, should be a list"),
        ({"pools": [GOOD] * 4}, "pools has 4 entries, should have at most 3"),
        ({"pools": [{}]}, "pools[0].name is missing"),
        ({"pools": ["a"]}, 'pools[0] is "a", should be a table'),
        ({"pools": [{"name": 1}]}, "pools[0].name is 1, should be text in quotes"),
        ({"pools": [{"name": ""}]}, 'pools[0].name is "", should have at least 1 character'),
        ({"pools": [{"name": "A"}]}, "pools[0].name is \"A\", should match pattern '^[a-z]+$'"),
        ({"pools": [{"name": "us"}]}, "pools[0].name: the name 'us' is taken"),
        ({"span": [1]}, "span[1] is missing"),
        ({"span": [1, 2, 3]}, "span has 3 entries, should have at most 2"),
        ({"opened": "soon"}, 'opened is "soon", should be a date and time like 2010-04-15T06:00:00'),
        ({"steps": [[0, 1], [1, 2.5]]}, "steps[1][1] is 2.5, should be a whole number"),
        ({"pools": [{**GOOD, "order": "x"}]}, None),
    ],
)
def test_each_fault_says_where_what_and_what_instead(data: dict[str, Any], said: str | None) -> None:
    above = "pools[0].order is an unknown key here; it belongs at the top of the file, above the first [table]"
    assert faults(Desk, data) == [said or above]


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ({"start": 8}, ["start_h is missing", "start is an unknown key; did you mean 'start_h'?"]),
        ({"start_h": 9}, ["ends at 4, before it starts"]),
        ({"start_h": 1, "heads": "2"}, ['heads is "2", should be a whole number']),
        ({"start_h": True and 1, "heads": 1.0}, ["heads is 1.0, should be a whole number"]),
        ({"start_h": 1, "zz": 1}, ["zz is an unknown key; known here are start_h, end_h, heads"]),
    ],
)
def test_faults_deep_inside_have_their_whole_place(shift: dict[str, Any], said: list[str]) -> None:
    data = {"pools": [GOOD, GOOD, {"name": "c", "shifts": [{"end_h": 4, **shift}]}]}
    place = "pools[2].shifts[0]"
    assert faults(Desk, data) == [f"{place} {line}" if line.startswith("ends") else f"{place}.{line}" for line in said]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({"kind": "gama"}, "work.kind is \"gama\", should be one of gamma, constant; did you mean 'gamma'?"),
        ({"mean": 1}, "work.kind is missing; use one of gamma, constant"),
        ({"kind": "gamma", "mean": -1}, "work.mean is -1, should be above 0"),
        ({"kind": "gamma"}, "work.mean is missing"),
        ({"kind": "gamma", "mean": 1, "cv": 11}, "work.cv is 11, should be at most 10"),
        ({"kind": "gamma", "mean": 1, "cw": 1}, "work.cw is an unknown key; known here are kind, mean, cv"),
        (
            {"kind": "gamma", "mean_value": 1, "mean": 1},
            "work.mean_value is an unknown key; did you mean 'mean'?",
        ),
        (3, "work is 3, should be a table"),
    ],
)
def test_the_tag_of_a_union_is_no_part_of_the_place(work: object, said: str) -> None:
    assert faults(Desk, {"pools": [{"name": "a", "work": work}]}) == [f"pools[0].{said}"]


def test_a_value_that_a_validator_unfolds_keeps_the_place_that_the_user_wrote() -> None:
    nan = float("nan")
    assert faults(Desk, {"pools": [{"name": "a", "patience": {"kind": "constant", "value": "x"}}]}) == [
        'pools[0].patience.value is "x", should be a number'
    ]

    class Positive(Strict):
        law: Annotated[Gamma, BeforeValidator(lambda v: {"kind": "gamma", "mean": v})]

    assert faults(Positive, {"law": -3}) == ["law is -3, should be above 0"]
    assert faults(Positive, {"law": nan}) == ["law is nan, should be above 0"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"rate": "x"}, 'rate is "x", should be a number or a table'),
        ({"rate": {"kind": "gamma"}}, "rate.mean is missing"),
        (
            {"rate": {"kind": "gamm"}},
            "rate.kind is \"gamm\", should be one of gamma, constant; did you mean 'gamma'?",
        ),
        ({"plan": 3}, "plan is 3, should be text in quotes or a table"),
        ({"plan": {"row": []}}, None),
        ({"plan": {"rows": [[1, 2], [1, "x"]]}}, 'plan.rows[1][1] is "x", should be a number'),
        ({"to": "sam"}, "to is \"sam\", should be one of same, en, nl; did you mean 'same'?"),
        ({"to": "ne"}, 'to is "ne", should be one of same, en, nl'),
        (
            {"handling": {"dflt": {"kind": "constant", "value": 1}}},
            "handling.dflt is an unknown key; did you mean",
        ),
        ({"handling": {"en": {"kind": "constant"}}}, "handling.en.value is missing"),
    ],
)
def test_a_union_gives_one_line_not_one_for_each_member(data: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert faults(Desk, data) == [
            "plan.rows is missing",
            "plan.row is an unknown key; did you mean 'rows'?",
        ]
    else:
        (line,) = faults(Desk, data)
        assert line.startswith(said)


def test_a_bad_key_and_its_bad_value_are_both_told() -> None:
    assert faults(Desk, {"handling": {"xx": {"kind": "constant"}}}) == [
        "handling.xx is an unknown key; known here are en, nl, default",
        "handling.xx.value is missing",
    ]
    assert faults(Desk, {"pools": [{"name": "a", "languages": {"nn": "x"}}]}) == [
        "pools[0].languages.nn is an unknown key; known here are en, nl",
        'pools[0].languages.nn is "x", should be a number',
    ]


def test_all_faults_come_at_once() -> None:
    data = {"order": "x", "pools": [{}, {"name": 1}], "span": "wide", "sped": 1}
    assert len(faults(Desk, data)) == 5


def test_a_validator_may_report_several_faults_each_with_its_place() -> None:
    assert faults(Desk, {"plan": "bad"}) == ["plan is bad", "pools[0].shifts[1]: two of them", "nothing fits"]


class House(Strict):
    desks: list[Desk]


def test_the_places_of_a_validator_are_appended_to_the_place_of_its_model() -> None:
    assert faults(House, {"desks": [{}, {"plan": "bad"}]}) == [
        "desks[1].plan is bad",
        "desks[1].pools[0].shifts[1]: two of them",
        "desks[1]: nothing fits",
    ]


def test_every_fault_may_have_its_own_file() -> None:
    with pytest.raises(InputError) as caught:
        check(Desk, {"order": 1, "span": 2}, "a.toml", owner=lambda place: Path(f"{place[0]}.toml"))
    assert caught.value.path == Path("a.toml")
    assert caught.value.faults[1] == Fault("span", "is 2, should be a list", Path("span.toml"))
    assert str(caught.value).splitlines()[1] == "span.toml: span is 2, should be a list"


def test_a_bug_in_a_validator_stays_a_bug() -> None:
    class Broken(Strict):
        a: Annotated[int, AfterValidator(lambda _: [][0])]

    with pytest.raises(IndexError):
        check(Broken, {"a": 1}, "a.toml")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("a\n\x1b", '"a\\n\\u001b"'),
        ("é" * 100, '"' + "é" * 60 + '..."'),
        ("db://u:secret@h", '"db://u:***@h"'),
        (1.50, "1.5"),
        (float("inf"), "inf"),
        ({}, "a table"),
        ([1], "a list of 1 entry"),
        (datetime(2010, 4, 15), "2010-04-15T00:00:00"),
        (None, "empty"),
        (10**100, "1" + "0" * 59 + "..."),
    ],
)
def test_values_are_shown_as_toml_has_them(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("text", ["", "a", "a.b", "pools[2].shifts[0].start", "a[0][1]"])
def test_a_place_can_be_taken_apart_and_put_together(text: str) -> None:
    assert place_text(split_place(text)) == text


def test_an_odd_key_is_shown_in_quotes() -> None:
    assert place_text(("a b", 0, "c\n")) == '"a b"[0]."c\\n"'
