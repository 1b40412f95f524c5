"""The command line: parses, calls one room, prints; no modelling.

It is also the front door of the library: ``from ashcloud import Scenario, Desk, simulate, compare``.
A room is imported inside the function that needs it, so that ``ashcloud --help`` stays quick. Exit
codes: 0 done; 1 a rerun differs; 2 the user's input; 3 a component failed, or a bug of ours, which
keeps its traceback; 4 the generator of load was not up to it; 130 interrupted.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from reports.compare import CompareAnswer
    from reports.front import compare, simulate
    from reports.listing import What
    from reports.make import Answer, Question
    from scenarios.model import Scenario
    from sim.desk import Desk
    from sim.replicate import Size

__all__ = ["Desk", "Scenario", "compare", "main", "simulate"]

FRONT = {  # what a program may import from here, and where it is
    "Scenario": "scenarios.model",
    "Desk": "sim.desk",
    "simulate": "reports.front",
    "compare": "reports.front",
}

F = TypeVar("F", bound=Callable[..., Any])
SIZES = ("drawn", "likely", "low", "high")  # as sim.replicate has them, which takes a second to import
ENGINES = ("compiled", "reference")  # as sim.engines has them
MODELS = ("mm105", "multiskill", "quiet_week", "volcano")  # as reports.bench has them
ORDER = (
    "run", "staff", "nowcast", "hindcast", "load", "load-compare", "calibrate", "simulate", "compare", "resume",
    "report", "rerun", "roster", "scenario", "desk", "plan-file", "trace", "target", "breakpoint", "serve", "care",
    "bench", "list", "check", "show", "import", "from-openapi", "validate", "schema", "generate", "info", "sample",
    "migrate", "seed",
)  # fmt: skip
MAX_SEED = 2**64 - 1


def __getattr__(name: str) -> Any:
    if name not in FRONT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(FRONT[name]), name)


class Commands(click.Group):
    """Commands in the order of their use; all that a user can cause ends in a line and an exit code."""

    group_class = type

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands, key=ORDER.index)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[:2] == ["load", "compare"]:
            args = ["load-compare", *args[2:]]
        word = args[0]
        if word not in self.commands and not word.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(word, self.commands, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(self.commands)}."
            raise click.UsageError(f"No such command {word!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted; nothing is kept", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
            ctx.exit(0)
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            _fail(ctx, error)


def _fail(ctx: click.Context, error: Exception) -> NoReturn:
    from reports.console import failed, redact

    if isinstance(error, click.ClickException):
        raise click.UsageError(redact(error.format_message()), getattr(error, "ctx", None)) from None
    ctx.exit(failed(error))


class Hours(click.FloatRange):
    """A finite number of hours."""

    name = "hours"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            hours = float(value)
        except ValueError:
            hours = math.nan
        if not math.isfinite(hours):
            self.fail(f"{value} is no number of hours.", param, ctx)
        return float(super().convert(hours, param, ctx))


def _print_json(value: Any) -> None:
    from reports.summary import to_json

    click.echo(to_json(value))


def _print(as_json: bool, value: Any, draw: Callable[[Any, Any], None]) -> None:
    """Print a value as JSON, or drawn on the console."""
    from reports.console import for_results

    _print_json(value) if as_json else draw(for_results(), value)


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


def _size(default: str) -> Callable[[F], F]:
    text = "Size of the surges: drawn for each run, or the same for all."
    return click.option("--size", type=click.Choice(SIZES), default=default, show_default=True, help=text)


def _runs(default: int) -> Callable[[F], F]:
    text = "Replications; an interval needs at least 2."
    return click.option("--runs", metavar="N", type=click.IntRange(1), default=default, show_default=True, help=text)


ENGINE = click.option("--engine", type=click.Choice(ENGINES), default="compiled", show_default=True,
                      help="What simulates: both give the same rows, the reference is the one to read.")  # fmt: skip
OUT = click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                   help="Folder for the results; never overwritten: if it holds a run, a number is added.")  # fmt: skip
DRAIN = click.option("--drain", "drain_h", type=Hours(0, 8784), default=0.0, show_default=True, metavar="HOURS",
                     help="Go on so long beyond the window while anything waits.")  # fmt: skip
PLAYS = SEED, HOURS, DRAIN, _size("drawn"), WORKERS, EXECUTOR, ENGINE, OUT, AS_JSON


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Options of a command, in this order."""

    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


