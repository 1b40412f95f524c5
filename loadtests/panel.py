"""Locust's page for a replay, used by the locustfile alone: our panel beside it, Stop as Ctrl-C, no second start."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, request
from gevent import pywsgi
from locust.env import Environment
from locust.html import get_html_report
from locust.runners import STATE_INIT

from loadtests.page import ABOUT, HOST, PANEL
from loadtests.processes import LISTENING
from loadtests.track import ENDS, Track

STATIC = Path(__file__).with_name("static")
HEAD = (STATIC / "locust_head.html").read_text("utf-8")
OURS = {HOST, "localhost"}
TAB = "replay"
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'"
COLUMNS = {"rows": "Rows", **{name: name.capitalize() for name in ENDS},
           "p50_ms": "Median (ms)", "p99_ms": "99%ile (ms)", "lag_ms": "Lag, 99%ile (ms)"}  # fmt: skip
REFUSED = (
    "This is one replay of one trace: it began by itself and cannot be edited, begun again or reset. Stop ends it."
)
log = logging.getLogger("ashcloud")


class Panel:
    """What is added to Locust's page, by the ways that Locust has for it.

    Parameters
    ----------
    environment : Environment
        With a `web_ui` that has not started yet.
    folder : Path
        Of the replay.
    on_stop : callable
        Called when somebody presses Stop.
    """

    def __init__(self, environment: Environment, folder: Path, on_stop: Callable[[], None]) -> None:
        self.track = Track(json.loads((folder / ABOUT).read_text("utf-8")))
        self._environment, self._folder, self._on_stop = environment, folder, on_stop
        self._ui = cast(Any, environment.web_ui)
        self._ui.start_server = self._serve
        structure = [{"key": key, "title": title, "round": 2} for key, title in COLUMNS.items()]
        self._ui.template_args |= {
            "extended_tabs": [{"title": "Replay", "key": TAB}],
            "extended_tables": [{"key": TAB, "structure": [{"key": "name", "title": "Phase"}, *structure]}],
        }
        app = self._ui.app
        app.before_request(self._guarded)
        app.after_request(self._extended)
        app.register_blueprint(self._pages())

    def add(self, status: dict[str, Any], ended: bool = False) -> None:
        """How the replay goes."""
        self.track.add(status, ended)

    def hear(self, word: str, what: str) -> None:
        """What the runner tells: of the server, and of the whole at the end."""
        (self.track.server if word == "server" else self.track.judged)(json.loads(what))

    def write(self) -> None:
        """Locust's page as a file and its history, which it would write when the page is closed."""
        report = cast(Any, get_html_report)(self._environment, show_download_link=False)
        (self._folder / "locust.html").write_text(report, "utf-8")
        self._ui.stats_csv_writer.stats_history_flush()

    def close(self) -> None:
        """End the page, and with it Locust."""
        if self._ui.server is not None:
            self._ui.server.stop(timeout=0.2)

    def _serve(self) -> None:
        """As Locust's own, at a socket that listens already."""
        listening = socket.socket(fileno=int(os.environ[LISTENING]))
        self._ui.server = pywsgi.WSGIServer(listening, self._ui.app, log=None, error_log=log)
        self._ui.server.serve_forever()

    def _pages(self) -> Blueprint:
        pages = Blueprint("ashcloud", __name__, url_prefix=PANEL, static_folder=STATIC, static_url_path="/static")

        @pages.get("")
        def panel() -> Response:
            return pages.send_static_file("panel.html")

        @pages.get("/state")
        def state() -> Response:
            told = self.track.told(request.args.get("since", 0, type=int))
            return Response(told, content_type="application/json", headers={"Cache-Control": "no-store"})

        return pages

    def _guarded(self) -> Any:
        """Refuse other sites' scripts and what would harm the replay; a Stop is one by Ctrl-C."""
        origin = request.headers.get("Origin")
        if urlsplit(f"//{request.host}").hostname not in OURS or (origin and urlsplit(origin).netloc != request.host):
            return "Only pages of this server on this machine may ask it.\n", 403
        if request.method in ("GET", "HEAD"):
            begun = self._environment.runner is not None and self._environment.runner.state != STATE_INIT
            return None if request.path != "/" or begun else redirect(PANEL)  # Locust would offer to start
        if request.path != "/stop" or request.method != "POST":
            # Locust's page shows what was refused only if the status is 200, as it does itself.
            return jsonify(success=False, message=REFUSED), 200 if request.path == "/swarm" else 409
        self.track.stopping()
        self._on_stop()
        return jsonify(success=True, message="The replay is being stopped.")

    def _extended(self, response: Response) -> Response:
        if request.path == "/" and response.status_code == 200:
            response.set_data(response.get_data(as_text=True).replace("</head>", HEAD + "</head>", 1))
        elif request.path == "/stats/requests" and response.is_json:
            extended = [{"key": TAB, "data": self.track.table()}]
            response.set_data(json.dumps({**response.get_json(), "extended_stats": extended}))
        elif request.path.startswith(PANEL):
            response.headers["Content-Security-Policy"] = POLICY
        return response
