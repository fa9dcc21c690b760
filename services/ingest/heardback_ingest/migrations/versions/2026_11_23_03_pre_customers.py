"""The customer master: classes, accounts, ids elsewhere, who is one person, rules, imports, sources."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "ingest_2026_11_23_03"
down_revision = "ingest_2026_11_22_02"

TABLES = (
    "account",
    "membership",
    "external_id",
    "identity_event",
    "identity",
    "likeness",
    "handling",
    "contract",
    "customer_import",
    "customer_event",
    "customer_source",
    "class_run",
    "class_change",
)


def upgrade() -> None:
    execute_script("""
ALTER TABLE ingest.customer ADD COLUMN class jsonb;
CREATE INDEX customer_class_waits ON ingest.customer (tenant_id, id) WHERE class ? 'keeps';
CREATE TABLE ingest.account (
    tenant_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    parent_id text,
    source text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES ingest.account (tenant_id, id)
);
CREATE INDEX account_by_parent ON ingest.account (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE ingest.membership (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    from_at timestamptz NOT NULL,
    account_id text,
    source text NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, from_at),
    FOREIGN KEY (tenant_id, account_id) REFERENCES ingest.account (tenant_id, id)
);
CREATE INDEX membership_by_account ON ingest.membership (tenant_id, account_id, customer_id)
    WHERE account_id IS NOT NULL;
CREATE TABLE ingest.external_id (
    tenant_id text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    customer_id text NOT NULL,
    PRIMARY KEY (tenant_id, source, external_id)
);
CREATE INDEX external_id_by_customer ON ingest.external_id (tenant_id, customer_id);
CREATE TABLE ingest.identity_event (
    tenant_id text NOT NULL,
    sequence bigint NOT NULL,
    id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('merge', 'split', 'undo')),
    customer_id text,
    into_id text,
    undoes text,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, sequence),
    UNIQUE (tenant_id, id)
);
CREATE TABLE ingest.identity (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    person_id text NOT NULL,
    members text[] NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE TABLE ingest.likeness (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    customer_id text NOT NULL,
    PRIMARY KEY (tenant_id, kind, digest, customer_id)
);
CREATE INDEX likeness_by_customer ON ingest.likeness (tenant_id, customer_id);
CREATE TABLE ingest.handling (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    version integer NOT NULL,
    sealed bytea NOT NULL,
    parts text[] NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, version)
);
CREATE TABLE ingest.contract (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    number text NOT NULL,
    version integer NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_to timestamptz,
    terms jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, number, version)
);
CREATE INDEX contract_in_force ON ingest.contract (tenant_id, customer_id, effective_from DESC, version DESC);
CREATE TABLE ingest.customer_import (
    tenant_id text NOT NULL,
    id text NOT NULL,
    source text NOT NULL,
    as_of timestamptz NOT NULL,
    counts jsonb NOT NULL,
    last_line bigint NOT NULL,
    refused jsonb NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ingest.customer_event (
    tenant_id text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source, event_id)
);
CREATE INDEX customer_event_age ON ingest.customer_event (at);
CREATE TABLE ingest.customer_source (
    tenant_id text NOT NULL,
    source text NOT NULL,
    last_seen timestamptz NOT NULL,
    newest_at timestamptz NOT NULL,
    last_lag_seconds double precision NOT NULL,
    tellings bigint NOT NULL,
    late bigint NOT NULL,
    PRIMARY KEY (tenant_id, source)
);
CREATE TABLE ingest.class_run (
    tenant_id text NOT NULL,
    id text NOT NULL,
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    policy text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'stopped', 'done')),
    cursor text NOT NULL,
    looked_at bigint NOT NULL,
    moved bigint NOT NULL,
    waiting bigint NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ingest.class_change (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    at timestamptz NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    record jsonb NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, at, id)
);
CREATE INDEX class_run_order ON ingest.class_run (tenant_id, number DESC);
""")
    secure_tables("ingest", TABLES)
