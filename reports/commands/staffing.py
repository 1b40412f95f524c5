"""Commands of a planner: staff, nowcast and rosters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, HOURS, OUT, SEED, SIZES, Number, asked_words, print_told, with_options


@main.command("staff")
@with_options(
    click.argument("scenario"),
    click.option("--promise", "promises", multiple=True, required=True, metavar="WORDS",
                 help="Such as '80% in 20 min'; may be given several times."),
    click.option("--desk", metavar="NAME|FILE", default="klm_2015", show_default=True,
                 help="The desk: its pools say who can be had, its shifts and ladder what can be reached."),
    click.option("--plan", metavar="NAME|FILE", help="The crisis plan, in the place of the desk's own; none: without."),
    click.option("--per", type=click.Choice(["language", "all"]), default="language", show_default=True,
                 help="Whether the promise holds in each language as well, or for all cases together."),
    click.option("--budget", metavar="TIME", default="1m", show_default=True,
                 help="Time for the search, such as 10m; playing what was found comes on top."),
    click.option("--size", type=click.Choice(SIZES[1:]), default="likely", show_default=True,
                 help="Size of the surges for which the plan is made; larger ones are worked out beside it."),
    click.option("--miss-cost", "miss_eur", type=Number(0), default=10.0, show_default=True, metavar="EUR",
                 help="Price of a case whose promise is missed, to weigh plans where the size is open."),
    click.option("--baselines", metavar="N", type=click.IntRange(0), default=8, show_default=True,
                 help="Days on which two usual ways to staff are played for comparison; 0: not at all."),
    click.option("--worlds", metavar="N", type=click.IntRange(0), default=24, show_default=True,
                 help="Worlds at most, drawn from the assumed ranges, in which the plans are played; 0: none."),
    click.option("--roster", metavar="RULES", help="Make a roster too, by this set of rules, such as dutch."),
    click.option("--roster-heads", type=click.Choice(["any", "own"]), default="any", show_default=True,
                 help="Agents of the roster: as many as it takes, or at most the desk's own heads in each pool."),
    SEED,
    HOURS,
    OUT,
    AS_JSON,
)  # fmt: skip
def _staff(scenario: str, promises: tuple[str, ...], desk: str, plan: str | None, out: Path | None, as_json: bool,
           **asked: Any) -> None:  # fmt: skip
    """Size the staff with which SCENARIO keeps a promise.

    \b
    Example:
      ashcloud staff quiet_week --promise "80% in 20 min" --hours 24 --budget 10s

    The requirement is as if all stood ready; what the desk and its call-in ladder can reach is told apart.
    Exit code 1 if that, or the roster, does not keep the promise.
    """
    from reports import staff, staff_tables
    from reports.console import Terminal
    from reports.staff_manifest import StaffSettings

    question = staff.StaffQuestion(scenario, desk, plan, promises, StaffSettings(**asked), asked_words())
    told = staff.staff(question, out, Terminal())
    print_told(as_json, told.to_dict() if as_json else told, staff_tables.plan)
    if told.folder is not None:
        click.echo(f"page: {told.folder / 'staff.html'}", err=True)
    click.get_current_context().exit(told.code)


@main.command("nowcast")
@with_options(
    click.argument("scenario"),
    click.option("--now", required=True, metavar="TIME",
                 help="A clock time of the scenario's zone, a date with one, or +6h from the onset."),
    click.option("--so-far", required=True, metavar="HOURS|FILE",
                 help="Mentions and cases of each hour, by its start: '05:00=120/18 06:00=340/41', or a CSV file."),
    click.option("--onset", metavar="TIME", help="When it began.  [default: as the counts tell]"),
    click.option("--backlog", metavar="LANGUAGE=N,...", default="", help="Cases that wait now, such as en=85,nl=40."),
    click.option("--called-in", metavar="RUNG=N,...", default="",
                 help="Who was called in and is at work, by rung of the ladder, such as volunteers=30."),
    click.option("--desk", metavar="NAME|FILE", default="klm_2015", show_default=True, help="The desk."),
    click.option("--plan", metavar="NAME|FILE", help="The crisis plan, in the place of the desk's own; none: without."),
    click.option("--hours", type=click.IntRange(24, 72), default=24, show_default=True, help="How far to look ahead."),
    click.option("--runs", metavar="N", type=click.IntRange(2),
                 help="Draws that are played on.  [default: 30, fewer beyond 24 hours]"),
    SEED,
    OUT,
    AS_JSON,
)  # fmt: skip
def _nowcast(scenario: str, desk: str, plan: str | None, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Say in mid-crisis what comes and whom to call in.

    \b
    Example:
      ashcloud nowcast volcano --now 06:30 --so-far '05:00=320/38 06:00=260/30' --backlog en=85,nl=40

    The hours seen tell how large the surge is; draws of it are played on from now against the desk, with the
    call-in ladder called now, later, or not at all.
    """
    # thousands of small matrices: with threads of its own the linear algebra spins, minutes if a core is busy
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from reports import nowcast, nowcast_tables
    from reports.console import Terminal

    settings = nowcast.NowcastSettings(**asked)
    question = nowcast.NowcastQuestion(scenario, desk, plan, settings, asked_words())
    told = nowcast.ask(question, out, Terminal())
    if told.told is not None:
        print_told(as_json, told.to_dict() if as_json else told, nowcast_tables.nowcast)
    if told.folder is not None:
        click.echo(f"saved in {told.folder}", err=True)
    click.get_current_context().exit(told.code)


@main.group("roster")
def _roster() -> None:
    """Check a roster against rules of working time.

    \b
    Example:
      ashcloud roster check tests/data/roster.csv
    """


@_roster.command("check")
@click.argument("roster")
@click.option("--rules", metavar="NAME|FILE", default="dutch", show_default=True, help="The set of rules.")
@click.option("--desk", metavar="NAME|FILE", help="A desk whose pools the roster must fit.")
@AS_JSON
def _roster_check(roster: str, rules: str, desk: str | None, as_json: bool) -> None:
    """List each breach in the CSV file ROSTER by agent and date.

    \b
    Example:
      ashcloud roster check tests/data/roster.csv --rules dutch

    Exit code 1 if there is any.
    """
    from reports import roster_check

    told = roster_check.check(roster, rules, desk)
    print_told(as_json, told.to_dict() if as_json else told, roster_check.draw)
    click.get_current_context().exit(told.code)
