"""Settings of outgoing mail."""

from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from heardback_router.mail.domain import checked_address

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSettings(BaseSettings):
    """`HEARDBACK_SMTP_…`. Without a host no e-mail is sent, and nobody is reached by e-mail."""

    model_config = SettingsConfigDict(env_prefix="HEARDBACK_SMTP_", frozen=True, populate_by_name=True)

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65_535)
    user: str | None = None
    password: SecretStr | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte (port 465), `starttls` after greeting (587); `none` where nobody listens."""
    sender: str | None = Field(default=None, validation_alias=AliasChoices("HEARDBACK_SMTP_FROM", "sender"))
    """The address mail comes from (`HEARDBACK_SMTP_FROM`); needed as soon as there is a host."""
    sender_name: str | None = Field(default=None, max_length=80, pattern=r'^[^"\\<>\x00-\x1f]+$')
    timeout_seconds: float = Field(default=20, gt=0, le=60)
    """For one mail as a whole: connecting, TLS, login, sending."""
    concurrency: int = Field(default=4, ge=1, le=64)

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else checked_address(value)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not self.sender:
            raise ValueError("HEARDBACK_SMTP_FROM is needed where HEARDBACK_SMTP_HOST is set")
        if (self.user is None) != (self.password is None):
            raise ValueError("HEARDBACK_SMTP_USER and HEARDBACK_SMTP_PASSWORD go together")
        if self.user and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password is not sent unencrypted: set HEARDBACK_SMTP_TLS to starttls or tls")
        return self
