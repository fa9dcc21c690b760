"""Creates the topics of the contract. Idempotent; never changes one that exists."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from heardback_shared.contracts import topics
from heardback_shared.errors import TransientError
from heardback_shared.settings import KafkaSettings
from heardback_shared.stream.kafka import client_options


async def create_topics(settings: KafkaSettings) -> list[str]:
    """Creates what is missing and returns the names created. Raises TransientError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [t for t in topics.ALL if t.name not in existing]
        if missing:
            response = await admin.create_topics([_new(t, settings) for t in missing])
            for name, code, *_ in response.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise TransientError(f"topic {name} was not created: {for_code(code).__name__}")
        return [t.name for t in missing]
    finally:
        await admin.close()


def _new(topic: topics.Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.replication_factor,
        topic_configs=_kept(topic),
    )


def _kept(topic: topics.Topic) -> dict[str, str]:
    if topic.compacted:
        return {"cleanup.policy": "compact"}
    return {"retention.ms": str(topic.retention_hours * 3_600_000)}
