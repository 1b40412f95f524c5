"""What can only be measured in a process of its own: memory at its highest, and compilation from nothing.

As a program, it plays the first hours of the volcano and prints what it took, as JSON:
``python -m reports.bench_process HOURS``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scenarios.errors import RunError

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def bytes_a_turn(hours: float) -> dict[str, Any] | None:
    """Growth of the memory of a process at its highest, over a run of the volcano: rows and all. None without /proc."""
    told = _process(hours, {})
    return None if told["bytes"] is None else {**told, "bytes_per_turn": told["bytes"] / told["turns"]}


def compile_times() -> dict[str, float]:
    """CPU seconds from the start of a process to the end of its first run: compiling, and with compiled code kept."""
    with TemporaryDirectory(prefix="ashcloud-") as folder:
        first, second = (_process(1.0, {"NUMBA_CACHE_DIR": folder})["cpu_s"] for _ in range(2))
    return {"compile_s": first - second, "start_s": second}


def _process(hours: float, settings: dict[str, str]) -> dict[str, Any]:
    words = [sys.executable, "-m", __name__, str(hours)]
    done = subprocess.run(words, env={**os.environ, **settings}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RunError(f"a process of the benchmark failed: {done.stderr.strip()[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _main(hours: float) -> dict[str, Any]:
    from reports.bench_models import SEED, window
    from sim import compiled

    it = window("volcano", 1.0)
    compiled.run(it.scenario, it.desk, it.trace, SEED)
    cpu_s = time.process_time()
    it = window("volcano", hours)
    before = _reset()
    outcome = compiled.run(it.scenario, it.desk, it.trace, SEED)
    grown = None if before is None else (_kilobytes("VmHWM") - before) * 1024
    return {"cpu_s": cpu_s, "turns": int(outcome.turns["case"].size), "bytes": grown}


def _reset() -> int | None:
    """Forget the highest use of memory so far: what is in use now, in kB, or None where nobody counts it."""
    try:
        CLEAR.write_text("5")
        return _kilobytes("VmRSS")
    except OSError:
        return None


def _kilobytes(what: str) -> int:
    """An entry of this process's status, like VmRSS."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


if __name__ == "__main__":
    print(json.dumps(_main(float(sys.argv[1]))))
