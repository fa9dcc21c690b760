"""Signatures as Standard Webhooks 1.0.0 has them, checked by arithmetic of our own and by its library."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from heardback_router.deliveries.signing import new_secret, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of thirty-two byte").decode()
BODY = b'{"test": 2432232314}'


def test_the_published_vector() -> None:
    at = datetime.fromtimestamp(1_614_265_330, UTC)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY, [SECRET])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def by_hand(secret: str, headers: dict[str, str], body: bytes) -> str:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_two_live_secrets_sign_and_each_verifies_alone() -> None:
    body = '{"text":"Grüße"}'.encode()
    headers = signed_headers("msg_1", datetime.now(UTC), body, [OTHER, SECRET])
    assert headers["webhook-signature"].split(" ") == [
        by_hand(OTHER, headers, body),
        by_hand(SECRET, headers, body),
    ]
    for secret in (OTHER, SECRET):
        assert Webhook(secret).verify(body, headers) == {"text": "Grüße"}


def test_another_body_id_time_or_secret_does_not_verify() -> None:
    headers = signed_headers("msg_1", datetime.now(UTC), BODY, [SECRET])
    later = str(int(headers["webhook-timestamp"]) + 1)
    for body, changed, secret in (
        (BODY + b" ", headers, SECRET),
        (BODY, {**headers, "webhook-id": "msg_2"}, SECRET),
        (BODY, {**headers, "webhook-timestamp": later}, SECRET),
        (BODY, headers, OTHER),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, changed)


def test_the_timestamp_is_that_of_the_attempt_whatever_zone_it_is_given_in() -> None:
    at = datetime(2026, 11, 22, 12, 0, 0, 900_000, tzinfo=UTC)
    from zoneinfo import ZoneInfo

    one = signed_headers("msg_1", at, BODY, [SECRET])
    other = signed_headers("msg_1", at.astimezone(ZoneInfo("Asia/Tokyo")), BODY, [SECRET])
    assert one == other
    assert signed_headers("msg_1", at + timedelta(seconds=1), BODY, [SECRET]) != one


def test_secrets_are_long_random_and_marked() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(s.startswith("whsec_") and len(base64.b64decode(s[6:])) == 32 for s in made)


def test_nothing_goes_out_unsigned_or_with_an_ambiguous_id() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        signed_headers("msg_1", datetime.now(UTC), BODY, [])
    with pytest.raises(ValueError, match="full stop"):
        signed_headers("msg.1", datetime.now(UTC), BODY, [SECRET])
