"""Before the first row: does anybody listen there, is it HTTP, and would it take our posts?"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import time
from collections.abc import Sequence

from loadtests import target_file
from loadtests.bodies import probe
from loadtests.client import Client
from loadtests.entry import Tokens
from loadtests.flows import CHAIN
from loadtests.sender import Endpoint, context
from loadtests.target import Target
from loadtests.target_file import OAuth2
from scenarios.errors import ComponentError, Fault, InputError

TIMEOUT_S = 5.0
REFUSED = {
    401: "the secret is not the one that the service has; set ASHCLOUD_SECRET to it",
    403: "the secret is not the one that the service has; set ASHCLOUD_SECRET to it",
    404: "there is no such path; is this the address of the service itself?",
    405: "nobody takes posts at this path; is this the address of the service itself?",
}


def look(target: Target, ask: bool = True) -> Endpoint:
    """Connect, and send a delivery without posts; `ask` False: connect, and send nothing.

    Returns
    -------
    Endpoint
        The first of the target's addresses at which somebody listens.

    Raises
    ------
    InputError
        If the name, the certificate, the path or the secret is wrong.
    ComponentError
        If nobody listens, nothing comes back in five seconds, or what comes back is not HTTP.
    """
    coder = _context(target)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise InputError(
            None, [Fault("--target", f"has the host {target.host}, which is not known: {fault}")]
        ) from None
    refused: OSError | None = None
    for family, _, _, _, address in found:
        try:
            with socket.create_connection((str(address[0]), target.port), TIMEOUT_S) as plain:
                _check(target, plain, coder, ask)
            return Endpoint(family, address, target.host, coder)
        except ConnectionRefusedError as fault:
            refused = fault
        except TimeoutError:
            raise ComponentError(f"{target.url}: no answer within {TIMEOUT_S:g} s; is the service in order?") from None
        except ssl.SSLCertVerificationError as fault:
            what = f"has a certificate that does not hold: {fault.verify_message}; name a host that it names, or --ca"
            raise InputError(None, [Fault("--target", what)]) from None
        except ssl.SSLError as fault:
            raise ComponentError(f"{target.url}: does not speak TLS ({fault.reason}); try http://") from None
        except (http.client.HTTPException, ValueError):
            raise ComponentError(f"{target.url}: what answers there is not HTTP; is the port right?") from None
        except OSError as fault:
            raise ComponentError(f"{target.url}: {(fault.strerror or str(fault)).lower()}") from None
    raise ComponentError(f"{target.url}: nobody listens there ({refused}); start the service first") from None


def admitted(target: Target, tls: ssl.SSLContext | None) -> None:
    """Ask for each token that a target file needs, once, so that nothing is sent where none is to be had.

    Raises
    ------
    TokenRefused
        If id and secret are not taken.
    ComponentError
        If nobody answers, or not with a token.
    """
    assert target.file is not None
    file = target_file.load(target.file)
    needed = sorted({file.operations[operation].auth for operation in CHAIN if operation in file.operations})
    asyncio.run(_asked(target, tls, [auth for name in needed if isinstance(auth := file.auth.get(name), OAuth2)]))


async def _asked(target: Target, tls: ssl.SSLContext | None, auths: Sequence[OAuth2]) -> None:
    async with Client(target.url, tls) as client:
        for auth in auths:
            await Tokens(auth, client, target.url, time.monotonic).token()


def _context(target: Target) -> ssl.SSLContext | None:
    try:
        return context(target)
    except (OSError, ssl.SSLError) as fault:
        raise InputError(
            target.ca, [Fault("", f"is no file of certificates ({fault}); give one in PEM form")]
        ) from None


def _check(target: Target, plain: socket.socket, coder: ssl.SSLContext | None, ask: bool) -> None:
    talk = plain if coder is None else coder.wrap_socket(plain, server_hostname=target.host)
    with talk:
        if not ask:
            return
        talk.settimeout(TIMEOUT_S)
        talk.sendall(probe(target, time.time()))
        answer = http.client.HTTPResponse(talk)
        with answer:
            answer.begin()
    if target.file is None and answer.status in REFUSED:
        raise InputError(
            None, [Fault(f"{target.url}{target.path}", f"answers {answer.status}: {REFUSED[answer.status]}")]
        )
