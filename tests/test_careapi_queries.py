from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from fit_query_points import fit, written
from hypothesis import given
from hypothesis import strategies as st
from query_posts import FRESH, fresh, posts, seen

from careapi import queries
from careapi.queries import judge, table
from careapi.query_signs import GROUPS, SIGNS
from scenarios import library
from scenarios.generate import generate
from scenarios.names import NONE, Language, PostKind, Topic, Visibility, code, members
from scenarios.text import render

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
N = 500
PRECISION, RECALL, LEAST = 0.95, 0.95, 0.90


@cache
def counts(number: int, language: Language) -> tuple[int, int]:
    """How many of 500 queries, and of 500 other posts, are called queries: all of sentences nobody looked at."""
    pairs = (posts(fresh(number, language, query), language, N) for query in (True, False))
    found, wrong = (sum(judge(text, language, PUBLIC).query for text in texts) for texts in pairs)
    return found, wrong


@pytest.mark.parametrize("number", FRESH)
def test_queries_are_found_in_posts_that_nobody_looked_at(number: int) -> None:
    each = [counts(number, language) for language in Language]
    found, wrong = (sum(column) for column in zip(*each, strict=True))
    assert found / (found + wrong) >= PRECISION
    assert found / (N * len(Language)) >= RECALL


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("number", FRESH)
def test_queries_are_found_in_each_language(number: int, language: Language) -> None:
    found, wrong = counts(number, language)
    assert found / (found + wrong) >= LEAST
    assert found / N >= LEAST


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("number", FRESH)
def test_there_are_enough_fresh_sentences_and_none_of_them_was_seen(number: int, language: Language) -> None:
    for query in (True, False):
        assert len(set(fresh(number, language, query))) >= 25
        assert not set(fresh(number, language, query)) & {*seen(language, True), *seen(language, False)}


def test_the_points_are_those_that_fit_the_seen_posts() -> None:
    # Decimals are rounded; another build of numpy may round the last one otherwise.
    rules = table()
    points, words = fit(rules)
    assert points == pytest.approx(rules["points"], abs=0.011)
    for language in Language:
        ours, theirs = (
            {entry: float(worth) for worth, entries in learned.items() for entry in entries}
            for learned in (words[language], rules["learned"][language])
        )
        assert {entry: ours.get(entry, 0.0) for entry in theirs} == pytest.approx(theirs, abs=0.11)


def test_points_and_learned_words_are_written_into_the_text_of_a_table() -> None:
    text = "a\n[points]\nbase = 1\n\n[en]\n\n[learned.en]\nold = 1\n"
    new = written(text, {"base": 2.0, "own": 3.0}, {Language.EN: {"0.5": ["my ", "^if "]}})
    assert new == 'a\n[points]\nown = 3.0\nbase = 2.0\n\n[en]\n\n[learned.en]\n"0.5" = ["my ", "^if "]\n'


@pytest.mark.parametrize("language", Language)
def test_every_language_has_words_for_every_group(language: Language) -> None:
    rules = table()
    assert set(rules["points"]) == {*GROUPS, *SIGNS, "base"}
    assert set(rules[language]) == set(GROUPS)
    for entries in rules[language].values():
        assert len(set(entries)) == len(entries) >= 10
        assert [entry for entry in entries if entry != entry.lower() or not entry.strip(" ^*")] == []


@pytest.mark.parametrize("language", Language)
def test_a_booking_with_a_question_is_a_query_in_any_language(language: Language) -> None:
    assert judge("KL1234, XK4Q7Z?", language, PUBLIC).query
    assert (
        judge("RT @somebody: KL1234, XK4Q7Z?", language, PUBLIC).score
        < judge("KL1234, XK4Q7Z?", language, PUBLIC).score
    )


def test_a_quiet_week_opens_about_as_many_cases_as_it_has() -> None:
    # Follow-ups go to the case of their author; all that one says in private is one conversation.
    trace = generate(library.load("quiet_week"), seed=1)
    author, parent, case = trace["author"], trace["parent"], trace["case"]
    root = np.arange(len(trace))
    opened: set[tuple[int, int]] = set()
    for row in range(len(trace)):
        if parent[row] != NONE and author[parent[row]] == author[row]:
            root[row] = root[parent[row]]
        language = members(Language)[trace["language"][row]]
        topic = members(Topic)[trace["topic"][row]]
        visibility = members(Visibility)[trace["visibility"][row]]
        text = render(language, topic, trace["form"][row], trace["text"][row], bool(case[row] != NONE))
        if judge(text, language, visibility).query:
            opened.add((int(author[row]), NONE if visibility is PRIVATE else int(root[row])))
    cases = int(np.count_nonzero(trace["kind"] == code(PostKind.CASE)))
    assert 6_500 <= cases <= 7_500
    assert len(opened) == pytest.approx(cases, rel=0.1)


def test_a_direct_message_has_points_more_and_thanks_open_no_case() -> None:
    for text in ("Where is my bag?", "hm"):
        gap = judge(text, Language.EN, PRIVATE).score - judge(text, Language.EN, PUBLIC).score
        assert gap == pytest.approx(table()["direct"], abs=0.002)
    assert not judge("Thank you so much, you are the best!", Language.EN, PRIVATE).query


def test_one_switch_makes_every_direct_message_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {**table(), "direct_messages": "always"}
    queries._rules.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(queries, "table", lambda: rules)
        assert judge("thanks", Language.EN, PRIVATE).query
        assert not judge("thanks", Language.EN, PUBLIC).query
    queries._rules.cache_clear()
    assert not judge("thanks", Language.EN, PRIVATE).query


@given(st.text(), st.sampled_from(Language))
def test_any_text_is_judged_and_always_the_same(text: str, language: Language) -> None:
    assert judge(text, language, PUBLIC) == judge(text, language, PUBLIC)


def test_a_capital_dotted_i_is_a_small_i() -> None:
    upper = "BAGAJIM NEREDE, YARDIM EDİN LÜTFEN"
    assert judge(upper, Language.TR, PUBLIC).score > judge("X", Language.TR, PUBLIC).score
