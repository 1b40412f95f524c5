"""The service as it is measured: on one core, with one address more that does nothing."""

from __future__ import annotations

import os
import sys
from functools import partial

from careapi.access import Access
from careapi.app import create_app
from careapi.knobs import Knobs
from careapi.serve import listen, run
from careapi.stores import open_store

TOKEN, SECRET = "bench_token", "bench secret"


async def noop() -> dict[str, str]:
    """What FastAPI and the guards around it cost by themselves."""
    return {}


def main(store: str, core: int | None) -> None:
    """Serve a store until SIGTERM; print the address when ready."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    access = Access.for_development(TOKEN, SECRET)
    app = create_app(partial(open_store, store), access, Knobs(max_inflight=1024))
    app.get("/noop")(noop)
    listening = listen("127.0.0.1", 0)
    host, port = listening.getsockname()
    run(app, listening, lambda: print(f"http://{host}:{port}", flush=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
