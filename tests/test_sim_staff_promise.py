"""A promise is read as a planner says it."""

import pytest

from scenarios.errors import InputError
from sim.staff.promise import Promise


@pytest.mark.parametrize(
    ("text", "promise"),
    [
        ("80% in 20 min", Promise(0.8, 1200.0)),
        ("99.5 % within 2 h", Promise(0.995, 7200.0)),
        (" 50%in90s ", Promise(0.5, 90.0)),
    ],
)
def test_a_promise_is_read(text: str, promise: Promise) -> None:
    assert Promise.read(text) == promise
    assert Promise.read(str(promise)) == promise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "'80% in 20 min'"),
        ("80 in 20 min", "'80% in 20 min'"),
        ("80% in 20 weeks", "'80% in 20 min'"),
        ("100% in 20 min", "between 0 and 100"),
        ("0% in 20 min", "between 0 and 100"),
        ("80% in 0 min", "leaves no time"),
    ],
)
def test_what_is_no_promise_is_said(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Promise.read(text)
