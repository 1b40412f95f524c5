"""A desk as a file that `--desk` takes."""

from __future__ import annotations

import tomli_w

from sim.desk import Desk


def desk_toml(desk: Desk) -> bytes:
    """TOML of all that is not as by default."""
    return tomli_w.dumps(desk.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)).encode()
