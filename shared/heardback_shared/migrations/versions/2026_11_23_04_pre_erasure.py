"""When a customer's personal data was erased, and whether that has reached everything composed about them."""

from heardback_shared.db.migrate import execute_script

revision = "platform_2026_11_23_04"
down_revision = "platform_2026_11_23_03"


def upgrade() -> None:
    execute_script("""
ALTER TABLE platform.contact_card
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN erasing boolean NOT NULL DEFAULT false;
CREATE INDEX contact_card_erasing ON platform.contact_card (erased_at) WHERE erasing;
CREATE INDEX contact_touch_by_age ON platform.contact_touch USING brin (at);
""")
