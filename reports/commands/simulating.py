"""Commands that simulate: run, simulate, compare, and what is done with a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.commands.group import main
from reports.commands.options import (
    AS_JSON,
    DRAIN,
    ENGINE,
    EXECUTOR,
    HOURS,
    OUT,
    PLAYS,
    SEED,
    WORKERS,
    Hours,
    asked_words,
    print_json,
    runs,
    size,
    with_options,
)

if TYPE_CHECKING:
    from reports.compare import CompareAnswer
    from reports.make import Answer, Question


_questions = with_options(
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
    size("drawn"),
    WORKERS,
    EXECUTOR,
    ENGINE,
    OUT,
    AS_JSON,
)  # fmt: skip


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

    words = asked_words()
    if asked["runs"] is None:
        asked["runs"] = 10 if asked["until"] else 4
    scenario, desk, plan = (asked.pop(name) for name in ("scenario", "desk", "plan"))
    return Question(scenario, desk, Settings(**asked), words, plan)


def _answer(answer: Answer, as_json: bool) -> None:
    """Print what came out."""
    from reports import tables
    from reports.console import for_results

    if answer.figures is not None and as_json:
        print_json(answer.to_dict())
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
@with_options(
    click.argument("scenario"),
    click.option("--desk", "desks", multiple=True, metavar="NAME|FILE",
                 help="A desk; may be given several times.  [default: klm_2015]"),
    click.option("--plan", "plans", multiple=True, metavar="NAME|FILE",
                 help="A crisis plan for every desk; may be given several times. `none` is to have none, `own` that "
                      "of the desk, as without --plan."),
    runs(40),
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
    question = compare.CompareQuestion(scenario, desks, plans, settings, asked_words())
    told = compare.compare(question, Terminal()) if out is None else compare.store(question, out, Terminal())
    if told.told is not None:
        print_json(told.to_dict()) if as_json else compare_tables.comparison(for_results(), told.told)
    _leave(told)


@main.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--staffing",
    type=click.Path(path_type=Path),
    help="Show the plan of this folder, which `ashcloud staff --out` wrote.",
)
def _report(run: Path, staffing: Path | None) -> None:
    """Make the page of a run folder anew.

    \b
    Examples:
      ashcloud report runs/latest
      ashcloud report runs/volcano --staffing runs/volcano-staff
    """
    from reports import tables
    from reports.console import for_results
    from reports.runs import load, make_page

    tables.verdict(for_results(), make_page(load(run), staffing=staffing), run)


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
    print_json(told.to_dict()) if as_json else tables.comparison(for_results(), told)
    code = 1 if told.differences else 130 if told.compared < told.stored else 0
    click.get_current_context().exit(code)
