"""The benchmark: every tool gives the same answer, a wrong one is told, the JSON has its shape. Nothing is timed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ashcloud import main
from reports import bench, bench_ciw, bench_models, bench_peers
from reports.bench import Sizes
from reports.bench_answers import answer_of, same_answer
from reports.bench_models import SEED, Model
from reports.bench_peers import Answer
from reports.commands.benching import MODELS
from sim import compiled
from sim.crew import Watch
from sim.outcome import Outcome

TINY = Sizes(arrivals=600, days=1, agents=5, quiet_h=2.0, volcano_h=1.0, ciw_arrivals=300, growth=300)


def play(it: Model) -> Outcome:
    return compiled.run(it.scenario, it.desk, it.trace, SEED, drain_h=it.drain_h)


def measured(name: str) -> dict[str, dict[str, Any]]:
    """What each tool did with a tiny model."""
    found = bench.measure(bench.model(name, TINY), TINY, lambda share: None, rounds=1)
    return {tool["tool"]: tool for tool in found["tools"]}


def test_the_command_knows_the_models() -> None:
    assert MODELS == bench.MODELS


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("mm105", {"compiled", "reference", "SimPy", "SimPy, lean", "plain Python"}),
        ("multiskill", {"compiled", "reference", "SimPy", "plain Python"}),
        ("quiet_week", {"compiled", "reference"}),
        ("volcano", {"compiled", "reference"}),
    ],
)
def test_all_tools_give_the_same_answer_bit_by_bit(name: str, tools: set[str]) -> None:
    found = measured(name)
    same = {tool: told["answer"]["how"] for tool, told in found.items() if "answer" in told and tool != "Ciw"}
    assert same == dict.fromkeys(tools, "bitwise")
    assert all(told["answer"]["differ"] == 0 for told in found.values() if "answer" in told and told["tool"] != "Ciw")


def test_people_wait_give_up_and_come_back_in_the_surge() -> None:
    it = bench_models.multi_skill(1, agents=5)
    assert it.customers is not None
    answer = answer_of(play(it), *it.customers.patience_s.shape)
    tries = np.count_nonzero(~np.isnan(answer.wait_s), axis=1)
    assert (np.nan_to_num(answer.wait_s) > 0).mean() > 0.05
    assert set(tries) == {1, 2, 3, 4} and (answer.agent < 0).sum() > 100


def test_ciw_gives_the_same_fates_and_waits_to_a_microsecond_or_says_how_to_install_it() -> None:
    told = measured("mm105")["Ciw"]
    if bench_ciw.is_installed():
        assert told["answer"]["same"] and told["answer"]["how"] in ("bitwise", "to a microsecond")
        assert told["customers"] == TINY.ciw_arrivals
    else:
        assert "pip install" in told["cannot"]


def test_what_a_tool_cannot_model_is_said() -> None:
    assert "skills" in measured("multiskill")["Ciw"]["cannot"]
    assert "rules of a desk" in measured("quiet_week")["SimPy"]["cannot"]


def test_without_ciw_its_row_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ciw, "is_installed", lambda: False)
    assert measured("mm105")["Ciw"] == {"tool": "Ciw", "cannot": bench_ciw.INSTALL}


def test_answers_that_differ_are_told_apart() -> None:
    it = bench_models.erlang_a(5, 2000)
    assert it.customers is not None
    ours = play(it)
    right = bench_peers.plain_loop(it.customers)
    shifted = Answer(right.wait_s + 1e-9, right.agent)
    swapped = Answer(right.wait_s, np.roll(right.agent, 1))
    wrong = Answer(right.wait_s + 3600.0, right.agent)
    how = [same_answer(it, ours, answer) for answer in (right, shifted, swapped, wrong)]
    assert [told["how"] for told in how] == ["bitwise", "to a microsecond", "3.3 standard errors", "differs"]
    assert [told["same"] for told in how] == [True, True, True, False]
    assert how[0]["differ"] == 0 < how[2]["differ"]


def test_another_outcome_is_told_by_its_columns() -> None:
    it = bench_models.erlang_a(5, 200)
    other = compiled.run(it.scenario, it.desk, it.trace, SEED + 1, drain_h=it.drain_h)
    told = same_answer(it, play(it), other)
    assert not told["same"] and told["differ"] > 0


def test_the_json_has_the_models_the_engine_alone_and_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "FULL", TINY)  # of which the threads take their models
    monkeypatch.setattr(bench, "cores", lambda: 2)
    found = json.loads(json.dumps(bench.bench(TINY, None, Watch()), allow_nan=False))
    assert list(found["models"]) == list(bench.MODELS)
    assert found["all_same"] and found["status"] == "finished"
    for it in found["models"].values():
        for tool in it["tools"][:2]:
            numbers = ("seconds", "turns_per_second", "loop_turns_per_second", "customers_per_second")
            assert all(tool[each] > 0 for each in numbers)
            assert tool["loop_seconds"] < tool["seconds"]
        assert it["times_reference"].keys() == {"whole", "loop"}
    assert found["growth"]["servers"] == [105, 1050] and found["growth"]["arrivals"] == [300, 3000]
    assert found["threads"].keys() == {"mm105", "volcano"}
    assert found["memory"] is None or found["memory"]["bytes_per_turn"] >= 0
    assert all(isinstance(bar["met"], bool) for bar in found["bars"])
    assert {bar["what"] for bar in found["bars"]} >= {
        "volcano: times as fast as the reference engine",
        "volcano: turns a second on one core",
        "M/M/105+M: customers a second on one core",
        "time a turn, volume and heads times ten",
    }


def test_the_command_prints_a_table_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK", TINY)
    table = CliRunner().invoke(main, ["bench", "--quick", "--only", "mm105"])
    assert table.exit_code == 0 and "SimPy, lean" in table.stdout and "bitwise" in table.stdout
    told = CliRunner().invoke(main, ["bench", "--quick", "--only", "mm105", "--json"])
    assert json.loads(told.stdout)["models"]["mm105"]["customers"] == 600


def test_another_answer_ends_in_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK", TINY)
    right = bench_peers.plain_loop

    def wrong(customers: bench_models.Customers) -> Answer:
        answer = right(customers)
        return Answer(answer.wait_s + 60.0, answer.agent)

    monkeypatch.setattr(bench_peers, "plain_loop", wrong)
    done = CliRunner().invoke(main, ["bench", "--quick", "--only", "mm105"])
    assert done.exit_code == 3 and "NO: 600 of 600" in done.stdout


def test_who_has_had_enough_keeps_what_is_finished() -> None:
    class Enough(Watch):
        shares: list[float] = []  # noqa: RUF012

        def progress(self, share: float, finished: int) -> None:
            self.shares.append(share)

        def stopped(self) -> bool:
            return self.shares[-1] > 1.2 / bench.pieces(None)

    found = bench.bench(TINY, None, Enough())
    assert found["status"] == "interrupted" and list(found["models"]) == ["mm105"]
    assert [bar["what"] for bar in found["bars"]] == ["M/M/105+M: customers a second on one core"]
