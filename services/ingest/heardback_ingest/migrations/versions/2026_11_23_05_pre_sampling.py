"""Plans of asking and their waves, which survey got a moment, and experiments with how often to ask."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "ingest_2026_11_23_05"
down_revision = "ingest_2026_11_23_04"

TABLES = (
    "sampling_plan",
    "sampling_wave",
    "survey_choice",
    "fatigue_experiment",
    "fatigue_arm",
    "fatigue_suggestion",
)


def upgrade() -> None:
    execute_script("""
CREATE TABLE ingest.sampling_plan (
    tenant_id text NOT NULL,
    id text NOT NULL,
    survey text NOT NULL,
    segment text,
    weight double precision NOT NULL CHECK (weight > 0),
    wait_days double precision NOT NULL CHECK (wait_days >= 0),
    size jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'reached', 'all_sent', 'stopped')),
    because text,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX sampling_plan_running ON ingest.sampling_plan (tenant_id, survey, coalesce(segment, ''))
    WHERE state = 'running';
CREATE INDEX sampling_plan_newest ON ingest.sampling_plan (tenant_id, made_at DESC, id);
CREATE INDEX sampling_plan_by_survey ON ingest.sampling_plan (tenant_id, survey, made_at DESC);
CREATE TABLE ingest.sampling_wave (
    tenant_id text NOT NULL,
    plan_id text NOT NULL,
    number integer NOT NULL,
    invites integer NOT NULL CHECK (invites > 0),
    record jsonb NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, number)
);
CREATE TABLE ingest.survey_choice (
    tenant_id text NOT NULL,
    slot text NOT NULL,
    customer_id text NOT NULL,
    record jsonb NOT NULL,
    asked_by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, slot)
);
CREATE TABLE ingest.fatigue_experiment (
    tenant_id text NOT NULL,
    id text NOT NULL,
    gaps integer[] NOT NULL,
    share double precision NOT NULL,
    because text NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX fatigue_experiment_running ON ingest.fatigue_experiment (tenant_id)
    WHERE ended_at IS NULL;
CREATE TABLE ingest.fatigue_arm (
    tenant_id text NOT NULL,
    experiment_id text NOT NULL,
    person_id text NOT NULL,
    gap integer NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, experiment_id, person_id)
);
CREATE TABLE ingest.fatigue_suggestion (
    tenant_id text NOT NULL,
    id text NOT NULL,
    experiment_id text NOT NULL,
    gap integer NOT NULL,
    evidence jsonb NOT NULL,
    policy text NOT NULL,
    draft integer NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX survey_invitation_by_survey ON ingest.survey_invitation (tenant_id, survey, sent_at);
CREATE INDEX survey_invitation_kept ON ingest.survey_invitation (tenant_id, survey)
    WHERE state = 'reserved';
CREATE INDEX survey_invitation_by_time ON ingest.survey_invitation (tenant_id, sent_at);
""")
    secure_tables("ingest", TABLES)
