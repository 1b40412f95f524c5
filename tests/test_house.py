"""The lines of the house, read off the sources: who imports whom, names, sizes, commands."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("scenarios", "sim", "careapi", "loadtests", "reports")
PURE_SIM = {"sim.desk", "sim.draws", "sim.policies", "sim.measures"}
MAY_IMPORT = {
    "scenarios": set[str](),
    "sim": {"scenarios"},
    "careapi": {"scenarios", *PURE_SIM},
    "loadtests": {"scenarios", *PURE_SIM},
    "reports": {"scenarios", "sim", "loadtests"},
}
COMMANDS = ROOT / "reports" / "commands"  # the command line, which may name every room
MAX_LINES = 400


def sources(*tops: str) -> list[Path]:
    found: list[Path] = []
    for top in tops:
        path = ROOT / top
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if "__pycache__" not in path.parts]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST, here: Path) -> Iterator[str]:
    """Dotted names that a source imports; ``from sim import desk`` gives ``sim.desk``."""
    package = here.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def is_within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    wrong = [
        f"{shown(path)} imports {name}"
        for path in sources(room)
        if COMMANDS not in path.parents
        for name in imported(ast.parse(path.read_text("utf-8")), path)
        if name.partition(".")[0] in {*ROOMS, "ashcloud", "tests"} - {room}
        and not any(is_within(name, allowed) for allowed in MAY_IMPORT[room])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("room", "line", "allowed"),
    [
        ("scenarios", "from sim import desk", False),
        ("careapi", "from sim import desk", True),
        ("careapi", "from sim.desk import Desk", True),
        ("careapi", "import sim.kernel", False),
        ("careapi", "from sim import simulate", False),
        ("loadtests", "from careapi import app", False),
        ("reports", "import loadtests.result", True),
        ("reports", "from ..careapi import app", False),
        ("sim", "from .desk import Desk", True),
    ],
)
def test_the_import_rule_means_what_it_says(room: str, line: str, allowed: bool) -> None:
    (name,) = imported(ast.parse(line), ROOT / room / "module.py")
    top = name.partition(".")[0]
    assert allowed == (top == room or any(is_within(name, each) for each in MAY_IMPORT[room]))


def importing(*tops: str) -> set[str]:
    """Sources that import one of these, or something of it."""
    return {
        shown(path)
        for path in sources("ashcloud.py", *ROOMS, "tests")
        for name in imported(ast.parse(path.read_text("utf-8")), path)
        if any(is_within(name, top) for top in tops)
    }


def test_only_the_locustfile_and_what_it_imports_import_locust() -> None:
    inside = {f"loadtests/{name}.py" for name in ("locustfile", "lead", "panel", "session")}
    assert importing("locust", "gevent", "geventhttpclient") <= inside
    assert importing("loadtests.lead") == {"loadtests/locustfile.py"}
    assert importing("loadtests.panel") == {"loadtests/lead.py"}
    assert importing("loadtests.locustfile") == set()


def test_what_sends_sessions_is_imported_inside_a_function_of_the_worker_alone() -> None:
    assert importing("loadtests.session") == {"loadtests/work.py"}
    worker = ROOT / "loadtests" / "work.py"
    at_once = [n for n in ast.parse(worker.read_text("utf-8")).body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert not any("session" in name for node in at_once for name in imported(node, worker))


@pytest.mark.parametrize("path", [ROOT / "ashcloud.py", *sorted(COMMANDS.glob("*.py"))], ids=shown)
def test_the_command_imports_rooms_only_inside_functions(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    outside = [n for n in tree.body if not isinstance(n, functions) and not _is_for_types(n)]
    names = [name for node in outside for name in imported(node, path) if not is_within(name, "reports.commands")]
    assert [name for name in names if name.partition(".")[0] in ROOMS] == []


def test_no_room_imports_the_command_line() -> None:
    wrong = [
        f"{shown(path)} imports {name}"
        for path in sources(*ROOMS)
        if COMMANDS not in path.parents
        for name in imported(ast.parse(path.read_text("utf-8")), path)
        if is_within(name, "reports.commands")
    ]
    assert wrong == []


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_in_a_room_is_named_like_a_standard_module(room: str) -> None:
    paths = [path for path in (ROOT / room).rglob("*") if path.suffix == ".py" or path.is_dir()]
    assert [shown(path) for path in paths if path.stem in sys.stdlib_module_names] == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_init_of_a_room_says_what_it_is_for(room: str) -> None:
    tree = ast.parse((ROOT / room / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert [node for node in tree.body[1:] if isinstance(node, ast.FunctionDef | ast.ClassDef)] == []


def test_no_module_tells_more_than_one_story() -> None:
    lines = {shown(path): path.read_text("utf-8").count("\n") for path in sources("ashcloud.py", *ROOMS)}
    assert {path: n for path, n in lines.items() if n > MAX_LINES} == {}


def test_every_module_of_a_room_says_what_it_is() -> None:
    paths = sources("ashcloud.py", *ROOMS)
    assert [shown(p) for p in paths if not ast.get_docstring(ast.parse(p.read_text("utf-8")))] == []


def test_tests_are_flat() -> None:
    assert [shown(p) for p in sources("tests") if p.parent != ROOT / "tests" or p.name == "__init__.py"] == []


def test_nothing_is_left_to_do() -> None:
    word = "TO" + "DO"
    paths = sources("ashcloud.py", *ROOMS, "tests")
    assert [shown(path) for path in paths if word in path.read_text("utf-8")] == []


def test_the_rooms_are_those_of_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert set(wheel["wheel"]["only-include"]) == {"ashcloud.py", *ROOMS}


def test_the_gate_runs_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    gate = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [line for line in gate if re.match(r"python3 -m venv|\.venv/bin/pip ", line)]
    assert gate[-1] in commands, "the tests come last, so that their summary ends the output"
    assert gate[-1].endswith("pytest -q -n 2 --dist loadfile")
    assert [line for line in commands if line not in readme] == []
    assert gate[-1] in readme.splitlines()


def test_the_pins_name_versions_and_no_hosts() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 40
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin)] == []
    assert "://" not in "\n".join(lines)
