"""A stand-in for scoring's HTTP door: it checks policies, and judges feedback by what a test tells it."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

Judge = Callable[[Mapping[str, str | None], dict[str, Any]], dict[str, Any]]


def as_stored(_: Mapping[str, str | None], row: dict[str, Any]) -> dict[str, Any]:
    """What the row's score says already."""
    return {name: row["score"].get(name) for name in ("severity", "root_causes", "runners_up", "taxonomy")}


@dataclass
class FakeScoring:
    url: str = ""
    judge: Judge = as_stored
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """(path, body, Authorization) of every call, in order."""
    status: int | None = None
    """Answered to everything, where a test wants scoring to fail."""

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.status is not None:
            return self.status, {"detail": "told to fail"}
        if path.endswith(":check"):
            return self._check(body["text"])
        texts = {kind: body[kind] for kind in ("severity", "taxonomy")}
        rows = body["feedback"]
        judged = [{"feedback_id": r["accepted"]["feedback_id"], **self.judge(texts, r)} for r in rows]
        return 200, {"judged": judged}

    def _check(self, text: str) -> tuple[int, dict[str, Any]]:
        policy = (yaml.safe_load(text) or {}).get("policy")
        if not policy:
            fault = {"pointer": "/text/policy", "detail": "is required"}
            return 422, {"detail": "the policy has faults", "errors": [fault]}
        return 200, {"policy": policy, "warnings": []}


@contextmanager
def fake_scoring() -> Iterator[FakeScoring]:
    """Listens on a free port of this machine until the block ends."""
    fake = FakeScoring()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append((self.path, body, self.headers.get("Authorization", "")))
            status, said = fake.answer(self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
