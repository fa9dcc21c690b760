"""The sample events and their customers. Written for heardback; nobody in them exists."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Literal, cast

import yaml

Expectation = Literal["accepted", "repeat", "refused"]

_RELATIVE = re.compile(r"(?P<base>now|today)(?P<by>[+-]\d+)(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One event as it is posted, and what the door must answer."""

    kind: Literal["survey", "transcript"]
    body: dict[str, Any]
    expect: Expectation

    @property
    def path(self) -> str:
        """Where it is posted."""
        return f"/v1/{self.kind}s"

    @property
    def feedback(self) -> tuple[str, str]:
        """(source, external id): the same for every revision of one feedback."""
        return self.body["source"], self.body["external_id"]

    @property
    def revision(self) -> int:
        return int(self.body.get("revision", 1))

    @property
    def customer_id(self) -> str | None:
        customer = self.body.get("customer")
        return None if customer is None else str(customer["id"])


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true once the samples are posted, counted from the samples themselves."""

    posted: int
    accepted: int
    """Distinct revisions that are valid: one ledger row each."""
    repeats: int
    refused: int
    feedbacks: int
    """Distinct feedbacks; an edited answer is still one."""
    edited: int


def load_samples(now: datetime) -> tuple[Sample, ...]:
    """The events in posting order, their times relative to `now`."""
    return tuple(_sample(row, now) for row in _read("feedback.yaml"))


def load_customers(now: datetime) -> tuple[dict[str, Any], ...]:
    """One mapping per customer: `id`, and the fields that are put."""
    return tuple(cast("dict[str, Any]", _at(row, now)) for row in _read("customers.yaml"))


def expected(samples: tuple[Sample, ...]) -> Expected:
    valid = [sample for sample in samples if sample.expect != "refused"]
    revisions = {(*sample.feedback, sample.revision) for sample in valid}
    feedbacks = {sample.feedback for sample in valid}
    return Expected(
        posted=len(samples),
        accepted=len(revisions),
        repeats=len(valid) - len(revisions),
        refused=len(samples) - len(valid),
        feedbacks=len(feedbacks),
        edited=len(revisions) - len(feedbacks),
    )


def _read(name: str) -> list[dict[str, Any]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return cast("list[dict[str, Any]]", yaml.safe_load(text))


def _sample(row: Mapping[str, Any], now: datetime) -> Sample:
    kind: Literal["survey", "transcript"] = "survey" if "survey" in row else "transcript"
    body = cast("dict[str, Any]", _at(row[kind], now))
    if isinstance(body.get("customer"), str):
        body["customer"] = {"id": body["customer"]}
    if kind == "transcript":
        turns = body["turns"]
        body["turns"] = [{"role": role, "text": text} for turn in turns for role, text in turn.items()]
    return Sample(kind, body, row["expect"])


def _at(value: Any, now: datetime) -> Any:
    if isinstance(value, dict):
        return {key: _at(inner, now) for key, inner in value.items()}
    if isinstance(value, list):
        return [_at(inner, now) for inner in value]
    if isinstance(value, str) and (found := _RELATIVE.fullmatch(value)):
        moment = now + timedelta(**{_UNITS[found["unit"]]: int(found["by"])})
        return moment.date().isoformat() if found["base"] == "today" else moment.isoformat()
    return value
