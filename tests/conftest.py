"""What all tests share: Hypothesis without deadlines, the same examples in CI, a folder to work in."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ashcloud", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("ashcloud")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, to work in with short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