_questions = _with(
    click.argument("scenario"),
    click.option("--desk", metavar="NAME|FILE", default="klm_2015", show_default=True, help="The desk."),
    click.option("--plan", metavar="NAME|FILE", help="The crisis plan, in the place of the desk's own; none: without."),
    click.option("--runs", metavar="N", type=click.IntRange(1),
                 help="Replications; an interval needs at least 2.  [default: 4; 10 with --until]"),
    click.option("--until", metavar="MEASURE=WIDTH", multiple=True,
                 help="Run on until the interval is so narrow: wait_mean_s=5% or =30s to either side; repeatable."),
    click.option("--max-runs", metavar="N", type=click.IntRange(1), default=200, show_default=True,
                 help="Replications at most with --until."),
    SEED,
    HOURS,
    DRAIN,
    click.option("--warm-up", "warm_up_h", type=Hours(0, 8784), default=0.0, show_default=True, metavar="HOURS",
                 help="Simulate the first hours of the window, but leave them out of all measures."),
    click.option("--backlog", metavar="LANGUAGE=N,...", default="",
                 help="Cases that wait already when the window opens, such as en=85,nl=40."),
    _size("drawn"),
    WORKERS,
    EXECUTOR,
    ENGINE,
    OUT,
    AS_JSON,
)  # fmt: skip


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ashcloud", message="%(prog)s %(version)s")
def main() -> None:
    """Simulate and load-test an airline's social-care desk in a crisis.

    \b
    Examples:
      ashcloud run volcano --hours 72
      ashcloud simulate quiet_week --runs 2 --json
      ashcloud scenario list

    Results go to standard output, all else to standard error. SCENARIO and --desk take a name of the
    library or a file of your own.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to stop


@main.command("run")
@_questions
def _run(out: Path | None, as_json: bool, **asked: Any) -> None:
    """Simulate SCENARIO and write a report to decide on.

    \b
    Example:
      ashcloud run volcano --hours 72 --out runs/volcano

    Everything is kept in a run folder: --out, or one below runs named after the time and the scenario.
    """
    from reports.console import Terminal
    from reports.make import store

    _answer(store(_question(asked), out, True, Terminal()), as_json)


@main.command("simulate")
@_questions
def _simulate(out: Path | None, as_json: bool, **asked: Any) -> None:
    """Simulate SCENARIO and print the figures.

    \b
    Example:
      ashcloud simulate quiet_week --runs 2 --hours 24

    Means come with 95 % intervals. With --out all is kept in a run folder, for `ashcloud report`.
    """
    from reports.console import Terminal
    from reports.make import simulate, store

    question = _question(asked)
    _answer(simulate(question, Terminal()) if out is None else store(question, out, False, Terminal()), as_json)


def _question(asked: dict[str, Any]) -> Question:
    from reports.make import Question
    from reports.manifest import Settings

    words = ("ashcloud", *sys.argv[1:])
    if asked["runs"] is None:
        asked["runs"] = 10 if asked["until"] else 4
    scenario, desk, plan = (asked.pop(name) for name in ("scenario", "desk", "plan"))
    return Question(scenario, desk, Settings(**asked), words, plan)


def _answer(answer: Answer, as_json: bool) -> None:
    """Print what came out."""
    from reports import tables
    from reports.console import for_results

    if answer.figures is not None and as_json:
        _print_json(answer.to_dict())
    elif answer.figures is not None:
        tables.answer(for_results(), answer)
    _leave(answer)


def _leave(answer: Answer | CompareAnswer) -> None:
    """Say what else there is to hear, and leave with the exit code that belongs to it."""
    for line in answer.remarks():
        click.echo(line, err=True)
    if answer.error is not None:
        raise answer.error
    if answer.status == "interrupted":
        click.get_current_context().exit(130)


@main.command("compare")
@_with(
    click.argument("scenario"),
    click.option("--desk", "desks", multiple=True, metavar="NAME|FILE",
                 help="A desk; may be given several times.  [default: klm_2015]"),
    click.option("--plan", "plans", multiple=True, metavar="NAME|FILE",
                 help="A crisis plan for every desk; may be given several times. `none` is to have none, `own` that "
                      "of the desk, as without --plan."),
    _runs(40),
    click.option("--worlds", metavar="N", type=click.IntRange(2),
                 help="Draw what is assumed so many times, and say whether the ranking survives."),
    *PLAYS,
)  # fmt: skip
def _compare(scenario: str, desks: tuple[str, ...], plans: tuple[str, ...], out: Path | None, as_json: bool,
             worlds: int | None, **asked: Any) -> None:  # fmt: skip
    """Compare desks and plans on the same days of SCENARIO.

    \b
    Example:
      ashcloud compare volcano --desk klm_2015 --desk klm_2011 --runs 20 --hours 72

    Every alternative meets the same posts and the same luck; differences come with 95 % intervals, and
    words say who is better and who cannot be told apart. The first alternative is the baseline.
    """
    from reports import compare, compare_tables
    from reports.compared import CompareSettings
    from reports.console import Terminal, for_results

    settings = CompareSettings(worlds=worlds or 0, **asked)
    question = compare.CompareQuestion(scenario, desks, plans, settings, ("ashcloud", *sys.argv[1:]))
    told = compare.compare(question, Terminal()) if out is None else compare.store(question, out, Terminal())
    if told.told is not None:
        _print_json(told.to_dict()) if as_json else compare_tables.comparison(for_results(), told.told)
    _leave(told)


@main.command("staff")
@_with(
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
    click.option("--miss-cost", "miss_eur", type=click.FloatRange(0), default=10.0, show_default=True, metavar="EUR",
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

    question = staff.StaffQuestion(scenario, desk, plan, promises, StaffSettings(**asked), ("ashcloud", *sys.argv[1:]))
    told = staff.staff(question, out, Terminal())
    _print(as_json, told.to_dict() if as_json else told, staff_tables.plan)
    if told.folder is not None:
        click.echo(f"page: {told.folder / 'staff.html'}", err=True)
    click.get_current_context().exit(told.code)


@main.command("nowcast")
@_with(
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
    question = nowcast.NowcastQuestion(scenario, desk, plan, settings, ("ashcloud", *sys.argv[1:]))
    told = nowcast.ask(question, out, Terminal())
    if told.told is not None:
        _print(as_json, told.to_dict() if as_json else told, nowcast_tables.nowcast)
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
    _print(as_json, told.to_dict() if as_json else told, roster_check.draw)
    click.get_current_context().exit(told.code)


@main.command("hindcast")
@_with(
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
    _print(as_json, told.to_dict() if as_json else told, hindcast_tables.hindcast)
    if told.folder is not None:
        click.echo(f"figure: {told.folder / 'hindcast.png'}", err=True)
    click.get_current_context().exit(told.code)


MAP = click.option("--map", "given", metavar="NAME|FILE", default="plain", show_default=True,
                   help="Which column is what: genesys, plain, zendesk, or a file of your own.")  # fmt: skip


@main.command("calibrate")
@click.argument("history", type=click.Path(path_type=Path))
@_with(
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
    _print(as_json, told.to_dict() if as_json else told, calibrate.draw)


TARGET = click.option("--target", "url", metavar="URL|FILE", help="The service: an address, or a target file.")
SERVE = click.option("--serve", is_flag=True, help="Start the reference service for it, and end it.")
_sends = _with(
    click.option("--path", default="/v1/mentions", show_default=True, help="Where it takes mentions."),
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                 help="Processes that send."),
    click.option("--connections", type=click.Choice(["pool", "new"]), default="pool", show_default=True,
                 help="Keep them open, or open one a request."),
    click.option("--max-requests", "most_requests", type=click.IntRange(1), metavar="N", help="Send no more in all."),
    click.option("--i-own-this-host", "mine", is_flag=True,
                 help="Needed, with --max-requests, for a target that is not on this machine."),
)  # fmt: skip


@main.command("load")
@_with(
    click.argument("scenario", metavar="SCENARIO|TRACE|SHAPE"),
    TARGET,
    SERVE,
    _sends,
    click.option("--from", "from_h", type=float, metavar="HOURS", help="Hours from onset to begin at."),
    click.option("--to", "to_h", type=float, metavar="HOURS", help="Hours from onset to end at."),
    click.option("--speed", type=float, default=1.0, show_default=True, help="60 plays an hour in a minute."),
    click.option("--times", type=int, default=1, show_default=True, metavar="N", help="So many times the traffic."),
    click.option("--slo", metavar="WORDS", help="Such as 'p99<500ms,errors<0.1%', or peak:p99<2s for one phase."),
    click.option("--disturb", metavar="WORDS", help="As senders do: redeliver=5%,late=2%,hostile=1%."),
    click.option("--faults", is_flag=True, help="With --serve: play the scenario's own faults on the service."),
    click.option("--disturb-service", metavar="WORDS", help="With --serve: kill@30s,restart@2.5h,freeze@60s+2s."),
    click.option("--abort-on-slo", "abort", is_flag=True, help="End as soon as an objective is broken."),
    click.option("--max-lag", "lag_ms", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True,
                 metavar="MS", help="The run is invalid if 1 % of the rows are sent later than this."),
    click.option("--max-connections", type=int, default=10_000, show_default=True, metavar="N",
                 help="Connections a worker; what is due beyond is dropped, and counted."),
    click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, metavar="SECONDS",
                 help="Seconds from the due time until a row has failed."),
    click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="Certificates to trust as well, PEM."),
    click.option("--metrics", "metrics_url", metavar="URL", help="Where the service tells its Prometheus metrics."),
    click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing."),
    _size("likely"),
    SEED,
    OUT,
    AS_JSON,
)  # fmt: skip
def _load(scenario: str, dry_run: bool, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Replay SCENARIO against a service, and judge it.

    \b
    Example:
      ashcloud load volcano --from 24 --to 26 --speed 60 --serve

    Each post is sent when it is due, and its latency counts from that moment. The posts are signed with the
    secret in ASHCLOUD_SECRET. Exit code 1: an objective is broken; 4: the generator itself was late.
    """
    from reports import load, load_tables
    from reports.console import Terminal
    from reports.load_ask import question

    q = question(scenario, os.environ.get("ASHCLOUD_SECRET", ""), command=("ashcloud", *sys.argv[1:]), **asked)
    if dry_run:
        _print(as_json, load.plan(q).to_dict(), load_tables.dry_run)
        return
    told = load.ask(q, out, Terminal())
    _print(as_json, told.to_dict() if as_json else told, load_tables.answer)
    for line in (*told.remarks(), f"kept in {told.folder}"):
        click.echo(line, err=True)
    click.get_current_context().exit(told.code)


