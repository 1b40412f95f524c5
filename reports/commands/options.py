"""What the commands share: options of one meaning and one text each, and how a result is printed."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

SIZES = ("drawn", "likely", "low", "high")  # as sim.replicate has them, which takes a second to import

ENGINES = ("compiled", "reference")  # as sim.engines has them

MAX_SEED = 2**64 - 1


class Number(click.FloatRange):
    """A finite number: nan lies in every range, and neither it nor inf can be written into a result."""

    name = "number"
    what = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value} is no {self.what}.", param, ctx)
        return float(super().convert(number, param, ctx))


class Hours(Number):
    """A finite number of hours."""

    name = "hours"
    what = "number of hours"


def asked_words() -> tuple[str, ...]:
    """The command as it was given, for the manifest of a run."""
    return ("ashcloud", *sys.argv[1:])


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    from reports.summary import to_json

    click.echo(to_json(value))


def print_told(as_json: bool, value: Any, draw: Callable[[Any, Any], None]) -> None:
    """Print a value as JSON, or drawn on the console."""
    from reports.console import for_results

    print_json(value) if as_json else draw(for_results(), value)


HOURS = click.option("--hours", type=Hours(0, min_open=True), help="Cut the window to its first hours.")

SEED = click.option(
    "--seed", type=click.IntRange(0, MAX_SEED), default=1, show_default=True, help="Root of all chance."
)

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")

WORKERS = click.option(
    "--workers", metavar="N", type=click.IntRange(1), help="Threads or processes at most.  [default: one a core]"
)


def _executor(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value in (None, "threads", "processes") or re.fullmatch(r"dask://[^\s/:@]+:\d{1,5}", str(value)):
        return value
    raise click.BadParameter(f"{value} is none of threads, processes, dask://HOST:PORT.")


EXECUTOR = click.option(
    "--executor", metavar="WHERE", callback=_executor,
    help="Where runs are done: threads, processes, or dask://HOST:PORT.  [default: what suits the engine]",
)  # fmt: skip


def size(default: str) -> Callable[[F], F]:
    """The option for the size of the surges."""
    text = "Size of the surges: drawn for each run, or the same for all."
    return click.option("--size", type=click.Choice(SIZES), default=default, show_default=True, help=text)


def runs(default: int) -> Callable[[F], F]:
    """The option for the number of replications."""
    text = "Replications; an interval needs at least 2."
    return click.option("--runs", metavar="N", type=click.IntRange(1), default=default, show_default=True, help=text)


ENGINE = click.option("--engine", type=click.Choice(ENGINES), default="compiled", show_default=True,
                      help="What simulates: both give the same rows, the reference is the one to read.")  # fmt: skip

OUT = click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                   help="Folder for the results; never overwritten: if it holds a run, a number is added.")  # fmt: skip

DRAIN = click.option("--drain", "drain_h", type=Hours(0, 8784), default=0.0, show_default=True, metavar="HOURS",
                     help="Go on so long beyond the window while anything waits.")  # fmt: skip

PLAYS = SEED, HOURS, DRAIN, size("drawn"), WORKERS, EXECUTOR, ENGINE, OUT, AS_JSON


def with_options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Options of a command, in this order."""

    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


MAP = click.option("--map", "given", metavar="NAME|FILE", default="plain", show_default=True,
                   help="Which column is what: genesys, plain, zendesk, or a file of your own.")  # fmt: skip
