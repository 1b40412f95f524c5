"""Whole replays in sessions: Locust's own processes, chains of requests, tokens, and servers that stall or fail."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import TINY
from load_peer import LOCALHOST, peer
from stubs import Asked, Chatwoot, Reply, running
from test_loadtests_runner import Eye, even, table

from loadtests import schedule
from loadtests.page import Page
from loadtests.result import LoadResult, Outcome
from loadtests.runner import replay
from loadtests.target import Options
from loadtests.templated import target_of
from scenarios import library
from scenarios.errors import AshcloudError, ComponentError, InputError
from scenarios.generate import generate

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]

OAUTH = """
[auth.default]
kind = "oauth2"
token_url = "/token"
client_id = "me"
client_secret = "s3cret"
"""


def chatwoot(folder: Path, url: str, more: str = "") -> Any:
    path = folder / "ours.toml"
    path.write_text(f'extends = "chatwoot"\nname = "ours"\nbase_url = "{url}"\n[values]\ninbox = "inbox-1"\n{more}')
    return target_of(str(path))


def posting(folder: Path, url: str, more: str = OAUTH) -> Any:
    """Posts that our own service's stand-in takes."""
    path = folder / "posts.toml"
    body = 'body = { mentions = [ { external_id = "{post}", text = "{text}" } ] }'
    path.write_text(
        f'name = "posts"\ntitle = "P"\nbase_url = "{url}"\n{more}\n'
        f'[operations.post]\nmethod = "POST"\npath = "/v1/mentions"\n{body}\n'
    )
    return target_of(str(path))


class Tokens:
    """Takes posts with a token that lives; one of them it forgets."""

    def __init__(self, life_s: float, forgets: int = 0) -> None:
        self.life_s, self.forgets = life_s, forgets
        self.given: dict[str, float] = {}
        self.posts = self.refused = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            if b"client_secret=s3cret" not in asked.body:
                return 401, {"error": "invalid_client"}
            token = f"token-{len(self.given) + 1}"
            self.given[token] = time.monotonic() + self.life_s
            return 200, {"access_token": token, "expires_in": self.life_s}
        if asked.method == "GET":
            return 404, None
        if self.given.get(asked.headers.get("authorization", "").removeprefix("Bearer "), 0.0) < time.monotonic():
            self.refused += 1
            return 401, None
        self.posts += 1
        if self.posts == self.forgets:
            self.given = dict.fromkeys(self.given, 0.0)
        return 200, {"id": self.posts}


def trace() -> schedule.Schedule:
    return schedule.of_traces([generate(library.load(TINY), 1)], 1800.0, 0.0, 2.0)  # two hours in four seconds


def _chained(folder: Path, workers: int) -> Any:
    with running(inbox := Chatwoot()) as url:
        return replay(trace(), chatwoot(folder, url), Options(workers), keep=folder), inbox


def _renewed(folder: Path) -> Any:
    begun_s = time.monotonic()
    with running(service := Tokens(3.0)) as url:
        return replay(even(50.0, 4.0), posting(folder, url), keep=folder), service, time.monotonic() - begun_s


def _forgotten(folder: Path) -> Any:
    with running(service := Tokens(3600.0, forgets=20)) as url:
        return replay(even(50.0, 1.0), posting(folder, url)), service


def _lifeless(folder: Path) -> Any:
    begun_s = time.monotonic()
    with running(service := Tokens(0.0)) as url:
        return replay(even(20.0, 1.0), posting(folder, url)), len(service.given), time.monotonic() - begun_s


def _commanded(folder: Path) -> Any:
    with running(inbox := Chatwoot()) as url:
        return told(folder, "--target", str(chatwoot(folder, url).file), "--json"), inbox


def _unknown(folder: Path) -> Any:
    inbox = Chatwoot()

    def answer(asked: Asked) -> Reply:
        return (500, None) if asked.path.endswith("/contacts") else inbox(asked)

    with running(answer) as url:
        return replay(even(40.0, 1.0), chatwoot(folder, url), keep=folder), inbox


def _stalled(folder: Path) -> Any:
    with peer() as server:

        def stall() -> None:
            server.freeze()
            threading.Timer(1.0, server.thaw).start()

        target = posting(folder, server.url, "")
        return replay(even(100.0, 5.0), target, Options(sender="session"), watch=Eye(2.0, stall), keep=folder)


