"""The sender against a real server, without Locust: every answer that a server can give, and every end of a row."""

from __future__ import annotations

import _socket
import errno
import math
import time
from pathlib import Path

import pytest
from load_peer import ELSEWHERE, LOCALHOST, peer
from small_loop import SmallLoop

from loadtests import alarm
from loadtests.bodies import probe
from loadtests.preflight import look
from loadtests.result import Outcome
from loadtests.sender import Ended, Sender, context
from loadtests.target import Options, Target
from scenarios.errors import ComponentError, InputError

POST = b'{"mentions":[{"external_id":"%d"}]}'


def request(place: int) -> bytes:
    body = POST % place
    return b"POST /v1/mentions HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def sent(target: Target, rows: int = 3, apart_s: float = 0.01, looks: bool = True, **options: object) -> list[Ended]:
    """Send some rows, and what became of them, in their order."""
    loop, choice = SmallLoop(), Options(warm=1, **options)  # type: ignore[arg-type]
    start_s = time.monotonic() + 0.05
    sender = Sender(loop, look(target), [start_s + apart_s * i for i in range(rows)], request, choice)
    sender.warm()
    sender.start()

    def over() -> bool:
        if looks:
            sender.expire()
        return sender.finished

    loop.run(over)
    sender.halt()
    return sorted(sender.results)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "status", "error"),
    [
        ("ok", Outcome.ANSWERED, 202, ""),
        ("chunked", Outcome.ANSWERED, 200, ""),
        ("close", Outcome.ANSWERED, 200, ""),
        ("status-404", Outcome.FAILED, 404, "HTTP 404"),
        ("status-500", Outcome.FAILED, 500, "HTTP 500"),
        ("status-503", Outcome.FAILED, 503, "HTTP 503"),
        ("status-429", Outcome.SHED, 429, "HTTP 429"),
        ("shed", Outcome.SHED, 503, "HTTP 503"),
        ("half", Outcome.FAILED, 0, "connection closed before the answer was complete"),
        ("garbled", Outcome.FAILED, 0, "answer is not HTTP"),
        ("endless", Outcome.FAILED, 0, "no answer in time"),
        ("silent", Outcome.FAILED, 0, "no answer in time"),
        ("reject-0", Outcome.FAILED, 202, "post was rejected in the answer"),
    ],
)
def test_an_answer_is_what_it_says(behaviour: str, outcome: Outcome, status: int, error: str) -> None:
    with peer(behaviour) as server:
        rows = sent(Target(server.url), timeout_s=0.4 if "no answer" in error else 20.0)
    assert [row.place for row in rows] == [0, 1, 2]
    assert {(row.outcome, row.status, row.error) for row in rows} == {(outcome, status, error)}
    assert all(row.done_s >= row.sent_s for row in rows)


@pytest.mark.parametrize("behaviour", ["ok", "shed", "reject-0"])
def test_an_answer_that_comes_too_late_is_none_even_if_nobody_has_looked(behaviour: str) -> None:
    with peer(behaviour) as server:
        rows = sent(Target(server.url), looks=False, timeout_s=1e-6)
    assert {(row.outcome, row.status, row.error) for row in rows} == {(Outcome.FAILED, 0, "no answer in time")}


@pytest.mark.parametrize(("connections", "opened"), [("pool", 2), ("new", 6)])
def test_connections_are_kept_or_new_as_asked(connections: str, opened: int) -> None:
    with peer() as server:
        rows = sent(Target(server.url), 5, connections=connections)
        # One is that of the look beforehand.
        assert server.stats()["connections"] - 1 == opened
    assert [row.outcome for row in rows] == [Outcome.ANSWERED] * 5


def test_rows_go_over_tls() -> None:
    with peer(certificate=LOCALHOST) as server:
        rows = sent(Target(server.url, ca=LOCALHOST), 20)
        assert [row.outcome for row in rows] == [Outcome.ANSWERED] * 20
        with pytest.raises(InputError, match="has a certificate that does not hold"):
            look(Target(server.url))


def test_what_is_due_beyond_the_connections_is_dropped_not_late() -> None:
    with peer("silent") as server:
        rows = sent(Target(server.url), 30, 0.001, max_connections=10, timeout_s=0.4)
    dropped = [row for row in rows if row.outcome is Outcome.DROPPED]
    assert len(dropped) == 20
    assert all(math.isnan(row.sent_s) and row.error == "generator out of connections" for row in dropped)


