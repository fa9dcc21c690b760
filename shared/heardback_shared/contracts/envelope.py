"""CloudEvents 1.0 around every event, in the Kafka protocol binding (binary out; binary or structured in)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from pydantic import BaseModel

JSON = "application/json"
JSON_BYTES = JSON.encode()
_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type")


class EnvelopeError(ValueError):
    """The record is not a CloudEvents 1.0 event. The message says what is missing or wrong."""


_FORMAT = JSONFormat()


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event: the CloudEvents attributes heardback uses, and the data as JSON bytes.

    `id` and `source` together identify it. `key` decides the partition, so that what belongs together
    stays in order. `tenant_id` is None only on events that came from outside.
    """

    id: str
    source: str
    type: str
    data: bytes
    time: datetime | None = None
    subject: str | None = None
    tenant_id: str | None = None
    key: str | None = None
    traceparent: str | None = None
    causation_id: str | None = None


def to_bytes(model: BaseModel) -> bytes:
    """The model as compact JSON, in UTF-8."""
    return model.__pydantic_serializer__.to_json(model, exclude_none=True)


def to_kafka(event: Envelope) -> tuple[bytes | None, list[tuple[str, bytes]], bytes]:
    """(key, headers, value) of the record in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
        ("content-type", JSON_BYTES),
    ]
    for name, value in (
        ("ce_subject", event.subject),
        ("ce_tenantid", event.tenant_id),
        ("ce_partitionkey", event.key),
        ("ce_traceparent", event.traceparent),
        ("ce_causationid", event.causation_id),
    ):
        if value is not None:
            headers.append((name, value.encode()))
    if event.time is not None:
        headers.append(("ce_time", event.time.isoformat().replace("+00:00", "Z").encode()))
    return None if event.key is None else event.key.encode(), headers, event.data


def from_record(key: bytes | None, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Envelope:
    """Reads a record in binary or structured mode.

    Raises EnvelopeError when it is no CloudEvents 1.0 event, or carries data that is not JSON.
    """
    if value is None:
        raise EnvelopeError("the record has no value")
    try:
        named = {name.lower(): content.decode() for name, content in headers}
        key_text = None if key is None else key.decode()
        if any(name.startswith("ce_") for name in named):
            return _from_binary(key_text, named, value)
        message = KafkaMessage(headers=dict(headers), key=key, value=value)
        return from_cloudevent(from_structured(message, _FORMAT))
    except EnvelopeError:
        raise
    except (
        BaseCloudEventException,
        ExceptionGroup,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise EnvelopeError(f"not a CloudEvents 1.0 event: {_leaves(error)}") from error


def _from_binary(key: str | None, named: Mapping[str, str], value: bytes) -> Envelope:
    # By hand because it runs several times per event: the library takes five times as long for the same.
    missing = [name for name in _REQUIRED if not named.get(name)]
    if missing:
        raise EnvelopeError(f"the header {missing[0]} is missing or empty")
    if named["ce_specversion"] != "1.0":
        raise EnvelopeError(f"specversion is {named['ce_specversion']!r}; send 1.0")
    content_type = named.get("content-type", JSON)
    if not _is_json(content_type):
        raise EnvelopeError(f"datacontenttype is {content_type!r}; send application/json")
    time = named.get("ce_time")
    return Envelope(
        id=named["ce_id"],
        source=named["ce_source"],
        type=named["ce_type"],
        data=value,
        time=_instant(time) if time else None,
        subject=named.get("ce_subject"),
        tenant_id=named.get("ce_tenantid"),
        key=key if key is not None else named.get("ce_partitionkey"),
        traceparent=named.get("ce_traceparent"),
        causation_id=named.get("ce_causationid"),
    )


def _instant(spelled: str) -> datetime:
    instant = datetime.fromisoformat(spelled)
    if instant.tzinfo is None:
        raise EnvelopeError(f"time {spelled!r} has no zone; end it with Z")
    return instant


def from_cloudevent(event: BaseCloudEvent) -> Envelope:
    """The attributes heardback knows; data becomes JSON bytes whatever mode it came in."""
    attributes: Mapping[str, Any] = event.get_attributes()
    if event.get_specversion() != "1.0":
        raise EnvelopeError(f"specversion is {event.get_specversion()!r}; send 1.0")
    content_type = event.get_datacontenttype()
    if content_type is not None and not _is_json(content_type):
        raise EnvelopeError(f"datacontenttype is {content_type!r}; send application/json")
    data = event.get_data()
    return Envelope(
        id=event.get_id(),
        source=event.get_source(),
        type=event.get_type(),
        data=data
        if isinstance(data, bytes)
        else data.encode()
        if isinstance(data, str)
        else orjson.dumps(data),
        time=event.get_time(),
        subject=event.get_subject(),
        tenant_id=attributes.get("tenantid"),
        key=attributes.get("partitionkey"),
        traceparent=attributes.get("traceparent"),
        causation_id=attributes.get("causationid"),
    )


def _is_json(content_type: str) -> bool:
    if content_type == JSON:
        return True
    media = content_type.split(";", 1)[0].strip().lower()
    return media == JSON or media.endswith("+json")


def _leaves(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(_leaves(e) for e in error.exceptions)
    errors = getattr(error, "errors", None)
    if isinstance(errors, dict):
        return "; ".join(str(e) for group in errors.values() for e in group)
    return str(error) or type(error).__name__
