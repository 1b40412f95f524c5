"""nginx with a limit on requests a second, for tests; the gate installs it."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    limit_req_zone $binary_remote_addr zone=all:1m rate={rate}r/s;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            limit_req zone=all burst={burst}{how};
            proxy_pass http://unix:{folder}/behind.sock;
        }}
    }}
    server {{
        listen unix:{folder}/behind.sock;
        return 200 "ok\\n";
    }}
}}
"""


@contextlib.contextmanager
def limited(folder: Path, rate: int, burst: int, how: str = "") -> Iterator[str]:
    """nginx that lets `rate` requests a second through; `how` is "" (it delays) or " nodelay". Gives its URL."""
    if PROGRAM is None:
        pytest.skip("nginx is not installed here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = CONFIGURATION.format(folder=folder, rate=rate, burst=burst, how=how, port=port)
    (folder / "nginx.conf").write_text(text)
    words = [PROGRAM, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(words) as process:
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Until it answers."""
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), contextlib.closing(_ask(port)):
            return
    raise AssertionError(f"nginx ended with code {process.returncode}")


def _ask(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    connection.request("POST", "/", body=b"{}")
    assert connection.getresponse().status == 200
    return connection
