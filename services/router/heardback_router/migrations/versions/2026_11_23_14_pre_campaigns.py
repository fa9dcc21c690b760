"""What was changed and who is told of it: change records, campaigns, their recipients."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_23_14"
down_revision = "router_2026_11_23_13"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.change (
    tenant_id text NOT NULL,
    id text NOT NULL,
    result text NOT NULL CHECK (result IN ('done', 'partial', 'declined')),
    what text NOT NULL,
    tell text NOT NULL,
    translations jsonb NOT NULL,
    on_date date NOT NULL,
    reference text,
    item_ids jsonb NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    reviewed_by text,
    reviewed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL)),
    CHECK (reviewed_by <> recorded_by)
);
CREATE TABLE router.change_item (
    tenant_id text NOT NULL,
    item_id text NOT NULL,
    change_id text NOT NULL,
    PRIMARY KEY (tenant_id, item_id, change_id)
);
CREATE TABLE router.campaign (
    tenant_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('draft', 'submitted', 'sending', 'paused', 'done', 'cancelled')),
    version integer NOT NULL,
    picked jsonb NOT NULL,
    item_ids jsonb NOT NULL,
    change_ids jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    submitted_by text,
    submitted_at timestamptz,
    approved_by text,
    approved_at timestamptz,
    decision jsonb,
    recipients integer NOT NULL DEFAULT 0,
    fed integer NOT NULL DEFAULT 0,
    paused_at timestamptz,
    paused_seconds integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK (fed BETWEEN 0 AND recipients),
    CHECK (state NOT IN ('sending', 'paused', 'done') OR approved_by IS NOT NULL),
    CHECK (approved_by IS NULL OR NOT COALESCE((decision ->> 'second_person')::boolean, true)
        OR (approved_by <> made_by AND approved_by <> submitted_by))
);
CREATE INDEX campaign_by_age ON router.campaign (tenant_id, made_at DESC, id);
CREATE INDEX campaign_in_hand ON router.campaign (approved_at, tenant_id, id) WHERE state = 'sending';
CREATE TABLE router.campaign_event (
    tenant_id text NOT NULL,
    campaign_id text NOT NULL,
    sequence integer NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    reason text,
    PRIMARY KEY (tenant_id, campaign_id, sequence)
);
CREATE TABLE router.campaign_recipient (
    tenant_id text NOT NULL,
    campaign_id text NOT NULL,
    person_id text NOT NULL,
    number integer,
    customer_id text,
    stakes jsonb NOT NULL,
    change_ids jsonb NOT NULL,
    left_out jsonb NOT NULL,
    code text,
    because text,
    message_id text,
    PRIMARY KEY (tenant_id, campaign_id, person_id),
    CHECK ((number IS NULL) = (code IS NOT NULL)),
    CHECK ((number IS NULL) = (message_id IS NULL))
);
CREATE UNIQUE INDEX campaign_recipient_in_order ON router.campaign_recipient (tenant_id, campaign_id, number)
    WHERE number IS NOT NULL;
CREATE TABLE router.change_told (
    tenant_id text NOT NULL,
    change_id text NOT NULL,
    person_id text NOT NULL,
    message_id text NOT NULL,
    PRIMARY KEY (tenant_id, change_id, person_id)
);
""")
    secure_tables(
        "router",
        ["change", "change_item", "campaign", "campaign_event", "campaign_recipient", "change_told"],
    )
