"""The command starts without the heavy libraries: help must be there at once."""

import json
import subprocess
import sys

import pytest

HEAVY = ["numpy", "numba", "matplotlib", "locust", "simpy", "pydantic", "faker", "gevent"]

CODE = """
import json, sys
from ashcloud import main
try:
    main({arguments!r}, prog_name="ashcloud")
except SystemExit as end:
    print("\\n" + json.dumps([end.code, [name for name in {heavy!r} if name in sys.modules]]))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_help_and_version_import_no_heavy_library(arguments: list[str]) -> None:
    code = CODE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]
