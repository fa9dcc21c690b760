"""Scoring and router in one process, with what lies between them handed over by hand."""

from collections.abc import Sequence

import orjson
from sqlalchemy import select, text

from heardback_router.backlog.tables import outbox
from heardback_router.corrections.announce import embedding_of
from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.app.follow_judgement import FollowJudgement
from heardback_scoring.app.rejudge import Kept
from heardback_scoring.app.score_events import ScoreEvents
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain.drift import DriftPolicy
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_ACCEPTED, FeedbackAccepted
from heardback_shared.contracts.score import Score
from heardback_shared.contracts.topics import ACCEPTED, JUDGEMENT
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Record
from tests.support.judgement import ListTopic
from tests.support.router_http import RouterApp
from tests.support.shadow import no_shadow

_KEPT = text("""
    SELECT feedback_id, revision, pass_number, accepted_at, content::text, customer::text, score::text,
        embedding, embedding_model FROM router.item_feedback ORDER BY feedback_id
""")


class BothSides:
    """`hear` takes feedback through scoring and router; `teach` takes back what the router announced."""

    def __init__(self, app: RouterApp, by: Understanding) -> None:
        self.app = app
        self.serving = Serving(by)
        metrics = Metrics()
        self.topic = ListTopic()
        self.follow = FollowJudgement(self.topic, self.serving, Taxonomies(), metrics)
        self._score = ScoreEvents(
            self.serving, app.clock, metrics, DriftMonitor(DriftPolicy(), metrics), no_shadow(metrics)
        )
        self._seen: set[str] = set()

    async def hear(self, *feedbacks: FeedbackAccepted, tenant: str = "default") -> None:
        batch = []
        for one in feedbacks:
            event = Envelope(
                id=f"ev_{one.feedback_id}_{one.pass_number}",
                source="/test",
                type=FEEDBACK_ACCEPTED,
                data=to_bytes(one),
                subject=one.feedback_id,
                tenant_id=tenant,
                key=one.feedback_id,
            )
            batch.append(Incoming(Record(ACCEPTED.name, 0, 0, None, event.data), event))
        for outgoing in await self._score(batch):
            event = outgoing.event
            await self.app.router.receive(Incoming(Record(outgoing.topic, 0, 0, None, event.data), event))

    async def teach(self, *events: Envelope) -> None:
        """Events given, and everything the router has announced since."""
        columns = (outbox.c.event_id, outbox.c.type, outbox.c.data, outbox.c.tenant_id, outbox.c.key)
        query = select(*columns).where(outbox.c.topic == JUDGEMENT.name).order_by(outbox.c.id)
        async with self.app.database.worker() as connection:
            rows = (await connection.execute(query)).all()
        for event_id, kind, data, tenant_id, key in rows:
            if event_id not in self._seen:
                self._seen.add(event_id)
                self.topic.waiting.append(
                    Envelope(event_id, "/test", kind, bytes(data), tenant_id=tenant_id, key=key)
                )
        self.topic.waiting += events
        await self.follow.look()

    async def kept(self, tenant: str = "default") -> Sequence[tuple[Kept, str]]:
        """Every feedback as the router keeps it, and its score as JSON, byte for byte."""
        async with self.app.database.tenant(tenant) as connection:
            rows = (await connection.execute(_KEPT)).mappings().all()
        found = []
        for row in rows:
            accepted = FeedbackAccepted.model_validate(
                {
                    **{n: row[n] for n in ("feedback_id", "revision", "pass_number", "accepted_at")},
                    "content": orjson.loads(row["content"]),
                    "customer": orjson.loads(row["customer"]) if row["customer"] else None,
                }
            )
            embedding = embedding_of(row["embedding"], row["embedding_model"])
            found.append((Kept(accepted, Score.model_validate_json(row["score"]), embedding), row["score"]))
        return found
