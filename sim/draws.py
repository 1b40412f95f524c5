"""Chance by name: every draw of the engines is a pure function of what it is for.

A draw is named by (seed, replication, stream, subject, k): no draw depends on the order of
events, so two desks meet the same day and an agent more changes nobody's handling time. The
generator is Philox4x32-10 of Salmon et al. (2011), SC11, doi 10.1145/2063384.2063405. All
functions here are compiled once; both engines call the same machine code, `exp`, `log` and
`pow` included, so they agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.laws import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Law,
    Lognormal,
    Mixture,
    SimpleLaw,
    Uniform,
    Weibull,
)
from sim.codecache import compiled


class Stream:
    """What a draw is for. Numbers are only ever appended: they are part of every result.

    Plain integers: compiled code looks at the class of an enumeration's member anew at each call.
    """

    HANDLING = 0
    SHARES = 1
    TURNS = 2
    THINK = 3
    BACK_OFFICE = 4
    BACK_OFFICE_DELAY = 5
    PATIENCE = 6
    SILENT = 7
    RECONTACT = 8
    RECONTACT_GAP = 9
    RECONTACT_SEPARATE = 10
    ONWARD = 11
    ONWARD_DELAY = 12
    BALK = 13
    REOPEN = 14
    REOPEN_DELAY = 15
    READING = 16
    FILTER = 17
    IDLE_CHOICE = 18
    ABSENCE = 19
    LATENESS = 20
    BREAK_JITTER = 21
    CALL_HANDLING = 22
    CALL_PATIENCE = 23
    EXTRA_TURN = 24
    PAYMENT = 25
    DUPLICATE = 26
    RULE_CHANGE = 27
    RULE_CHANGE_DELAY = 28
    SITE_ABSENCE = 29
    DISMISS = 30
    THIN = 31
    COMES_BACK = 32
    COMES_BACK_DELAY = 33
    WRONG = 34
    WAVE = 35
    WAVE_DELAY = 36
    PARK = 37
    STAY = 38
    CALL_IN = 39
    CALL_IN_LEAD = 40


M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
S32, S11, S6, S5 = np.uint64(32), np.uint64(11), np.uint64(6), np.uint64(5)
TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53
ROUNDS = 10
LN2 = 0.6931471805599453


@compiled
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four 32-bit words of Philox4x32-10 for a counter of four words and a key of two.

    All arguments and results are uint64 that hold 32-bit words.
    """
    for _ in range(ROUNDS):
        p0 = M0 * c0
        p1 = M1 * c2
        c0, c1, c2, c3 = (p1 >> S32) ^ c1 ^ k0, p1 & LOW, (p0 >> S32) ^ c3 ^ k1, p0 & LOW
        k0 = (k0 + W0) & LOW
        k1 = (k1 + W1) & LOW
    return c0, c1, c2, c3


@compiled
def _key(seed: Any, replication: Any) -> Any:
    s = np.uint64(seed)
    a, b, _, _ = philox(np.uint64(replication), np.uint64(0), np.uint64(0), np.uint64(0x61736863), s & LOW, s >> S32)
    return (b << S32) | a


def key(seed: int, replication: int) -> np.uint64:
    """Key of all draws of one replication: 0 <= seed < 2^64, 0 <= replication < 2^32."""
    return np.uint64(_key(np.uint64(seed), np.uint64(replication)))


@compiled
def pair(key: Any, stream: Any, subject: Any, k: Any, block: Any) -> Any:
    """Two independent uniforms in (0, 1) for block `block` of a named draw."""
    s = np.uint64(subject)
    w = np.uint64(key)
    a, b, c, d = philox(
        s & LOW,
        s >> S32,
        np.uint64(k) & LOW,
        (np.uint64(stream) << np.uint64(16)) | np.uint64(block),
        w & LOW,
        w >> S32,
    )
    u = ((a >> S5) * np.uint64(67108864) + (b >> S6)) * TO_UNIT
    v = ((c >> S5) * np.uint64(67108864) + (d >> S6)) * TO_UNIT
    return u + TO_UNIT / 2, v + TO_UNIT / 2


@compiled
def uniform(key: Any, stream: Any, subject: Any, k: Any) -> Any:
    """The uniform in (0, 1) of a named draw."""
    u, _ = pair(key, stream, subject, k, 0)
    return u


@compiled
def normal(key: Any, stream: Any, subject: Any, k: Any, block: Any) -> Any:
    """A standard normal by Box and Muller (1958), from one block."""
    u, v = pair(key, stream, subject, k, block)
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)


CONSTANT, EXPONENTIAL, GAMMA, LOGNORMAL, WEIBULL, UNIFORM, EMPIRICAL, MIXTURE = range(8)


class Laws(NamedTuple):
    """Laws as arrays that compiled code reads; row i is law i.

    `kind` (n,) int64; `a`, `b` (n,) float64 its parameters; an empirical law has its `b` quantiles
    from position `a` of `points`, a mixture has `b` parts from there, each as (cumulative weight,
    number of the law).
    """

    kind: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    points: NDArray[np.float64]