@main.command("load-compare")
@_with(
    click.argument("first", type=click.Path(path_type=Path)),
    click.argument("second", type=click.Path(path_type=Path)),
    click.option("--margin", "latency_pct", type=click.FloatRange(0), default=10.0, show_default=True,
                 metavar="PERCENT", help="How much slower is still accepted."),
    click.option("--share-margin", "share_pt", type=click.FloatRange(0), default=0.1, show_default=True,
                 metavar="POINTS", help="How much more may fail or be shed, in points of percent."),
    SEED,
    AS_JSON,
)  # fmt: skip
def _load_compare(first: Path, second: Path, latency_pct: float, share_pt: float, seed: int, as_json: bool) -> None:
    """Say if the load test SECOND is worse than FIRST.

    \b
    Example:
      ashcloud load-compare runs/load-monday runs/load-tuesday --margin 10

    Also `ashcloud load compare`. Changes come with 95 % intervals; exit code 1 if one lies beyond its margin as
    a whole, 4 if a generator was not in order.
    """
    from loadtests.compare import Margins
    from reports import load_compare

    told = load_compare.ask(first, second, Margins(latency_pct / 100.0, share_pt / 100.0), seed)
    _print(as_json, told.to_dict() if as_json else told, load_compare.draw)
    click.get_current_context().exit(told.code)


