"""Blocks of a job on the workers of a Dask cluster, which have ashcloud installed.

The scheduler sends a block elsewhere when its worker dies. Nothing is shared but the network: what a
piece writes into a folder has to come back with its result. `distributed` is imported only when a
cluster is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Generic

from scenarios.errors import RunError
from sim.executors import Block, Executor, Hands, Job, R, work

ANSWER_S = 5.0  # for a scheduler to answer
LOOK_S = 5.0
ALONE_S = 60.0  # without any worker, before it is given up
SAME = ("ashcloud", "numpy", "numba", "simpy")  # versions that have a say in the numbers


@dataclass(frozen=True)
class Cluster:
    """The workers of the Dask scheduler at ``host:port``, however many come and go."""

    address: str

    @contextmanager
    def hands(self, job: Job[R], pieces: int) -> Iterator[Hands[R]]:
        """Connect.

        Raises
        ------
        RunError
            If `distributed` is not installed, if nothing answers within 5 s, if there is no worker,
            or if a worker has no ashcloud or another version of what makes the numbers.
        """
        with _client(self.address) as client:
            hands: _Far[R] = _Far(client, pickle.dumps(job))
            try:
                yield hands
            finally:
                hands.stop()

    def after_loss(self) -> Executor | None:
        return None  # the scheduler has tried several workers already

    def words(self) -> str:
        return f"cluster at {self.address}"


class WorkersGoneError(Exception):
    """There was no worker for a minute."""


class _Far(Generic[R]):
    def __init__(self, client: Any, told: bytes) -> None:
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        self.lost: tuple[type[BaseException], ...] = (KilledWorker, CancelledError, CommClosedError, WorkersGoneError)
        self._client, self._told = client, told
        self._pool = client.get_executor(pure=False)
        self.at_once = sum(client.nthreads().values())
        self._looked_at = self._seen_at = time.monotonic()

    def submit(self, places: tuple[int, ...]) -> Future[Block[R]]:
        future: Future[Block[R]] = self._pool.submit(do_block, self._told, places)
        return future

    def share(self, place: int) -> float:
        return 0.0  # nobody tells from afar

    def look(self) -> None:
        """Count the workers now and then: some may have come, or all have gone."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        threads = sum(self._client.nthreads().values())
        if threads:
            self.at_once, self._seen_at = threads, now
        elif now - self._seen_at > ALONE_S:
            raise WorkersGoneError(f"no worker for {ALONE_S:.0f} s")

    def stop(self) -> None:
        """Blocks that workers have in hand go on to their end, and nobody hears of them."""
        with suppress(Exception):  # a scheduler that is gone needs no word
            self._pool.shutdown(wait=False)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        import distributed
    except ImportError:
        raise RunError(
            "--executor dask://... needs the package distributed; install ashcloud with its extra: "
            "pip install 'ashcloud[cluster]'"
        ) from None
    # What goes wrong is said in our own words, once.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    connect: Any = distributed.Client  # it has no types
    try:
        # Asked apart: the client waits for ever for one that takes the connection and says nothing.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, _answer(address)).result()
        client = connect(f"tcp://{address}", timeout=ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise RunError(
            f"dask://{address}: no scheduler answers within {ANSWER_S:.0f} s ({_first_line(error)}); start one with "
            "`dask scheduler`, or look at the address"
        ) from None
    try:
        _check(client, address)
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=ANSWER_S)


async def _answer(address: str) -> None:
    """Wait for a scheduler to say who it is."""
    from distributed.core import rpc

    ask: Any = rpc
    async with ask(f"tcp://{address}", timeout=ANSWER_S) as scheduler:
        await asyncio.wait_for(scheduler.identity(), ANSWER_S)


def _check(client: Any, address: str) -> None:
    if not client.nthreads():
        raise RunError(f"dask://{address}: the scheduler has no workers; start some with `dask worker tcp://{address}`")
    try:
        found = client.run(versions)
    except ImportError:
        raise RunError(f"dask://{address}: a worker has no ashcloud; install the same version there") from None
    here = versions()
    wrong = [
        f"{worker} has {name} {theirs.get(name)}, this is {here[name]}"
        for worker, theirs in sorted(found.items())
        for name in SAME
        if theirs.get(name) != here[name]
    ]
    if wrong:
        raise RunError(f"dask://{address}: workers would draw other numbers: " + "; ".join(wrong))


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]


# --- on a worker --------------------------------------------------------------------------------


def versions() -> dict[str, str | None]:
    """Versions of what has a say in the numbers, on this machine."""
    return {name: _version(name) for name in SAME}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def do_block(told: bytes, places: tuple[int, ...]) -> Block[Any]:
    """Do some pieces of a pickled job."""
    return work(_job(told), places, lambda place: lambda share: None)


@lru_cache(maxsize=2)
def _job(told: bytes) -> Job[Any]:
    job: Job[Any] = pickle.loads(told)
    return job
