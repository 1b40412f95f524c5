"""A replay against a service that a target file describes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from load_peer import peer
from seats import listening

from loadtests.bodies import Bodies, probe
from loadtests.flows import chosen
from loadtests.health import judge
from loadtests.result import Outcome
from loadtests.schedule import at_times
from loadtests.stepping import Steppers
from loadtests.target import Options, Target
from loadtests.templated import target_of
from loadtests.templates import TemplateError
from loadtests.terms import Budget, beyond
from reports.load_ask import where
from reports.load_plan import LoadQuestion, plan
from scenarios.errors import InputError

FILE = """
name = "ours"
title = "Ours"
base_url = "{url}"

[values]
brand = "blue"

[auth.default]
kind = "header"
name = "X-Key"
value = "{{env:OURS_KEY}}"

[operations.post]
method = "PUT"
path = "/{{brand}}/posts/{{post}}"
body = {{ said = "{{text}}", by = "{{author}}", in = "{{language}}", open = "{{public}}", re = "{{parent}}" }}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OURS_KEY", "s3cret")
    path = tmp_path / "ours.toml"
    path.write_text(FILE.format(url="http://127.0.0.1:8000/api"))
    return path


def test_a_post_is_what_the_file_says(file: Path) -> None:
    target = target_of(str(file))
    bodies = Bodies(at_times(np.array([0.0, 1.0]), "test"), slice(None), target, "run")
    bodies.begin(1_433_149_200.0)
    head, _, body = bodies.take(1).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "PUT /api/blue/posts/run-0-1 HTTP/1.1"
    assert {"Host: 127.0.0.1:8000", "X-Key: s3cret", f"Content-Length: {len(body)}"} <= set(lines)
    told = json.loads(body)
    assert (told["in"], told["by"], "re" in told) == ("en", "run-0-1", False)
    assert isinstance(told["said"], str) and isinstance(told["open"], bool)


def test_such_a_service_is_only_asked_whether_it_speaks_http(file: Path) -> None:
    assert probe(target_of(str(file)), 0.0).startswith(b"GET /api/ HTTP/1.1\r\n")


def test_the_secret_is_not_in_what_is_told_or_planned(file: Path) -> None:
    target = target_of(str(file))
    assert "s3cret" not in json.dumps([target.told(), target.planned()])
    assert target.planned()["file"] == str(file)


def test_the_lean_way_says_which_other_one_renews_tokens(file: Path) -> None:
    old = 'kind = "header"\nname = "X-Key"\nvalue = "{env:OURS_KEY}"'
    new = 'kind = "oauth2"\ntoken_url = "/t"\nclient_id = "a"\nclient_secret = "b"'
    file.write_text(file.read_text().replace(old, new))
    said = "auth.default is oauth2, whose tokens the lean way does not renew; send it with --sender session"
    with pytest.raises(InputError, match=said):
        chosen(target_of(str(file)), Options(sender="lean"))


def test_a_variable_that_is_not_set_is_said_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OURS_KEY")
    with pytest.raises(TemplateError, match="needs the environment variable OURS_KEY"):
        target_of(str(file))


def test_a_word_is_an_address_or_a_file(file: Path) -> None:
    assert where("http://127.0.0.1:1", "/p", "").file is None
    assert where(str(file), Target.path, "").url == "http://127.0.0.1:8000/api"
    with pytest.raises(InputError, match="is no address"):
        where("127.0.0.1", "/p", "")
    with pytest.raises(InputError, match="does not exist"):
        where("missing.toml", Target.path, "")
    with pytest.raises(InputError, match="--path is for an address"):
        where(str(file), "/p", "")