@main.command("report")
@click.argument("run", type=click.Path(path_type=Path))
def _report(run: Path) -> None:
    """Make the page of a run folder anew.

    \b
    Example:
      ashcloud report runs/latest
    """
    from reports import tables
    from reports.console import for_results
    from reports.runs import load, make_page

    tables.verdict(for_results(), make_page(load(run)), run)


@main.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@WORKERS
@EXECUTOR
@AS_JSON
def _resume(run: Path, workers: int | None, executor: str | None, as_json: bool) -> None:
    """Go on with the runs of RUN that were interrupted.

    \b
    Example:
      ashcloud resume runs/latest

    What has finished is not done again. If the command was killed, RUN is where its folder was to be.
    """
    from reports.console import Terminal
    from reports.resume import resume

    _answer(resume(run, workers, executor, Terminal()), as_json)


@main.command("rerun")
@click.argument("run", type=click.Path(path_type=Path))
@WORKERS
@EXECUTOR
@AS_JSON
def _rerun(run: Path, workers: int | None, executor: str | None, as_json: bool) -> None:
    """Do the runs of RUN again and name what differs.

    \b
    Example:
      ashcloud rerun runs/latest

    Every column of every run is compared. Exit code 1 if any differs.
    """
    from reports import tables
    from reports.console import Terminal, for_results
    from reports.rerun import rerun

    told = rerun(run, workers, Terminal(), executor)
    _print_json(told.to_dict()) if as_json else tables.comparison(for_results(), told)
    code = 1 if told.differences else 130 if told.compared < told.stored else 0
    click.get_current_context().exit(code)


