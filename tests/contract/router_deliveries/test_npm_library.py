"""Both ways with the npm package `standardwebhooks`: it believes us, we believe it, neither too much."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from heardback_router.deliveries.signing import new_private_key, new_secret, signed_headers
from heardback_router.deliveries.verifying import UnverifiedError, verify

HERE = Path(__file__).parent
PACKAGE = "standardwebhooks@1.1.1"
MADE = json.loads((HERE / "npm_vectors.json").read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("vector", MADE, ids=[v["id"] for v in MADE])
def test_what_the_npm_library_signed_is_believed_and_nothing_near_it(vector: dict[str, Any]) -> None:
    at, body = datetime.fromtimestamp(vector["at"], UTC), vector["body"].encode()
    verify(vector["headers"], body, [vector["secret"]], at)
    for changed, keys in ((body + b" ", [vector["secret"]]), (body, [new_secret()])):
        with pytest.raises(UnverifiedError, match="no signature fits"):
            verify(vector["headers"], changed, keys, at)


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package. Without node or the network the test is skipped, and says so."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip(
            "NOT CHECKED against the npm library: node and npm are not here; stored vectors are checked"
        )
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", PACKAGE],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("NOT CHECKED against the npm library: it cannot be installed; stored vectors are checked")
    return folder


def ask(npm: Path, question: dict[str, Any]) -> dict[str, Any]:
    script = npm / "side.cjs"
    script.write_text((HERE / "npm_side.cjs").read_text("utf-8"), "utf-8")
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_the_npm_library_believes_us_and_we_believe_it_as_of_now(npm: Path) -> None:
    now = datetime.now(UTC)
    body = '{"type":"loop.told","data":{"text":"Grüße, 東京"}}'
    secret, newer = new_secret(), new_secret()
    headers = signed_headers("msg_1", now, body.encode(), [newer, secret, new_private_key()])
    old = {**headers, **signed_headers("msg_1", datetime(2026, 1, 1, tzinfo=UTC), body.encode(), [secret])}
    answer = ask(
        npm,
        {
            "verify": [
                {"secret": secret, "headers": headers, "body": body},
                {"secret": newer, "headers": headers, "body": body},
                {"secret": secret, "headers": headers, "body": body + " "},
                {"secret": new_secret(), "headers": headers, "body": body},
                {"secret": secret, "headers": old, "body": body},
            ],
            "sign": [{"secret": secret, "id": "msg_2", "at": int(now.timestamp()), "body": body}],
        },
    )
    assert answer["verified"][:2] == ["verified", "verified"]
    assert answer["verified"][2:4] == ["No matching signature found"] * 2
    assert answer["verified"][4].startswith("Message timestamp too")
    (theirs,) = answer["signed"]
    verify(theirs["headers"], body.encode(), [secret], now)