def encode(laws: Iterable[tuple[Law, float]]) -> Laws:
    """Arrays of `laws`, each given with the seconds in its unit; parts of mixtures come behind them."""
    kinds: list[int] = []
    a: list[float] = []
    b: list[float] = []
    points: list[float] = []

    def simple(law: SimpleLaw, unit: float) -> tuple[int, float, float]:
        match law:
            case Constant():
                return CONSTANT, law.value * unit, 0.0
            case Exponential():
                return EXPONENTIAL, law.mean() * unit, 0.0
            case Gamma():
                return GAMMA, law.shape, law.mean() * unit / law.shape
            case Lognormal():
                return LOGNORMAL, law.mu + float(np.log(unit)), law.sigma
            case Weibull():
                return WEIBULL, 1.0 / law.shape, law.scale * unit
            case Uniform():
                return UNIFORM, law.low * unit, law.high * unit
            case Empirical():
                points.extend(q * unit for q in law.quantiles)
                return EMPIRICAL, float(len(points) - len(law.quantiles)), float(len(law.quantiles))

    def put(row: tuple[int, float, float]) -> None:
        kinds.append(row[0])
        a.append(row[1])
        b.append(row[2])

    rows = list(laws)
    late: list[tuple[int, Mixture, float]] = []
    for law, unit in rows:
        if isinstance(law, Mixture):
            late.append((len(kinds), law, unit))
            put((MIXTURE, 0.0, float(len(law.parts))))
        else:
            put(simple(law, unit))
    for position, mixture, unit in late:
        cumulative, numbers = 0.0, []
        for part in mixture.parts:
            cumulative += part.weight
            numbers += [cumulative, float(len(kinds))]
            put(simple(part.law, unit))
        a[position] = float(len(points))
        points.extend(numbers)
    return Laws(
        np.array(kinds, dtype=np.int64),
        np.array(a, dtype=np.float64),
        np.array(b, dtype=np.float64),
        np.array(points or [0.0], dtype=np.float64),
    )


@compiled
def _gamma(key: Any, stream: Any, subject: Any, k: Any, shape: Any, scale: Any) -> Any:
    """Gamma by Marsaglia and Tsang (2000); shapes below 1 are boosted by a power of a uniform."""
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    block = 2
    while True:
        x = normal(key, stream, subject, k, block)
        u, _ = pair(key, stream, subject, k, block + 1)
        block += 2
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if np.log(u) < 0.5 * x * x + d - d * v + d * np.log(v):
                break
    value = d * v * scale
    if shape < 1.0:
        u, _ = pair(key, stream, subject, k, 1)
        value *= np.exp(np.log(u) / shape)
    return value


@compiled
def draw(laws: Any, law: Any, key: Any, stream: Any, subject: Any, k: Any) -> Any:
    """Value of law number `law` of `laws` for a named draw, in seconds."""
    kind = laws.kind[law]
    if kind == MIXTURE:
        _, v = pair(key, stream, subject, k, 0)
        at = int(laws.a[law])
        last = at + 2 * (int(laws.b[law]) - 1)
        while at < last and v >= laws.points[at]:
            at += 2
        law = int(laws.points[at + 1])
        kind = laws.kind[law]
    a, b = laws.a[law], laws.b[law]
    if kind == CONSTANT:
        return a
    if kind == LOGNORMAL:
        return np.exp(a + b * normal(key, stream, subject, k, 1))
    if kind == GAMMA:
        return _gamma(key, stream, subject, k, a, b)
    u, _ = pair(key, stream, subject, k, 0)
    if kind == EXPONENTIAL:
        return -a * np.log(u)
    if kind == WEIBULL:
        return b * (-np.log(u)) ** a
    if kind == UNIFORM:
        return a + (b - a) * u
    x = u * (b - 1.0)
    i = int(x)
    lo, hi = laws.points[int(a) + i], laws.points[int(a) + i + 1]
    return lo + (hi - lo) * (x - i)


@compiled
def lognormal_share(key: Any, stream: Any, subject: Any, k: Any, sd_log: Any) -> Any:
    """A positive weight with median 1; weights of a case are scaled to their sum."""
    if sd_log == 0.0:
        return 1.0  # what is below gives the same, and takes five times as long as all else about a case
    return np.exp(sd_log * normal(key, stream, subject, k, 0))


@compiled
def faded(effect: Any, age_s: Any, half_life_s: Any, renew_s: Any) -> Any:
    """Effect of a lever `age_s` after it began to act: halved each half-life since it was last renewed.

    A half-life of inf does not fade, a renewal of inf never comes.
    """
    if half_life_s == np.inf:
        return effect
    if renew_s < np.inf:
        age_s = age_s - np.floor(age_s / renew_s) * renew_s
    return effect * np.exp(-LN2 * age_s / half_life_s)
