"""What all tests share: Hypothesis without deadlines, the same examples in CI, a folder to work in."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from postgres import pg_server, pg_url

__all__ = ["here", "pg_server", "pg_url"]

# A failure prints the line that plays it again; with CI set the examples are the same each time.
settings.register_profile("ashcloud", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("ashcloud")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, to work in with short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
