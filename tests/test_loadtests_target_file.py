"""Target files: every fault at once, each with its place and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests import target_file, templates
from loadtests.templates import TemplateError
from scenarios.errors import InputError

HEAD = 'name = "t"\ntitle = "T"\nbase_url = "http://127.0.0.1:8000"\n'
POST = '[operations.post]\nmethod = "POST"\npath = "/posts"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + POST + 'body = { text = "{txt}" }\n',
            "operations.post.body.text names {txt}, which nothing gives; did you mean {text}?",
        ),
        (HEAD + POST + 'headers = { X = "{case}" }\n', "operations.post.headers.X names {case}, which nothing gives"),
        (HEAD + POST.replace("/posts", "/{contact}"), "operations.post.path names {contact}, which nothing gives"),
        (HEAD + POST + 'body = "{ text"\n', "operations.post.body has a '{' without its partner; write '{{'"),
        (HEAD + POST + 'auth = "boss"\n', "operations.post.auth is 'boss', which is not below [auth]; there are none"),
        (
            HEAD + POST + 'take = { id = "id" }\n',
            "operations.post.take.id is 'id', should be a JSON pointer like",
        ),
        (HEAD + POST + 'body = "x"\nform = { a = "b" }\n', "operations.post.form stands beside a body"),
        (HEAD + POST + "[operations.pots]\n", "did you mean 'post'?"),
        (HEAD + POST + 'verb = "x"\n', "operations.post.verb"),
        (HEAD.replace("http:", "ftp:") + POST, "base_url"),
        (HEAD + "[operations]\n", "has no post; without one nothing can be sent"),
        (
            HEAD + POST + '[operations.claim]\nmethod = "POST"\npath = "/claims"\n',
            "operations.claim.take has no 'case'; say where it is in the answer",
        ),
        (
            HEAD + POST + '[auth.default]\nkind = "bearer"\ntoken = "{token}"\n',
            "auth.default.token names {token}, which nothing gives",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        target_file.load(path)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


def test_all_faults_are_said_together(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(HEAD + POST + 'body = { a = "{a}", b = ["{b}"] }\nauth = "boss"\n')
    with pytest.raises(InputError) as error:
        target_file.load(path)
    assert [line.split(" ")[1] for line in str(error.value).splitlines()] == [
        "operations.post.body.a", "operations.post.body.b[0]", "operations.post.auth",
    ]  # fmt: skip


def test_a_case_may_be_used_after_it_was_claimed(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    claim = '[operations.claim]\nmethod = "POST"\npath = "/claims"\ntake = { case = "/id", mark = "header:ETag" }\n'
    reply = '[operations.reply]\nmethod = "POST"\npath = "/cases/{case}"\nheaders = { If-Match = "{mark}" }\n'
    path.write_text(HEAD + POST + claim + reply)
    assert target_file.load(path).operations


def test_templates_keep_types_and_leave_out_what_is_not_there() -> None:
    values = {"n": 3, "yes": True, "none": None, "list": ["nl", "en"], "text": "a"}
    template = {"n": "{n}", "yes": "{yes}", "none": "{none}", "list": "{list}", "mixed": "{n}-{text}", "{{x}}": "{{n}}"}
    made = templates.filled(template, values)
    assert made == {"n": 3, "yes": True, "list": ["nl", "en"], "mixed": "3-a", "{{x}}": "{n}"}


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARE_TOKEN", raising=False)
    with pytest.raises(TemplateError, match="needs the environment variable CARE_TOKEN, which is not set"):
        templates.text("{env:CARE_TOKEN}", {})
    monkeypatch.setenv("CARE_TOKEN", "x")
    assert templates.text("{env:CARE_TOKEN}", {}) == "x"
