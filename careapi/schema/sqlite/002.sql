-- What a desk does beyond taking in and handing out: replies, customers across channels, payment links,
-- notices to the crew, lost items, offers, tickets, broadcasts, settings. Flags are 0 and 1.
ALTER TABLE customer ADD COLUMN tier TEXT NOT NULL DEFAULT 'none';
ALTER TABLE customer ADD COLUMN booking TEXT;
ALTER TABLE "case" ADD COLUMN topic TEXT;
ALTER TABLE "case" ADD COLUMN stage TEXT;
ALTER TABLE "case" ADD COLUMN merged_into INTEGER REFERENCES "case" (id);
ALTER TABLE mention ADD COLUMN label TEXT; -- what a person says that the post is, over the machine's kind
CREATE INDEX handle_customer ON handle (customer_id);
CREATE INDEX case_customer ON "case" (customer_id, id);
CREATE INDEX case_merged ON "case" (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX case_opened ON "case" (opened_s);
CREATE INDEX mention_received ON mention (received_s);
CREATE INDEX event_case ON event (case_id, seq);
CREATE TABLE reply (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES "case" (id),
    agent TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_s REAL NOT NULL,
    delivered_s REAL
);
CREATE INDEX reply_case ON reply (case_id);
CREATE INDEX reply_waiting ON reply (id) WHERE delivered_s IS NULL;
-- What was answered to a request that carried a key, so that the same request gets the same answer.
CREATE TABLE idem (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    at_s REAL NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idem_at ON idem (at_s);
CREATE TABLE agent (
    id TEXT PRIMARY KEY,
    langs TEXT NOT NULL, -- codes with a comma between
    presence TEXT NOT NULL CHECK (presence IN ('online', 'away', 'offline')),
    mode TEXT NOT NULL DEFAULT 'pull' CHECK (mode IN ('pull', 'push')),
    capacity INTEGER NOT NULL,
    seen_s REAL NOT NULL
);
CREATE TABLE offer (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES "case" (id),
    agent TEXT NOT NULL,
    offered_s REAL NOT NULL,
    expires_s REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'timed_out', 'withdrawn'))
);
CREATE UNIQUE INDEX offer_one ON offer (case_id) WHERE state = 'open';
CREATE INDEX offer_agent ON offer (agent) WHERE state = 'open';
CREATE TABLE paylink (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES "case" (id),
    agent TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'failed', 'expired')),
    provider_ref TEXT NOT NULL UNIQUE,
    created_s REAL NOT NULL,
    expires_s REAL NOT NULL,
    paid_s REAL,
    refund_check INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX paylink_case ON paylink (case_id);
-- What the provider said, kept also if the link is not known yet; its own number keeps duplicates out.
CREATE TABLE payment_event (
    id TEXT PRIMARY KEY,
    provider_ref TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'failed', 'expired')),
    at_s REAL NOT NULL,
    received_s REAL NOT NULL
);
CREATE INDEX payment_event_ref ON payment_event (provider_ref);
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    flight TEXT NOT NULL,
    date TEXT NOT NULL,
    seat TEXT,
    case_id INTEGER REFERENCES "case" (id),
    agent TEXT NOT NULL,
    text TEXT NOT NULL,
    created_s REAL NOT NULL,
    seen_s REAL,
    seen_by TEXT
);
CREATE INDEX notice_flight ON notice (flight, date);
CREATE INDEX notice_case ON notice (case_id);
CREATE TABLE lost_item (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('lost', 'found')),
    case_id INTEGER REFERENCES "case" (id),
    airport TEXT,
    flight TEXT,
    date TEXT,
    seat TEXT,
    description TEXT NOT NULL,
    created_s REAL NOT NULL,
    matched_id INTEGER REFERENCES lost_item (id)
);
CREATE INDEX lost_item_case ON lost_item (case_id);
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES "case" (id),
    agent TEXT NOT NULL,
    department TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')),
    created_s REAL NOT NULL,
    done_s REAL
);
CREATE INDEX ticket_case ON ticket (case_id);
CREATE TABLE broadcast (
    id INTEGER PRIMARY KEY,
    lang TEXT NOT NULL,
    topic TEXT,
    text TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_s REAL NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at_s REAL NOT NULL,
    actor TEXT NOT NULL
);