def _stopped(folder: Path, workers: int) -> Any:
    with running(inbox := Chatwoot()) as url:
        eye = Eye(1.0, stop=True)
        return replay(even(30.0, 60.0), chatwoot(folder, url), Options(workers), watch=eye), inbox


def _bereaved(folder: Path) -> Any:
    with running(inbox := Chatwoot()) as url:
        eye = Eye(1.0, lambda: os.kill(eye.seen[-1]["processes"][0], 9))
        return replay(even(40.0, 3.0), chatwoot(folder, url), Options(2), watch=eye), inbox


def _silent(folder: Path) -> Any:
    """A service that answers no post before the row has failed, and rows more than may be in flight."""
    with peer("never") as server:
        options = Options(sender="session", max_connections=20, timeout_s=1.0)
        return replay(even(50.0, 1.0), posting(folder, server.url, ""), options)


def _odd(folder: Path, behaviour: str) -> LoadResult:
    with peer(behaviour) as server:
        options = Options(sender="session", timeout_s=1.5)
        return replay(even(20.0, 0.2), posting(folder, server.url, ""), options)


def _hung_up(folder: Path) -> Any:
    """A service that hangs up on what may be repeated: clients that mean well would repeat it."""
    asked: list[str] = []

    def answer(one: Asked) -> Reply:
        if one.method == "GET":
            return 404, None
        asked.append(one.path)
        raise ConnectionResetError

    with running(answer) as url:
        target = posting(folder, url, "")
        path = Path(str(target.file))
        path.write_text(path.read_text().replace('"POST"', '"PUT"'))
        return replay(even(20.0, 0.5), target, Options(sender="session")), len(asked)


def _secret(folder: Path) -> LoadResult:
    with peer("ok", LOCALHOST) as server:
        target = posting(folder, server.url, "")
        trusted = target_of(target.file, LOCALHOST)
        return replay(even(20.0, 0.5), trusted, Options(sender="session"))


