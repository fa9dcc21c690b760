"""Ledger, vault, customers, idempotency, dead letters and outbox."""

from heardback_shared.db.migrate import execute_script, secure_tables
from heardback_shared.db.outbox import OUTBOX_DDL

revision = "ingest_2026_11_22"
down_revision = None

TABLES = (
    "feedback",
    "stage",
    "item_change",
    "progress",
    "customer",
    "data_key",
    "original",
    "idempotency",
    "dead_letter",
    "outbox",
)


def upgrade() -> None:
    execute_script("""
CREATE TABLE ingest.feedback (
    tenant_id text NOT NULL,
    id text NOT NULL,
    revision integer NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    kind text NOT NULL,
    customer_id text,
    metric_value double precision,
    content_hmac bytea NOT NULL,
    event bytea NOT NULL,
    traceparent text,
    accepted_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('in_flight', 'settled', 'dead')),
    reason text,
    pass_number integer NOT NULL DEFAULT 1,
    settled_pass integer NOT NULL DEFAULT 0,
    sent_at timestamptz NOT NULL,
    due_at timestamptz,
    redrives integer NOT NULL DEFAULT 0,
    scored_at timestamptz,
    routed_at timestamptz,
    settled_at timestamptz,
    item_id text,
    team text,
    score json,
    PRIMARY KEY (tenant_id, id, revision),
    UNIQUE (tenant_id, source, external_id, revision)
) WITH (fillfactor = 80, toast_tuple_target = 8160);
CREATE INDEX feedback_by_customer ON ingest.feedback (tenant_id, customer_id, accepted_at DESC)
    WHERE customer_id IS NOT NULL;
CREATE INDEX feedback_due ON ingest.feedback (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE ingest.stage (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    event_id text NOT NULL,
    loop_id text NOT NULL,
    state text NOT NULL,
    reason text,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id, event_id)
);
CREATE TABLE ingest.item_change (
    tenant_id text NOT NULL,
    item_id text NOT NULL,
    sequence integer NOT NULL,
    change text NOT NULL,
    state text NOT NULL,
    team text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, item_id, sequence)
);
CREATE TABLE ingest.progress (
    tenant_id text PRIMARY KEY,
    settled_at timestamptz NOT NULL,
    newest_sent_at timestamptz NOT NULL
);
CREATE TABLE ingest.customer (
    tenant_id text NOT NULL,
    id text NOT NULL,
    fields jsonb NOT NULL,
    personal bytea,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ingest.data_key (
    tenant_id text NOT NULL,
    subject text NOT NULL,
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, subject)
);
CREATE TABLE ingest.original (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    revision integer NOT NULL,
    subject text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id, revision)
);
CREATE TABLE ingest.idempotency (
    tenant_id text NOT NULL,
    key_id text NOT NULL,
    key text NOT NULL,
    request_hmac bytea NOT NULL,
    lease_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    PRIMARY KEY (tenant_id, key_id, key)
);
CREATE INDEX idempotency_expiry ON ingest.idempotency (expires_at);
CREATE TABLE ingest.dead_letter (
    tenant_id text NOT NULL,
    id text NOT NULL,
    service text NOT NULL,
    version text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    record_key bytea,
    headers jsonb NOT NULL,
    sealed_value bytea NOT NULL,
    error text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    failed_at timestamptz NOT NULL,
    feedback_id text,
    revision integer,
    pass_number integer,
    replayed_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX dead_letter_order ON ingest.dead_letter (tenant_id, failed_at DESC, id DESC);
""")
    execute_script(OUTBOX_DDL.format(schema="ingest"))
    secure_tables("ingest", TABLES)
