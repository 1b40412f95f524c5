"""Small HTTP services for tests: a server that runs a function, and the parts of Chatwoot that we use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class Keeping:
    """Answers the same to all, and keeps what was asked."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.reply


@contextlib.asynccontextmanager
async def serving(answer: Callable[[Asked], Reply]) -> AsyncIterator[str]:
    """A service on a free port of 127.0.0.1 that answers as the function says; gives its URL."""

    open_now: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                status, told, *more = answer(Asked(method, path, headers, body))
                data = b"" if told is None else told if isinstance(told, bytes) else json.dumps(told).encode()
                extra = "".join(f"{k}: {v}\r\n" for k, v in (more[0] if more else {}).items())
                writer.write(f"HTTP/1.1 {status} X\r\n{extra}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        open_now.discard(asyncio.current_task())

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*(task for task in open_now if task))


@contextlib.contextmanager
def running(answer: Callable[[Asked], Reply]) -> Iterator[str]:
    """The same in a thread, for those who do not wait in a loop of their own."""
    told: Future[str] = Future()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with serving(answer) as url:
            told.set_result(url)
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield told.result(10.0)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@dataclass
class Chatwoot:
    """Contacts, conversations and messages of one inbox, and what an agent sees of them."""

    inbox: str = "inbox-1"
    token: str = "agent-token"
    contacts: dict[str, str] = field(default_factory=dict)  # source id: identifier
    conversations: dict[int, str] = field(default_factory=dict)  # id: source id
    messages: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        path, _, _ = asked.path.partition("?")
        public = re.fullmatch(
            rf"/public/api/v1/inboxes/{self.inbox}/contacts(?:/([^/]+)/conversations(?:/(\d+)/messages)?)?", path
        )
        if public:
            return self._public(asked, public[1], public[2])
        inside = re.fullmatch(r"/api/v1/accounts/1/conversations(?:/(\d+)/messages)?", path)
        if inside is None:
            return 404, {"error": "no such address"}
        if asked.headers.get("api_access_token") != self.token:
            return 401, {"errors": ["Invalid Access Token"]}
        return self._inside(asked, inside[1])

    def _public(self, asked: Asked, contact: str | None, conversation: str | None) -> Reply:
        if contact is None:
            source = f"source-{len(self.contacts) + 1}"
            self.contacts[source] = asked.json["identifier"]
            return 200, {"source_id": source, "pubsub_token": "x", "id": len(self.contacts)}
        if contact not in self.contacts:
            return 404, {"error": "contact"}
        if conversation is None:
            number = len(self.conversations) + 1
            self.conversations[number] = contact
            return 200, {"id": number, "messages": []}
        if self.conversations.get(int(conversation)) != contact:
            return 404, {"error": "conversation"}
        if asked.method == "GET":
            return 200, [m for m in self.messages if m["conversation"] == int(conversation)]
        return self._write(int(conversation), asked.json["content"], 0)

    def _inside(self, asked: Asked, conversation: str | None) -> Reply:
        if conversation is None:
            answered = {m["conversation"] for m in self.messages if m["message_type"] == 1}
            waiting = [{"id": number} for number in self.conversations if number not in answered]
            return 200, {"data": {"meta": {"all_count": len(waiting)}, "payload": waiting}}
        if asked.method == "GET":
            return 200, {"payload": [m for m in self.messages if m["conversation"] == int(conversation)]}
        return self._write(int(conversation), asked.json["content"], 1)

    def _write(self, conversation: int, content: str, kind: int) -> Reply:
        number = len(self.messages) + 1
        self.messages.append({"id": number, "conversation": conversation, "content": content, "message_type": kind})
        return 200, {"id": number, "content": content}
