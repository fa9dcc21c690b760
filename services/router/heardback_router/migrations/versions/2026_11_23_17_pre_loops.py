"""What becomes of a message that a channel gives back after it was taken back, or its campaign paused."""

from heardback_shared.db.migrate import execute_script

revision = "router_2026_11_23_17"
down_revision = "router_2026_11_23_16"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.message ADD COLUMN if_returned text CHECK (if_returned IN ('paused', 'cancelled'));
""")
