"""The benchmark as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from reports.tables import show

NAMES = {"compiled": "ashcloud, compiled", "reference": "ashcloud, reference"}
COLUMNS = ("Tool", "us a customer", "customers/s", "times SimPy", "turns/s", "its loop alone", "the same answer")


def print_bench(console: Console, found: Mapping[str, Any]) -> None:
    """Print what `reports.bench.bench` has found."""
    for it in found["models"].values():
        times = it["times_reference"]
        console.print(
            f"{it['title']}: {_many(it['turns'])} turns; the compiled engine is {times['whole']:.0f} times as fast as "
            f"the reference ({times['loop']:.0f} the loop alone)",
            soft_wrap=True,
        )
        show(console, COLUMNS, [_row(tool) for tool in it["tools"]], numbers=range(1, 6))
        console.print()
    for line in _alone(found):
        console.print(line, soft_wrap=True)
    rows = [(bar["what"], _plain(bar["value"]), _aim(bar), "met" if bar["met"] else "missed") for bar in found["bars"]]
    if rows:
        console.print()
        if found["quick"]:
            console.print("The bars are meant for the whole benchmark, without --quick.")
        show(console, ("Bar", "found", "wanted", ""), rows, numbers=(1, 2))


def _row(tool: Mapping[str, Any]) -> tuple[str, ...]:
    name = NAMES.get(tool["tool"], tool["tool"])
    if "cannot" in tool:
        return (name, "", "", "", "", "", tool["cannot"])
    answer = tool["answer"]
    turns = ("turns_per_second", "loop_turns_per_second")
    return (
        name,
        f"{tool['us_per_customer']:.2f}",
        _many(tool["customers_per_second"]),
        "" if tool["times_simpy"] is None else f"{tool['times_simpy']:.3g}",
        *(_many(tool[each]) if each in tool else "" for each in turns),
        answer["how"] if answer["same"] else f"NO: {_many(answer['differ'])} of {_many(answer['compared'])}",
    )


def _alone(found: Mapping[str, Any]) -> list[str]:
    """Growth, threads, memory and compilation, each in a line."""
    lines = []
    if growth := found.get("growth"):
        ns = growth["ns_per_turn"]
        lines.append(f"Growth: {ns[0]:.0f} ns a turn, {ns[1]:.0f} with ten times the arrivals and the servers")
    for name, threads in found.get("threads", {}).items():
        if threads is not None:
            busy = f", but the machine was busy (load {threads['load_average']:.1f}): no bar" if threads["busy"] else ""
            lines.append(f"Threads, {name}: two are {threads['ratio']:.2f} times as fast as one{busy}")
    if memory := found.get("memory"):
        lines.append(f"Memory: {memory['bytes_per_turn']:.0f} bytes a turn at the highest, rows included")
    if compile_s := found.get("compile"):
        lines.append(
            f"Compilation, once a version: {compile_s['compile_s']:.0f} s; a process then starts in "
            f"{compile_s['start_s']:.1f} s"
        )
    return lines


def _aim(bar: Mapping[str, Any]) -> str:
    return f"at least {_plain(bar['at_least'])}" if bar["at_least"] is not None else f"at most {_plain(bar['at_most'])}"


def _plain(value: float) -> str:
    return _many(value) if value >= 100 else f"{value:.2f}"


def _many(value: float) -> str:
    """A number with its thousands apart, to three digits from a thousand on."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        value = round(value / 10**digits) * 10**digits
    return f"{value:,.0f}".replace(",", " ")
