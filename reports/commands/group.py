"""The group of all commands: their order, near misses, and how a fault ends.

Exit codes: 0 done; 1 a promise or an objective is missed, or a rerun differs; 2 the user's input; 3 a component
failed, or a bug of ours, which keeps its traceback; 4 the generator of load was not up to it; 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import sys
from typing import Any, NoReturn

import click

ORDER = (
    "run", "staff", "nowcast", "hindcast", "load", "drill", "load-compare", "calibrate", "simulate", "compare",
    "resume", "report", "rerun", "roster", "scenario", "desk", "plan-file", "trace", "target", "breakpoint", "serve",
    "care", "bench", "list", "check", "show", "import", "from-openapi", "validate", "schema", "generate", "info",
    "sample", "migrate", "seed",
)  # fmt: skip


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
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(self.list_commands(ctx))}."
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
