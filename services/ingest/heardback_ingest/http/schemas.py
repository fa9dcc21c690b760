"""Shapes of answers, for the OpenAPI page and for whoever reads this first."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel


class AcceptedView(BaseModel):
    id: str
    status: Literal["accepted"]
    duplicate: bool | None = None
    same_content: bool | None = None


class HistoryEntry(BaseModel):
    stage: str
    at: datetime
    revision: int | None = None
    reason: str | None = None


class ItemView(BaseModel):
    id: str
    team: str
    state: str | None = None


class LoopView(BaseModel):
    id: str
    state: str
    at: datetime


class FeedbackView(BaseModel):
    id: str
    revision: int
    status: Literal["accepted", "scored", "routed", "dead"]
    reason: str | None = None
    source: str
    external_id: str
    kind: str
    customer_id: str | None = None
    score: dict[str, Any] | None = None
    item: ItemView | None = None
    loop: LoopView | None = None
    history: list[HistoryEntry]


class LedgerView(BaseModel):
    accepted: int
    settled: int
    in_flight: int
    dead: int
    rejected: int
    balanced: bool
