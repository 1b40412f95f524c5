"""The error tree and how a fault reads."""

import pytest

from scenarios import errors
from scenarios.errors import AshcloudError, Fault, Faults, InputError


def test_all_that_a_user_can_cause_has_one_base_and_exit_code_2_or_3() -> None:
    named = [getattr(errors, name) for name in dir(errors) if name.endswith("Error")]
    assert len(named) >= 6
    assert all(issubclass(error, AshcloudError) for error in named)
    assert [error.__name__ for error in named if error.exit_code != 2] == ["ComponentError"]
    assert errors.ComponentError.exit_code == 3


def test_the_tree_in_the_docstring_names_every_error() -> None:
    named = [name for name in dir(errors) if name.endswith("Error")]
    assert errors.__doc__ is not None
    assert [name for name in named if name not in errors.__doc__] == []


@pytest.mark.parametrize(
    ("place", "what", "line"),
    [
        ("surges[1].peak", "is 900, below 1200", "surges[1].peak is 900, below 1200"),
        ("turns", "the shares sum to 1.2, not to 1", "turns: the shares sum to 1.2, not to 1"),
        ("line 3", "expected a value", "line 3: expected a value"),
        ("", "everything is wrong", "everything is wrong"),
    ],
)
def test_a_fault_goes_on_from_its_place_or_follows_a_colon(place: str, what: str, line: str) -> None:
    assert str(Fault(place, what)) == line


def test_an_input_error_prints_one_line_per_fault_each_with_its_file() -> None:
    error = InputError("volcano.toml", [Fault("a", "is 1"), Fault("", "is empty"), Fault("b", "cut off")])
    assert str(error) == "volcano.toml: a is 1\nvolcano.toml is empty\nvolcano.toml: b: cut off"


def test_an_input_error_without_a_file_prints_the_fault_alone() -> None:
    assert str(InputError(None, [Fault('scenario "x"', "is not there")])) == 'scenario "x" is not there'


def test_a_thousand_faults_do_not_bury_the_first() -> None:
    lines = str(InputError("d.toml", [Fault(f"k{i}", "is 1") for i in range(1000)])).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "... and 900 more"


def test_a_name_from_a_file_can_neither_break_the_line_nor_move_the_cursor() -> None:
    text = str(InputError("a\nb.toml", [Fault("k\x1b[2J", "is \x9b1 été")]))
    assert text == "a\\nb.toml: k\\x1b[2J is \\x9b1 été"


def test_faults_read_well_on_their_own() -> None:
    assert str(Faults([("a", "is 1"), ("", "nothing fits")])) == "a is 1; nothing fits"
