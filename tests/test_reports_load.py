"""A load test as it is planned, judged, written and told; no service and no Locust here."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from commands import DATA, TINY
from matplotlib.figure import Figure
from rich.console import Console
from test_loadtests_result import result as some_result

from loadtests import health, scrape, slo
from loadtests.histogram import Histogram
from loadtests.result import LoadResult, Outcome
from loadtests.result import load as load_result
from loadtests.schedule import at_times
from loadtests.shapes import ShapeError
from loadtests.target import Options, Target
from reports import load, load_figure, load_files, load_plan, load_tables
from reports.console import Terminal
from reports.load_ask import question
from reports.load_live import Screen, line, ms
from scenarios import library
from scenarios.errors import Fault, InputError, TraceError
from scenarios.generate import generate

HERE = Target("http://127.0.0.1:8000")
OPTIONS: dict[str, Any] = {
    "url": "http://127.0.0.1:8000", "path": "/v1/mentions", "ca": None, "metrics_url": None, "workers": 1,
    "connections": "pool", "max_connections": 100, "timeout_s": 30.0,
}  # fmt: skip
IN_ORDER = health.Verdict("in order")


def result(took_ms: float = 10.0, n: int = 400, status: str = "finished", **columns: Any) -> LoadResult:
    """Rows a hundredth of a second apart, all answered after the same time."""
    due = np.arange(n) / 100.0
    rows: dict[str, Any] = {"due_s": due, "sent_s": due, "first_byte_s": due, "done_s": due + took_ms / 1e3}
    rows |= {"status": np.full(n, 202), "outcome": np.full(n, Outcome.ANSWERED), "error": np.full(n, -1)} | columns
    phases = [{"name": "rise", "from_s": 0.0, "to_s": 2.0}, {"name": "peak", "from_s": 2.0, "to_s": 4.0}]
    about = {
        "scenario": "tiny", "status": status, "started": "2026-01-01T00:00:00Z", "phases": phases,
        "errors": ["HTTP 500"], "due": n, "handed": n, "seed": 1, "version": "0", "speed": 60.0, "times": 1,
        "target": HERE.told(), "options": {"workers": 1},
        "workers": [{"number": 0, "wall_s": 4.0, "cpu_s": 0.1, "waited_s": 0.0, "held_back_s": 0.0}],
        "server": {"url": None, "times_s": [], "series": {}, "missed": 0},
    }  # fmt: skip
    return LoadResult(some_result(**rows).columns, about)


def answered(found: LoadResult, words: str | None = None, lag_ms: float = 10.0) -> load.LoadAnswer:
    q = load_plan.LoadQuestion(TINY, HERE, slo=words, lag_ms=lag_ms)
    objectives = () if words is None else slo.parse(words)
    planned = load_plan.Planned(at_times(found["due_s"], "tiny"), None, objectives, 500.0)
    found = LoadResult(found.columns, {**found.about, "max_lag_s": lag_ms / 1e3})
    verdict = health.judge(found)
    return load.LoadAnswer(q, planned, found, slo.judge(objectives, found, verdict.valid), verdict)


# --- what would be sent -------------------------------------------------------------------------


def test_a_plan_tells_rows_rates_bytes_and_phases() -> None:
    told = load_plan.plan(load_plan.LoadQuestion(TINY, HERE, speed=60.0, slo="peak:p99<1s")).to_dict()
    trace = generate(library.load(TINY), 1)
    assert told["rows"] == trace.mentions == sum(phase["rows"] for phase in told["phases"])
    assert 350.0 < told["seconds"] <= 360.0
    assert told["traces"] == [trace.digest]
    assert told["bytes"] == pytest.approx(told["bytes_a_request"] * told["rows"], rel=0.01)
    assert [phase["name"] for phase in told["phases"]] == ["before", "rise", "peak", "decline", "after"]


def test_amplified_traffic_is_drawn_from_the_same_scenario() -> None:
    once, thrice = (load_plan.plan(load_plan.LoadQuestion(TINY, HERE, times=n)).to_dict() for n in (1, 3))
    assert thrice["rows"] > 2 * once["rows"]
    assert thrice["traces"] == once["traces"]  # the first is the same


def test_a_trace_file_is_replayed_as_it_is(tmp_path: Path) -> None:
    trace = generate(library.load(TINY), 7)
    trace.save(tmp_path / "tiny.npz")
    planned = load_plan.plan(load_plan.LoadQuestion(str(tmp_path / "tiny.npz"), HERE))
    assert planned.schedule.about["traces"] == [trace.digest]


def test_a_damaged_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.npz"
    generate(library.load(TINY), 7).save(path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(TraceError, match="is damaged"):
        load_plan.plan(load_plan.LoadQuestion(str(path), HERE))


def test_more_rows_than_allowed_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError, match=r"--max-requests is 5, but there are \d+ requests"):
        load_plan.plan(load_plan.LoadQuestion(TINY, HERE, most_requests=5))


def test_a_host_elsewhere_needs_two_words() -> None:
    far = Target("http://care.example")
    for given in ({}, {"mine": True}, {"most_requests": 10}):
        with pytest.raises(InputError, match="is not on this machine; if it is yours, say --i-own-this-host"):
            load_plan.LoadQuestion(TINY, far, **given)
    assert load_plan.LoadQuestion(TINY, far, mine=True, most_requests=10)


def test_all_faults_of_a_command_are_told_together() -> None:
    wrong = OPTIONS | {"url": "here", "workers": 0, "timeout_s": 0.0, "max_connections": 0}
    with pytest.raises(InputError) as caught:
        question("tiny.npz", "", **wrong, times=2, abort=True)
    told = str(caught.value)
    for part in ("--target is no address", "--workers is 0", "--timeout is 0", "--max-connections is 0",
                 "--times needs a scenario", "--abort-on-slo needs objectives"):  # fmt: skip
        assert part in told


# --- verdicts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "words", "code", "headline"),
    [
        (result(), None, 0, "400 of 400 rows were answered."),
        (result(), "p99<1s,errors<1%", 0, "400 of 400 rows were answered; all 4 objectives are kept."),
        (result(2000.0), "p99<1s", 1, "Objective broken: p99<1s in the phase rise reached 2,000 ms, and 1 more."),
        (result(status="aborted"), "p99<1ms", 1, "Objective broken: p99<1ms in the phase rise reached 10.0 ms"),
        (result(status="interrupted"), "p99<1ms", 130, "Objective broken"),
        (result(outcome=np.full(400, Outcome.FAILED)), None, 3, "0 of 400 rows were answered."),
        (result(sent_s=np.arange(400) / 100.0 + 0.02), "p99<1s", 4, "The run is invalid"),
        (result(outcome=np.full(400, Outcome.DROPPED)), None, 4, "The run is invalid"),
    ],
)
def test_the_exit_code_and_the_sentence_say_the_same(
    found: LoadResult, words: str | None, code: int, headline: str
) -> None:
    told = answered(found, words)
    assert told.code == code
    assert told.headline.startswith(headline)


def test_a_generator_that_was_late_has_no_times_to_tell() -> None:
    told = answered(result(sent_s=np.arange(400) / 100.0 + 0.02))
    assert all(row[5:8] == ("-", "-", "-") for row in told.table()[1:])
    assert told.remarks()[0].startswith("generator: 1 % of the rows were sent 20")
    assert answered(result(sent_s=np.arange(400) / 100.0 + 0.02), lag_ms=50.0).verdict.valid


def test_the_generator_is_asked_for_its_waits_and_its_losses() -> None:
    found = result()
    starved = [{"number": 0, "wall_s": 10.0, "cpu_s": 1.0, "waited_s": 2.0, "held_back_s": 1.0}]
    verdict = health.judge(LoadResult(found.columns, {**found.about, "workers": starved}))
    assert verdict.state == "invalid"
    assert [reason.split(" for ")[0] for reason in verdict.reasons] == [
        "worker 0 waited", "worker 0 was held back by its control group"
    ]  # fmt: skip
    lost = [{"number": 1, "lost": True, "lost_rows": 7}]
    verdict = health.judge(LoadResult(found.columns, {**found.about, "workers": lost}))
    assert verdict.reasons == ("worker 1 was lost with 7 rows",)


def test_what_cannot_be_measured_is_no_good_health() -> None:
    found = result()
    blind = [{"number": 0, "wall_s": 10.0, "cpu_s": 1.0, "waited_s": None, "held_back_s": None}]
    told = LoadResult(found.columns, {**found.about, "workers": blind})
    verdict = health.judge(told)
    assert (verdict.state, verdict.valid) == ("not measurable", True)
    assert any(remark.startswith("not measurable here: whether it waited") for remark in answered(told).remarks())


def test_a_meter_reads_what_the_kernel_tells(tmp_path: Path) -> None:
    (tmp_path / "schedstat").write_text("100 3000000000 5\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 5\nthrottled_usec 1000000\n")
    meter = health.Meter(tmp_path, tmp_path)
    (tmp_path / "schedstat").write_text("100 3500000000 5\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 5\nthrottled_usec 1250000\n")
    spent = meter.spent()
    assert (spent.waited_s, spent.held_back_s) == (0.5, 0.25)
    nothing = health.Meter(tmp_path / "none", tmp_path / "none").spent()
    assert (nothing.waited_s, nothing.held_back_s) == (None, None)


# --- files --------------------------------------------------------------------------------------


def test_junit_has_a_failure_for_what_is_broken_and_an_error_for_the_generator() -> None:
    counted = ("tests", "failures", "errors", "skipped")
    objectives = slo.parse("p50<5ms,p99.9<1s,errors<1%")
    void = slo.judge(objectives, result(), in_order=False)
    late = ElementTree.fromstring(load_files.junit(void, health.Verdict("invalid", ("late",)), 4.0))
    assert [late.get(name) for name in counted] == ["7", "0", "1", "6"]
    suite = ElementTree.fromstring(load_files.junit(slo.judge(objectives, result()), IN_ORDER, 4.0))
    assert [suite.get(name) for name in counted] == ["7", "2", "0", "2"]
    failure = suite.find("testcase[@classname='load.rise']/failure")
    assert failure is not None
    assert failure.get("message") == "p50 was 10.0 ms"


def test_the_summary_has_the_names_of_k6() -> None:
    checks = slo.judge(slo.parse("p99<5ms,errors<1%"), result())
    metrics = json.loads(load_files.k6_summary(result(), checks, IN_ORDER))["metrics"]
    assert metrics["http_reqs"]["count"] == 400
    assert metrics["http_req_duration"]["p(95)"] == pytest.approx(10.0, rel=0.011)
    assert metrics["http_req_duration"]["thresholds"] == {"rise:p99<5ms": True, "peak:p99<5ms": True}
    assert metrics["http_req_failed"]["thresholds"] == {"rise:errors<1%": False, "peak:errors<1%": False}
    assert metrics["dropped_iterations"]["count"] == 0


def test_of_a_late_generator_no_form_tells_a_time_of_the_service() -> None:
    due = np.arange(400) / 100.0
    late = result(sent_s=due + 0.02, done_s=due + 0.777, first_byte_s=due + 0.7)
    answer = answered(late, "p99<1s,errors<1%")
    assert (answer.code, {check.state for check in answer.checks}) == (4, {"not told"})
    told = answer.to_dict()
    parts = (told, *told["phases"])
    assert {part[name]["p99"] for part in parts for name in ("latency_ms", "service_ms")} == {None}
    assert [part["lag_ms"]["p99"] for part in parts] == pytest.approx([20.0] * 3, rel=0.011)
    assert (set(told["histograms"]), {each["value"] for each in told["slo"]}) == ({"lag"}, {None})
    files = load.files(answer)
    metrics = json.loads(files["summary.json"])["metrics"]
    assert metrics["http_req_duration"] == metrics["http_req_service"] == {}
    assert "thresholds" not in metrics["http_req_failed"]
    text = files["metrics.txt"].decode()
    assert 'ashcloud_load_lag_seconds_count{phase="peak"} 200' in text
    assert not any(word in text for word in ("latency", "service", "slo_kept{"))
    assert not any("777" in files[name].decode() for name in ("junit.xml", "summary.json", "metrics.txt", "summary.md"))


def test_a_generator_that_was_late_in_one_phase_was_not_in_order() -> None:
    due = np.arange(400) / 100.0
    late = np.where((due >= 2.0) & (due < 2.03), 0.5, 0.0)  # three rows: 0.75 % of all, 1.5 % of the peak
    (reason,) = health.judge(result(sent_s=due + late)).reasons
    assert reason.startswith("1 % of the rows were sent 500.0 ms late or more in the phase peak, above 10 ms")


def test_the_figure_says_the_finding_and_counts_what_is_under_way() -> None:
    series = load_figure.series(result(500.0))
    widths = np.diff(series["edges_s"])
    assert float(np.sum(series["due"] * widths)) == pytest.approx(400.0)
    # 400 rows of half a second each: the area under the curve is 200 row seconds.
    assert float(np.sum(series["under_way"] * widths)) == pytest.approx(200.0)
    drawing, png = load_figure.drawn(result(), True)
    assert drawing.title == "400 of 400 rows answered, half within 10.0 ms, 99 % within 10.0 ms"
    assert png.startswith(b"\x89PNG")


@pytest.mark.parametrize("valid", [True, False])
def test_the_figure_of_a_late_generator_shows_its_lag_in_the_place_of_latencies(valid: bool) -> None:
    drawing, _ = load_figure.drawn(result(), valid)
    assert [word in drawing.wide for word in ("latency, ms", "lag, ms", "Invalid")] == [valid, not valid, not valid]


def test_a_figure_is_drawn_where_nothing_was_sent() -> None:
    gone = result(sent_s=np.full(400, np.nan), done_s=np.full(400, np.nan), outcome=np.full(400, Outcome.DROPPED))
    assert load_figure.drawn(gone, False)[0].title.startswith("Invalid")


def test_the_backlog_of_the_service_is_drawn_beside_it() -> None:
    found = result()
    assert load_figure.backlog(found) is None
    series = {'care_open_cases{lang="en"}': [1.0, 5.0], 'care_open_cases{lang="nl"}': [0.0, 2.0]}
    series["care_inflight"] = [9.0, 9.0]
    server = {"url": "http://127.0.0.1:1/metrics", "times_s": [0.5, 1.5], "series": series, "missed": 0}
    told = LoadResult(found.columns, {**found.about, "server": server})
    drawn = load_figure.backlog(told)
    assert drawn is not None
    assert (drawn[0].tolist(), drawn[1].tolist()) == ([0.5, 1.5], [1.0, 7.0])
    assert "cases waiting" in load_figure.drawn(told, True)[0].wide


def test_metrics_are_read_in_the_form_of_prometheus() -> None:
    text = '# HELP a b\na_total{x="1 2"} 3\nb 1e3 1700000000\nc_bucket{le="1"} 4\nd NaN\ne +Inf\nno metric\n'
    assert scrape.read(text) == {'a_total{x="1 2"}': 3.0, "b": 1000.0}


def test_a_full_disk_loses_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "replay", lambda *_, **__: result())
    monkeypatch.setattr(load, "mkdtemp", lambda prefix: str(tmp_path))
    save = LoadResult.save

    def full(self: LoadResult, path: Path, in_order: bool = True) -> None:
        if path.parent != tmp_path:
            raise InputError(path, [Fault("", "cannot be written: no space left on device")])
        save(self, path, in_order)

    monkeypatch.setattr(LoadResult, "save", full)
    with pytest.raises(InputError) as caught:
        load.ask(load_plan.LoadQuestion(TINY, HERE), tmp_path / "kept", Terminal())
    assert "no space left" in str(caught.value)
    assert f"the rows are kept in {tmp_path / 'load.npz'}" in str(caught.value)
    kept = load_result(tmp_path / "load.npz")
    assert all(np.array_equal(kept[name], column, equal_nan=True) for name, column in result().columns.items())
    assert not (tmp_path / "kept").exists()


# --- while it runs ------------------------------------------------------------------------------


def status(took_s: float) -> dict[str, Any]:
    times = Histogram.of([took_s] * 200).to_dict()
    whole = {"name": "all", "answered": 200, "failed": 0, "shed": 0, "dropped": 0, "latency": times, "lag": times}
    return {
        "at_s": 2.0,
        "due": 210,
        "handed": 205,
        "in_flight": 5,
        "lost": 0,
        "tallies": [whole, {**whole, "name": "peak"}],
    }


def test_a_broken_objective_ends_the_replay_if_asked() -> None:
    objectives = slo.parse("p95<100ms")
    for rows, took_s, word in ((200, 0.5, "aborted"), (200, 0.05, ""), (10_000, 0.5, "")):
        screen = Screen(Terminal(), 60.0, {"peak": rows}, objectives, lambda: False)
        screen.status(status(took_s))
        assert screen.stopped() == word


def test_ctrl_c_comes_first() -> None:
    assert Screen(Terminal(), 60.0, {}, (), lambda: True).stopped() == "interrupted"


def test_the_table_tells_phases_and_the_line_how_far_it_is() -> None:
    table = Screen(Terminal(), 60.0, {}, (), lambda: False).table(status(0.5))
    assert list(table.columns[0].cells) == ["peak", "all"]
    assert line(status(0.5), 60.0) == "load: 2 of 60 s, due 210, ended 200, in flight 5, wrong 0"
    assert [ms(value) for value in (0.000123, 0.0123, 0.456, 12.3, math.nan, None)] == [
        "0.12 ms", "12.3 ms", "456 ms", "12 s", "-", "-"
    ]  # fmt: skip


def test_a_service_is_named_or_started_and_not_both() -> None:
    with pytest.raises(InputError, match="--target is missing; name the service, or --serve to have one"):
        question(TINY, "", **OPTIONS | {"url": None})
    with pytest.raises(InputError, match="--target does not go with --serve"):
        question(TINY, "", **OPTIONS, serve=True)
    assert question(TINY, "", **OPTIONS | {"url": None}, serve=True).serve


def test_tables_fit_a_terminal_of_80_columns() -> None:
    wide = status(99.9)
    wide["tallies"] = [{**tally, "answered": 1_234_567, "name": "decline"} for tally in wide["tallies"]]
    shown = io.StringIO()
    console = Console(width=80, file=shown, force_terminal=True)
    console.print(Screen(Terminal(), 60.0, {}, (), lambda: False).table(wide))
    load_tables.answer(console, answered(result(9_000.0), "p99<1s"))
    told = shown.getvalue()
    assert "…" not in told
    assert told.count("dropped") == 1
    assert "1,234,567" in told
    assert "lag ms" in told
    assert "9,000" in told


# --- what goes wrong on purpose -----------------------------------------------------------------

CRM = str(DATA / "tiny_crm.toml")


def with_mishap(**told: Any) -> LoadResult:
    """The second of four seconds without an answer, because the service was killed."""
    found = result()
    down = found.between(1.0, 2.0)
    outcome = np.where(down, Outcome.FAILED, Outcome.ANSWERED)
    found = result(outcome=outcome, error=np.where(down, 0, -1))
    mishap = {"name": "kill", "from_s": 1.0, "to_s": 1.0, "began_s": 1.0, "ended_s": 2.0, "error": ""} | told
    return LoadResult(found.columns, {**found.about, "mishaps": [mishap]})


def test_only_a_service_that_was_started_for_it_is_broken() -> None:
    with pytest.raises(InputError) as caught:
        load_plan.LoadQuestion("tiny.npz", HERE, faults=True, disturb_service="kill@1s")
    told = str(caught.value)
    for part in ("--faults needs a scenario", "--faults needs --serve", "--disturb-service needs --serve"):
        assert part in told


def test_a_plan_tells_what_will_go_wrong() -> None:
    q = load_plan.LoadQuestion(CRM, HERE, speed=3600.0, serve=True, faults=True, disturb_service="kill@0.75h")
    told = load_plan.plan(q).to_dict()
    assert [(each["name"], each["from_s"]) for each in told["mishaps"]] == [
        ("crm down", 1.5), ("crm slow", 4.5), ("kill", 1.75)
    ]  # fmt: skip
    shown = io.StringIO()
    load_tables.dry_run(Console(width=80, file=shown), told)
    assert "goes wrong crm down, 1.5 to 4.5 s" in shown.getvalue()
    assert load_plan.plan(replace(q, faults=False, disturb_service=None)).mishaps == ()
    assert q.settings()["disturb_service"] == "kill@0.75h"


def test_a_mishap_is_told_with_what_became_of_the_rows_due_meanwhile() -> None:
    told = answered(with_mishap())
    assert "kill from 1.0 s to 2.0 s; of the rows due meanwhile: 100 failed" in told.remarks()
    assert told.code == 0
    endless = answered(with_mishap(ended_s=None))
    assert "kill from 1.0 s to the end; of the rows due meanwhile: 200 answered, 100 failed" in endless.remarks()
    never = answered(with_mishap(began_s=None, ended_s=None))
    assert "kill did not come about; it was to be at 1.0 s" in never.remarks()


def test_a_service_that_did_not_come_back_ends_the_run_with_3() -> None:
    told = answered(with_mishap(ended_s=None, error="the service did not start"), "errors<90%")
    assert told.code == 3
    assert "kill failed: the service did not start" in told.remarks()


def test_the_figure_shades_when_something_was_broken() -> None:
    drawn = load_figure.drawn(with_mishap(), True)[0].wide
    assert "kill" in drawn
    assert "kill" not in load_figure.drawn(result(), True)[0].wide
    ax = Figure().subplots()
    load_figure.draw_mishaps(ax, with_mishap(ended_s=None).about["mishaps"], 3.5, True)
    (span,) = ax.patches
    assert (span.get_x(), span.get_width()) == (1.0, 2.5)  # type: ignore[attr-defined]
    load_figure.draw_mishaps(ax, with_mishap(began_s=None, ended_s=None).about["mishaps"], 3.5, True)
    assert len(ax.patches) == 1


def test_settings_hold_no_secret() -> None:
    q = load_plan.LoadQuestion(TINY, replace(HERE, secret="hidden"), Options())
    assert "hidden" not in json.dumps(q.settings())
    assert "hidden" not in repr(q)


def test_a_shape_may_stand_in_the_place_of_a_scenario() -> None:
    planned = load_plan.plan(load_plan.LoadQuestion("spike:5,50,10s,2s", HERE, seed=3))
    due = planned.schedule["due_s"]
    # 5 a second for 20 s and 50 a second for 2: 200 in all, 14 is their standard deviation.
    assert len(due) == pytest.approx(200, abs=5 * 14.2)
    peak = int(np.count_nonzero((due >= 10.0) & (due < 12.0)))
    assert peak == pytest.approx(100, abs=5 * 10)
    assert (planned.scenario, planned.to_dict()["scenario"]) == (None, "spike")
    assert (
        load_plan.plan(load_plan.LoadQuestion("spike:5,50,10s,2s", HERE, seed=3)).schedule.digest
        == planned.schedule.digest
    )


def test_a_shape_has_its_own_times() -> None:
    with pytest.raises(InputError, match="are for scenarios; a shape has its own times and rates"):
        load_plan.LoadQuestion("soak:5,10s", HERE, speed=60.0)
    with pytest.raises(ShapeError, match="write it like soak:RATE,TIME"):
        load_plan.plan(load_plan.LoadQuestion("soak:5", HERE))


def test_the_worst_bound_of_the_clocks_of_several_workers_is_told() -> None:
    found = result()
    (one,) = found.about["workers"]
    clocks = [{**one, "number": n, "clock_bound_s": bound} for n, bound in enumerate((0.0004, 0.0015))]
    told = answered(LoadResult(found.columns, {**found.about, "workers": clocks})).remarks()
    assert "2 workers are set by the master's clock, to 1.50 ms at worst" in told
    assert not any("clock" in remark for remark in answered(found).remarks())


def test_how_many_requests_carried_the_rows_is_told() -> None:
    found = result()
    some = LoadResult(found.columns, {**found.about, "batched": {"most": 20, "wait_s": 1.0, "requests": 1234}})
    assert "1,234 requests carried them, up to 20 in each" in answered(some).remarks()
    assert not any("requests" in remark for remark in answered(found).remarks())


def test_a_request_waits_as_long_as_is_asked_else_as_the_target_file_says(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    told = '[operations.post]\nmethod = "POST"\npath = "/posts"\nbody = { text = "{text}" }\ntimeout_s = 3\n'
    file.write_text(f'name = "ours"\ntitle = "Ours"\nbase_url = "http://127.0.0.1:1"\n\n{told}')
    asked = {**OPTIONS, "timeout_s": None}
    assert question(TINY, "", **asked).options.timeout_s == 30.0
    assert question(TINY, "", **{**asked, "url": str(file)}).options.timeout_s == 3.0
    assert question(TINY, "", **{**asked, "url": str(file), "timeout_s": 7.0}).options.timeout_s == 7.0


def test_batches_and_hostile_posts_are_of_the_service_s_own_form(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    told = '[operations.post]\nmethod = "POST"\npath = "/posts"\nbody = { text = "{text}" }\n'
    file.write_text(f'name = "ours"\ntitle = "Ours"\nbase_url = "http://127.0.0.1:1"\n\n{told}')
    with pytest.raises(InputError, match="--batch is for the service's own form"):
        question(TINY, "", **{**OPTIONS, "url": str(file)}, batch=2)
    with pytest.raises(InputError, match="--disturb has hostile, which spoils the service's own"):
        load_plan.plan(question(TINY, "", **{**OPTIONS, "url": str(file)}, disturb="hostile=1%"))


def test_where_posts_go_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--path is for an address; a target file says where its posts go"):
        question(TINY, "", **{**OPTIONS, "url": "chatwoot", "path": "/posts"})
    with pytest.raises(InputError, match=r"--target is no address; .* or name a \.toml file, or one of ashcloud"):
        question(TINY, "", **{**OPTIONS, "url": "chatwood"})


def test_a_path_and_the_address_of_metrics_are_looked_at_beforehand() -> None:
    with pytest.raises(InputError) as caught:
        question(TINY, "", **{**OPTIONS, "path": "/hooks/{network}", "metrics_url": "here"})
    assert "--path is '/hooks/{network}'; it begins with / and may hold {platform}" in str(caught.value)
    assert "--metrics is no address; write it like" in str(caught.value)
    for wrong in ("posts", "", "/two words", "/{"):
        with pytest.raises(InputError, match="--path is"):
            Target("http://127.0.0.1:8000", wrong)
    assert Target("http://127.0.0.1:8000", "/hooks/{platform}").path == "/hooks/{platform}"


def test_an_objective_for_a_phase_that_a_shape_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="names the phase peak; those that are played are all"):
        load_plan.plan(load_plan.LoadQuestion("soak:5,10s", HERE, slo="peak:p50<1s"))
    assert load_plan.plan(load_plan.LoadQuestion("soak:5,10s", HERE, slo="all:p50<1s")).objectives


def test_rows_that_are_held_back_beyond_the_last_phase_are_shown_and_judged_apart() -> None:
    found = result(status="finished")  # 400 rows in 4 s
    spans = [{"name": "rise", "from_s": 0.0, "to_s": 3.9}]
    found = LoadResult(found.columns, {**found.about, "phases": spans})
    told = answered(found, "max<1s")
    assert [row[:2] for row in told.table()[1:]] == [("rise", "390"), ("later", "10"), ("all", "400")]
    assert [(check.phase, check.rows) for check in told.checks] == [("rise", 390), ("later", 10)]
    plan = load_plan.plan(load_plan.LoadQuestion(TINY, HERE, speed=3600.0, disturb="late=20%", seed=1)).to_dict()
    held = plan["rows"] - sum(phase["rows"] for phase in plan["phases"])
    assert held > 1 and f"later     held back beyond the last phase: {held} rows" in dry(plan)


def test_of_less_than_a_second_no_average_a_second_is_told() -> None:
    half = load_plan.plan(load_plan.LoadQuestion("soak:400,500ms", HERE)).to_dict()
    assert "average" not in dry(half) and "of soak in 0.5 s" in dry(half)
    two = load_plan.plan(load_plan.LoadQuestion("soak:400,2s", HERE)).to_dict()
    assert "on average" in dry(two)


def dry(plan: dict[str, Any]) -> str:
    file = io.StringIO()
    load_tables.dry_run(Console(file=file, width=120), plan)
    return file.getvalue()


def test_one_is_no_plural() -> None:
    one = answered(result(), "rise:p50<1s")
    assert one.headline == "400 of 400 rows were answered; the objective is kept."
    assert answered(result(), "p50<1s").headline.endswith("; all 2 objectives are kept.")
    outcome = np.full(400, Outcome.ANSWERED)
    outcome[7] = Outcome.FAILED
    error = np.where(outcome == Outcome.FAILED, 0, -1)
    assert "1 row: HTTP 500" in answered(result(outcome=outcome, error=error)).remarks()


def test_a_plan_tells_how_many_requests_carry_the_rows() -> None:
    told = load_plan.plan(load_plan.LoadQuestion(TINY, HERE, speed=600.0, batch=50, batch_wait_s=2.0)).to_dict()
    alone = load_plan.plan(load_plan.LoadQuestion(TINY, HERE, speed=600.0)).to_dict()
    assert alone["requests"] == alone["rows"] == told["rows"]
    assert told["requests"] < told["rows"] / 2
    assert told["bytes_a_request"] > 2 * alone["bytes_a_request"]
    assert told["bytes"] < alone["bytes"]


def test_of_a_long_run_fewer_samples_of_the_server_are_kept_but_all_of_its_time() -> None:
    scraper = scrape.Scraper("http://127.0.0.1:1/metrics?token=hunter2")
    for second in range(9 * scrape.MOST_SAMPLES + 5):
        scraper.add(float(second), {"a": float(second)})
    told = scraper.told()
    steps = np.diff(told["times_s"])
    assert scrape.MOST_SAMPLES / 2 <= len(told["times_s"]) <= scrape.MOST_SAMPLES
    assert set(steps) == {steps[0]}
    assert told["times_s"] == told["series"]["a"]
    assert told["times_s"][-1] > 9 * scrape.MOST_SAMPLES + 5 - 1 - steps[0]
    assert "hunter2" not in json.dumps(told)


def test_a_wait_of_batches_needs_batches() -> None:
    with pytest.raises(InputError, match="--batch-wait needs --batch"):
        load_plan.LoadQuestion(TINY, HERE, batch_wait_s=5.0)
