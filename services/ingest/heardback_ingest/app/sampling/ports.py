"""What deciding how many to ask needs from storage and from router. Storage works inside the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.domain.sampling.arms import Experiment
from heardback_ingest.domain.sampling.plan import Size
from heardback_ingest.domain.sampling.response import Past

State = Literal["running", "reached", "all_sent", "stopped"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One survey asked of one segment (None: of everybody) until it has enough answers. `weight`: how much
    its answers matter beside those of other surveys. `wait_days`: how long answers to a wave are waited
    for."""

    id: str
    survey: str
    segment: str | None
    weight: float
    wait_days: float
    size: Size
    state: State
    made_by: str
    made_at: datetime
    because: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedWave:
    number: int
    invites: int
    record: Mapping[str, Any]
    opened_by: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """Different people who were asked, and who answered; when the last was asked; places kept besides."""

    out: int
    answered: int
    last_out_at: datetime | None
    held: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A survey's choice as it was made."""

    slot: str
    customer_id: str
    record: Mapping[str, Any]
    asked_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Running:
    """An experiment with when, why and by whom."""

    experiment: Experiment
    because: str
    started_by: str
    started_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One invitation that was sent, as it is stored. `score` is that of the answer, where it has one."""

    person_id: str
    at: datetime
    type: str
    gap: int | None
    seen: bool
    answered: bool
    score: float | None
    refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeSuggestion:
    id: str
    experiment_id: str
    gap: int
    evidence: Mapping[str, Any]
    policy: str
    draft: int
    made_by: str
    made_at: datetime


class Plans(Protocol):
    async def add(self, c: AsyncConnection, tenant_id: str, plan: Plan) -> bool:
        """False where one for the same survey and segment is running."""
        ...

    async def get(
        self, c: AsyncConnection, tenant_id: str, plan_id: str, *, for_update: bool = False
    ) -> Plan | None: ...

    async def newest(self, c: AsyncConnection, tenant_id: str, limit: int) -> list[Plan]: ...

    async def latest_for(
        self, c: AsyncConnection, tenant_id: str, surveys: Sequence[str], segment: str | None
    ) -> Mapping[str, Plan]:
        """By survey the newest plan of the segment, else the newest for everybody."""
        ...

    async def lock(self, c: AsyncConnection, tenant_id: str, plan_ids: Sequence[str]) -> None:
        """Until the transaction ends nobody else opens a wave of these plans or takes invites of them."""
        ...

    async def end(
        self,
        c: AsyncConnection,
        tenant_id: str,
        plan_id: str,
        state: State,
        because: str,
        by: str,
        now: datetime,
    ) -> None: ...

    async def waves(self, c: AsyncConnection, tenant_id: str, plan_id: str) -> list[OpenedWave]: ...

    async def open_wave(self, c: AsyncConnection, tenant_id: str, plan_id: str, wave: OpenedWave) -> None: ...


class Choices(Protocol):
    async def keep(self, c: AsyncConnection, tenant_id: str, kept: Kept) -> Kept:
        """What is kept for the slot: this, or what was kept before."""
        ...

    async def get(self, c: AsyncConnection, tenant_id: str, slot: str) -> Kept | None: ...


class Asking(Protocol):
    """What became of invitations, as the surveys engine keeps them."""

    async def tally(
        self, c: AsyncConnection, tenant_id: str, survey: str, segment: str | None, since: datetime
    ) -> Tally:
        """Since then; reminders count for nothing."""
        ...

    async def past(
        self, c: AsyncConnection, tenant_id: str, survey: str, segment: str | None, now: datetime
    ) -> list[Past]:
        """The last year in months; what was sent in the last week is left out: answers may still come."""
        ...

    async def population(self, c: AsyncConnection, tenant_id: str, segment: str | None) -> int:
        """Different people with a card, of the segment."""
        ...

    async def segment_of(self, c: AsyncConnection, tenant_id: str, customer_id: str) -> str | None: ...

    async def sent(
        self,
        c: AsyncConnection,
        tenant_id: str,
        experiment_id: str | None,
        since: datetime,
        until: datetime,
        most: int,
    ) -> list[Sent]:
        """The newest `most` by time, the newest last. With the gap of the experiment where it was drawn
        before the invitation was sent, and the person's first refusal of surveys after it."""
        ...


class Experiments(Protocol):
    async def newest(self, c: AsyncConnection, tenant_id: str) -> Running | None:
        """The one that runs, else the one that ran last."""
        ...

    async def start(self, c: AsyncConnection, tenant_id: str, running: Running) -> bool:
        """False where one runs already."""
        ...

    async def end(self, c: AsyncConnection, tenant_id: str, by: str, now: datetime) -> bool: ...

    async def assign(
        self, c: AsyncConnection, tenant_id: str, experiment_id: str, gaps: Mapping[str, int], now: datetime
    ) -> None:
        """Gaps by person; who has one keeps it."""
        ...

    async def sizes(self, c: AsyncConnection, tenant_id: str, experiment_id: str) -> Mapping[int, int]:
        """How many people by gap."""
        ...

    async def suggested(self, c: AsyncConnection, tenant_id: str, made: MadeSuggestion) -> None: ...

    async def suggestions(
        self, c: AsyncConnection, tenant_id: str, limit: int
    ) -> Sequence[MadeSuggestion]: ...


class Drafts(Protocol):
    async def propose(self, kind: str, text: str, reason: str, bearer: str) -> int:
        """The number of the new draft, under the caller's own key. Raises ProblemError."""
        ...
