"""What all tests share: Hypothesis without deadlines, the same examples in CI, a folder to work in."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from postgres import pg_server, pg_url
from turns import turn

__all__ = ["here", "pg_server", "pg_url"]

# A failure prints the line that plays it again; with CI set the examples are the same each time.
settings.register_profile("ashcloud", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("ashcloud")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """While a test runs that is marked `alone`, the other processes that share the tests wait."""
    uid = getattr(item.config, "workerinput", {}).get("testrunuid")
    if uid is None:  # nobody to wait for
        return (yield)
    folder = Path(tempfile.gettempdir()) / f"ashcloud-tests-{uid}"
    folder.mkdir(exist_ok=True)
    with turn(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, to work in with short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
