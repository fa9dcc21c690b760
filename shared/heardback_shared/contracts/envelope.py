"""CloudEvents 1.0 around every event, in the Kafka protocol binding (binary out; binary or structured in)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import BaseModel

JSON = "application/json"


class EnvelopeError(ValueError):
    """The record is not a CloudEvents 1.0 event. The message says what is missing or wrong."""


class _BytesFormat(JSONFormat):
    """The JSON event format, with binary-mode data left as the bytes it came in."""

    def write_data(self, data: dict[str, Any] | str | bytes | None, datacontenttype: str | None) -> bytes:
        return data if isinstance(data, bytes) else super().write_data(data, datacontenttype)

    def read_data(self, body: bytes, datacontenttype: str | None) -> dict[str, Any] | str | bytes | None:
        return body


_FORMAT = _BytesFormat()


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
    attributes: dict[str, Any] = {
        "id": event.id,
        "source": event.source,
        "specversion": "1.0",
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "tenantid": event.tenant_id,
        "partitionkey": event.key,
        "traceparent": event.traceparent,
        "causationid": event.causation_id,
        "datacontenttype": JSON,
    }
    message = to_binary(
        CloudEvent({k: v for k, v in attributes.items() if v is not None}, event.data), _FORMAT
    )
    key = message.key.encode() if isinstance(message.key, str) else message.key
    return key, list(message.headers.items()), message.value


def from_record(key: bytes | None, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Envelope:
    """Reads a record in binary or structured mode.

    Raises EnvelopeError when it is no CloudEvents 1.0 event, or carries data that is not JSON.
    """
    if value is None:
        raise EnvelopeError("the record has no value")
    named = dict(headers)
    if any(name.startswith("ce_") for name in named) and "ce_specversion" not in named:
        raise EnvelopeError("the header ce_specversion is missing; send 1.0")
    try:
        message = KafkaMessage(headers=named, key=key, value=value)
        return from_cloudevent(from_kafka(message, _FORMAT))
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
    media = content_type.split(";", 1)[0].strip().lower()
    return media == JSON or media.endswith("+json")


def _leaves(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(_leaves(e) for e in error.exceptions)
    errors = getattr(error, "errors", None)
    if isinstance(errors, dict):
        return "; ".join(str(e) for group in errors.values() for e in group)
    return str(error) or type(error).__name__