def test_a_machine_without_a_port_left_drops_rows_and_blames_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoPort(_socket.socket):
        def connect_ex(self, _: object) -> int:
            return errno.EADDRNOTAVAIL

    with peer() as server:
        target = look(Target(server.url))
        monkeypatch.setattr("loadtests.wire._socket.socket", NoPort)
        sender = Sender(loop := SmallLoop(), target, [time.monotonic()] * 3, request, Options())
        sender.start()
        loop.run(lambda: sender.finished)
    assert [(row.outcome, row.error) for row in sender.results] == [
        (Outcome.DROPPED, "generator out of connections")
    ] * 3


def test_a_stop_tells_what_was_given_up() -> None:
    loop = SmallLoop()
    with peer("silent") as server:
        start_s = time.monotonic()
        due_s = [start_s, start_s + 0.01, start_s + 60.0]
        sender = Sender(loop, look(Target(server.url)), due_s, request, Options())
        sender.start()
        loop.run(lambda: sender.in_flight == 2)
        assert [place for place, _ in sender.halt()] == [0, 1]
    assert sender.sent == 2
    assert not sender.results


def test_a_server_that_dies_fails_the_rows_that_come() -> None:
    loop = SmallLoop()
    with peer() as server:
        where = look(Target(server.url))
    start_s = time.monotonic()
    sender = Sender(loop, where, [start_s, start_s + 0.01], request, Options(warm=1))
    sender.warm()
    sender.start()
    loop.run(lambda: sender.finished)
    assert [row.error for row in sender.results] == ["connection refused"] * 2


def test_a_row_is_never_sent_before_it_is_due() -> None:
    with peer() as server:
        loop, start_s = SmallLoop(), time.monotonic() + 0.05
        due_s = [start_s + 0.002 * i for i in range(200)]
        sender = Sender(loop, look(Target(server.url)), due_s, request, Options())
        sender.start()
        loop.run(lambda: sender.finished)
    assert len(sender.results) == 200
    assert all(row.sent_s >= due_s[row.place] for row in sender.results)


def test_without_a_timer_of_the_kernel_rows_are_sent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "kernel_timer", lambda: -1)
    with peer() as server:
        assert [row.outcome for row in sent(Target(server.url))] == [Outcome.ANSWERED] * 3


# --- before the first row -----------------------------------------------------------------------


def test_nobody_listening_is_said_at_once() -> None:
    with peer() as server:
        url = server.url
    with pytest.raises(ComponentError, match=r"nobody listens there .* start the service first"):
        look(Target(url))


@pytest.mark.parametrize(
    ("behaviour", "told"), [("ssh", "what answers there is not HTTP"), ("never", "no answer within 0.3 s")]
)
def test_what_is_no_service_is_told(behaviour: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.preflight.TIMEOUT_S", 0.3)
    with peer(behaviour) as server, pytest.raises(ComponentError, match=told):
        look(Target(server.url))


def test_a_wrong_secret_is_told_before_anything_is_sent() -> None:
    with peer("signed-right") as server:
        look(Target(server.url, secret="right"))
        with pytest.raises(InputError, match="the secret is not the one that the service has"):
            look(Target(server.url, secret="wrong"))
        assert server.stats()["posts"] == 0


def test_a_certificate_of_another_name_is_told() -> None:
    with peer(certificate=ELSEWHERE) as server, pytest.raises(InputError) as caught:
        look(Target(server.url, ca=ELSEWHERE))
    assert "certificate is not valid for '127.0.0.1'" in str(caught.value)


def test_plain_and_tls_are_told_apart() -> None:
    with peer("ssh") as server, pytest.raises(ComponentError, match="does not speak TLS"):
        look(Target(server.url.replace("http:", "https:")))


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(InputError, match=r"nowhere\.invalid, which is not known"):
        look(Target("http://nowhere.invalid:81"))


def test_a_file_that_holds_no_certificates_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate", "utf-8")
    with pytest.raises(InputError, match="is no file of certificates"):
        look(Target("https://127.0.0.1:1", ca=path))
    assert context(Target("http://127.0.0.1:1", ca=path)) is None


def test_the_look_beforehand_is_signed_and_holds_no_posts() -> None:
    head, _, body = probe(Target("http://host", secret="x"), 1.0).partition(b"\r\n\r\n")
    assert body == b'{"mentions":[]}'
    assert b"webhook-signature: v1," in head
