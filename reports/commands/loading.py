"""Commands that send: load tests, their comparison, and the search for a breaking point."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from reports.commands.group import main
from reports.commands.options import (
    AS_JSON,
    HOURS,
    OUT,
    SEED,
    Hours,
    Number,
    asked_words,
    print_told,
    size,
    with_options,
)

PORT = 8089


class Port(click.IntRange):
    """A port of this machine; 0: any that is free."""

    name = "port"

    def __init__(self) -> None:
        super().__init__(0, 65535)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not str(value).lstrip("-").isdigit():
            self.fail(f"{value} is no port; write --web=PORT, or --web behind everything else.", param, ctx)
        return int(super().convert(value, param, ctx))


TARGET = click.option("--target", "url", metavar="URL|FILE", help="The service: an address, or a target file.")

SERVE = click.option("--serve", is_flag=True, help="Start the reference service for it, and end it.")

MOST = click.option("--max-requests", "most_requests", type=click.IntRange(1), metavar="N",
                    help="Send no more in all.")  # fmt: skip
MINE = click.option("--i-own-this-host", "mine", is_flag=True,
                    help="Needed, with --max-requests, for a target that is not on this machine.")  # fmt: skip
FROM = click.option("--from", "from_h", type=Hours(), metavar="HOURS", help="Hours from onset to begin at.")
TO = click.option("--to", "to_h", type=Hours(), metavar="HOURS", help="Hours from onset to end at.")
FAULTS = click.option("--faults", is_flag=True, help="With --serve: play the scenario's own faults on the service.")
DISTURB_SERVICE = click.option("--disturb-service", metavar="WORDS",
                               help="With --serve: kill@30s,restart@2.5h,freeze@60s+2s.")  # fmt: skip
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
CA = click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="Certificates to trust as well, PEM.")
_sends = with_options(
    click.option("--path", default="/v1/mentions", show_default=True, help="Where it takes mentions."),
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                 help="Processes that send."),
    click.option("--connections", type=click.Choice(["pool", "new"]), default="pool", show_default=True,
                 help="Keep them open, or open one a request."),
    MOST,
    MINE,
)  # fmt: skip


@main.command("load")
@with_options(
    click.argument("scenario", metavar="SCENARIO|TRACE|SHAPE"),
    TARGET,
    SERVE,
    _sends,
    FROM,
    TO,
    click.option("--speed", type=Number(), default=1.0, show_default=True, help="60 plays an hour in a minute."),
    click.option("--times", type=int, default=1, show_default=True, metavar="N", help="So many times the traffic."),
    click.option("--slo", metavar="WORDS", help="Such as 'p99<500ms,errors<0.1%', or peak:p99<2s for one phase."),
    click.option("--disturb", metavar="WORDS", help="As senders do: redeliver=5%,late=2%,hostile=1%."),
    click.option("--batch", type=click.IntRange(1, 100), default=1, show_default=True, metavar="N",
                 help="So many posts a request at most, as a relay sends them."),
    click.option("--batch-wait", "batch_wait_s", type=Number(0, 3600), metavar="SECONDS",
                 help="The first post of a batch waits for others so long at most: 1 by default."),
    FAULTS,
    DISTURB_SERVICE,
    click.option("--abort-on-slo", "abort", is_flag=True, help="End as soon as an objective is broken."),
    click.option("--max-lag", "lag_ms", type=Number(0, min_open=True), default=10.0, show_default=True,
                 metavar="MS", help="The run is invalid if 1 % of the rows are sent later than this."),
    click.option("--max-connections", type=int, default=10_000, show_default=True, metavar="N",
                 help="Connections a worker; what is due beyond is dropped, and counted."),
    click.option("--sender", type=click.Choice(["auto", "lean", "session"]), default="auto", show_default=True,
                 help="A target file's posts that need earlier answers go in sessions."),
    click.option("--timeout", "timeout_s", type=Number(), metavar="SECONDS",
                 help="Seconds from the due time until a row has failed: 30, or as a target file says."),
    CA,
    click.option("--metrics", "metrics_url", metavar="URL", help="Where the service tells its Prometheus metrics."),
    click.option("--exporter-port", type=int, metavar="PORT",
                 help="Tell Prometheus how the run goes, at this port; 0: any free one."),
    click.option("--exporter-host", metavar="HOST", help="Where that port is; 127.0.0.1 unless named."),
    click.option("--web", "port", type=Port(), is_flag=False, flag_value=str(PORT), metavar="[PORT]",
                 help=f"Locust's page for it, with a panel, on this machine: port {PORT}, 0 for any."),
    click.option("--backlog", "series", multiple=True, metavar="SERIES",
                 help="With --web: which of its metrics tell what waits there."),
    DRY_RUN,
    size("likely"),
    SEED,
    OUT,
    AS_JSON,
)  # fmt: skip
def _load(scenario: str, dry_run: bool, out: Path | None, as_json: bool, port: int | None, series: tuple[str, ...],
          **asked: Any) -> None:  # fmt: skip
    """Replay SCENARIO against a service, and judge it.

    \b
    Example:
      ashcloud load volcano --from 24 --to 26 --speed 60 --serve

    Each post is sent when it is due, and its latency counts from that moment. The posts are signed with the
    secret in ASHCLOUD_SECRET. Exit code 1: an objective is broken; 4: the generator itself was late.
    """
    from reports import load, load_plan, load_tables, load_web
    from reports.console import Terminal
    from reports.load_ask import question

    q = question(scenario, os.environ.get("ASHCLOUD_SECRET", ""), command=asked_words(), **asked)
    terminal = Terminal()
    if dry_run:
        if port is not None:
            terminal.say("note: --dry-run sends nothing, so it opens no page")
        print_told(as_json, load_plan.plan(q).to_dict(), load_tables.dry_run)
        return
    with load_web.opened(port, series, q.lag_ms, terminal) as page:
        told = load.ask(q, out, terminal, page)
        print_told(as_json, told.to_dict() if as_json else told, load_tables.answer)
        for line in (*told.remarks(), f"kept in {told.folder}"):
            click.echo(line, err=True)
        if page is not None:
            load_web.read(page, told, terminal)
    click.get_current_context().exit(told.code)


@main.command("drill")
@with_options(
    click.argument("scenario"),
    TARGET,
    SERVE,
    click.option("--desk", metavar="NAME|FILE", default="klm_2015", show_default=True, help="Who works."),
    FROM,
    TO,
    click.option("--speed", type=Number(0, min_open=True), default=600.0, show_default=True,
                 help="600 plays an hour in six seconds."),
    click.option("--drain", "drain_h", type=Hours(0, 8784), default=0.0, show_default=True, metavar="HOURS",
                 help="Go on so long beyond the window."),
    click.option("--max-lag", "lag_ms", type=Number(0, min_open=True), default=250.0, show_default=True,
                 metavar="MS", help="The drill is invalid if 1 % of the posts are sent later than this."),
    FAULTS,
    DISTURB_SERVICE,
    MOST,
    MINE,
    CA,
    DRY_RUN,
    HOURS,
    size("likely"),
    SEED,
    OUT,
    AS_JSON,
)  # fmt: skip
def _drill(scenario: str, url: str | None, serve: bool, lag_ms: float, dry_run: bool, out: Path | None, as_json: bool,
           **asked: Any) -> None:  # fmt: skip
    """Let the agents of a desk work SCENARIO off at a service.

    \b
    Example:
      ashcloud drill quiet_week --hours 4 --serve

    Posts are written when they are due; agents claim, read, answer, pass on; customers write again or give up.
    The same trace and desk are simulated beside it. Exit code 4: the drill itself was late.
    """
    from reports import drill, drill_question, drill_tables
    from reports.console import Terminal
    from reports.load_ask import one_target

    one_target(url, serve)
    question = drill.DrillQuestion(scenario, target=url, max_lag_s=lag_ms / 1e3, command=asked_words(), **asked)
    if dry_run:
        facts = drill_question.dry_run(question, drill_question.plan(question))
        print_told(as_json, facts, drill_tables.dry_run)
        return
    told = drill.ask(question, out, Terminal())
    print_told(as_json, told.to_dict() if as_json else told, drill_tables.drill)
    for line in (*told.remarks(), f"kept in {told.folder}"):
        click.echo(line, err=True)
    click.get_current_context().exit(told.code)


@main.command("load-compare")
@with_options(
    click.argument("first", type=click.Path(path_type=Path)),
    click.argument("second", type=click.Path(path_type=Path)),
    click.option("--margin", "latency_pct", type=Number(0), default=10.0, show_default=True,
                 metavar="PERCENT", help="How much slower is still accepted."),
    click.option("--share-margin", "share_pt", type=Number(0), default=0.1, show_default=True,
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
    print_told(as_json, told.to_dict() if as_json else told, load_compare.draw)
    click.get_current_context().exit(told.code)


@main.command("breakpoint")
@with_options(
    TARGET,
    SERVE,
    _sends,
    click.option("--guess", type=Number(0, min_open=True), default=200.0, show_default=True, metavar="RATE",
                 help="Requests a second that you expect it to take; the climb begins at a part of it."),
    click.option("--start", "start_pct", type=Number(0, 100, min_open=True), default=10.0, show_default=True,
                 metavar="PERCENT", help="Where the climb begins, in percent of the guess."),
    click.option("--p99", "slo_p99_ms", type=Number(0, min_open=True), metavar="MS",
                 help="A step fails too if the p99 from the due time is above so many milliseconds."),
    click.option("--precision", "precision_pct", type=Number(0.5, 25), default=5.0, show_default=True,
                 metavar="PERCENT", help="How narrow the gap between kept up and failed must be."),
    click.option("--step", "window_s", type=Number(0.1), default=30.0, show_default=True, metavar="SECONDS",
                 help="Measured in each step; longer if fewer than 1,000 requests are due."),
    click.option("--warm-up", "warm_up_s", type=Number(0), default=5.0, show_default=True,
                 metavar="SECONDS", help="Sent before that, and not measured."),
    click.option("--spacing", type=click.Choice(["poisson", "even"]), default="poisson", show_default=True,
                 help="As callers come by chance, or evenly, for which short steps suffice."),
    click.option("--confirm", "confirmations", type=click.IntRange(0, 9), default=3, show_default=True, metavar="N",
                 help="How often each end is measured again."),
    click.option("--no-recovery", is_flag=True, help="Leave out the surge after which its recovery is timed."),
    click.option("--max-rate", "most_per_s", type=Number(0, min_open=True), metavar="RATE",
                 help="No step goes beyond it."),
    click.option("--timeout", "timeout_s", type=Number(0.1), default=10.0, show_default=True,
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
    print_told(as_json, told.to_dict() if as_json else told, breakpoint.draw)
    if told.folder is not None:
        click.echo(f"figure: {told.folder / breakpoint.FIGURE}", err=True)
    click.get_current_context().exit(told.code)
