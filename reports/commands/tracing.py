"""Commands for traces: generate, import, look at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, HOURS, MAP, SEED, print_told, size, with_options

if TYPE_CHECKING:
    from sim.replicate import Size


@main.group("trace")
def _trace() -> None:
    """Posts from outside: generate them, look at them.

    \b
    Example:
      ashcloud trace sample volcano
    """


@_trace.command("generate")
@click.argument("scenario")
@SEED
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="File to write, .npz.")
@HOURS
@size("likely")
def _trace_generate(scenario: str, seed: int, out: Path, hours: float | None, size: Size) -> None:
    """Draw the posts of SCENARIO and write them to a file.

    \b
    Example:
      ashcloud trace generate volcano --seed 1 --hours 24 --out volcano.npz
    """
    from reports import traces

    print_told(False, traces.write(scenario, seed, out, hours, size), traces.print_info)


@_trace.command("import")
@click.argument("tickets", type=click.Path(path_type=Path))
@with_options(
    MAP,
    click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="File to write, .npz."),
    click.option("--zone", metavar="ZONE", help="Zone of times without an offset.  [default: that of the map]"),
    click.option("--local", metavar="ZONE", help="Zone in which people read the trace.  [default: that of the times]"),
    click.option("--onset", metavar="TIME", help="Local time of second 0.  [default: midnight before the first row]"),
    AS_JSON,
)  # fmt: skip
def _trace_import(tickets: Path, out: Path, as_json: bool, **asked: Any) -> None:
    """Make a trace of TICKETS, a table with one row a contact.

    \b
    Example:
      ashcloud trace import tickets.csv --map zendesk --local Europe/Amsterdam --out december.npz

    What became of the cases goes into a file beside it, for `ashcloud hindcast`. Texts, names and addresses
    go nowhere.
    """
    from reports import traces

    print_told(as_json, traces.write_imported(tickets, out=out, **asked), traces.print_imported)


@_trace.command("info")
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def _trace_info(file: Path, as_json: bool) -> None:
    """Print what a trace FILE holds and where it came from.

    \b
    Example:
      ashcloud trace info volcano.npz --json
    """
    from reports import traces
    from scenarios.traces import load

    print_told(as_json, load(file).info(), traces.print_info)


@_trace.command("sample")
@click.argument("source", metavar="FILE|SCENARIO")
@click.option(
    "-n", "number", metavar="N", type=click.IntRange(1), default=12, show_default=True, help="How many posts."
)
@click.option("--language", metavar="CODE", help="Only posts in this language, such as nl.")
@click.option("--topic", metavar="WORD", help="Only posts on this topic, such as rebooking.")
@SEED
@AS_JSON
def _trace_sample(source: str, number: int, as_json: bool, **chosen: Any) -> None:
    """Print readable posts, at random, of a trace FILE or of a SCENARIO.

    \b
    Example:
      ashcloud trace sample volcano -n 5 --language nl
    """
    from reports import traces

    print_told(as_json, traces.sample(source, number, **chosen), traces.print_posts)
