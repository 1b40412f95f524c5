"""The bench of the generator: its verdicts on given numbers, and, with -m bench, the bars themselves."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from loadtests import bench, sinks
from loadtests.runner import replay
from loadtests.target import Target


def run(lag_p99_ms: float = 1.0, void: bool = False, per_s: float = 5000.0, lost: int = 0) -> dict[str, Any]:
    return {"rows": 100, "answered": 100 - lost, "per_s": per_s, "lag_p50_ms": 0.1, "lag_p99_ms": lag_p99_ms,
            "lag_max_ms": 9.0, "cpu": 0.2, "waited": 0.3 if void else 0.0, "void": void}  # fmt: skip


@pytest.mark.parametrize(
    ("plain", "fast_per_s", "held"),
    [
        ([run(), run(), run(9.0)], 3000.0, (True, True)),  # the median of three
        ([run(), run(9.0), run(9.0)], 3000.0, (False, True)),
        ([run(9.0, void=True), run()], 3000.0, (True, True)),  # a void run says nothing
        ([run(void=True)], 3000.0, (None, None)),
        ([run(lost=1)], 3000.0, (False, True)),
        ([run()], 4000.0, (True, False)),
    ],
)
def test_a_bar_is_held_missed_or_void(
    plain: list[dict[str, Any]], fast_per_s: float, held: tuple[bool | None, bool | None]
) -> None:
    found = bench.bars(plain, [], plain, fast_per_s, plain)
    assert (found["plain_on_time"], found["faster_than_fast_http_user"]) == held
    assert found["tls_on_time"] is None
    assert found["sessions_on_time"] == held[0]


@pytest.mark.parametrize(("held", "code"), [(True, 0), (False, 1), (None, 4)])
def test_the_exit_code_says_the_worst(
    held: bool | None, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "plain": [run()],
        "tls": [],
        "above": [],
        "sessions": [run()],
        "fast_http_user_per_s": 3000.0,
        "bars": {"plain_on_time": held},
    }
    monkeypatch.setattr(bench, "bench", lambda size: found)
    assert bench.main(["--json"]) == code
    assert json.loads(capsys.readouterr().out) == found
    assert bench.main([]) == code
    told = capsys.readouterr().out
    assert "plain on time: " + {True: "held", False: "missed", None: "void"}[held] in told


@pytest.mark.slow
def test_both_sinks_answer_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sink")
    words = sinks.built(folder)
    with sinks.running(words, set()) as port:
        assert replay(bench.poisson(300.0, 1.0, 1), Target(f"http://127.0.0.1:{port}")).counts()["answered"] == 300
    pair = sinks.certificate(folder)
    if pair is None:
        pytest.skip("openssl is not there")
    with sinks.running([sys.executable, "-m", "loadtests.sinks", *map(str, pair)], set()) as port:
        target = Target(f"https://127.0.0.1:{port}", ca=pair[0])
        assert replay(bench.poisson(300.0, 1.0, 1), target).counts()["answered"] == 300


@pytest.mark.bench
def test_the_bars_are_held_where_the_machine_has_time() -> None:
    assert False not in bench.bench(bench.QUICK)["bars"].values()
