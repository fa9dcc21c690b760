"""Who works for which team and how much at a time; tiers, dedicated owners and children of items."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_06"
down_revision = "router_2026_11_22_05"


def upgrade() -> None:
    # A column of its own for who has no tier: PostgreSQL takes an expression for one that may leak, and so
    # would not look it up in an index under row-level security.
    execute_script("""
ALTER TABLE router.item
    ADD COLUMN tier text,
    ADD COLUMN queue_tier text NOT NULL GENERATED ALWAYS AS (coalesce(tier, 'unknown')) STORED,
    ADD COLUMN owner text,
    ADD COLUMN children jsonb NOT NULL DEFAULT '[]';
CREATE INDEX item_waiting ON router.item (tenant_id, team, queue_tier, band, opened_at, id)
    WHERE assignee IS NULL AND state IN ('open', 'in_progress');
CREATE INDEX item_waiting_for_owner ON router.item (tenant_id, team, band, opened_at, id)
    WHERE assignee IS NULL AND owner IS NOT NULL AND state IN ('open', 'in_progress');
CREATE INDEX item_by_opening ON router.item USING brin (opened_at);
CREATE TABLE router.team_member (
    tenant_id text NOT NULL,
    team text NOT NULL CHECK (team <> ''),
    person text NOT NULL CHECK (person <> ''),
    cap integer CHECK (cap >= 1),
    tiers jsonb NOT NULL,
    skills jsonb NOT NULL,
    time_zone text NOT NULL,
    away_until timestamptz,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    PRIMARY KEY (tenant_id, team, person)
);
CREATE TABLE router.allocation (
    tenant_id text NOT NULL,
    id text NOT NULL,
    team text NOT NULL,
    at timestamptz NOT NULL,
    inputs json NOT NULL,
    outcome json NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE router.team_turns (
    tenant_id text NOT NULL,
    team text NOT NULL,
    owed jsonb NOT NULL,
    PRIMARY KEY (tenant_id, team)
);
""")
    secure_tables("router", ["allocation", "team_member", "team_turns"])
