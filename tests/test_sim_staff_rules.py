"""Sets of rules: sources, faults, confirmation."""

import tomllib

import pytest

from scenarios.checks import check
from scenarios.errors import InputError
from sim.staff import rules
from sim.staff.rules import FOLDER, Rules


def data() -> dict[str, object]:
    return tomllib.loads((FOLDER / "dutch.toml").read_text("utf-8"))


def test_every_set_of_the_library_reads_and_is_not_confirmed() -> None:
    assert rules.names() == ["dutch"]
    note = rules.load("dutch").note
    assert note is not None and "not confirmed" in note and "no legal advice" in note


def test_a_confirmed_set_has_no_note() -> None:
    assert Rules.model_validate({**data(), "confirmed": True}).note is None


def test_all_faults_of_a_set_are_told_at_once() -> None:
    wrong = {**data(), "lengths_h": [13.0, 8.1], "contract_h": 70.0, "sources": {"rest": "a law"}}
    with pytest.raises(InputError) as caught:
        check(Rules, wrong, "own.toml")
    text = str(caught.value)
    for part in (
        "rest_h: has no source",
        "sources.rest",
        "lengths_h[0] is 13",
        "lengths_h[1] is 8.1",
        "contract_h is 70",
    ):
        assert part.replace(": has", " has") in text
    assert text.count("own.toml") == len(caught.value.faults) > 5