@pytest.mark.parametrize(
    ("lines", "success", "outcome"),
    [
        ("", range(200, 300), Outcome.FAILED),
        ("success = [302]", [302], Outcome.ANSWERED),
        ("success = [201]\nnothing = [404]", [201, 404], Outcome.FAILED),
    ],
)
def test_what_counts_as_an_answer_is_what_the_file_says(
    lines: str, success: Sequence[int], outcome: Outcome, file: Path
) -> None:
    with peer("status-302") as server:
        told = file.read_text().replace("http://127.0.0.1:8000/api", server.url)
        file.write_text(
            told.replace("body = {", f'{lines}\nbody = {{ mentions = [{{ external_id = "{{post}}" }}],').replace(
                "PUT", "POST"
            )
        )
        rows = at_times(np.array([0.0]), "test")
        bodies = Bodies(rows, slice(None), target_of(str(file)), "run")
        assert [status for status in range(100, 600) if bodies.terms.success(status)] == list(success)
        with Steppers(target_of(str(file)), Options()) as sender:
            result = sender.send(rows)
    assert (result["status"][0], Outcome(result["outcome"][0])) == (302, outcome)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_is_sent_in_any_second_than_the_budget_allows(workers: int, file: Path) -> None:
    with listening(50, 0.001) as url:
        told = file.read_text().replace("http://127.0.0.1:8000/api", url)
        file.write_text(told.replace("body = {", "budget_per_s = 10\nbody = {"))
        with Steppers(target_of(str(file)), Options(workers)) as sender:
            result = sender.send(at_times(np.linspace(0.0, 1.5, 90), "test"))
    answered = result.of(Outcome.ANSWERED)
    assert not answered[beyond(result["due_s"], 10.0)].any()
    sent_s = np.sort(result["sent_s"][answered])
    assert 10 < sent_s.size == 90 - result.counts()["dropped"]
    # Due in more than a second, and none sent more than a tenth late: ten within nine tenths at most.
    assert (sent_s[10:] - sent_s[:-10] > 0.9).all()
    over = f"{90 - sent_s.size} rows were beyond the budget of the target file"
    assert any(words.startswith(over) for words in judge(result).reasons)


@pytest.mark.parametrize(
    ("per_s", "apart_s", "sent"),
    [
        (10.0, 0.1, [*range(40)]),  # just as many as are allowed
        (10.0, 0.05, [*range(10), *range(20, 30)]),
        (2.5, 0.25, [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29, 32, 33, 36, 37]),
        (0.5, 0.5, [*range(0, 40, 4)]),
    ],
)
def test_rows_beyond_a_budget_are_those_that_would_be_too_many_in_a_second(
    per_s: float, apart_s: float, sent: list[int]
) -> None:
    due = np.array([row * apart_s for row in range(40)])
    assert np.flatnonzero(~beyond(due, per_s)).tolist() == sent
    parts = [Budget(due, per_s, slice(part, None, 3)) for part in range(3)]
    assert [row for row in range(40) if parts[row % 3].allows(row // 3, 0.09)] == sent


def test_a_plan_beyond_the_budget_is_refused_with_the_number_of_rows(file: Path) -> None:
    told = file.read_text()
    file.write_text(told.replace("body = {", "budget_per_s = 50\nbody = {"))
    assert len(plan(LoadQuestion("soak:5,10s", target_of(str(file)), seed=1)).schedule) > 20
    file.write_text(told.replace("body = {", "budget_per_s = 2\nbody = {"))
    with pytest.raises(InputError, match=r"allows 2 posts a second, and \d+ of \d+ rows are due beyond that; lower"):
        plan(LoadQuestion("soak:5,10s", target_of(str(file)), seed=1))


def test_what_is_late_is_not_sent_into_the_time_of_others() -> None:
    budget = Budget(np.array([0.0, 1.0, 2.0]), 10.0, slice(None))
    assert [budget.allows(1, late_s) for late_s in (0.0, 0.1, 0.11, 5.0)] == [True, True, False, False]


@pytest.mark.slow
def test_posts_of_a_file_arrive(file: Path) -> None:
    with listening(50, 0.01) as url:
        file.write_text(file.read_text().replace("http://127.0.0.1:8000/api", url))
        with Steppers(target_of(str(file)), Options()) as sender:
            result = sender.send(at_times(np.linspace(0.0, 0.5, 40), "test"))
    assert result.counts()["answered"] == 40
