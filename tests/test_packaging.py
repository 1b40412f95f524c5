"""The wheel, installed where nobody may write, away from the checkout, without a network."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
BIN = "Scripts" if os.name == "nt" else "bin"

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the hatchling of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """A user's environment with the wheel in it, and a user with a home and a cache of his own."""

    python: Path
    site: Path
    away: Path
    env: dict[str, str]

    def run(self, *command: str | Path) -> str:
        return run(*command, cwd=self.away, env=self.env)

    @property
    def ashcloud(self) -> Path:
        return self.python.with_name("ashcloud")

    @property
    def cache(self) -> Path:
        return Path(self.env["XDG_CACHE_HOME"]) / "ashcloud"

    def listing(self) -> dict[str, tuple[int, int]]:
        """Every file below site-packages, with its size and the time of its last change."""
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in self.site.rglob("*") if path.is_file()
        }


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment that finds what it needs in this one, but not the checkout.

    A line in a .pth file puts the site-packages of this environment on the path without reading the
    .pth files that lie there, so that an editable install of the checkout does not come along.
    """
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / BIN / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "-q", "--no-index", "--no-deps", "--no-warn-script-location", wheel, cwd=folder)
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "needed.pth").write_text("".join(f"{path}\n" for path in sorted(own)))
    for name in ("away", "home", "cache", "tmp"):
        (folder / name).mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NUMBA_", "ASHCLOUD_", "XDG_"))}
    env |= {
        "HOME": str(folder / "home"),
        "USERPROFILE": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "TMPDIR": str(folder / "tmp"),
    }
    for path in [*site.rglob("*"), site]:
        path.chmod(path.stat().st_mode & ~0o222)  # root may write all the same: hence the listings
    return Installed(python, site, folder / "away", env)


def test_the_wheel_holds_the_rooms_with_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    rooms = config["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert {name.split("/")[0] for name in names} <= {*rooms, "ashcloud-0.1.0.dist-info"}
    data = [
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert [path for path in data if path not in names] == []
    assert [name for name in names if name.endswith((".pyc", "LICENSE"))] == [
        "ashcloud-0.1.0.dist-info/licenses/LICENSE"
    ]


def test_the_command_of_the_wheel_starts_away_from_the_checkout(installed: Installed) -> None:
    assert installed.run(installed.ashcloud, "--version") == "ashcloud 0.1.0\n"
    code = "import ashcloud, scenarios, sim, json; print(json.dumps([m.__file__ for m in (ashcloud, scenarios, sim)]))"
    files = json.loads(installed.run(installed.python, "-c", code))
    assert [file for file in files if not Path(file).is_relative_to(installed.site)] == []


def test_a_run_writes_nothing_beside_the_program_and_caches_in_the_cache_folder(installed: Installed) -> None:
    before = installed.listing()
    desk = DATA / "tiny_desk.toml"
    told = installed.run(installed.ashcloud, "simulate", DATA / "tiny.toml", "--desk", desk, "--runs", "2", "--json")
    assert json.loads(told)
    assert installed.listing() == before
    cached = [path for path in installed.cache.rglob("*") if path.is_file()]
    assert any(path.suffix in {".nbi", ".nbc"} for path in cached), "the compiled engine is cached"
    assert list((installed.away.parent / "home").rglob("*.nb?")) == []
    assert list(installed.away.iterdir()) == []
