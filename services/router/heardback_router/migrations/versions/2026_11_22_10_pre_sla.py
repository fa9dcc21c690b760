"""When the next clock of an item runs out, so that lists can be asked for what runs out next."""

from heardback_shared.db.migrate import execute_script

revision = "router_2026_11_22_10"
down_revision = "router_2026_11_22_09"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.item ADD COLUMN due_at timestamptz;
CREATE INDEX item_by_due ON router.item (tenant_id, due_at) WHERE due_at IS NOT NULL;
""")
