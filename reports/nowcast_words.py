"""What a nowcast says, in sentences: what was seen, what is coming, what the desk makes of it, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from reports import formats as fm
from reports.names import LANGUAGES
from scenarios.arrivals import HOUR_S
from sim.estimate import Estimate
from sim.measures import BACKLOG_BACK, PROMISE_SHARE
from sim.staff.nowcast import SURE, Nowcast
from sim.staff.nowcast_advice import MATERIAL, RISK, Step
from sim.staff.nowcast_fan import band

FAR_OFF = 2.5  # standard deviations: seldom by chance
CERTAIN = 0.99
FEW_SURGES = 20.0
FEW_DRAWS = 8  # that recover or not, below which a quantile says little


@dataclass(frozen=True)
class Words:
    """The sentences, in the order in which they are told.

    `headline` is the advice in one; `why`, `forecast`, `desk` and `change` follow from the numbers, `cautions` say
    what to know before acting on them.
    """

    headline: str
    why: tuple[str, ...]
    forecast: tuple[str, ...]
    desk: tuple[str, ...]
    change: tuple[str, ...]
    cautions: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """All of them."""
        return (self.headline, *self.why, *self.forecast, *self.desk, *self.change, *self.cautions)


def words(told: Nowcast) -> Words:
    """Say what a nowcast found."""
    return Words(headline(told), why(told), forecast(told), of_desk(told), change(told), cautions(told))


def when(at: datetime) -> str:
    """A clock time, to five minutes if it is not a full one."""
    return fm.clock(at)


def headline(told: Nowcast) -> str:
    """Call in or not, and when."""
    advice = told.advice
    if advice.home_h is not None:
        return _stand_down(told, advice.home_h)
    if advice.reason == "calm" and told.called_in:
        return (
            "No further call-in: with those who are at work the promise is kept with a probability of "
            f"{fm.share(1.0 - advice.risk)}. Keep them."
        )
    if advice.reason == "calm":
        return f"No call-in: without one the promise is kept with a probability of {fm.share(1.0 - advice.risk)}."
    if advice.reason == "usual":
        return (
            "No call-in: nothing speaks of a surge. What the desk misses it misses on ordinary days as well; that is "
            "for its roster."
        )
    if advice.reason == "no ladder":
        return f"The promise is likely to be missed, and {told.desk.name} has no ladder: nobody can be called in."
    if advice.reason == "no use":
        return (
            f"No call-in: the promise is likely to be missed, but within {told.hours} hours those who could be called "
            "would not change that."
        )
    latest = advice.latest_h or 0.0
    heads = "" if advice.asked is None else f" {advice.asked.asked} heads"
    if latest == 0.0:
        text = "an hour later a point or more of the share in time is lost"
        return f"Call in{heads} now, {when(told.clock(0.0))}: {text}."
    if latest == advice.calls[-1].delay_h:
        text = f"it can wait until {when(told.clock(latest))} at least, which is as late as was tried"
        return f"Call in{heads}; {text}."
    return f"Call in{heads} by {when(told.clock(latest))} at the latest."


def _stand_down(told: Nowcast, home_h: float) -> str:
    """Those who were called in go home."""
    heads = sum(told.called_in.values())
    if told.advice.reason == "usual":
        return f"Stand down: nothing speaks of a surge, the {heads} who were called in can go home now."
    at = "now" if home_h == 0 else f"at {when(told.clock(home_h))}"
    return f"Stand down: the {heads} who were called in can go home {at}, and the promise is still likely to be kept."


def _how_many(told: Nowcast) -> str:
    """Heads and languages of the call, and what fewer would do."""
    advice = told.advice
    asked = advice.asked
    assert asked is not None
    spoken = fm.listed([f"{n} speak {LANGUAGES[language]}" for language, n in asked.languages.items()])
    whole = advice.levels[-1]
    who = f"All {asked.asked} heads that can be asked"
    if asked.asked < whole.asked:
        who = f"Call {asked.asked} of the {whole.asked} heads that can be asked, from the lowest rung on"
    text = f"{who}: {spoken}. Called now they bring {fm.share(asked.share)} in time"
    fewer = [level for level in advice.levels if level.asked < asked.asked]
    return f"{text}; {fewer[-1].asked} would bring {fm.share(fewer[-1].share)}." if fewer else f"{text}."


def why(told: Nowcast) -> tuple[str, ...]:
    """The reason, whom first, and what waiting costs."""
    advice = told.advice
    low, high = advice.need_interval
    more = "further " if told.called_in else ""
    span = fm.scale("share", advice.need).span(low, high)
    out = [
        f"Without a {more}call {_mean(advice.share, 'share')} of the cases get an answer within their promise, and in "
        f"{fm.share(advice.need)} of the draws ({span}) fewer than {fm.share(PROMISE_SHARE)}, so that it is missed."
    ]
    if advice.limit is not None:
        out.append(
            f"The promise holds up to about {fm.about(round(advice.limit))} cases in {told.hours} hours; the forecast "
            f"goes beyond that with a probability of {fm.share(advice.risk)}. A call is needed above {fm.share(RISK)}."
        )
    if advice.reason in ("needed", "no use") and advice.first is not None:
        out.append(
            f"First those who speak {LANGUAGES[advice.first]}: without a call {fm.share(advice.first_share)} of its "
            "cases are answered in time, less than of any other."
        )
        if advice.most is not None and advice.most is not advice.first:
            out.append(
                f"Most of the missed cases are in {LANGUAGES[advice.most]}, {fm.share(advice.most_missed)} of them."
            )
    if advice.asked is not None:
        out.append(_how_many(told))
    if advice.call:
        out += [_rung(told, step) for step in advice.steps if step.first_h < told.hours]
        out.append(_waiting(told))
    return tuple(out)


def _rung(told: Nowcast, step: Step) -> str:
    asked = "now" if step.asked_h == 0 else f"at {when(told.clock(step.asked_h))}"
    first, most = when(told.clock(step.first_h)), when(told.clock(step.most_h))
    come = f"there at {first}" if step.most_h - step.first_h < 0.25 else f"the first there at {first}, most by {most}"
    spoken = told.advice.first
    speak = f", {step.heads_first} of them speak {LANGUAGES[spoken]}" if spoken is not None else ""
    return (
        f"If called now, '{step.name}': {step.heads} asked {asked}{speak}; {fm.share(step.acceptance)} say yes; {come}."
    )


def _waiting(told: Nowcast) -> str:
    """What an hour of waiting costs and saves."""
    calls = told.advice.calls
    now, later = calls[0], next((call for call in calls if call.delay_h == 1.0), calls[-1])
    saved = now.called_in_hours - later.called_in_hours
    hours = f"{abs(saved):,.0f} hours {'fewer' if saved >= 0 else 'more'} called in"
    lost = later.lost
    mean = lost.mean or 0.0
    clear = lost.low is not None and lost.high is not None and (lost.low > 0 or lost.high < 0)
    if not clear:
        return f"Called an hour later about as many cases are missed{_interval(lost)}, with {hours}."
    more = "more" if mean > 0 else "fewer"
    return f"Called an hour later {abs(mean):,.0f} cases {more} are missed{_interval(lost)}, with {hours}."


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    how = fm.differences_scale("count", found.mean or 0.0, found.low, found.high)
    return f" ({fm.signed_span(how, found.low, found.high)})"


def _mean(found: Estimate, unit: str) -> str:
    how = fm.scale(unit, found.mean or 0.0)  # type: ignore[arg-type]
    span = "" if found.low is None or found.high is None else f" ({how.span(found.low, found.high)})"
    return f"{how.one(found.mean or 0.0)}{span}"


def forecast(told: Nowcast) -> tuple[str, ...]:
    """What is believed about the surge, and the totals ahead."""
    posterior = told.posterior
    share = posterior.surge_share
    if not told.scenario.surges:
        return (f"{told.scenario.name} has no surge: it is an ordinary day.", _totals(told))
    sure = f"above {fm.share(CERTAIN)}" if share > CERTAIN else f"of {fm.share(share)}"
    sure = f"below {fm.share(1.0 - CERTAIN)}" if share < 1.0 - CERTAIN else sure
    out = [f"This is a surge with a probability {sure}; else it is an ordinary day."]
    if share >= SURE:
        out.append(_surge(told))
    return (*out, _totals(told))


def _totals(told: Nowcast) -> str:
    cases, mentions = (band(told.ahead.of(what).sum(axis=1)) for what in ("cases", "mentions"))
    (low, high), (least, most) = (found.ends[0.8] for found in (cases, mentions))
    ordinary = float(told.ordinary("cases")[told.posterior.counts.seen :].sum())
    return (
        f"The next {told.hours} hours bring about {fm.about(round(float(cases.median)))} cases, with 80{fm.NBSP}% "
        f"between {fm.about(round(float(low)))} and {fm.about(round(float(high)))} (an ordinary day: "
        f"{fm.about(round(ordinary))}), and {fm.about(round(float(least)))} to {fm.about(round(float(most)))} mentions."
    )


def _surge(told: Nowcast) -> str:
    posterior = told.posterior
    low, middle, high = posterior.sizes((0.1, 0.5, 0.9))
    text = (
        f"Of the sizes that {told.scenario.name} may have, {fm.share(middle)} are smaller ({fm.share(low)} to "
        f"{fm.share(high)})"
    )
    early, mid, late = posterior.onsets_h((0.1, 0.5, 0.9))
    at = [told.clock(hour - told.now_h) for hour in (early, mid, late)]
    if told.stated:
        return f"{text}; the onset was stated as {when(told.clock(-told.now_h))}."
    return f"{text}; the onset is found in the counts, around {when(at[1])} ({at[0]:%H:%M} to {at[2]:%H:%M})."


def of_desk(told: Nowcast) -> tuple[str, ...]:
    """What the desk and its plan, as it is written, make of it."""
    shares = np.array([draw.played[0].share for draw in told.draws])
    found = band(shares)
    low, high = found.ends[0.8]
    how = fm.scale("share", float(found.median))
    plan = "without a plan" if told.desk.plan is None else f"with the plan {told.desk.plan.name} as it is written"
    out = [
        f"{told.desk.name}, {plan}, answers {how.one(float(found.median))} of the cases within their promise, in 80"
        f"{fm.NBSP}% of the draws {how.span(float(low), float(high))}."
    ]
    recovered = np.array([draw.played[0].recovered_h for draw in told.draws])
    out.append(_recovers(told, recovered))
    return tuple(out)


def _recovers(told: Nowcast, recovered_h: np.ndarray) -> str:
    draws = recovered_h.size
    never, calm = int(np.isinf(recovered_h).sum()), int((recovered_h == 0.0).sum())
    if calm == draws:
        return f"The queue never holds {BACKLOG_BACK} turns."
    back = np.sort(recovered_h[np.isfinite(recovered_h) & (recovered_h > 0.0)])
    parts = []
    if calm:
        parts.append(f"never holds {BACKLOG_BACK} turns in {fm.share(calm / draws)} of the draws")
    if never:
        parts.append(f"is still long at {when(told.clock(told.hours))} in {fm.share(never / draws)}")
    if back.size:
        half = f", in half of these from {when(told.clock(float(np.median(back))))}" if back.size >= FEW_DRAWS else ""
        parts.append(f"is back below {BACKLOG_BACK} before that in {fm.share(back.size / draws)}{half}")
    return f"The queue {fm.listed(parts)}."


def change(told: Nowcast) -> tuple[str, ...]:
    """What would change the advice, and what an hour of waiting teaches."""
    advice, learnt = told.advice, told.learnt
    out = []
    is_needed = advice.reason not in ("calm", "usual")
    turned = "no call is needed" if is_needed else "a call is needed"
    end = f"{told.clock(0.0):%H:%M} to {told.clock(1.0):%H:%M}"
    if advice.flips_at is not None:
        side = "fewer" if is_needed else "more"
        out.append(f"If the next hour, {end}, brings {side} than {advice.flips_at:,} cases, {turned}: then ask again.")
    elif advice.limit is not None or advice.need in (0.0, 1.0):
        low, high = learnt.cases[0], learnt.cases[-1]
        out.append(
            f"No likely number of cases in the next hour, {end} ({low:,.0f} to {high:,.0f}), would change this advice."
        )
    less = 1.0 - learnt.then / learnt.now if learnt.now > 0 else 0.0
    much = "hardly narrower than now"
    if less >= MATERIAL:
        much = f"{fm.share(less)} narrower: {fm.about(round(learnt.then))} wide, not {fm.about(round(learnt.now))}"
    out.append(f"An hour from now the 80{fm.NBSP}% band of the cases from then on will on average be {much}.")
    return tuple(out)


def cautions(told: Nowcast) -> tuple[str, ...]:
    """What to know before acting."""
    out = []
    strain = told.posterior.strain() if told.posterior.counts.seen else 0.0
    if strain > FAR_OFF:
        out.append(
            f"The counts lie above both {told.scenario.name} at any size and an ordinary day: the forecast is likely "
            "to be too low. Take another scenario, or raise its high size."
        )
    if strain < -FAR_OFF:
        out.append("The counts lie far below an ordinary day: look whether the feed works before trusting any of this.")
    if told.posterior.surge_share >= SURE and told.posterior.worth < FEW_SURGES:
        out.append("Hardly any of the surges that were tried fit these counts: the bands are rough.")
    gaps = _gaps(told)
    if gaps:
        out.append(f"Hours that were not given are taken as not seen: {gaps:g} h between the first one and now.")
    if told.seen.left_out:
        out.append(f"{told.seen.left_out} hours of more than three days ago are left out.")
    if told.advice.calls:
        out.append(
            "Calls are compared with the crisis declared now and its levers on, so that only the call differs; those "
            "who come stay as long as their rung says, needed or not."
        )
    drawn = told.posterior.prior.drawn
    if drawn:
        out.append(f"Drawn from their assumed ranges: {', '.join(drawn)}.")
    out.append(
        "Assumed: how long the decay lasts (a quarter longer or shorter), how likely an ordinary day is before "
        "anything is seen, and all that the scenario and the plan mark as assumed."
    )
    return tuple(out)


def _gaps(told: Nowcast) -> float:
    hours = told.seen.hours
    if not hours:
        return 0.0
    seen_h = sum(hour.to_s - hour.from_s for hour in hours) / HOUR_S
    return round((told.seen.now_s - hours[0].from_s) / HOUR_S - seen_h, 1)
