"""The command that measures the engines beside other tools."""

from __future__ import annotations

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, print_told

MODELS = ("mm105", "multiskill", "quiet_week", "volcano")  # as reports.bench has them


@main.command("bench")
@click.option("--quick", is_flag=True, help="Play less of each model, and leave compilation out.")
@click.option("--only", type=click.Choice(MODELS), help="One model, and nothing else.")
@AS_JSON
def _bench(quick: bool, only: str | None, as_json: bool) -> None:
    """Measure the engines beside other tools.

    \b
    Example:
      ashcloud bench --quick

    The tools are SimPy, plain Python and Ciw. Exit code 3 if any of them has another answer.
    """
    from reports import bench
    from reports.bench_table import print_bench
    from reports.console import Terminal

    sizes = bench.QUICK if quick else bench.FULL
    with Terminal().waiting("bench", bench.pieces(only)) as watch:
        found = bench.bench(sizes, only, watch)
    print_told(as_json, found, print_bench)
    click.get_current_context().exit(130 if found["status"] == "interrupted" else 0 if found["all_same"] else 3)
