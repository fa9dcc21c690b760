"""The event reference, generated from the contracts: an AsyncAPI 3.0 document.

Format: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from heardback_shared import __version__
from heardback_shared.contracts.topics import ALL, SUBMITTED, Topic

_REF = "#/components/schemas/{model}"

_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes, binary mode.",
    "required": ["ce_id", "ce_source", "ce_specversion", "ce_type"],
    "properties": {
        "ce_id": {
            "type": "string",
            "description": "With ce_source, identifies the event; repeats carry the same.",
        },
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_specversion": {"const": "1.0"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "The feedback or item it is about."},
        "ce_tenantid": {"type": "string"},
        "ce_partitionkey": {"type": "string", "description": "What keeps its order; also the record's key."},
        "ce_traceparent": {"type": "string", "description": "W3C Trace Context."},
        "ce_causationid": {"type": "string", "description": "The event that caused this one."},
        "content-type": {"const": "application/json"},
    },
}


def asyncapi() -> dict[str, Any]:
    """The whole document, ready for JSON."""
    models = {model for topic in ALL for _, model in topic.types}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda m: m.__name__)], ref_template=_REF
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "heardback events",
            "version": __version__,
            "description": "CloudEvents 1.0 over Kafka, keyed so that what belongs together stays in order.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in ALL},
        "operations": {topic.name: _operation(topic) for topic in ALL},
        "components": {
            "schemas": schemas["$defs"],
            "messages": {
                type_: {
                    "name": type_,
                    "contentType": "application/json",
                    "headers": _HEADERS,
                    "payload": {"$ref": _REF.format(model=model.__name__)},
                }
                for topic in ALL
                for type_, model in topic.types
            },
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"{topic.says} Keyed by {topic.key}.",
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_, _ in topic.types},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["compact"]}
                if topic.compacted
                else {"retention.ms": topic.retention_hours * 3_600_000},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        # Seen from heardback: what it takes from others, and what it tells them.
        "action": "receive" if topic is SUBMITTED else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.says,
    }
