"""What synthetic posts say: sentences with slots in every language, filled from integer codes.

A trace stores a language, a topic, a form and a code per post; nobody needs the words until they
are sent to a care service or shown to a person. `render` makes them then, and always the same.

The sentences lie in ``texts/<language>.toml``: at least six a topic, with the slots that `SLOTS`
names. Chatter says other things about flights than those who ask, and has short words of its own.
Accounts and people are invented by Faker, a pool a language, the first time that one is needed: some
0.3 s for the first of all, which imports Faker, and 0.02-0.15 s for each other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from scenarios.errors import ScenarioError
from scenarios.names import Language, TextForm, Topic, members

LOCALES = {
    Language.EN: "en_US",
    Language.NL: "nl_NL",
    Language.ES: "es_ES",
    Language.PT: "pt_PT",
    Language.DE: "de_DE",
    Language.FR: "fr_FR",
    Language.IT: "it_IT",
    Language.ZH: "zh_CN",
    Language.RU: "ru_RU",
    Language.TR: "tr_TR",
    Language.JA: "ja_JP",
    Language.KO: "ko_KR",
    Language.NO: "no_NO",
    Language.TH: "th_TH",
}

_POOL = 2000  # names a language: enough that two posts side by side hardly ever share one
_POOL_SEED = 20100415
_FORMS = members(TextForm)
_MASK = (1 << 64) - 1
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # booking references avoid I, O, 0 and 1
_CLAUSE = re.compile(r".{6,}?(?=[,.!?;:](?:\s|$)|[，。！？、；：]|$)")


def render(language: str, topic: str, form: int, code: int, asks: bool = True) -> str:
    """Write the text of one post.

    Parameters
    ----------
    language : str
        A member of `Language`, or its ISO 639-1 code.
    topic : str
        A member of `Topic`, or its name.
    form : int
        Position in `TextForm`: 0 plain; 1 mixed, a plain post with an interjection or half a
        sentence of another language (English more often than not); 2 short, two words or so that do
        not tell the topic.
    code : int
        Chooses the sentence and what fills its slots; >= 0, below 2**31.
    asks : bool
        Whether the post belongs to a case. If not, it does not ask: what it says about flights is news.

    Returns
    -------
    text : str
        One line without markup. The same arguments give the same text on any machine, as long as
        the templates and the release of Faker (names and accounts only) stay the same.

    Raises
    ------
    ScenarioError
        If there is no such language, topic or form.
    """
    texts, templates = _templates(language, topic, asks)
    if not 0 <= form < len(_FORMS):
        known = ", ".join(f"{position} ({name})" for position, name in enumerate(_FORMS))
        raise ScenarioError(f"form is {form}, which no text has; use one of {known}")
    dice = _Dice(int(code) << 2 | int(form))  # int: columns hold 32 bits, the dice need 64
    chosen = _FORMS[form]
    if chosen is TextForm.SHORT:
        return dice.one_of(texts.short if asks else texts.chatter_short)
    if chosen is TextForm.MIXED:
        return _mixed(texts, topic, dice, asks)
    return _fill(texts, dice.one_of(templates), dice)


def handle(language: str, author: int) -> str:
    """Account name of a synthetic author, in ASCII letters and digits, without the @.

    It ends in the author's number, so that two authors never share one. Raises `ScenarioError` for
    an unknown language.
    """
    stem = _Dice(int(author)).one_of(_accounts(_texts(language).language))
    return f"{stem}{author}"


def person(language: str, author: int) -> str:
    """Display name of a synthetic author, in the script of the language; authors may share one.

    Raises `ScenarioError` for an unknown language.
    """
    return _Dice(int(author)).one_of(_people(_texts(language).language))


def variants(language: str, topic: str) -> int:
    """Number of sentences for a topic, slots left open; raises `ScenarioError` as `render` does."""
    return len(_templates(language, topic)[1])


@dataclass(frozen=True)
class _Texts:
    language: Language
    cities: tuple[str, ...]
    short: tuple[str, ...]
    interjections: tuple[str, ...]
    topics: dict[str, tuple[str, ...]]
    chatter_short: tuple[str, ...]
    chatter_info: tuple[str, ...]

    def about(self, topic: str, asks: bool) -> tuple[str, ...]:
        return self.topics[topic] if asks or topic != Topic.INFO else self.chatter_info


@cache
def _texts(language: str) -> _Texts:
    if language not in LOCALES:
        known = ", ".join(LOCALES)
        raise ScenarioError(f"language is {language!r}, in which there are no texts; use one of {known}")
    source = resources.files("scenarios") / "texts" / f"{language}.toml"
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    return _Texts(
        language=Language(language),
        cities=tuple(table["cities"]),
        short=tuple(table["short"]),
        interjections=tuple(table["interjections"]),
        topics={topic: tuple(templates) for topic, templates in table["topics"].items()},
        chatter_short=tuple(table["chatter"]["short"]),
        chatter_info=tuple(table["chatter"]["info"]),
    )


def _templates(language: str, topic: str, asks: bool = True) -> tuple[_Texts, tuple[str, ...]]:
    texts = _texts(language)
    if topic not in texts.topics:
        known = ", ".join(Topic)
        raise ScenarioError(f"topic is {topic!r}, about which there are no texts; use one of {known}")
    return texts, texts.about(topic, asks)


@cache
def _people(language: Language) -> tuple[str, ...]:
    from faker import Faker

    faker = Faker(LOCALES[language])
    faker.seed_instance(_POOL_SEED)
    names = (faker.name() for _ in range(_POOL))
    return tuple(name for name in names if "." not in name)  # nobody posts as Prof. Dr.


@cache
def _accounts(language: Language) -> tuple[str, ...]:
    from faker import Faker

    faker = Faker(LOCALES[language])
    faker.seed_instance(_POOL_SEED)
    # Letters only, so that the number appended by `handle` keeps authors apart.
    return tuple(re.sub(r"[^a-z]", "", faker.user_name())[:12] for _ in range(_POOL))


class _Dice:
    """A stream of choices that depends on its seed alone.

    Source: SplitMix64, Steele, Lea and Flood (2014), OOPSLA, 453-472.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, n: int) -> int:
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (z ^ (z >> 31)) * n >> 64

    def one_of(self, items: tuple[str, ...]) -> str:
        return items[self.below(len(items))]


