"""A loop is one customer's stake in one item, in rounds; who was told what and why; reviews; contests.

Loops before this were of one resolution each; nothing is carried over.
"""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_23_11"
down_revision = "router_2026_11_22_10"


def upgrade() -> None:
    execute_script("""
DROP TABLE router.loop_feedback;
DROP TABLE router.loop_event;
DROP TABLE router.loop;
CREATE TABLE router.loop (
    tenant_id text NOT NULL,
    id text NOT NULL,
    item_id text NOT NULL,
    customer_id text,
    round integer NOT NULL CHECK (round >= 1),
    state text NOT NULL CHECK (state IN
        ('acknowledged', 'planned', 'changed', 'told', 'failed', 'not_told', 'confirmed', 'disputed')),
    sequence integer NOT NULL,
    since timestamptz NOT NULL,
    code text,
    reason text,
    result text CHECK (result IN ('done', 'partial', 'declined')),
    message text,
    raised_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    merged_into text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX loop_since ON router.loop (tenant_id, since);
CREATE UNIQUE INDEX loop_stake ON router.loop (tenant_id, item_id, customer_id) WHERE merged_into IS NULL;
CREATE TABLE router.loop_event (
    tenant_id text NOT NULL,
    loop_id text NOT NULL,
    sequence integer NOT NULL,
    round integer NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    code text,
    reason text,
    PRIMARY KEY (tenant_id, loop_id, sequence)
);
CREATE TABLE router.loop_feedback (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    loop_id text NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id)
);
CREATE INDEX loop_feedback_of ON router.loop_feedback (tenant_id, loop_id);
CREATE TABLE router.telling (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    loop_id text NOT NULL,
    round integer NOT NULL,
    step text NOT NULL,
    occasion text NOT NULL,
    way text NOT NULL CHECK (way IN ('automatic', 'review', 'nobody')),
    rule text NOT NULL,
    because text NOT NULL,
    policy text NOT NULL,
    inputs jsonb NOT NULL,
    review_id text,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message_id, loop_id),
    UNIQUE (tenant_id, loop_id, round, step, occasion)
);
CREATE TABLE router.review (
    tenant_id text NOT NULL,
    id text NOT NULL,
    item_id text NOT NULL,
    step text NOT NULL,
    occasion text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sending', 'approved', 'rejected', 'withdrawn')),
    because text NOT NULL,
    version integer NOT NULL,
    author text NOT NULL,
    drafts jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    sends_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    reason text,
    PRIMARY KEY (tenant_id, id),
    CHECK (state NOT IN ('approved', 'rejected') OR decided_by IS NOT NULL),
    CONSTRAINT four_eyes CHECK (state <> 'approved' OR decided_by <> author)
);
CREATE INDEX review_of_item ON router.review (tenant_id, item_id);
CREATE INDEX review_waiting ON router.review (tenant_id, opened_at, id) WHERE state IN ('waiting', 'sending');
CREATE TABLE router.review_text (
    tenant_id text NOT NULL,
    review_id text NOT NULL,
    version integer NOT NULL,
    text text,
    author text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, review_id, version)
);
CREATE TABLE router.contest (
    tenant_id text NOT NULL,
    id text NOT NULL,
    loop_id text NOT NULL,
    item_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'answered')),
    comment text,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    answered_by text,
    answered_at timestamptz,
    answer text,
    outcome text CHECK (outcome IN ('changed', 'upheld')),
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX contest_open ON router.contest (tenant_id, loop_id) WHERE state = 'open';
CREATE INDEX contest_due ON router.contest (tenant_id, due_at, id) WHERE state = 'open';
""")
    secure_tables(
        "router",
        ["loop", "loop_event", "loop_feedback", "telling", "review", "review_text", "contest"],
    )