def _shelf(what: What, command: str, first: str, about: str) -> click.Group:
    """The commands that scenarios, desks, plans and targets share; `what` is how `reports.listing` calls them."""

    def example(words: str) -> str:
        return f"\n\n\b\nExample:\n  ashcloud {command} {words}"

    @main.group(command, help=f"{about}{example('list' if what == 'target' else f'show {first}')}")
    def group() -> None: ...

    @group.command("list", help=f"List the {what}s of the library.{example('list')}")
    @AS_JSON
    def _list(as_json: bool) -> None:
        from reports import listing

        _print(as_json, listing.brief(what), listing.print_list)

    @group.command(
        "validate", help=f"Check {what} FILES and print all that is wrong in them.{example(f'validate {first}')}"
    )
    @click.argument("files", nargs=-1, required=True)
    def _validate(files: tuple[str, ...]) -> None:
        from reports import listing

        click.echo("\n".join(listing.validate(what, files)))

    @group.command("schema", help=f"Print the JSON Schema of a {what} file, for editors.{example('schema')}")
    def _schema() -> None:
        from reports import listing

        _print_json(listing.schema(what))

    return group


_scenario = _shelf("scenario", "scenario", "volcano", "What happens to the desk: list, show and check scenarios.")
_desk = _shelf("desk", "desk", "klm_2015", "Who answers: list, show and check desks.")
_services = _shelf("target", "target", "chatwoot", "Services to load, as files: list and check them, draft one.")
_plan = _shelf("plan", "plan-file", "klm_crisis", "What a desk does in a crisis: list, show and check plans.")


@_scenario.command("show")
@click.argument("name")
@click.option("--flat", is_flag=True, help="Leave out the profile of hours and weekdays.")
@AS_JSON
def _scenario_show(name: str, flat: bool, as_json: bool) -> None:
    """Show what the scenario NAME brings, its story and its evidence.

    \b
    Example:
      ashcloud scenario show volcano --json
    """
    from reports import listing

    _print(as_json, listing.scenario_facts(name, flat), listing.print_scenario)


@_desk.command("show")
@click.argument("name")
@AS_JSON
def _desk_show(name: str, as_json: bool) -> None:
    """Show the pools, promises and evidence of the desk NAME.

    \b
    Example:
      ashcloud desk show klm_2015
    """
    from reports import listing

    _print(as_json, listing.desk_facts(name), listing.print_desk)


@_desk.command("import")
@click.argument("schedule", type=click.Path(path_type=Path))
@_with(
    click.option("--skills", type=click.Path(path_type=Path), metavar="FILE", help="Table of agents and languages."),
    MAP,
    click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="File to write, .toml."),
    click.option("--zone", metavar="ZONE", help="Zone of times without an offset.  [default: that of the map]"),
    click.option("--local", metavar="ZONE", help="Zone in which people read the desk.  [default: that of the times]"),
    click.option("--onset", metavar="TIME", help="Local hour 0 if longer than a week.  [default: its first midnight]"),
    AS_JSON,
)  # fmt: skip
def _desk_import(schedule: Path, out: Path, as_json: bool, **asked: Any) -> None:
    """Make a desk file of a table of shifts, SCHEDULE.

    \b
    Example:
      ashcloud desk import schedule.csv --skills agents.csv --out december.toml

    Agents get codes; names and addresses go nowhere. Activities that are not known are listed.
    """
    from reports import desks_in

    _print(as_json, desks_in.write_desk(schedule, out=out, **asked), desks_in.print_desk)


