"""A receiver's side: the published vectors hold, and nothing but the very message is believed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from heardback_local.commands.webhooks import app
from heardback_router.deliveries.signing import (
    new_private_key,
    new_secret,
    public_key,
    signed_headers,
)
from heardback_router.deliveries.vectors import vectors
from heardback_router.deliveries.verifying import UnverifiedError, verify

PUBLISHED = json.loads(Path("docs/webhooks-vectors.json").read_text("utf-8"))
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_published_vectors_are_those_the_command_makes() -> None:
    assert vectors() == PUBLISHED


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=[v["name"] for v in PUBLISHED["vectors"]])
def test_every_vector_is_judged_as_it_says(vector: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(vector["at"], UTC)

    def judged() -> None:
        verify(vector["headers"], vector["body"].encode(), vector["keys"], at)

    if vector["valid"]:
        judged()
    else:
        with pytest.raises(UnverifiedError, match=r"\w{3}") as found:
            judged()
        assert found.value.fault == vector["fault"]


def test_good_and_bad_vectors_of_every_kind_are_there() -> None:
    faults = {v["fault"] for v in PUBLISHED["vectors"]}
    assert faults == {None, "no_match", "too_old", "too_new", "missing_header", "bad_timestamp"}
    assert any(
        "v1a," in v["headers"].get("webhook-signature", "") and v["valid"] for v in PUBLISHED["vectors"]
    )


BODIES = st.text(max_size=200).map(str.encode)


@given(BODIES, st.booleans(), st.integers(-300, 300))
def test_what_was_signed_verifies_within_the_tolerance(body: bytes, public: bool, drift: int) -> None:
    key = new_private_key() if public else new_secret()
    headers = signed_headers("msg_1", AT, body, [key])
    shown = public_key(key) if public else key
    verify({k.upper(): v for k, v in headers.items()}, body, [shown], AT + timedelta(seconds=drift))


@given(BODIES, BODIES, st.booleans())
def test_another_body_never_verifies(body: bytes, other: bytes, public: bool) -> None:
    key = new_private_key() if public else new_secret()
    headers = signed_headers("msg_1", AT, body, [key])
    if body != other:
        with pytest.raises(UnverifiedError):
            verify(headers, other, [public_key(key) if public else key], AT)


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_header_however_strange_is_an_error_of_ours(signature: str, timestamp: str) -> None:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}
    with pytest.raises(UnverifiedError):
        verify(headers, b"{}", [new_secret(), public_key(new_private_key())], AT)


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_%%%", "whpk_AAAA", "secret", "whsk_AAAA"])
def test_a_key_that_is_none_is_refused_by_name(key: str) -> None:
    headers = signed_headers("msg_1", AT, b"{}", [new_secret()])
    with pytest.raises(UnverifiedError) as found:
        verify(headers, b"{}", [key], AT)
    assert found.value.fault == "bad_key"


def run(vector: dict[str, Any], folder: Path) -> Any:
    (folder / "body").write_bytes(vector["body"].encode())
    arguments = ["verify", "--body", str(folder / "body"), "--at", str(vector["at"])]
    for name, value in vector["headers"].items():
        arguments += ["--header", f"{name}: {value}"]
    for key in vector["keys"]:
        arguments += ["--key", key]
    return CliRunner().invoke(app, arguments)


def test_the_command_says_verified_or_why_not(tmp_path: Path) -> None:
    by_name = {v["name"]: v for v in PUBLISHED["vectors"]}
    good = run(by_name["good"], tmp_path)
    assert (good.exit_code, good.output) == (0, "verified\n")
    for name in ("stale", "tampered body", "wrong key", "no signature"):
        bad = run(by_name[name], tmp_path)
        assert bad.exit_code == 1
        assert f"not verified ({by_name[name]['fault']})" in bad.output


def test_the_command_writes_the_vectors() -> None:
    assert json.loads(CliRunner().invoke(app, ["vectors"]).output) == PUBLISHED
