"""One step of constant load: what was measured, whether it counts, and whether the service kept up.

The generator is judged first. A step in which it was late, dropped requests or lacked a processor is
*void*: it says nothing of the service, good or bad, and its latencies are not told. Only then the
step has passed or failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["pass", "fail", "void"]
Phase = Literal["climb", "bisect", "confirm"]


@dataclass(frozen=True)
class Limits:
    """What the generator may cost before its measurement is void.

    Attributes
    ----------
    lag_p99_s : float
        From due time to send.
    cpu_share : float
        Of one core, by the busiest process that sends.
    runq_share : float
        Share of the time for which it was ready to run and another had the core.
    held_share : float
        Share of the time for which its control group held it back.
    """

    lag_p99_s: float = 0.005
    cpu_share: float = 0.80
    runq_share: float = 0.05
    held_share: float = 0.01


@dataclass(frozen=True)
class Criteria:
    """What a step must keep to pass.

    Attributes
    ----------
    answered_share : float
        Of what was offered; shed requests are not answered.
    slo_p99_s : float or None
        Largest p99 of the latency from the due time.
    growth_share : float
        The backlog is growing if its trend is significant (one-sided 1 %) and adds more than this
        share of what was offered.
    """

    answered_share: float = 0.99
    slo_p99_s: float | None = None
    growth_share: float = 0.01


@dataclass(frozen=True)
class Generator:
    """The generator's own machine in a step; None where it could not be measured, which is not "healthy"."""

    cpu_share: float | None = None
    runq_share: float | None = None
    held_share: float | None = None


@dataclass(frozen=True)
class Step:
    """What a step measured. Times are in seconds; latencies count from the due time.

    Attributes
    ----------
    asked_per_s, window_s : float
        The rate that was asked for, and how long was measured, warm-up not included.
    offered, answered, failed, shed, dropped, unsent, abandoned : int
        Requests due in the window, and what became of them.
    answered_per_s : float
        Answers that came in the window, those of earlier requests included.
    in_flight : float
        Mean number between send and end.
    growth : float
        Requests that the trend of the backlog (due, not ended) adds over the window.
    growing : bool
        Whether that trend is more than chance.
    p50_s, p99_s, mean_s : float or None
        Latency of what was answered or failed; None if nothing was.
    lag_p99_s : float or None
    """

    asked_per_s: float
    window_s: float
    offered: int
    answered: int
    failed: int
    shed: int
    dropped: int
    unsent: int
    abandoned: int
    answered_per_s: float
    in_flight: float
    growth: float
    growing: bool
    p50_s: float | None
    p99_s: float | None
    mean_s: float | None
    lag_p99_s: float | None
    generator: Generator = Generator()


@dataclass(frozen=True)
class Judged:
    """A step with its verdict, the reasons for it, and what it was for."""

    step: Step
    verdict: Verdict
    reasons: tuple[str, ...]
    phase: Phase = "climb"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; a void step tells nothing of the service."""
        s, void = self.step, self.verdict == "void"
        counts = ("offered", "answered", "failed", "shed", "dropped", "unsent", "abandoned")
        return {
            "phase": self.phase,
            "rate_per_s": s.asked_per_s,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "window_s": s.window_s,
            **{name: getattr(s, name) for name in counts},
            **{
                name: None if void else getattr(s, name)
                for name in ("answered_per_s", "in_flight", "growth", "p50_s", "p99_s", "mean_s")
            },
            "generator": {
                "lag_p99_s": s.lag_p99_s,
                "cpu_share": s.generator.cpu_share,
                "runq_share": s.generator.runq_share,
                "held_share": s.generator.held_share,
            },
        }


def judged(step: Step, criteria: Criteria, limits: Limits, phase: Phase = "climb") -> Judged:
    """The verdict: void if the generator was not up to it, else whether the service was."""
    faults = _faults_of_generator(step, limits)
    if faults:
        return Judged(step, "void", tuple(faults), phase)
    missed = _missed(step, criteria)
    return Judged(step, "fail" if missed else "pass", tuple(missed), phase)


def _faults_of_generator(step: Step, limits: Limits) -> list[str]:
    out = []
    if step.offered == 0:
        out.append("nothing was due in the window")
    elif step.lag_p99_s is None:
        out.append("nothing was sent")
    elif step.lag_p99_s > limits.lag_p99_s:
        out.append(f"sends late: p99 {1e3 * step.lag_p99_s:.1f} ms, at most {1e3 * limits.lag_p99_s:g} ms")
    for name, count in (("dropped", step.dropped), ("unsent", step.unsent)):
        if count:
            out.append(f"{count} {name}")
    shares = (
        ("generator's CPU", step.generator.cpu_share, limits.cpu_share),
        ("generator waited for a core", step.generator.runq_share, limits.runq_share),
        ("generator held back by its group", step.generator.held_share, limits.held_share),
    )
    return out + [
        f"{what}: {100 * value:.0f} %, at most {100 * most:g} %"
        for what, value, most in shares
        if value is not None and value > most
    ]


def _missed(step: Step, criteria: Criteria) -> list[str]:
    out = []
    share = step.answered / step.offered
    if share < criteria.answered_share:
        out.append(f"answered {100 * share:.1f} % of what was offered, at least {100 * criteria.answered_share:g} %")
    if step.growing and step.growth > criteria.growth_share * step.offered:
        out.append(f"backlog growing by {step.growth / step.window_s:.1f} requests a second")
    most = criteria.slo_p99_s
    if most is not None and (step.p99_s is None or step.p99_s > most):
        told = "none" if step.p99_s is None else f"{1e3 * step.p99_s:.0f} ms"
        out.append(f"p99 {told}, at most {1e3 * most:g} ms")
    return out
