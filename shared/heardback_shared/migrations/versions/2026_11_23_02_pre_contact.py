"""How customers may be reached: cards, wishes, consents, addresses, holds, and how often it was done."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "platform_2026_11_23_02"
down_revision = "platform_2026_11_22"

TABLES = (
    "contact_card",
    "contact_wish",
    "contact_consent",
    "contact_address",
    "contact_hold",
    "sending_stop",
    "contact_touch",
)


def upgrade() -> None:
    execute_script("""
CREATE TABLE platform.contact_card (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    person_id text NOT NULL,
    earlier_person_ids text[] NOT NULL,
    card jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE INDEX contact_card_by_person ON platform.contact_card (tenant_id, person_id);
CREATE TABLE platform.contact_wish (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    name text NOT NULL,
    provenance text NOT NULL,
    source text NOT NULL,
    value jsonb,
    owner text,
    confirmed_at timestamptz NOT NULL,
    refresh_by timestamptz,
    PRIMARY KEY (tenant_id, customer_id, name, provenance, source)
);
CREATE INDEX contact_wish_by_refresh ON platform.contact_wish (tenant_id, refresh_by, customer_id)
    WHERE refresh_by IS NOT NULL;
CREATE TABLE platform.contact_consent (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    id text NOT NULL,
    scope text NOT NULL,
    item_id text,
    given boolean NOT NULL,
    provenance text NOT NULL,
    source text NOT NULL,
    channel text,
    text_version text,
    proved boolean NOT NULL,
    proof bytea,
    recorded_by text NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, id)
);
CREATE TABLE platform.contact_address (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    channel text NOT NULL,
    sealed bytea NOT NULL,
    provenance text NOT NULL,
    source text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, channel)
);
CREATE TABLE platform.contact_hold (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    number integer NOT NULL,
    held boolean NOT NULL,
    because text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, number)
);
CREATE TABLE platform.sending_stop (
    tenant_id text NOT NULL,
    number integer NOT NULL,
    stopped boolean NOT NULL,
    because text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, number)
);
CREATE TABLE platform.contact_touch (
    tenant_id text NOT NULL,
    id text NOT NULL,
    person_id text NOT NULL,
    purpose text NOT NULL,
    channel text NOT NULL,
    automatic boolean NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX contact_touch_by_person ON platform.contact_touch (tenant_id, person_id, at);
""")
    secure_tables("platform", TABLES)
