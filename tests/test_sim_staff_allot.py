"""Needs by language become the cheapest heads of pools."""

import numpy as np
import pytest
from small_staff import desk

from scenarios.errors import DeskError
from scenarios.names import Language
from sim.staff.allot import Allotment
from sim.staff.days import LANGUAGES
from sim.staff.need import Need

EN, NL, ES = Language.EN, Language.NL, Language.ES


def heads(en: float, nl: float, es: float, total: float = 0.0) -> list[int]:
    found = Allotment(desk(), [EN, NL, ES]).heads(np.array([[en], [nl], [es]]), 1, np.array([total]))
    return [int(n) for n in found[:, 0]]


def test_each_language_has_somebody_who_speaks_it() -> None:
    # Pools are english 10, dutch 30, spanish 20 euros an hour; needs are rounded up by a tenth at most.
    assert heads(0.0, 0.3, 0.0) == [0, 1, 0]
    assert heads(0.0, 0.3, 0.3) == [0, 1, 1]
    assert heads(2.5, 0.0, 0.0) == [3, 0, 0]


def test_what_an_agent_has_left_goes_to_his_other_languages() -> None:
    # Half of the Dutch agent's time is free for English: 1.4 seats of it are covered by him and one more.
    assert heads(1.4, 0.5, 0.0) == [1, 1, 0]


def test_what_the_total_leaves_open_goes_to_the_cheapest_pool_of_the_largest_language() -> None:
    assert heads(1.0, 0.5, 0.5, total=9.0) == [7, 1, 1]


def test_a_language_without_a_pool_is_refused() -> None:
    with pytest.raises(DeskError, match="no pool that speaks de"):
        Allotment(desk(), [EN, Language.DE])


def test_small_languages_are_left_alone_in_their_quietest_hours() -> None:
    work = np.zeros((len(LANGUAGES), 12))
    es = LANGUAGES.index(ES)
    work[es] = np.repeat([0.01, 0.3, 0.05], 4)
    flat = np.ones(len(LANGUAGES))
    idle = flat * 0.0
    idle[es] = 0.2  # of 0.36 erlangs in the three hours the first 0.01 and the last 0.05 are less than a fifth
    need = Need(work, np.zeros(12), flat, idle).by_language()[es]
    assert need.tolist() == [0.0] * 4 + [0.3] * 4 + [0.0] * 4


def test_the_seats_of_an_hour_hold_for_its_largest_quarter() -> None:
    work = np.zeros((len(LANGUAGES), 6))
    work[LANGUAGES.index(NL)] = [0.2, 0.2, 1.9, 0.2, 0.2, 0.2]
    flat = np.ones(len(LANGUAGES))
    seats = Need(work, np.array([2, 2, 2, 2, 5, 1.0]), flat, 0.0 * flat).seats(Allotment(desk(), [NL]), 900.0)
    assert seats.start_s == 900.0
    assert seats.heads.sum(axis=0).tolist() == [2, 2, 2, 2, 5, 1]
    assert seats.heads[1].tolist() == [2, 2, 2, 2, 5, 1]
