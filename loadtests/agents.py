"""Simulated agents: on duty they claim in their languages, read, work as long as the case takes, and answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.floor import CaseOf, Floor
from loadtests.operations import Operation
from loadtests.result import Outcome
from scenarios.names import Language, Topic

POLL_S = 0.05  # on the wall, between two questions for work when there is none
UNKNOWN_S = 300.0  # work on a case that none of our customers opened
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

    `stretches` are scenario seconds, ascending; `token` is what the service knows him by, if it wants that.
    """

    code: str
    languages: Mapping[Language, float]
    stretches: tuple[tuple[float, float], ...]
    token: str = ""


@dataclass
class Worked:
    """What an agent has done."""

    turns: int = 0
    transfers: int = 0
    links: int = 0
    notices: int = 0
    busy_s: float = 0.0


async def work(floor: Floor, duty: Duty, done: Worked) -> None:
    """All of an agent's time at the desk; a turn in hand at the end of a shift is finished."""
    languages = [language.value for language in duty.languages]
    values: dict[str, Any] = {
        "agent": duty.code, "agent_token": duty.token, "languages": languages, "capacity": 1,
    }  # fmt: skip
    for on_s, off_s in duty.stretches:
        await floor.clock.until(on_s)
        if floor.talk.has(Operation.ON_DUTY):
            await floor.talk.do(Operation.ON_DUTY, values)
        while floor.clock.now_s < off_s:
            claimed = await floor.talk.do(Operation.CLAIM, values)
            if claimed.ok:
                await _turn(floor, duty, done, {**values, **claimed.taken})
            else:
                await asyncio.sleep(max(claimed.retry_s, POLL_S))
        if floor.talk.has(Operation.OFF_DUTY):
            await floor.talk.do(Operation.OFF_DUTY, values)


async def _turn(floor: Floor, duty: Duty, done: Worked, values: dict[str, Any]) -> None:
    """One turn: read, work, and what comes of it."""
    case = floor.of_post(values.get("post"))
    if floor.talk.has(Operation.READ):
        read = await floor.talk.do(Operation.READ, values)
        values |= read.taken
        case = floor.of_post(values.get("post")) or case
    language = case.language if case else Language(values.get("language", next(iter(duty.languages))))
    if language not in duty.languages and floor.talk.has(Operation.TRANSFER):
        passed = await floor.talk.do(Operation.TRANSFER, {**values, "to_language": language.value})
        done.transfers += passed.ok
        return
    took_s = work_s(floor, case) / duty.languages.get(language, 1.0)
    await floor.clock.sleep(took_s)
    done.busy_s += took_s
    last = case is None or case.taken >= len(case.turns_s)
    if case is not None and last:
        await _around(floor, case, done, values)
    answer = {**values, "text": REPLIES[language], "last": "resolve" if last else "wait"}
    replied = await floor.talk.do(Operation.REPLY, answer)
    while replied.outcome is Outcome.SHED:
        await asyncio.sleep(replied.retry_s)
        replied = await floor.talk.do(Operation.REPLY, answer)
    if replied.ok:
        done.turns += 1
        if case is not None and not floor.talk.has(Operation.REPLIES):
            floor.replied(case)  # else the customer finds it himself


def work_s(floor: Floor, case: CaseOf | None) -> float:
    """Work in the turn that is taken in hand now, at normal speed."""
    if case is None:
        return UNKNOWN_S
    k = case.taken
    case.taken += 1
    return case.turns_s[k] if k < len(case.turns_s) else floor.chances.extra_turn_s(case.number, k)


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
