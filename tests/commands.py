"""What the tests of the command share: every command by its words, and parsing without running."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from ashcloud import main

DATA = Path(__file__).parent / "data"
TINY = str(DATA / "tiny.toml")
TINY_DESK = str(DATA / "tiny_desk.toml")


def leaves(group: click.Group = main, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*above, name))
        else:
            yield (*above, name), command


def groups(group: click.Group = main, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Group]]:
    """Every command that holds others."""
    yield above, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, (*above, name))


def words_of(line: str) -> list[str]:
    """Words of an ``ashcloud ...`` line up to a pipe, without the first."""
    words = shlex.split(line, comments=True)
    assert words[0].endswith("ashcloud")
    ends = [i for i, word in enumerate(words) if word in {"|", ">", "&&", ";"}]
    return words[1 : ends[0] if ends else None]


def parse(line: str) -> tuple[str, ...]:
    """Parse a line as the command would; returns the words of the command. Raises click's errors."""
    words, above = words_of(line), []
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            raise click.UsageError(f"no command {words[0]}")
        command = command.commands[words[0]]
        above.append(words.pop(0))
    with contextlib.suppress(click.exceptions.Exit):  # --help and --version are right too
        command.make_context(above[-1] if above else "ashcloud", words)
    return tuple(above)
