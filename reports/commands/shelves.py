"""Commands for the files of the library: scenarios, desks, plans and targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, MAP, print_json, print_told, with_options

if TYPE_CHECKING:
    from reports.listing import What


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

        print_told(as_json, listing.brief(what), listing.print_list)

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

        print_json(listing.schema(what))

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

    print_told(as_json, listing.scenario_facts(name, flat), listing.print_scenario)


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

    print_told(as_json, listing.desk_facts(name), listing.print_desk)


@_desk.command("import")
@click.argument("schedule", type=click.Path(path_type=Path))
@with_options(
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

    print_told(as_json, desks_in.write_desk(schedule, out=out, **asked), desks_in.print_desk)


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

    print_told(as_json, listing.plan_facts(name), listing.print_plan)


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
