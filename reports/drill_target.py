"""Where a drill works: the target that is named, or a service that is started; looked at before anybody begins."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from loadtests import preflight, target_file
from loadtests.drill import has_agents
from loadtests.operations import Operation
from loadtests.sender import context
from loadtests.target import Target
from loadtests.target_file import Bearer, Signed, TargetFile
from reports.load_serve import Service
from scenarios.errors import Fault, InputError

if TYPE_CHECKING:
    from reports.drill import DrillQuestion

OURS = "ashcloud"
SECRET = "ASHCLOUD_SECRET"
Where = tuple[TargetFile, ssl.SSLContext | None]


def found(q: DrillQuestion) -> Where:
    """The target, and whom to trust there; raises `InputError` with all that is wrong about it."""
    word = q.target or OURS
    file = target_file.load(OURS).model_copy(update={"base_url": word}) if _is_address(word) else target_file.load(word)
    where, wrong = Target(file.base_url, ca=q.ca), []
    if not where.local and not (q.mine and q.most_requests):
        what = "is not on this machine; if it is yours, say --i-own-this-host and --max-requests N"
        wrong.append(Fault(f"--target {where.host}", what))
    if not has_agents(file):
        wrong.append(Fault(f"--target {word}", "names no claim and reply, so agents cannot work there"))
    if q.target is not None:
        missing = [name for name in file.needs if name not in os.environ]
        wrong += [Fault(f"--target {word}", f"reads {name} from the environment, which is not set") for name in missing]
    if wrong:
        raise InputError(None, wrong)
    return file, _trusted(where)


def look(q: DrillQuestion, file: TargetFile) -> None:
    """Whether somebody listens there; of a service like ours also whether it speaks HTTP and knows the secret.

    A service of another kind is asked nothing that its file does not name: what it says to the first posts and
    claims is looked at while the drill runs (`loadtests.refusals`).

    Raises
    ------
    InputError, ComponentError
        See `loadtests.preflight.look`.
    """
    like_ours = _is_address(q.target or "")
    path = file.operations[Operation.POST].path
    secret = os.environ.get(SECRET, "") if like_ours else ""
    preflight.look(Target(file.base_url, path, secret, q.ca), ask=like_ours)


def ours(file: TargetFile, service: Service) -> TargetFile:
    """The file of our own service, as it was started here."""
    known = {
        "default": Bearer(kind="bearer", token=service.token),
        "sender": Signed(kind="signed", secret=service.secret),
    }
    return file.model_copy(update={"base_url": service.url, "auth": known})


def _is_address(word: str) -> bool:
    return "://" in word


def _trusted(where: Target) -> ssl.SSLContext | None:
    try:
        return context(where)
    except (OSError, ssl.SSLError) as fault:
        raise InputError(where.ca, [Fault("", f"is no file of certificates ({fault}); give one in PEM form")]) from None
