"""Commands of the care service: serve it, and make, fill or check its store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from reports.commands.group import main
from reports.commands.options import AS_JSON, HOURS, SEED, Number, print_told, with_options

STORE = click.option("--store", metavar="URL", default="sqlite:care.db", show_default=True,
                     help="sqlite:PATH, or postgresql://USER@HOST/DATABASE.")  # fmt: skip


@main.command("serve")
@with_options(
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
    click.option("--commit-delay-ms", metavar="MS", type=Number(0, 10_000), default=0.0, show_default=True,
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

    print_told(as_json, commands.migrate(store), commands.draw)


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

    print_told(as_json, commands.fill(store, scenario, seed, hours), commands.draw)


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
    print_told(as_json, found, commands.draw)
    click.get_current_context().exit(3 if found["broken"] else 0)
