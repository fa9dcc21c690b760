"""Invitations to surveys, why each was or was not allowed, and what stops all of them for a while."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "ingest_2026_11_23_04"
down_revision = "ingest_2026_11_23_03"

TABLES = (
    "survey_invitation",
    "survey_decision",
    "survey_policy",
    "survey_crisis",
    "survey_skip",
    "erased_customer",
)


def upgrade() -> None:
    execute_script("""
CREATE TABLE ingest.survey_invitation (
    tenant_id text NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    person_id text NOT NULL,
    account_id text,
    survey text NOT NULL,
    type text NOT NULL CHECK (type IN ('nps', 'csat', 'ces', 'other')),
    channel text NOT NULL,
    touchpoint text,
    kind text NOT NULL CHECK (kind IN ('invitation', 'reminder')),
    state text NOT NULL CHECK (state IN ('reserved', 'sent', 'seen', 'answered', 'released', 'expired')),
    late boolean NOT NULL DEFAULT false,
    reserved_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sent_at timestamptz,
    seen_at timestamptz,
    answered_at timestamptz,
    last_at timestamptz NOT NULL,
    feedback_id text,
    decision_id text NOT NULL,
    policy text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX survey_invitation_by_customer ON ingest.survey_invitation (tenant_id, customer_id, last_at DESC);
CREATE INDEX survey_invitation_by_account ON ingest.survey_invitation (tenant_id, account_id, last_at DESC)
    WHERE account_id IS NOT NULL;
CREATE INDEX survey_invitation_expiry ON ingest.survey_invitation (expires_at) WHERE state = 'reserved';
CREATE TABLE ingest.survey_decision (
    tenant_id text NOT NULL,
    id text NOT NULL,
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act IN ('check', 'reserve')),
    customer_id text NOT NULL,
    survey text NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL,
    allowed boolean NOT NULL,
    answer jsonb NOT NULL,
    policy text NOT NULL,
    digest text NOT NULL,
    inputs jsonb,
    invitation_id text,
    asked_by text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX survey_decision_by_customer ON ingest.survey_decision (tenant_id, customer_id, at DESC, id DESC);
CREATE INDEX survey_decision_age ON ingest.survey_decision (at);
CREATE TABLE ingest.survey_policy (
    tenant_id text NOT NULL,
    digest text NOT NULL,
    policy text NOT NULL,
    text text NOT NULL,
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE TABLE ingest.survey_crisis (
    tenant_id text NOT NULL,
    id text NOT NULL,
    because text NOT NULL,
    called_at timestamptz NOT NULL,
    called_by text NOT NULL,
    ends_at timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ingest.survey_skip (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    because text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id)
);
CREATE TABLE ingest.erased_customer (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
""")
    secure_tables("ingest", TABLES)
