"""The front door of the library: its examples run, its results have columns and tables."""

from __future__ import annotations

import doctest
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ashcloud
from ashcloud import Desk, Scenario, compare, simulate
from reports import front
from reports.results import ComparisonResult, Simulated
from reports.summary import to_json
from scenarios.errors import InputError
from sim import library as desk_library
from sim.compare import COMPARED
from sim.measures import MEASURES
from sim.plan import Plan
from sim.replicate import replicate

DATA = Path(__file__).parent / "data"
TINY, TINY_DESK = DATA / "tiny.toml", DATA / "tiny_desk.toml"


@pytest.fixture(scope="module")
def runs() -> Simulated:
    return simulate(TINY, TINY_DESK, runs=3, seed=7)


@pytest.fixture(scope="module")
def pair() -> ComparisonResult:
    desk = Desk.load(TINY_DESK)
    more = desk.model_copy(update={"pools": (desk.pools[0].model_copy(update={"steps": ((-1.0, 9),)}), desk.pools[1])})
    return compare(TINY, {"as it is": desk, "more": more}, runs=3, seed=7, worlds=2)


def test_the_examples_of_the_front_door_run() -> None:
    found = doctest.testmod(front)
    assert found.attempted >= 12
    assert found.failed == 0


def test_importing_the_command_imports_no_room() -> None:
    code = (
        "import ashcloud, sys\n"
        "light = 'reports', 'reports.commands'\n"
        "rooms = 'scenarios', 'sim', 'careapi', 'loadtests', 'reports', 'numpy', 'pydantic'\n"
        "print([name for name in sys.modules if name.startswith(rooms) and not name.startswith('reports.commands.')\n"
        "       and name not in light])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_front_door_has_four_names() -> None:
    assert set(ashcloud.__all__) == {"Desk", "Scenario", "compare", "main", "simulate"}
    assert (ashcloud.simulate, ashcloud.compare) == (front.simulate, front.compare)
    with pytest.raises(AttributeError, match="module 'ashcloud' has no attribute 'simulat'"):
        ashcloud.simulat  # noqa: B018


def test_scenarios_and_desks_load_by_name_or_path() -> None:
    assert Scenario.load("volcano").name == "volcano"
    assert Desk.load("klm_2015") == desk_library.load("klm_2015")
    assert Desk.load(TINY_DESK) == Desk.load(str(TINY_DESK))
    with pytest.raises(InputError, match="did you mean 'volcano'"):
        Scenario.load("volcanoo")


def test_simulate_gives_what_replicate_gives(runs: Simulated) -> None:
    alone = list(replicate(Scenario.load(TINY), Desk.load(TINY_DESK), 3, 7, workers=1))
    assert [run.outcome for run in runs.replications] == [run.outcome for run in alone]
    assert runs.measures["cost"]["runs"] == 3
    assert repr(runs) == "<tiny on tiny_desk: 3 runs, seed 7>"
    assert repr(simulate(Scenario.load(TINY), Desk.load(TINY_DESK), runs=1, hours=2.5)) == (
        "<tiny on tiny_desk: 1 run, seed 1, first 2.5 hours>"
    )


def test_columns_have_a_row_for_each_run_and_measure(runs: Simulated) -> None:
    columns = runs.to_columns()
    assert {name: column.dtype.kind for name, column in columns.items()} == {
        "run": "i", "measure": "U", "unit": "U", "value": "f",
    }  # fmt: skip
    assert {column.shape for column in columns.values()} == {(3 * len(MEASURES),)}
    cost = columns["value"][columns["measure"] == "cost"]
    assert cost.tolist() == [run.row["cost"] for run in runs.replications]
    for run, name, number in zip(columns["run"], columns["measure"], columns["value"], strict=True):
        if not math.isfinite(number):
            assert runs.replications[run].row[str(name)] is None


def test_a_time_that_is_not_reached_is_infinite_in_columns() -> None:
    nobody = Desk.load(TINY_DESK)
    few = nobody.model_copy(
        update={"pools": (nobody.pools[0].model_copy(update={"steps": ((-1.0, 1),)}), nobody.pools[1])}
    )
    columns = simulate(TINY, few, runs=1).to_columns()
    assert np.isinf(columns["value"][columns["measure"] == "first_response_p90_s"]).all()


def test_a_notebook_shows_means_with_intervals(runs: Simulated) -> None:
    shown = runs._repr_html_()
    assert shown.startswith("<table>") and shown.endswith("</table>")
    assert shown.count("<tr>") == 1 + 3 + len(MEASURES)
    assert "tiny on tiny_desk: 3 runs, seed 7" in shown and "interval" in shown


def test_a_plan_of_ones_own_or_none() -> None:
    desk = Desk.load(TINY_DESK).model_copy(update={"plan": Plan(name="inner")})
    plans = [simulate(TINY, desk, runs=1, hours=1, plan=plan).desk.plan for plan in ("own", "none", Plan(name="mine"))]
    assert [None if plan is None else plan.name for plan in plans] == ["inner", None, "mine"]


def test_a_comparison_names_what_it_was_given(pair: ComparisonResult) -> None:
    assert pair.names == ("as it is", "more")
    assert repr(pair) == "<tiny: as it is / more, 3 runs, seed 7>"
    assert pair.difference("cost", "more")["mean"] > 0
    assert pair.difference("cost", "as it is", "more")["mean"] == -pair.difference("cost", "more")["mean"]
    assert pair.measures["more"]["cost"]["mean"] > pair.measures["as it is"]["cost"]["mean"]
    with pytest.raises(KeyError, match="'less' is no alternative; there are as it is, more"):
        pair.difference("cost", "less")
    assert "'as it is' costs less than 'more'" in " ".join(pair.words.rankings)
    assert json.loads(to_json(pair.to_dict()))["baseline"] == "as it is"


def test_a_comparison_has_columns_with_its_worlds(pair: ComparisonResult) -> None:
    columns = pair.to_columns()
    assert {column.size for column in columns.values()} == {(3 + 2 * 2) * 2 * len(COMPARED)}
    assert set(columns["world"].tolist()) == {-1, 0, 1}
    mask = (columns["world"] == -1) & (columns["measure"] == "cost") & (columns["alternative"] == "more")
    assert columns["value"][mask].mean() == pytest.approx(pair.measures["more"]["cost"]["mean"])


def test_a_notebook_shows_a_comparison_with_its_words(pair: ComparisonResult) -> None:
    shown = pair._repr_html_()
    assert "Missed promises" in shown and "as it is" in shown
    assert shown.rstrip().endswith("</p>")


def test_plans_can_be_compared() -> None:
    found = compare(TINY, [TINY_DESK], plans=["none", Plan(name="mine")], runs=1, hours=1)
    assert found.names == ("no plan", "mine")
    with pytest.raises(InputError, match="only one alternative, 'tiny_desk'"):
        compare(TINY, [TINY_DESK])
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        compare(TINY, [TINY_DESK, TINY_DESK], runs=0)
