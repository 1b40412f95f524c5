-- Customers, what they post, the cases that come of it, and all that happens to those, in order.
-- Times are seconds of the Unix clock, the server's own; posted_s alone is the sender's word.
CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    created_s REAL NOT NULL,
    erased_s REAL
);
CREATE TABLE handle (
    id INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    external_user TEXT NOT NULL,
    name TEXT NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    UNIQUE (platform, external_user)
);
CREATE TABLE "case" (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    thread TEXT NOT NULL,
    lang TEXT NOT NULL,
    private INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'assigned', 'waiting_customer', 'resolved')),
    agent TEXT CHECK ((agent IS NOT NULL) = (status = 'assigned')),
    lease_until_s REAL CHECK ((lease_until_s IS NOT NULL) = (status = 'assigned')),
    version INTEGER NOT NULL DEFAULT 1,
    opened_s REAL NOT NULL,
    waiting_since_s REAL NOT NULL,
    due_s REAL NOT NULL,
    first_reply_s REAL,
    resolved_s REAL CHECK ((resolved_s IS NOT NULL) = (status = 'resolved')),
    closed_reason TEXT
);
-- At most one case at a time of a customer in a thread, also when two posts come in the same instant.
CREATE UNIQUE INDEX case_one_open ON "case" (customer_id, thread) WHERE status <> 'resolved';
-- One look at the head of a queue finds what is due first there.
CREATE INDEX case_queue ON "case" (lang, private, due_s, waiting_since_s, id) WHERE status = 'open';
CREATE INDEX case_lease ON "case" (lease_until_s) WHERE status = 'assigned';
CREATE INDEX case_agent ON "case" (agent) WHERE status = 'assigned';
CREATE INDEX case_thread ON "case" (thread, customer_id);
CREATE TABLE mention (
    id INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    external_id TEXT NOT NULL,
    handle_id INTEGER NOT NULL REFERENCES handle (id),
    thread TEXT NOT NULL,
    parent_external_id TEXT,
    lang TEXT NOT NULL,
    text TEXT NOT NULL,
    private INTEGER NOT NULL,
    posted_s REAL NOT NULL,
    received_s REAL NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('query', 'other')),
    score REAL NOT NULL,
    case_id INTEGER REFERENCES "case" (id),
    UNIQUE (platform, external_id) -- the only guard against the same post delivered twice
);
CREATE INDEX mention_thread ON mention (thread, handle_id);
CREATE INDEX mention_case ON mention (case_id);
-- Only ever appended. One writer and no AUTOINCREMENT: a number that was rolled back is given again,
-- so the numbers have no gaps.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    case_id INTEGER,
    kind TEXT NOT NULL,
    at_s REAL NOT NULL,
    actor TEXT NOT NULL,
    data TEXT NOT NULL
);
