"""Settings of messages to customers."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class OutreachSettings(BaseSettings):
    """`HEARDBACK_OUTREACH_…`"""

    model_config = SettingsConfigDict(env_prefix="HEARDBACK_OUTREACH_", frozen=True)

    batch: int = Field(default=100, ge=1, le=1_000)
    """Messages claimed at once, and decided about in one transaction per tenant."""
    lease_seconds: float = Field(default=60, gt=0)
    """How long claimed messages stay with their process; after a crash they are free again then."""
    poll_seconds: float = Field(default=0.5, gt=0)
    in_order: bool = False
    """Whether a message waits while an earlier one about the same matter is still on its way to a channel. A
    later one always takes the place of an earlier one that has not gone out."""
    details_days: float = Field(default=30, gt=0, le=366)
    """How long the text of a message can be fetched by its link."""
    details_per_minute: int = Field(default=600, ge=1)
    """Fetches of message texts a minute, per tenant and process."""
    mail_lease_seconds: float = Field(default=120, gt=60)
    """How long an e-mail being sent stays with its process; longer than sending one may take."""
    mail_concurrency: int = Field(default=4, ge=1, le=64)
