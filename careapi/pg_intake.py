"""Intake on PostgreSQL: the plain posts of a batch are stored by one statement, the others one at a time.

Plain is a post that neither meets a case nor moves a thread: its author was not in this conversation before, and
nothing waits for it. That is most of them. All others, and those that touch what another of the same batch
touches, go through `careapi.intake.take_in`, in their turn, so the result is that of one post after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from careapi.intake import take_in
from careapi.journal import note
from careapi.model import EventKind, Mention, Receipt, Rules
from careapi.pg_bridge import PgDatabase
from careapi.queries import Verdict, judge
from scenarios.names import Visibility

_LOOK = """
SELECT known.id IS NOT NULL AS known, handle.id AS handle_id, handle.customer_id, place.thread,
    known.id IS NOT NULL
    OR (place.thread <> post.own AND NOT post.private AND EXISTS (SELECT 1 FROM mention WHERE thread = post.own))
    OR EXISTS (SELECT 1 FROM handle AS theirs JOIN mention ON mention.handle_id = theirs.id
        WHERE theirs.customer_id = handle.customer_id AND mention.thread = place.thread)
    OR EXISTS (SELECT 1 FROM "case" WHERE "case".customer_id = handle.customer_id AND "case".thread = place.thread)
    AS tied
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::text[]) WITH ORDINALITY
    AS post (platform, external_id, external_user, parent, private, own, n)
LEFT JOIN mention AS known ON known.platform = post.platform AND known.external_id = post.external_id
LEFT JOIN handle ON handle.platform = post.platform AND handle.external_user = post.external_user
LEFT JOIN mention AS parent ON parent.platform = post.platform AND parent.external_id = post.parent
    AND NOT parent.private
CROSS JOIN LATERAL (SELECT CASE
    WHEN post.private THEN post.platform || ':direct:' || post.external_user
    WHEN post.parent IS NULL THEN post.own
    ELSE coalesce(parent.thread, post.platform || ':' || post.parent) END AS thread) AS place
ORDER BY post.n"""
_KEEP = """
WITH post AS MATERIALIZED (
    SELECT *, CASE WHEN known_handle IS NULL THEN nextval('customer_id_seq') ELSE known_customer END AS customer_id,
        CASE WHEN known_handle IS NULL THEN nextval('handle_id_seq') ELSE known_handle END AS handle_id,
        CASE WHEN query THEN nextval('case_id_seq') END AS case_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[],
        $9::float8[], $10::bool[], $11::float8[], $12::float8[], $13::bigint[], $14::bigint[]) WITH ORDINALITY
        AS given (platform, external_id, external_user, name, thread, parent, lang, private, posted_s, query, score,
            due_s, known_handle, known_customer, n)
), texts AS (
    SELECT text, n FROM unnest($15::text[]) WITH ORDINALITY AS given (text, n)
), customers AS (
    INSERT INTO customer (id, created_s) SELECT customer_id, $16 FROM post WHERE known_handle IS NULL
), handles AS (
    INSERT INTO handle (id, platform, external_user, name, customer_id)
    SELECT handle_id, platform, external_user, name, customer_id FROM post WHERE known_handle IS NULL
), cases AS (
    INSERT INTO "case" (id, customer_id, thread, lang, private, status, opened_s, waiting_since_s, due_s)
    SELECT case_id, customer_id, thread, lang, private, 'open', $16, $16, due_s FROM post WHERE query
), mentions AS (
    INSERT INTO mention (platform, external_id, handle_id, thread, parent_external_id, lang, text, private, posted_s,
        received_s, kind, score, case_id)
    SELECT platform, external_id, handle_id, thread, parent, lang, text, private, posted_s,
        $16, CASE WHEN query THEN 'query' ELSE 'other' END, score, case_id
    FROM post JOIN texts USING (n) ORDER BY n
)
SELECT case_id FROM post ORDER BY n"""


@dataclass
class _Plain:
    """A post that can be stored with others, and what is known of its author."""

    place: int
    mention: Mention
    handle_id: int | None
    customer_id: int | None
    thread: str
    verdict: Verdict


@dataclass
class _Touched:
    """What the posts of this batch have touched so far."""

    posts: set[tuple[str, str]] = field(default_factory=set)
    authors: set[Any] = field(default_factory=set)
    threads: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)


def take_in_many(db: PgDatabase, mentions: Sequence[Mention], rules: Rules, now_s: float) -> list[Receipt]:
    """Store posts in their order, as `careapi.intake.take_in` would one by one; one receipt each."""
    receipts: list[Receipt | None] = [None] * len(mentions)
    waiting: list[_Plain] = []
    touched = _Touched()
    for place, (mention, row) in enumerate(zip(mentions, _look(db, mentions), strict=True)):
        plain = _plain(place, mention, row, touched)
        if plain is None:
            _keep(db, waiting, receipts, rules, now_s)
            waiting = []
            receipts[place] = take_in(db, mention, rules, now_s)
        else:
            waiting.append(plain)
    _keep(db, waiting, receipts, rules, now_s)
    return [receipt for receipt in receipts if receipt is not None]


def _own(mention: Mention) -> str:
    return f"{mention.platform}:{mention.external_id}"


def _private(mention: Mention) -> bool:
    return mention.visibility is Visibility.PRIVATE


def _look(db: PgDatabase, mentions: Sequence[Mention]) -> list[Any]:
    return db.fetch(
        _LOOK,
        [mention.platform for mention in mentions],
        [mention.external_id for mention in mentions],
        [mention.external_user for mention in mentions],
        [mention.parent_external_id for mention in mentions],
        [_private(mention) for mention in mentions],
        [_own(mention) for mention in mentions],
    )


def _plain(place: int, mention: Mention, row: Any, touched: _Touched) -> _Plain | None:
    """The post with what is needed to store it, or None if it has to go its own way; marks what it touches."""
    _, handle_id, customer_id, thread, tied = row
    own, key = _own(mention), (mention.platform.value, mention.external_id)
    authors = {(mention.platform.value, mention.external_user), customer_id} - {None}
    hangs = thread != own and not _private(mention)
    tied = (
        tied
        or key in touched.posts
        or not touched.authors.isdisjoint(authors)
        or thread in touched.moved
        or (hangs and own in touched.threads)
    )
    touched.posts.add(key)
    touched.authors |= authors
    touched.threads.add(thread)
    if hangs or tied:
        touched.moved.add(own)
    if tied:
        touched.moved.add(thread)
        return None
    verdict = judge(mention.text, mention.language, mention.visibility)
    return _Plain(place, mention, handle_id, customer_id, thread, verdict)


def _keep(db: PgDatabase, plain: list[_Plain], receipts: list[Receipt | None], rules: Rules, now_s: float) -> None:
    if not plain:
        return
    posts = [each.mention for each in plain]
    rows = db.fetch(
        _KEEP,
        [post.platform for post in posts],
        [post.external_id for post in posts],
        [post.external_user for post in posts],
        [post.name for post in posts],
        [each.thread for each in plain],
        [post.parent_external_id for post in posts],
        [post.language for post in posts],
        [_private(post) for post in posts],
        [post.posted_s for post in posts],
        [each.verdict.query for each in plain],
        [each.verdict.score for each in plain],
        [now_s + rules.promise_s[post.visibility] for post in posts],
        [each.handle_id for each in plain],
        [each.customer_id for each in plain],
        [post.text for post in posts],
        now_s,
    )
    for each, (case_id,) in zip(plain, rows, strict=True):
        receipts[each.place] = Receipt(case_id, duplicate=False)
        if case_id is not None:
            note(db, case_id, EventKind.OPENED, now_s)
