from __future__ import annotations

import random
import re
import string
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lingua import Language as Spoken
from lingua import LanguageDetector, LanguageDetectorBuilder

import scenarios.text
from scenarios.errors import ScenarioError
from scenarios.names import Language, TextForm, Topic, code
from scenarios.text import LOCALES, SLOTS, handle, person, render, variants

FOLDER = Path(scenarios.text.__file__).parent / "texts"
PLAIN, MIXED, SHORT = (code(form) for form in TextForm)
LARGE = {Language.EN, Language.NL, Language.ES, Language.PT, Language.DE}
SPOKEN = {
    Language.EN: Spoken.ENGLISH,
    Language.NL: Spoken.DUTCH,
    Language.ES: Spoken.SPANISH,
    Language.PT: Spoken.PORTUGUESE,
    Language.DE: Spoken.GERMAN,
    Language.FR: Spoken.FRENCH,
    Language.IT: Spoken.ITALIAN,
    Language.ZH: Spoken.CHINESE,
    Language.RU: Spoken.RUSSIAN,
    Language.TR: Spoken.TURKISH,
    Language.JA: Spoken.JAPANESE,
    Language.KO: Spoken.KOREAN,
    Language.NO: Spoken.BOKMAL,
    Language.TH: Spoken.THAI,
}

TWO_CITIES = re.compile(r"My bag went to (.+) while I am in (.+?)\. ")

each_language = pytest.mark.parametrize("language", sorted(Language))


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*SPOKEN.values()).build()


def read(language: Language) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def draws(language: Language, n: int) -> list[tuple[Topic, int]]:
    rng = random.Random(f"texts in {language}")
    return [(rng.choice(list(Topic)), rng.randrange(2**31)) for _ in range(n)]


def slots_of(template: str) -> set[str]:
    return {slot for _, slot, _, _ in string.Formatter().parse(template) if slot is not None}


def has_no_twins(texts: Sequence[str]) -> bool:
    return len({text.casefold() for text in texts}) == len(texts)


def fits(template: str, text: str) -> bool:
    """Whether the fixed parts of a template stand in a text, one after the other."""
    at = 0
    for fixed, _, _, _ in string.Formatter().parse(template):
        at = text.find(fixed, at)
        if at < 0:
            return False
        at += len(fixed)
    return True


def test_there_is_one_file_a_language_and_a_locale_for_each() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == sorted(Language)
    assert set(LOCALES) == set(Language)


@each_language
def test_every_topic_has_enough_different_sentences(language: Language) -> None:
    table = read(language)
    assert table["language"] == language
    assert set(table["topics"]) == set(Topic)
    least = 12 if language in LARGE else 6
    for topic, templates in table["topics"].items():
        assert len(templates) >= least, topic
        assert has_no_twins(templates), topic
        assert variants(language, topic) == len(templates)


@each_language
def test_lists_are_long_enough_and_hold_no_slots(language: Language) -> None:
    table = read(language)
    table["chatter_short"] = table["chatter"]["short"]
    for name, least in (("cities", 16), ("short", 10), ("interjections", 8), ("chatter_short", 8)):
        assert len(table[name]) >= least, name
        assert has_no_twins(table[name]), name
        assert not any(slots_of(text) for text in table[name]), name
    assert not set(table["chatter_short"]) & set(table["short"])


@each_language
def test_templates_use_known_slots_and_never_name_the_airline(language: Language) -> None:
    table = read(language)
    for topic, templates in [*table["topics"].items(), ("chatter", table["chatter"]["info"])]:
        for template in templates:
            assert slots_of(template) <= SLOTS, f"{topic}: {template}"
            assert "klm" not in template.casefold(), f"{topic}: {template}"
            assert template == " ".join(template.split()), f"{topic}: {template}"


@each_language
def test_whatever_the_code_all_slots_are_filled(language: Language) -> None:
    for topic, number in [*draws(language, 500), (Topic.INFO, 0), (Topic.REPOST, 2**31 - 1)]:
        for form in (PLAIN, MIXED, SHORT):
            text = render(language, topic, form, number)
            assert text == text.strip() != ""
            assert not set("{}\n") & set(text)


@each_language
def test_every_sentence_is_reached(language: Language) -> None:
    # One of k sentences is missed by 40 k codes with probability k (1 - 1/k)**(40 k) < k exp(-40).
    for topic, templates in read(language)["topics"].items():
        texts = [render(language, topic, PLAIN, number) for number in range(40 * len(templates))]
        for template in templates:
            assert any(fits(template, text) for text in texts), template


@each_language
def test_plain_texts_are_recognised_as_their_language(language: Language, detector: LanguageDetector) -> None:
    texts = [render(language, topic, PLAIN, number) for topic, number in draws(language, 200)]
    found = detector.detect_languages_in_parallel_of(texts)
    missed = [text for text, spoken in zip(texts, found, strict=True) if spoken != SPOKEN[language]]
    assert len(missed) <= 6, missed  # 97 % of 200


@each_language
def test_a_mixed_post_is_a_plain_sentence_and_more(language: Language) -> None:
    topics = read(language)["topics"]
    for topic, number in draws(language, 100):
        mixed = render(language, topic, MIXED, number)
        assert any(fits(template, mixed) for template in topics[topic]), mixed