ODD = {
    "status-302": "HTTP 302", "status-500": "HTTP 500", "shed": "HTTP 503", "chunked": "", "close": "",
    "half": "connection closed before the answer was complete", "garbled": "answer is not HTTP",
    "endless": "no answer in time",
}  # fmt: skip
CASES: dict[str, Callable[[Path], Any]] = {
    "stalled": _stalled,
    "chained-1": lambda folder: _chained(folder, 1),
    "chained-2": lambda folder: _chained(folder, 2),
    "renewed": _renewed,
    "forgotten": _forgotten,
    "lifeless": _lifeless,
    "commanded": _commanded,
    "unknown": _unknown,
    "stopped-1": lambda folder: _stopped(folder, 1),
    "stopped-2": lambda folder: _stopped(folder, 2),
    "bereaved": _bereaved,
    "silent": _silent,
    "hung up": _hung_up,
    "secret": _secret,
    **{name: lambda folder, name=name: _odd(folder, name) for name in ODD},  # type: ignore[misc]
}
Played = Callable[[str], tuple[Any, Path]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """What the replays of `CASES` gave: those whose times are held to the truth come one by one, the others at once."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    with ThreadPoolExecutor(1) as pool:
        found = {name: pool.submit(CASES[name], folders[name]) for name in ("stalled", "renewed")}
    with ThreadPoolExecutor(5) as pool:
        found |= {name: pool.submit(play, folders[name]) for name, play in CASES.items() if name not in found}
        yield lambda name: (found[name].result(), folders[name])


def adds_up(result: LoadResult) -> dict[str, int]:
    counts = result.counts()
    assert counts["sent"] + counts["unsent"] + counts["abandoned"] + counts["dropped"] == counts["rows"] == len(result)
    return counts


@pytest.mark.parametrize("workers", [1, 2])
def test_every_post_arrives_in_its_own_conversation_and_each_author_is_made_known_once(
    workers: int, played: Played
) -> None:
    (result, inbox), folder = played(f"chained-{workers}")
    rows = trace()
    assert adds_up(result)["answered"] == len(rows)
    assert set(result["worker"].tolist()) == set(range(workers))
    authors = Counter(rows["author"].tolist())
    assert Counter(name.rsplit("-", 1)[1] for name in inbox.contacts.values()) == dict.fromkeys(map(str, authors), 1)
    written = Counter(inbox.conversations[message["conversation"]] for message in inbox.messages)
    assert Counter({int(inbox.contacts[of].rsplit("-", 1)[1]): n for of, n in written.items()}) == authors
    told = table_of(folder)
    assert int(told["customer"]["Request Count"]) == len(authors)
    assert int(told[rows_name(told)]["Request Count"]) == len(rows)
    asked = sum(worker["operations"]["customer"]["answered"] for worker in result.about["workers"])
    assert asked == len(authors)
    assert (result["first_byte_s"] >= result["sent_s"]).all() and (result["done_s"] >= result["first_byte_s"]).all()
    assert result.about["options"]["sender"] == "session"


def table_of(folder: Path) -> dict[str, Any]:
    """Locust's own table by name."""
    with (folder / "locust_stats.csv").open(encoding="utf-8") as file:
        return {line["Name"]: line for line in csv.DictReader(file)}


def rows_name(told: dict[str, Any]) -> str:
    (name,) = [name for name in told if name.endswith("/messages")]
    return str(name)


def test_tokens_of_three_seconds_are_renewed_ahead_and_no_row_fails(played: Played) -> None:
    (result, service, lasted_s), folder = played("renewed")
    assert adds_up(result)["answered"] == 200
    assert service.refused == 0  # each renewal has a tenth of its life, 0.3 s
    # One for the look beforehand, one at the start, and one each 2.7 s from then on: of the four seconds at least.
    assert 2 + 4.0 // 2.7 <= len(service.given) <= 2 + lasted_s / 2.7
    # All but that of the look, and one that may be under way when the last row has ended.
    assert 0 <= len(service.given) - 1 - int(table_of(folder)["token"]["Request Count"]) <= 1


def test_a_token_that_is_refused_is_renewed_once_for_all_and_the_row_sent_again(played: Played) -> None:
    (result, service), _ = played("forgotten")
    assert adds_up(result)["answered"] == 50
    assert service.refused >= 1
    assert len(service.given) == 3


@pytest.mark.parametrize(("secret", "kind"), [("wrong", InputError), ("s3cret", ComponentError)])
def test_without_a_token_nothing_is_sent(secret: str, kind: type[AshcloudError], tmp_path: Path) -> None:
    tokens = Tokens(3600.0)

    def answer(asked: Asked) -> Reply:
        return (503, None) if kind is ComponentError and asked.path == "/token" else tokens(asked)

    with running(answer) as url, pytest.raises(AshcloudError, match="/token: no token is to be had") as error:
        replay(even(20.0, 1.0), posting(tmp_path, url, OAUTH.replace("s3cret", secret)))
    assert isinstance(error.value, kind)
    assert (tokens.posts, tokens.refused) == (0, 0)


def test_tokens_without_a_life_are_not_asked_for_without_end(played: Played) -> None:
    (result, given, seconds), _ = played("lifeless")
    assert adds_up(result)["failed"] == 20
    # One beforehand and one at the start, one more for each row, and one every fifth of a second.
    assert given <= 2 + 20 + 5 * seconds


def test_a_customer_who_cannot_be_made_known_is_said_in_each_of_his_rows(played: Played) -> None:
    (result, inbox), folder = played("unknown")
    assert adds_up(result)["failed"] == 40
    assert result.about["errors"] == ["customer: HTTP 500"]
    assert inbox.messages == []
    told = table_of(folder)
    assert int(told["customer"]["Failure Count"]) == int(told[rows_name(told)]["Failure Count"]) == 40


def test_a_server_that_stalls_is_charged_to_all_who_were_due_meanwhile(played: Played) -> None:
    """100/s for 5 s, stopped for 1 s: 100 of 500 rows wait for 0 to 1 s, so the mean is 0.1 s and p95 0.75 s."""
    result, folder = played("stalled")
    assert adds_up(result)["answered"] == 500
    times = result.histograms()["latency"]
    assert times.mean_s == pytest.approx(0.1, rel=0.1)
    assert times.quantile_s(0.95) == pytest.approx(0.75, rel=0.1)
    assert float(table(folder)["95%"]) == pytest.approx(750.0, rel=0.1)
    assert result.histograms()["lag"].quantile_s(0.99) < 0.1


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_stop_every_row_is_accounted_for(workers: int, played: Played) -> None:
    (result, inbox), _ = played(f"stopped-{workers}")
    counts = adds_up(result)
    assert result.about["status"] == "interrupted"
    assert (counts["rows"], counts["unsent"] > 1000) == (1800, True)
    assert counts["sent"] <= len(inbox.messages) <= counts["sent"] + counts["abandoned"]


def test_the_rows_of_a_lost_worker_are_those_of_its_authors(played: Played) -> None:
    (result, inbox), _ = played("bereaved")
    counts = adds_up(result)
    (lost,) = [worker for worker in result.about["workers"] if worker.get("lost")]
    assert lost["lost_rows"] == counts["abandoned"] + counts["unsent"] > 0
    assert (result["outcome"][result["worker"] != lost["number"]] == Outcome.ANSWERED).all()
    assert counts["sent"] <= len(inbox.messages) <= counts["sent"] + counts["abandoned"]


def test_what_is_due_when_too_many_are_in_flight_is_dropped_and_what_waits_too_long_fails(played: Played) -> None:
    result, _ = played("silent")
    counts = adds_up(result)
    assert counts["dropped"] > 0 and counts["failed"] >= 20
    assert counts["dropped"] + counts["failed"] == 50
    assert set(result.about["errors"]) == {"generator out of connections", "no answer in time"}
    assert np.isnan(result["sent_s"][result.of(Outcome.DROPPED)]).all()


@pytest.mark.parametrize(("behaviour", "error"), ODD.items())
def test_odd_answers_end_their_rows_as_the_lean_way_has_them(behaviour: str, error: str, played: Played) -> None:
    result, _ = played(behaviour)
    counts = adds_up(result)
    assert counts["sent"] == 4
    assert counts["shed" if behaviour == "shed" else "failed" if error else "answered"] == 4
    assert result.about["errors"] == ([error] if error else [])


def test_nothing_is_sent_twice_where_a_service_hangs_up(played: Played) -> None:
    (result, asked), _ = played("hung up")
    assert adds_up(result)["failed"] == asked == 10
    assert result.about["errors"] == ["connection closed before the answer was complete"]


def told(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ashcloud", "load", "soak:5,2s", "--out", "kept", "--max-lag", "2000", *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_command_plays_a_file_whose_posts_hang_on_customers(played: Played) -> None:
    (done, inbox), _ = played("commanded")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answered"] == found["rows"] == len(inbox.messages) > 0
    assert found["options"]["sender"] == "session"


def test_the_command_ends_with_2_for_a_wrong_secret_and_for_more_than_is_held(tmp_path: Path) -> None:
    with running(tokens := Tokens(60.0)) as url:
        wrong = posting(tmp_path, url, OAUTH.replace("s3cret", "hunter2"))
        done = told(tmp_path, "--target", str(wrong.file))
    assert (done.returncode, tokens.posts) == (2, 0)
    assert "/token: no token is to be had (HTTP 401); are id and secret right?" in done.stderr
    assert "hunter2" not in done.stderr and "Traceback" not in done.stderr
    done = told(tmp_path, "--target", "chatwoot", "--sender", "lean")
    assert done.returncode == 2 and "send it with --sender session" in done.stderr
    assert not (tmp_path / "kept").exists()


def test_certificates_are_looked_at(played: Played, tmp_path: Path) -> None:
    result, _ = played("secret")
    assert adds_up(result)["answered"] == 10
    with peer("ok", LOCALHOST) as server, pytest.raises(InputError, match="certificate that does not hold"):
        replay(even(20.0, 0.5), posting(tmp_path, server.url, ""), Options(sender="session"))


def test_after_the_last_row_no_token_is_asked_for_though_a_page_stays_open(tmp_path: Path) -> None:
    with running(service := Tokens(0.5)) as url, Page() as page:
        result = replay(even(20.0, 1.0), posting(tmp_path, url), page=page)
        given = len(service.given)
        until_s = time.monotonic() + 1.5  # three lives of a token
        page.read(lambda: time.monotonic() > until_s)
        assert len(service.given) == given
    assert result.counts()["rows"] == 20
