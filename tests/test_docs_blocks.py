"""What the guides show works: their Python is run, their files are read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios import library as scenarios
from sim import library as desks
from sim.plan import load_plan

ROOT = Path(__file__).parent.parent
GUIDES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])


def blocks(language: str) -> list[tuple[str, str]]:
    """Code blocks of a language: (guide and number, text)."""
    return [
        (f"{guide.name}-{i}", text)
        for guide in GUIDES
        for i, text in enumerate(re.findall(rf"^```{language}\n(.*?)^```", guide.read_text("utf-8"), re.S | re.M))
    ]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in blocks("python")])
def test_python_in_a_guide_runs(text: str) -> None:
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "text"), blocks("toml"), ids=[name for name, _ in blocks("toml")])
def test_a_file_in_a_guide_is_right(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "shown.toml"
    path.write_text(text, "utf-8")
    if name.startswith("desks"):
        assert desks.load(path).heads > 0
    elif name.startswith("plans"):
        assert load_plan(path).levers
    else:
        assert scenarios.load(path).surges
