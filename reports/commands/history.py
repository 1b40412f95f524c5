"""Commands for one's own past: hindcast and calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, MAP, OUT, SEED, WORKERS, Hours, print_told, with_options


@main.command("hindcast")
@with_options(
    click.argument("trace", type=click.Path(path_type=Path)),
    click.option("--desk", metavar="NAME|FILE", required=True, help="Who was there."),
    click.option("--scenario", metavar="NAME|FILE", default="quiet_week", show_default=True,
                 help="What customers do and how long work takes; its days and surges are not used."),
    click.option("--actual", type=click.Path(path_type=Path), metavar="FILE",
                 help="What became of the cases.  [default: the .actual.npz beside TRACE]"),
    click.option("--runs", metavar="N", type=click.IntRange(19), default=39, show_default=True,
                 help="Replications; with fewer than 19 nothing can be told at 5 %."),
    SEED,
    click.option("--interval", "interval_min", type=click.Choice(["15", "30", "60"]), default="15", show_default=True,
                 metavar="MINUTES", help="Length of an interval: 15, 30 or 60."),
    click.option("--warm-up", "warm_up_h", type=Hours(0, 8784), default=0.0, show_default=True, metavar="HOURS",
                 help="Play the first hours, but do not compare them."),
    WORKERS,
    OUT,
    AS_JSON,
)  # fmt: skip
def _hindcast(trace: Path, interval_min: str, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Play a past again: would the model have known it?

    \b
    Example:
      ashcloud hindcast december.npz --desk december.toml

    What happened is held against where runs of
    the model lie. Exit code 1 if the model is not to be trusted.
    """
    from reports import hindcast, hindcast_tables
    from reports.console import Terminal

    question = hindcast.HindcastQuestion(trace, interval_min=int(interval_min), **asked)
    told = hindcast.ask(question, out, Terminal())
    print_told(as_json, told.to_dict() if as_json else told, hindcast_tables.hindcast)
    if told.folder is not None:
        click.echo(f"figure: {told.folder / 'hindcast.png'}", err=True)
    click.get_current_context().exit(told.code)


@main.command("calibrate")
@click.argument("history", type=click.Path(path_type=Path))
@with_options(
    MAP,
    click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="File to write, .toml."),
    click.option("--zone", metavar="ZONE", help="Zone of times without an offset.  [default: that of the map]"),
    click.option("--local", metavar="ZONE", help="Zone in which the desk lives.  [default: that of the times]"),
    click.option("--gaps", type=click.Choice(["refuse", "zero", "unknown"]), default="refuse", show_default=True,
                 help="What an interval means that has no row."),
    click.option("--window", type=click.Choice(["surge", "week", "history"]), default="surge", show_default=True,
                 help="What the scenario plays: the largest surge, an ordinary week, or all of it."),
    click.option("--figure", type=click.Path(path_type=Path), metavar="FILE",
                 help="Draw the history against what was fitted: .png or .svg."),
    SEED,
    AS_JSON,
)  # fmt: skip
def _calibrate(history: Path, as_json: bool, **asked: Any) -> None:
    """Fit a scenario to a HISTORY of one's own.

    \b
    Example:
      ashcloud calibrate history.csv --local Europe/Amsterdam --out ours.toml

    A table of counts by interval, or one row a contact. Tells how well it foretells weeks that were kept back.
    """
    from reports import calibrate
    from reports.console import Terminal

    told = calibrate.write(history, voice=Terminal(), **asked)
    print_told(as_json, told.to_dict() if as_json else told, calibrate.draw)
