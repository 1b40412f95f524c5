"""A process with a store of its own, for tests that need several or that kill one: a line in, a line out.

``python care_worker.py URL`` says ``ready``, then answers each JSON line ``[number, op, ...]`` by ``[number, result]``
when it is done; many are under way at once. Operations: ``add ID USER PARENT``, ``claim AGENT``, ``drain AGENTS``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from care_posts import SPOKEN, post

from careapi.model import Receipt
from careapi.store import Store
from careapi.stores import open_store


async def add(store: Store, number: str, user: str, parent: str | None) -> Any:
    (receipt,) = await store.add_mentions([post(number, parent, user)])
    return [receipt.case_id, receipt.duplicate] if isinstance(receipt, Receipt) else repr(receipt)


async def claim(store: Store, agent: str) -> Any:
    case = await store.claim(agent, SPOKEN)
    return case and case.id


async def drain(store: Store, agents: list[str]) -> Any:
    async def one(agent: str) -> list[int]:
        taken = []
        while (case := await store.claim(agent, SPOKEN, 10_000)) is not None:
            taken.append(case.id)
        return taken

    return await asyncio.gather(*[one(agent) for agent in agents])


DO: dict[str, Callable[..., Awaitable[Any]]] = {"add": add, "claim": claim, "drain": drain}


async def main(url: str) -> None:
    store = await open_store(url)
    print("ready", flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    doing = set()

    async def answer(number: int, op: str, given: list[Any]) -> None:
        print(json.dumps([number, await DO[op](store, *given)]), flush=True)

    async for line in lines:
        number, op, *given = json.loads(line)
        task = asyncio.create_task(answer(number, op, given))
        doing.add(task)
        task.add_done_callback(doing.discard)
    await asyncio.gather(*doing)
    await store.close()


class Worker:
    """Such a process, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self._task = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, url: str) -> Worker:
        """Start one, and wait until it has opened the store."""
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, __file__, url)
        here = Path(__file__).parent.parent
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=here)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return cls(process)

    async def ask(self, op: str, *given: Any) -> Any:
        """Have something done; raises `ConnectionError` if the process dies before it says so."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin is not None
        if self._task.done():
            raise ConnectionError("dead")
        self.process.stdin.write(json.dumps([number, op, *given]).encode() + b"\n")
        return await self._answers[number]

    async def kill(self) -> None:
        """End it by SIGKILL: it has no chance to tidy up."""
        self.process.kill()
        await self._task

    async def close(self) -> None:
        """Let it finish and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self._task
        assert self.process.returncode == 0

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            number, result = json.loads(line)
            self._answers.pop(number).set_result(result)
        await self.process.wait()
        for answer in self._answers.values():
            answer.set_exception(ConnectionError("dead"))
            answer.exception()  # seen, also if nobody waits any more


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    asyncio.run(main(sys.argv[1]))