@_plan.command("show")
@click.argument("name")
@AS_JSON
def _plan_show(name: str, as_json: bool) -> None:
    """Show the triggers, levers and the call-in ladder of the plan NAME.

    \b
    Example:
      ashcloud plan-file show klm_crisis
    """
    from reports import listing

    _print(as_json, listing.plan_facts(name), listing.print_plan)


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
@_size("likely")
def _trace_generate(scenario: str, seed: int, out: Path, hours: float | None, size: Size) -> None:
    """Draw the posts of SCENARIO and write them to a file.

    \b
    Example:
      ashcloud trace generate volcano --seed 1 --hours 24 --out volcano.npz
    """
    from reports import traces

    _print(False, traces.write(scenario, seed, out, hours, size), traces.print_info)


@_trace.command("import")
@click.argument("tickets", type=click.Path(path_type=Path))
@_with(
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

    _print(as_json, traces.write_imported(tickets, out=out, **asked), traces.print_imported)


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

    _print(as_json, load(file).info(), traces.print_info)


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

    _print(as_json, traces.sample(source, number, **chosen), traces.print_posts)


@_services.command("from-openapi")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.  [default: print it]")
def _target_from_openapi(file: Path, out: Path | None) -> None:
    """Draft a target from FILE, an OpenAPI description.

    \b
    Example:
      ashcloud target from-openapi openapi.json --out ours.toml

    What was guessed, by names, stands on top: look it through.
    """
    from reports.listing import drafted_target

    click.echo(drafted_target(file, out))


@main.command("breakpoint")
@_with(
    TARGET,
    SERVE,
    _sends,
    click.option("--guess", type=click.FloatRange(0, min_open=True), default=200.0, show_default=True, metavar="RATE",
                 help="Requests a second that you expect it to take; the climb begins at a part of it."),
    click.option("--start", "start_pct", type=click.FloatRange(0, 100, min_open=True), default=10.0, show_default=True,
                 metavar="PERCENT", help="Where the climb begins, in percent of the guess."),
    click.option("--p99", "slo_p99_ms", type=click.FloatRange(0, min_open=True), metavar="MS",
                 help="A step fails too if the p99 from the due time is above so many milliseconds."),
    click.option("--precision", "precision_pct", type=click.FloatRange(0.5, 25), default=5.0, show_default=True,
                 metavar="PERCENT", help="How narrow the gap between kept up and failed must be."),
    click.option("--step", "window_s", type=click.FloatRange(0.1), default=30.0, show_default=True, metavar="SECONDS",
                 help="Measured in each step; longer if fewer than 1,000 requests are due."),
    click.option("--warm-up", "warm_up_s", type=click.FloatRange(0), default=5.0, show_default=True,
                 metavar="SECONDS", help="Sent before that, and not measured."),
    click.option("--spacing", type=click.Choice(["poisson", "even"]), default="poisson", show_default=True,
                 help="As callers come by chance, or evenly, for which short steps suffice."),
    click.option("--confirm", "confirmations", type=click.IntRange(0, 9), default=3, show_default=True, metavar="N",
                 help="How often each end is measured again."),
    click.option("--no-recovery", is_flag=True, help="Leave out the surge after which its recovery is timed."),
    click.option("--max-rate", "most_per_s", type=click.FloatRange(0, min_open=True), metavar="RATE",
                 help="No step goes beyond it."),
    click.option("--timeout", "timeout_s", type=click.FloatRange(0.1), default=10.0, show_default=True,
                 metavar="SECONDS", help="A request without an answer has failed so long after its due time."),
    SEED,
    OUT,
    AS_JSON,
)  # fmt: skip
def _breakpoint(out: Path | None, as_json: bool, **asked: Any) -> None:
    """Find the rate at which a service breaks.

    \b
    Example:
      ashcloud breakpoint --target http://127.0.0.1:8000 --guess 500 --p99 500

    Open-loop steps, latency from the due time. The generator is judged first: exit code 4 if it was not up to
    it. The secret of the service is read from ASHCLOUD_SECRET.
    """
    from reports import breakpoint
    from reports.console import Terminal

    told = breakpoint.ask(breakpoint.question(os.environ.get("ASHCLOUD_SECRET", ""), **asked), out, Terminal())
    _print(as_json, told.to_dict() if as_json else told, breakpoint.draw)
    if told.folder is not None:
        click.echo(f"figure: {told.folder / breakpoint.FIGURE}", err=True)
    click.get_current_context().exit(told.code)


STORE = click.option("--store", metavar="URL", default="sqlite:care.db", show_default=True,
                     help="sqlite:PATH, or postgresql://USER@HOST/DATABASE.")  # fmt: skip


@main.command("serve")
@_with(
    STORE,
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
    click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: a free one."),
    click.option("--tokens", type=click.Path(path_type=Path), metavar="FILE",
                 help="Tokens and secrets.  [default: one of each for development, printed]"),
    click.option("--seed-from", metavar="SCENARIO", help="Put the posts of a scenario into the store first."),
    click.option("--workers", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
                 help="Processes; more than one on PostgreSQL alone."),
    click.option("--max-inflight", metavar="N", type=click.IntRange(1), default=256, show_default=True,
                 help="Requests in hand at once; beyond, who asks is told to come again."),
    click.option("--commit-delay-ms", metavar="MS", type=click.FloatRange(0, 10_000), default=0.0, show_default=True,
                 help="Let each commit take so long, as on a slow disk."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON when ready: url, store, pid, token, secret."),
)  # fmt: skip
def _serve(store: str, seed_from: str | None, as_json: bool, max_inflight: int, commit_delay_ms: float,
           **where: Any) -> None:  # fmt: skip
    """Serve the reference care service until Ctrl-C.

    \b
    Example:
      ashcloud serve --store sqlite:care.db --port 8080

    It takes posts in, queues them, hands them to agents. With a delay and a low limit a laptop can show what
    happens when there is more to do than can be done.
    """
    from careapi import commands
    from careapi.knobs import Knobs
    from careapi.serve import Served, serve, shown

    if seed_from is not None:
        click.echo(f"putting the posts of {seed_from} into {shown(store)}", err=True)
        commands.fill(store, seed_from, 1, None)

    def ready(told: dict[str, Any]) -> None:
        click.echo(json.dumps(told) if as_json else "\n".join(f"{name:7} {value}" for name, value in told.items()))
        sys.stdout.flush()

    knobs = Knobs(max_inflight=max_inflight, commit_delay_s=commit_delay_ms / 1000.0)
    serve(Served(store=store, knobs=knobs, **where), ready)


@main.group("care")
def _care() -> None:
    """Make, fill or check a store of the care service.

    \b
    Example:
      ashcloud care check --store sqlite:care.db
    """


@_care.command("migrate")
@STORE
@AS_JSON
def _care_migrate(store: str, as_json: bool) -> None:
    """Bring the tables of a store up to date; it is made if it is not there.

    \b
    Example:
      ashcloud care migrate --store sqlite:care.db
    """
    from careapi import commands

    _print(as_json, commands.migrate(store), commands.draw)


@_care.command("seed")
@click.argument("scenario")
@STORE
@SEED
@HOURS
@AS_JSON
def _care_seed(scenario: str, store: str, seed: int, hours: float | None, as_json: bool) -> None:
    """Put the posts of a SCENARIO into an empty store, as if they had come until now.

    \b
    Example:
      ashcloud care seed quiet_week --store sqlite:care.db
    """
    from careapi import commands

    _print(as_json, commands.fill(store, scenario, seed, hours), commands.draw)


@_care.command("check")
@STORE
@AS_JSON
def _care_check(store: str, as_json: bool) -> None:
    """Check that a store keeps its promises: nothing lost, nothing twice, one agent a case.

    \b
    Example:
      ashcloud care check --store sqlite:care.db

    Exit code 3 if any does not hold.
    """
    from careapi import commands

    found = commands.check(store)
    _print(as_json, found, commands.draw)
    click.get_current_context().exit(3 if found["broken"] else 0)


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
    _print(as_json, found, print_bench)
    click.get_current_context().exit(130 if found["status"] == "interrupted" else 0 if found["all_same"] else 3)


if __name__ == "__main__":
    main()