class _Slots(dict[str, str]):
    """Values of the slots of one post, drawn when first asked for and the same from then on."""

    def __init__(self, texts: _Texts, dice: _Dice) -> None:
        super().__init__()
        self.texts = texts
        self.dice = dice

    def __missing__(self, slot: str) -> str:
        self[slot] = value = _DRAW[slot](self)
        return value


def _other_city(slots: _Slots) -> str:
    cities = slots.texts.cities
    step = 1 + slots.dice.below(len(cities) - 1)
    return cities[(cities.index(slots["city"]) + step) % len(cities)]


def _reference(slots: _Slots) -> str:
    return "".join(_LETTERS[slots.dice.below(len(_LETTERS))] for _ in range(6))


_DRAW: dict[str, Callable[[_Slots], str]] = {
    "flight": lambda slots: f"KL{400 + slots.dice.below(1600)}",
    "city": lambda slots: slots.dice.one_of(slots.texts.cities),
    "city2": _other_city,
    "ref": _reference,
    "hours": lambda slots: str(2 + slots.dice.below(8)),
    "date": lambda slots: f"{1 + slots.dice.below(28)}/{1 + slots.dice.below(12)}",
    "amount": lambda slots: str(35 + slots.dice.below(600)),
    "seat": lambda slots: f"{1 + slots.dice.below(40)}{'ABCDEFGHJK'[slots.dice.below(10)]}",
    "gate": lambda slots: f"{'BCDEFG'[slots.dice.below(6)]}{1 + slots.dice.below(60)}",
    "name": lambda slots: slots.dice.one_of(_people(slots.texts.language)),
    "handle": lambda slots: handle(slots.texts.language, slots.dice.below(1_000_000)),
}
SLOTS = frozenset(_DRAW)
"""What a template may leave open, in braces; `city2` is never `city`."""


def _fill(texts: _Texts, template: str, dice: _Dice) -> str:
    return template.format_map(_Slots(texts, dice))


def _mixed(texts: _Texts, topic: str, dice: _Dice, asks: bool) -> str:
    """Half of all borrowing is set aside for English, what most people borrow from: an assumption."""
    text = _fill(texts, dice.one_of(texts.about(topic, asks)), dice)
    others = tuple(language for language in LOCALES if language != texts.language)
    borrow_english = dice.below(2) == 0 and texts.language != Language.EN
    other = _texts(Language.EN if borrow_english else dice.one_of(others))
    place = dice.below(3)
    if place == 0:
        return f"{dice.one_of(other.interjections)} - {text}"
    if place == 1 or topic == Topic.REPOST:  # half of a repost would be no more than its RT
        return f"{text} {dice.one_of(other.interjections)}"
    clause = _CLAUSE.match(_fill(other, dice.one_of(other.about(topic, asks)), dice))
    return f"{text} {clause.group() if clause else dice.one_of(other.interjections)}..."
