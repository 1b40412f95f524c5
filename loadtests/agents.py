"""Simulated agents: on duty they claim in their languages, read, work as long as the case takes, and answer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from loadtests.floor import CaseOf, Floor
from loadtests.operations import Operation
from loadtests.result import Outcome
from loadtests.talk import AGAIN_S
from scenarios.names import Language, Topic

POLL_S = 0.05  # on the wall, between two questions for work when there is none
PATIENT_S = 30.0  # on the wall, in which a request is repeated while the service is away
TRIES = 4
GIVING_BACK = 3  # requests that it may take: it fails because somebody wrote meanwhile, is read anew, and works
STALE = frozenset({409, 412})
UNKNOWN_S = 300.0  # work on a case that none of our customers opened, if nobody says otherwise
CURRENCY = "EUR"
ON_BOARD = (Topic.ASSISTANCE, Topic.LOST_ITEM)  # the crew of the flight should know
REPLIES: Mapping[Language, str] = {
    Language.EN: "Thank you for waiting. We have looked into it and this is what we can do.",
    Language.NL: "Bedankt voor het wachten. We hebben ernaar gekeken en dit kunnen we doen.",
    Language.ES: "Gracias por esperar. Lo hemos revisado y esto es lo que podemos hacer.",
    Language.PT: "Obrigado por esperar. Analisámos o caso e isto é o que podemos fazer.",
    Language.DE: "Danke für Ihre Geduld. Wir haben nachgesehen und können Folgendes tun.",
    Language.FR: "Merci de votre patience. Nous avons vérifié et voici ce que nous pouvons faire.",
    Language.IT: "Grazie per l'attesa. Abbiamo controllato ed ecco che cosa possiamo fare.",
    Language.ZH: "感谢您的等待。我们已经查看，以下是我们可以为您做的。",
    Language.RU: "Спасибо за ожидание. Мы всё проверили, и вот что можем сделать.",
    Language.TR: "Beklediğiniz için teşekkürler. İnceledik, yapabileceklerimiz şunlar.",
    Language.JA: "お待たせしました。確認しましたので、対応についてご案内します。",
    Language.KO: "기다려 주셔서 감사합니다. 확인해 보았으며 다음과 같이 도와드리겠습니다.",
    Language.NO: "Takk for at du ventet. Vi har sett på saken, og dette kan vi gjøre.",
    Language.TH: "ขอบคุณที่รอ เราได้ตรวจสอบแล้ว และนี่คือสิ่งที่เราช่วยได้",
}


@dataclass(frozen=True)
class Duty:
    """An agent of a desk: his code, languages with their speeds, and when he is at the desk.

    `stretches` are scenario seconds, ascending; `token` is what the service knows him by, if it wants that;
    `finishes` says whether a turn in hand at the end of a stretch is finished, or handed back; `aside_s` is the work on
    what none of our customers asked: it is looked at and put aside.
    """

    code: str
    languages: Mapping[Language, float]
    stretches: tuple[tuple[float, float], ...]
    token: str = ""
    finishes: bool = True
    aside_s: float = UNKNOWN_S


class End(StrEnum):
    """How a claim ended; each ends in one of these."""

    REPLIED = "replied"
    TRANSFERRED = "transferred"
    HANDED_BACK = "handed_back"
    LEFT = "left"  # the service took neither an answer nor the case back


@dataclass
class Worked:
    """What an agent has done.

    `ends` counts claims by how they ended, `aside` those of which none of our customers knows; `stretches` and `busy`
    are (from, until) in scenario seconds, at the desk and with a turn in hand.
    """

    links: int = 0
    notices: int = 0
    busy_s: float = 0.0
    claims: int = 0
    aside: int = 0
    ends: Counter[End] = field(default_factory=Counter)
    stretches: list[tuple[float, float]] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
    there: bool = False
    at_work: bool = False

    @property
    def turns(self) -> int:
        return self.ends[End.REPLIED]

    @property
    def transfers(self) -> int:
        return self.ends[End.TRANSFERRED]


async def work(floor: Floor, duty: Duty, done: Worked) -> None:
    """All of an agent's time at the desk; when the desk closes, he hands back what he has in hand and goes."""
    languages = [language.value for language in duty.languages]
    values: dict[str, Any] = {
        "agent": duty.code, "agent_token": duty.token, "languages": languages, "capacity": 1,
    }  # fmt: skip
    for on_s, off_s in duty.stretches:
        if not await floor.open_until(on_s):
            return
        with floor.talk.spared(int(floor.talk.has(Operation.OFF_DUTY))):
            await _stretch(floor, duty, done, values, on_s, off_s)


async def _stretch(
    floor: Floor, duty: Duty, done: Worked, values: dict[str, Any], on_s: float, off_s: float
) -> None:  # fmt: skip
    """From one coming to the desk to the going."""
    if floor.talk.has(Operation.ON_DUTY):
        await floor.talk.do(Operation.ON_DUTY, values)
    begun_s, done.there = max(on_s, floor.clock.now_s), True
    try:
        while floor.clock.now_s < off_s and not floor.closing.is_set():
            await _claim(floor, duty, done, values, off_s)
    finally:
        done.there = False
        busy_s = done.busy[-1][1] if done.busy else begun_s
        done.stretches.append((begun_s, max(min(off_s, floor.clock.now_s), begun_s, busy_s)))
    if floor.talk.has(Operation.OFF_DUTY):
        await floor.talk.do(Operation.OFF_DUTY, values, spare=True)


