"""A quick look at staff: heads by formula, and how people who speak several languages are shared."""

import math

import numpy as np
import pytest

from scenarios.names import Language
from sim.desk import Pool
from sim.staff.days import LANGUAGES
from sim.staff.quick import Sharing, heads_needed

EN, NL, DE = (LANGUAGES.index(each) for each in (Language.EN, Language.NL, Language.DE))
SHARE = 0.8


def waits_at_most(servers: int, load: float, time: float, work: float) -> float:
    """P(wait <= time) of M/M/c, by its sums as textbooks have them."""
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    p_wait = top / (sum(load**k / math.factorial(k) for k in range(servers)) + top)
    return 1.0 - p_wait * math.exp(-(servers - load) * time / work)


@pytest.mark.parametrize(("load", "limit_s"), [(0.3, 600.0), (4.0, 360.0), (10.0, 400.0), (25.5, 1200.0)])
def test_heads_needed_are_the_fewest_that_erlang_c_allows(load: float, limit_s: float) -> None:
    work_s = 300.0
    found = heads_needed(load, work_s, [(1.0, limit_s)], SHARE)
    assert waits_at_most(found, load, limit_s - work_s, work_s) >= SHARE
    fewer = found - 1
    assert fewer <= load or waits_at_most(fewer, load, limit_s - work_s, work_s) < SHARE


def test_a_promise_shorter_than_the_work_asks_that_nobody_waits() -> None:
    found = heads_needed(4.0, 300.0, [(1.0, 60.0)], SHARE)
    assert waits_at_most(found, 4.0, 0.0, 300.0) >= SHARE > waits_at_most(found - 1, 4.0, 0.0, 300.0)


def test_the_promises_of_a_mix_hold_together() -> None:
    mix = [(0.7, 330.0), (0.3, 3600.0)]
    found = heads_needed(6.0, 300.0, mix, SHARE)

    def kept(heads: int) -> float:
        return sum(part * waits_at_most(heads, 6.0, limit - 300.0, 300.0) for part, limit in mix)

    assert kept(found) >= SHARE > kept(found - 1)
    assert found <= heads_needed(6.0, 300.0, [(1.0, 330.0)], SHARE)


def test_no_load_needs_nobody() -> None:
    assert heads_needed(0.0, 300.0, [(1.0, 600.0)], SHARE) == 0


def pool(*languages: Language, speed: float = 1.0) -> Pool:
    return Pool(name="-".join(languages), languages=dict.fromkeys(languages, 1.0), steps=((0.0, 1),), speed=speed)


def loads(**erlangs: float) -> np.ndarray:
    out = np.zeros(len(LANGUAGES))
    for name, value in erlangs.items():
        out[LANGUAGES.index(Language(name))] = value
    return out


def test_one_language_has_everybody_who_speaks_it() -> None:
    sharing = Sharing([pool(Language.EN), pool(Language.EN, speed=0.5), pool(Language.NL)])
    assert sharing.heads(np.array([3.0, 4.0, 9.0]), loads(en=2.0))[EN] == pytest.approx(3.0 + 0.5 * 4.0)


def test_people_of_two_languages_are_counted_once() -> None:
    got = Sharing([pool(Language.EN, Language.NL)]).heads(np.array([10.0]), loads(en=3.0, nl=2.0))
    assert (got[EN], got[NL]) == (pytest.approx(8.0, abs=1e-5), pytest.approx(7.0, abs=1e-5))


def test_those_who_speak_one_language_free_those_who_speak_two() -> None:
    sharing = Sharing([pool(Language.EN), pool(Language.EN, Language.NL)])
    got = sharing.heads(np.array([4.0, 3.0]), loads(en=5.0, nl=2.0))
    assert got[EN] == pytest.approx(5.0, abs=1e-5)  # four of its own, and the one whom Dutch leaves
    assert got[NL] == pytest.approx(2.0, abs=1e-5)  # three, but for the one who must help with English


def test_a_lack_is_shared_by_load() -> None:
    got = Sharing([pool(Language.EN, Language.NL)]).heads(np.array([4.0]), loads(en=6.0, nl=2.0))
    assert (got[EN], got[NL]) == (pytest.approx(3.0, abs=1e-5), pytest.approx(1.0, abs=1e-5))


def test_a_language_that_nobody_speaks_takes_nothing_from_the_others() -> None:
    sharing = Sharing([pool(Language.EN, Language.NL), pool(Language.DE)])
    got = sharing.heads(np.array([4.0, 0.0]), loads(en=2.0, nl=1.0, de=3.0))
    assert got[DE] == pytest.approx(0.0, abs=1e-5)
    assert (got[EN], got[NL]) == (pytest.approx(3.0, abs=1e-5), pytest.approx(2.0, abs=1e-5))