def test_short_posts_come_from_the_short_list_whatever_the_topic() -> None:
    short = set(read(Language.DE)["short"])
    assert {render("de", topic, SHORT, number) for topic in Topic for number in range(200)} == short


@each_language
def test_chatter_about_flights_asks_for_nothing(language: Language, detector: LanguageDetector) -> None:
    chatter = read(language)["chatter"]
    told = [render(language, Topic.INFO, PLAIN, number, asks=False) for number in range(400)]
    assert len(chatter["info"]) >= 8 and has_no_twins(chatter["info"])
    for template in chatter["info"]:
        assert any(fits(template, text) for text in told), template
    assert [text for text in told if "?" in text or "？" in text] == []
    spoken = detector.detect_languages_in_parallel_of(told[:100])
    assert sum(each == SPOKEN[language] for each in spoken) >= 97
    assert {render(language, Topic.JOKE, SHORT, number, asks=False) for number in range(400)} == set(chatter["short"])
    assert all(
        render(language, topic, PLAIN, 7, asks=False) == render(language, topic, PLAIN, 7)
        for topic in Topic
        if topic is not Topic.INFO
    )


def test_the_same_arguments_give_the_same_text_in_another_process() -> None:
    # Names and accounts included, and whatever was asked before: the other way round over there.
    asked = [(language, topic, form, 7) for language in Language for topic in Topic for form in (PLAIN, MIXED)]
    here = [render(*one) for one in asked]
    program = (
        "import sys; from scenarios.text import render; from scenarios.names import Language, Topic; "
        "asked = [(l, t, f, 7) for l in Language for t in Topic for f in (0, 1)]; "
        "sys.stdout.buffer.write('\\n'.join(render(*one) for one in reversed(asked)).encode())"
    )
    root = FOLDER.parent.parent
    there = subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True)
    assert there.stdout.decode().split("\n") == here[::-1]


def test_text_is_pinned() -> None:
    # A change here changes the words of every trace that is already stored.
    assert render("en", "info", PLAIN, 0) == (
        "Has the gate for KL1090 changed? Half the people here are walking from B59 to the other end of the airport."
    )
    assert render("pt", "rebooking", PLAIN, 20100415) == (
        "Passaram-me para o voo do dia 9/2, mas assim não me serve de nada. O casamento da minha irmã é na véspera!"
    )


def test_codes_from_columns_are_as_good_as_ints() -> None:
    form: Any = np.int8(PLAIN)
    number: Any = np.int32(2**31 - 1)
    assert render("nl", "refund", form, number) == render("nl", "refund", PLAIN, 2**31 - 1)
    assert handle("nl", number) == handle("nl", 2**31 - 1)


def test_two_cities_of_a_post_differ() -> None:
    texts = [render("en", "baggage", PLAIN, number) for number in range(5000)]
    pairs = [found.groups() for text in texts if (found := TWO_CITIES.match(text))]
    assert len(pairs) > 100
    assert all(one != other for one, other in pairs)


@each_language
def test_authors_have_a_name_of_their_own_script_and_an_account_of_their_own(language: Language) -> None:
    accounts = [handle(language, author) for author in range(3000)]
    assert len(set(accounts)) == len(accounts)
    assert all(account.isascii() and account.isalnum() and len(account) <= 16 for account in accounts)
    assert all(account[0].isalpha() for account in accounts)
    assert handle(language, 17) == accounts[17]
    people = [person(language, author) for author in range(300)]
    assert person(language, 17) == people[17]
    assert len(set(people)) > 100
    latin = language not in {Language.ZH, Language.JA, Language.KO, Language.RU, Language.TH}
    assert all(any(letter.isascii() and letter.isalpha() for letter in name) == latin for name in people)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xx", "info", 0, 1), "language is 'xx', in which there are no texts; use one of en, nl, es,"),
        (("../en", "info", 0, 1), "language is '../en'"),
        (("en", "weather", 0, 1), "topic is 'weather', about which there are no texts; use one of info,"),
        (("en", "info", 3, 1), "form is 3, which no text has; use one of 0 (plain), 1 (mixed), 2 (short)"),
        (("en", "info", -1, 1), "form is -1"),
    ],
)
def test_an_unknown_word_is_refused_with_the_known_ones(arguments: tuple[str, str, int, int], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        render(*arguments)
    assert str(caught.value).startswith(message)


def test_authors_and_variants_refuse_an_unknown_language_too() -> None:
    for call in (lambda: handle("xx", 1), lambda: person("xx", 1), lambda: variants("xx", "info")):
        with pytest.raises(ScenarioError, match="language is 'xx'"):
            call()


@pytest.mark.bench
def test_a_core_renders_far_more_posts_than_a_load_test_sends() -> None:
    # The bar of the load test is 5,000 sends/s on a core; text may take a tenth of that core.
    asked = [(language, topic, number) for language in Language for topic, number in draws(language, 10_000)]
    for language in Language:
        person(language, 0)
        handle(language, 0)
    started = time.perf_counter()
    for language, topic, number in asked:
        render(language, topic, PLAIN, number)
    per_s = len(asked) / (time.perf_counter() - started)
    print(f"{per_s:,.0f} texts/s")
    assert per_s > 50_000
