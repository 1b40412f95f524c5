"""The engines against exact answers of queueing theory.

On the compiled engine with the tolerance that each case states: the mean of independent replications lies
within 3.3 standard errors of the exact value, and its 95 % half-width is at most 2 % of it (0.005 of a
probability; of transient cases 3 %, at least 0.01 of a probability and 0.05 of a count). The numbers of
replications in `exact_cases` follow from that. On both engines together the same models, shorter.
"""

from __future__ import annotations

import pytest
from engines import run_both
from exact import assert_narrow, assert_near, side_by_side
from exact_cases import CASES, allowed, values

from sim import compiled

pytestmark = pytest.mark.exact


@pytest.mark.parametrize("name", CASES)
def test_the_compiled_engine_meets_the_exact_answer_with_its_stated_tolerance(name: str) -> None:
    case = CASES[name]
    runs, size = case.heavy
    rows = side_by_side(lambda number: case.replicate(compiled.run, number, size), runs)
    found = values([row for days in rows for row in days])
    for what, want in case.want.items():
        assert_near(found[what], want, what)
        if want >= 1e-9:  # below, the case says, it is zero
            assert_narrow(found[what], allowed(what, want, case.transient), what)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.light])
def test_both_engines_give_the_same_rows_and_come_near_the_exact_answer(name: str) -> None:
    case = CASES[name]
    assert case.light is not None
    runs, size = case.light
    found = values([row for number in range(runs) for row in case.replicate(run_both, number, size)])
    for what, want in case.want.items():
        assert_near(found[what], want, what)
