"""A drill that nobody lets in, or that talks to no such service, ends at once instead of playing on to its end."""

from __future__ import annotations

from collections.abc import Mapping

from loadtests.operations import Operation
from loadtests.talk import Count, Talk
from scenarios.errors import AshcloudError, ComponentError, Fault, InputError

NEEDED = (Operation.CUSTOMER, Operation.CASE, Operation.POST, Operation.CLAIM, Operation.REPLY)
"""Operations without which a drill says nothing."""

NOT_IN = "the token or the secret is not one that the service takes; see what the target file reads, and its scopes"
WORDS: Mapping[str, str] = {
    "HTTP 401": NOT_IN,
    "HTTP 403": NOT_IN,
    "HTTP 404": "there is no such path; is this the address of the service itself?",
    "HTTP 405": "nobody takes this at that path; is this the address of the service itself?",
}
NO_HTTP, LATE = "answer is not HTTP", "no answer in time"
MOST_LATE = 3


def refused(talk: Talk) -> AshcloudError | None:
    """Why it makes no sense to go on; None: it does.

    Only what has never been let in is judged: what went well once, and fails later, is counted.
    """
    url = talk.file.base_url
    for operation in NEEDED:
        count = talk.counts.get(operation)
        if count is None or _went(count):
            continue
        for error in count.errors:
            if error in WORDS and not (operation is Operation.REPLY and WORDS[error] is not NOT_IN):
                request = talk.file.operations[operation]
                where, status = f"{url}{request.path}", error.removeprefix("HTTP ")
                return InputError(None, [Fault(f"{where} ({operation})", f"answers {status}: {WORDS[error]}")])
    if any(_went(count) for count in talk.counts.values()):
        return None
    errors = [error for count in talk.counts.values() for error, n in count.errors.items() for _ in range(n)]
    if NO_HTTP in errors:
        return ComponentError(f"{url}: what answers there is not HTTP; is the port right?")
    if errors.count(LATE) >= MOST_LATE:
        return ComponentError(f"{url}: takes requests and answers none in time; is the service in order?")
    return None


def _went(count: Count) -> bool:
    return bool(count.answered or count.nothing or count.shed)
