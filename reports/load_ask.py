"""The question of a load test as the command is asked it; all that is wrong is told together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from loadtests import target_file
from loadtests.flows import CHAIN, not_lean
from loadtests.operations import Operation
from loadtests.target import Connections, Options, Target, Way
from loadtests.templated import target_of
from reports.load_exporter import HERE, HOST, PORT, Address
from reports.load_plan import LoadQuestion
from scenarios.errors import Fault, InputError

T = TypeVar("T")
SOMEWHERE = "http://127.0.0.1"  # until it is known where the service listens


def question(
    source: str, secret: str, *, url: str | None, path: str, ca: Path | None, metrics_url: str | None, workers: int,
    connections: Connections, max_connections: int, timeout_s: float | None, sender: Way = "auto",
    exporter_port: int | None = None, exporter_host: str | None = None, **asked: Any,
) -> LoadQuestion:  # fmt: skip
    """Make a question of the options of the command.

    Raises
    ------
    InputError
        With the faults of the address and of the options.
    """
    wrong: list[Fault] = []
    _tried(lambda: one_target(url, asked.get("serve", False)), wrong)
    target = _tried(lambda: where(url or SOMEWHERE, path, secret, ca, metrics_url), wrong)
    shown = target or Target(SOMEWHERE)
    within_s = timeout(shown) if timeout_s is None else timeout_s
    options = _tried(lambda: Options(workers, connections, max_connections, within_s, sender=sender), wrong)
    exporter = _tried(lambda: told_at(exporter_port, exporter_host), wrong)
    found = _tried(lambda: LoadQuestion(source, shown, options or Options(), exporter=exporter, **asked), wrong)
    if wrong or found is None:
        raise InputError(None, wrong)
    return found


def one_target(url: str | None, serve: bool) -> None:
    """Hold that a service is either named or started; raises `InputError`."""
    if (url is None) is not serve:
        missing = "is missing; name the service, or --serve to have one started"
        what = missing if url is None else "does not go with --serve, which starts a service of its own"
        raise InputError(None, [Fault("--target", what)])


def told_at(port: int | None, host: str | None) -> Address | None:
    """Where Prometheus may ask how it goes, None if it may not; raises `InputError`."""
    if port is None and host is not None:
        raise InputError(None, [Fault(HOST, f"needs {PORT}, which says that metrics are told at all")])
    return None if port is None else Address(port, host or HERE)


def where(word: str, path: str, secret: str, ca: Path | None = None, metrics_url: str | None = None) -> Target:
    """A target by its address, or by a target file; raises `InputError`, or `TemplateError` for the environment."""
    is_file = "://" not in word and (word.endswith(".toml") or word in target_file.names())
    if is_file and path != Target.path:
        raise InputError(None, [Fault("--path", "is for an address; a target file says where its posts go")])
    if not is_file and "://" not in word:
        known = ", ".join(target_file.names())
        what = f"is no address; write it like http://127.0.0.1:8000, or name a .toml file, or one of {known}"
        raise InputError(None, [Fault("--target", what)])
    return target_of(word, ca, metrics_url) if is_file else Target(word, path, secret, ca, metrics_url)


def timeout(target: Target) -> float:
    """Seconds within which a row should be answered, if nobody says otherwise: as a target file has it.

    Where a post hangs on earlier answers, each of these may take its time.
    """
    if target.file is None:
        return Options().timeout_s
    file = target_file.load(target.file)
    needed = CHAIN if any(not_lean(file)) else (Operation.POST,)
    return sum(file.operations[operation].timeout_s for operation in needed if operation in file.operations)


def _tried(make: Callable[[], T], wrong: list[Fault]) -> T | None:
    try:
        return make()
    except InputError as error:
        wrong += error.faults
        return None