async def _claim(floor: Floor, duty: Duty, done: Worked, values: dict[str, Any], off_s: float) -> None:
    """Ask for work once, and do it: whatever becomes of it, the claim has one end."""
    with floor.talk.spared(GIVING_BACK if floor.talk.has(Operation.RELEASE) else 0):
        claimed = await floor.talk.surely(Operation.CLAIM, values, PATIENT_S)
        if claimed.ok:
            done.claims += 1
            begun_s, end, done.at_work = floor.clock.now_s, End.LEFT, True
            try:
                end = await _turn(floor, duty, done, {**values, **claimed.taken}, off_s)
            finally:
                done.ends[end] += 1
                done.busy.append((begun_s, floor.clock.now_s))
                done.at_work = False
            return
    pause_s = max(claimed.retry_s, AGAIN_S if claimed.outcome is Outcome.FAILED else POLL_S)
    await floor.open_until(floor.clock.now_s + pause_s * floor.clock.speed)


async def _turn(floor: Floor, duty: Duty, done: Worked, values: dict[str, Any], off_s: float) -> End:
    """One turn: read, work, and what comes of it; what comes to him when his time is over he hands back."""
    case = floor.of_post(values.get("post"))
    if floor.talk.has(Operation.READ):
        read = await floor.talk.surely(Operation.READ, values, PATIENT_S)
        values |= read.taken
        if not read.ok:
            return await _handed_back(floor, case, values)
        case = floor.of_post(values.get("post")) or case
    if floor.clock.now_s >= off_s or floor.closing.is_set():
        return await _handed_back(floor, case, values)
    language = case.language if case else Language(values.get("language", next(iter(duty.languages))))
    if language not in duty.languages and floor.talk.has(Operation.TRANSFER):
        if await _given_away(floor, Operation.TRANSFER, {**values, "to_language": language.value}):
            return End.TRANSFERRED
        return await _handed_back(floor, case, values)
    if case is not None:
        floor.waits_no_more(case)
        case.in_hand = True
    done.aside += case is None
    speed = duty.languages.get(language, 1.0)
    if not await _worked(floor, case, duty, done, speed, math.inf if duty.finishes else off_s):
        return await _handed_back(floor, case, values)
    last = case is None or case.taken >= len(case.turns_s)
    if case is not None and last:
        await _around(floor, case, done, values)
    answer = {**values, "text": REPLIES[language], "last": "resolve" if last else "wait"}
    replied = await floor.talk.surely(Operation.REPLY, answer, PATIENT_S)
    if not replied.ok:
        if case is not None:
            case.taken, case.left_s = case.taken - 1, 0.0
        return await _handed_back(floor, case, values)
    if case is not None:
        case.in_hand = False
        if not floor.talk.has(Operation.REPLIES):
            floor.replied(case)  # else the customer finds it himself
    return End.REPLIED


async def _worked(floor: Floor, case: CaseOf | None, duty: Duty, done: Worked, speed: float, most_s: float) -> bool:
    """Work until the turn is ready; False if the desk closes or his time is over before, with what is left noted."""
    begun_s = floor.clock.now_s
    took_s = duty.aside_s if case is None else work_s(floor, case) / speed
    until_s = min(begun_s + took_s, most_s)
    whole = await floor.open_until(until_s) and begun_s + took_s <= most_s
    spent_s = took_s if whole else min(floor.clock.now_s - begun_s, took_s)
    done.busy_s += spent_s
    if case is not None and not whole:
        case.taken, case.left_s = case.taken - 1, (took_s - spent_s) * speed
    return whole


async def _handed_back(floor: Floor, case: CaseOf | None, values: dict[str, Any]) -> End:
    """Back to its queue, if the service has such a thing; its customer waits on."""
    if case is not None:
        floor.waits(case)
    if floor.talk.has(Operation.RELEASE) and await _given_away(floor, Operation.RELEASE, values):
        return End.HANDED_BACK
    return End.LEFT


async def _given_away(floor: Floor, operation: Operation, values: dict[str, Any]) -> bool:
    """Pass a case on; if somebody wrote meanwhile and so what is known of it is old, it is read anew."""
    spare = operation is Operation.RELEASE
    for _ in range(TRIES):
        given = await floor.talk.surely(operation, values, PATIENT_S, spare)
        if given.ok:
            return True
        if given.status not in STALE or not floor.talk.has(Operation.READ):
            return False
        read = await floor.talk.do(Operation.READ, values, spare)
        values = {**values, **read.taken}
    return False


def work_s(floor: Floor, case: CaseOf) -> float:
    """Work in the turn that is taken in hand now, at normal speed."""
    k = case.taken
    case.taken += 1
    if case.left_s is not None:
        left_s, case.left_s = case.left_s, None
        return left_s
    turn_s = case.turns_s[k] if k < len(case.turns_s) else floor.chances.extra_turn_s(case.number, k)
    return turn_s * floor.chances.slowed(case.topic, floor.clock.now_s)


async def _around(floor: Floor, case: CaseOf, done: Worked, values: dict[str, Any]) -> None:
    """What goes on beside the answer: a link to pay by, a word to the crew."""
    if floor.talk.has(Operation.PAYMENT_LINK) and floor.chances.pays(case.topic, case.number):
        euros = floor.chances.behaviour.payment_eur
        link = await floor.talk.do(
            Operation.PAYMENT_LINK, {**values, "amount_minor": round(100 * euros), "currency": CURRENCY}
        )
        done.links += link.ok
    flight = case.values.get("flight")
    if flight and case.topic in ON_BOARD and floor.talk.has(Operation.CREW_NOTICE):
        told = {**values, "text": REPLIES[case.language], "flight": flight, "day": case.values["day"]}
        notice = await floor.talk.do(Operation.CREW_NOTICE, told)
        done.notices += notice.ok
