"""The commands that the guides show: they parse, the quick ones run, and none is left out."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import december
import make_history
import pytest
from commands import TINY, TINY_DESK, leaves, parse, words_of

ROOT = Path(__file__).parent.parent
GUIDES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
# Small inputs in the place of those that the guides show, so that every command can be run.
SMALLER = {"volcano": TINY, "quiet_week": TINY, "klm_2015": TINY_DESK, "klm_2011": TINY_DESK}


def shown() -> list[tuple[str, str]]:
    """Every command line in a block of code: (guide, line from ``ashcloud`` on)."""
    found = []
    for guide in GUIDES:
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text("utf-8"), re.S | re.M):
            if language in ("", "bash"):
                found += [(guide.name, line) for line in re.findall(r"(?:^|[ /])(ashcloud (?!\.).*)$", block, re.M)]
    return found


LINES = shown()


@pytest.mark.parametrize(("guide", "line"), LINES)
def test_a_command_in_a_guide_parses(guide: str, line: str) -> None:
    assert parse(line), guide


def test_every_command_is_in_the_guide_of_commands() -> None:
    told = {parse(line) for guide, line in LINES if guide == "commands.md"}
    assert {words for words, _ in leaves()} - told == set()


def test_every_option_is_in_the_guide_of_commands() -> None:
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    options = {name for _, command in leaves() for option in command.params for name in option.opts if name[0] == "-"}
    assert {name for name in options if not re.search(rf"{name}\b", text)} == set()


def serve_a_moment(words: list[str], folder: Path) -> None:
    """Start the service, wait until it says that it is ready, and let it end as Ctrl-C does."""
    line = [sys.executable, "-m", "ashcloud", *words, "--port", "0"]
    with subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None and "url" in service.stdout.readline()
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=20) == 0


@pytest.mark.slow
@pytest.mark.parametrize("guide", sorted({guide for guide, _ in LINES}))
def test_the_commands_of_a_guide_run_one_after_the_other(guide: str, tmp_path: Path) -> None:
    december.write_past(tmp_path)
    shutil.copy(make_history.FILE, tmp_path)
    for line in [line for name, line in LINES if name == guide]:
        words = [SMALLER.get(word, word) for word in words_of(line)]
        if words[0] == "serve":
            serve_a_moment(words, tmp_path)
            continue
        done = subprocess.run([sys.executable, "-m", "ashcloud", *words], cwd=tmp_path, capture_output=True, text=True)
        # A promise that cannot be kept is an answer, and so is a model that is not to be trusted.
        missed = words[0] in {"staff", "hindcast"} and done.returncode == 1
        assert done.returncode == 0 or missed, f"{line}\n{done.stdout}\n{done.stderr}"
